import { checkedOptions, checkedStateKey, checkStateBytes } from './arguments.ts'
import { applyDelta, isEmptyDelta, mergedState, type JsonDelta } from './delta.ts'
import { keyText, type InMemoryData, type SessionRow, type StateRow } from './in-memory-database.ts'
import type { JsonObject } from './json.ts'
import { staleState } from './refusals.ts'
import { stateUpdateRequest } from './session-request.ts'
import type { State, UserKey } from './sessions.ts'
import type { ScopedState, StateKey, StateStore } from './state.ts'
import type { StoreContext } from './store-options.ts'

export interface InMemoryContext extends StoreContext {
  readonly data: InMemoryData
}

export function createInMemoryState(context: InMemoryContext): StateStore {
  const { calls, data, limits } = context
  return {
    get: (key, options) =>
      calls.run('state.get', options, () => {
        checkedOptions(options, [])
        const row = data.states.get(stateKeyText(checkedStateKey(key, limits)))
        return row === undefined ? undefined : scopedStateOf(row)
      }),
    update: (key, change, options) =>
      calls.run('state.update', options, () => {
        const request = stateUpdateRequest(key, change, options, context)
        const text = stateKeyText(request.key)
        const current = data.states.get(text) ?? unwritten
        if (request.expectedRevision !== undefined && request.expectedRevision !== current.revision) {
          throw staleState(request.key, current.revision, request.expectedRevision)
        }
        if (!('replace' in request.change) && isEmptyDelta(request.change)) return scopedStateOf(current)
        const state = 'replace' in request.change ? request.change.replace : applyDelta(current.state, request.change)
        const next = changed(current, state, request.key.userId === undefined ? 'app state' : 'user state', context)
        data.states.set(text, next)
        return scopedStateOf(next)
      }),
  }
}

/** What deltas make of the states of a user and of the app, checked. The answer writes them, and cannot fail. */
export function stateChanges(
  key: UserKey,
  deltas: { readonly user: JsonDelta; readonly app: JsonDelta },
  context: InMemoryContext,
): () => void {
  const { states } = context.data
  const next = new Map<string, StateRow>()
  for (const scope of ['user', 'app'] as const) {
    if (isEmptyDelta(deltas[scope])) continue
    const text = scope === 'user' ? keyText(key.appName, key.userId) : keyText(key.appName)
    const current = states.get(text) ?? unwritten
    next.set(text, changed(current, applyDelta(current.state, deltas[scope]), `${scope} state`, context))
  }
  return () => {
    for (const [text, row] of next) states.set(text, row)
  }
}

/** The merged view of a session, as a fresh object. */
export const stateOf = ({ states }: InMemoryData, { appName, userId, state }: SessionRow): State =>
  fresh(
    mergedState({
      session: state,
      user: states.get(keyText(appName, userId))?.state ?? {},
      app: states.get(keyText(appName))?.state ?? {},
    }),
  )

export const deleteUserState = ({ states }: InMemoryData, { appName, userId }: UserKey): boolean =>
  states.delete(keyText(appName, userId))

/** A copy that shares nothing with what is stored. */
export const fresh = (document: JsonObject): JsonObject => structuredClone(document)

/** The store's clock, which never runs backwards on a row. */
export const laterOf = (time: number, { now }: StoreContext): number => Math.max(time, now())

const unwritten: StateRow = { state: {}, revision: 0, updatedAt: 0 }

const stateKeyText = ({ appName, userId }: StateKey) =>
  userId === undefined ? keyText(appName) : keyText(appName, userId)

function changed(
  { revision, updatedAt }: StateRow,
  state: JsonObject,
  field: string,
  context: InMemoryContext,
): StateRow {
  checkStateBytes(state, field, context.limits, context.logger)
  return { state, revision: revision + 1, updatedAt: laterOf(updatedAt, context) }
}

const scopedStateOf = <S extends State>({ state, revision, updatedAt }: StateRow): ScopedState<S> => ({
  state: fresh(state) as S, // what the caller says it put there
  revision,
  updatedAt,
})
