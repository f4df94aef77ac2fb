// The suite's own idea of a store, over plain Maps. It shares no code with core: the two must not share a bug.
import { isDeepStrictEqual } from 'node:util'
import type { AgentEvent, SessionKey } from '@daybook/core'

type Doc = Map<string, unknown>
export interface Change {
  readonly set: Readonly<Record<string, unknown>>
  readonly unset: readonly string[]
}

interface ModelScope {
  doc: Doc
  revision: number
}

export interface ModelSession extends ModelScope {
  readonly key: SessionKey
  readonly born: Doc
  /** In order of `seq`, with the deltas that `stateAt` folds. */
  readonly events: { id: string; event: AgentEvent; change: Change }[]
}

export interface Model {
  readonly sessions: Map<string, ModelSession>
  readonly apps: Map<string, ModelScope>
  readonly users: Map<string, ModelScope>
}

export const newModel = (): Model => ({ sessions: new Map(), apps: new Map(), users: new Map() })

const nameOf = ({ appName, userId, sessionId }: SessionKey) => JSON.stringify([appName, userId, sessionId])
const userOf = ({ appName, userId }: { appName: string; userId: string }) => JSON.stringify([appName, userId])

export const sessionIn = (model: Model, key: SessionKey): ModelSession | undefined => model.sessions.get(nameOf(key))

const prefixes = { app: 'app:', user: 'user:', temp: 'temp:' } as const
type ScopeName = 'app' | 'user' | 'own'

function part({ set, unset }: Change, scope: ScopeName): Change {
  const take = (key: string): string | undefined => {
    if (key.startsWith(prefixes.temp)) return undefined
    const found = key.startsWith(prefixes.app) ? 'app' : key.startsWith(prefixes.user) ? 'user' : 'own'
    if (found !== scope) return undefined
    return scope === 'own' ? key : key.slice(prefixes[scope].length)
  }
  const own: [string, unknown][] = []
  for (const [key, value] of Object.entries(set)) {
    const name = take(key)
    if (name !== undefined) own.push([name, value])
  }
  return { set: Object.fromEntries(own), unset: unset.flatMap((key) => take(key) ?? []) }
}

const isEmpty = ({ set, unset }: Change) => Object.keys(set).length === 0 && unset.length === 0

function fold(doc: Doc, { set, unset }: Change): void {
  for (const key of unset) doc.delete(key)
  for (const [key, value] of Object.entries(set)) doc.set(key, value)
}

const scopeIn = (scopes: Map<string, ModelScope>, name: string): ModelScope => {
  const scope = scopes.get(name) ?? { doc: new Map(), revision: 0 }
  scopes.set(name, scope)
  return scope
}

/** Applies the shared parts of some changes as one change: each scope that is named grows by one revision. */
function share(model: Model, key: SessionKey, changes: readonly Change[]): void {
  for (const [scope, scopes, name] of [
    ['app', model.apps, key.appName],
    ['user', model.users, userOf(key)],
  ] as const) {
    const parts = changes.map((change) => part(change, scope)).filter((one) => !isEmpty(one))
    if (parts.length === 0) continue
    const target = scopeIn(scopes, name)
    for (const one of parts) fold(target.doc, one)
    target.revision += 1
  }
}

/** False if it exists. */
export function create(model: Model, key: SessionKey, state: Readonly<Record<string, unknown>>): boolean {
  if (sessionIn(model, key) !== undefined) return false
  const change = { set: state, unset: [] }
  const doc: Doc = new Map(Object.entries(part(change, 'own').set))
  model.sessions.set(nameOf(key), { key, doc, born: new Map(doc), revision: 1, events: [] })
  share(model, key, [change])
  return true
}

export const remove = (model: Model, key: SessionKey): boolean => model.sessions.delete(nameOf(key))

const changeOf = ({ actions }: AgentEvent): Change => ({
  set: actions?.stateDelta ?? {},
  unset: actions?.stateUnset ?? [],
})

const isKept = (key: string) => !key.startsWith(prefixes.temp)

/** The event as it has to be read back. */
function storedForm(event: AgentEvent): AgentEvent {
  if (event.actions === undefined) return event
  const { stateDelta, stateUnset } = event.actions
  return {
    ...event,
    actions: {
      ...event.actions,
      ...(stateDelta !== undefined && {
        stateDelta: Object.fromEntries(Object.entries(stateDelta).filter(([key]) => isKept(key))),
      }),
      ...(stateUnset !== undefined && { stateUnset: stateUnset.filter((key) => isKept(key)) }),
    },
  }
}

export type ModelAppend =
  | 'not_found'
  | 'conflict'
  | { readonly events: readonly { id: string; seq: number; duplicate: boolean }[]; readonly revision: number }

export function append(model: Model, key: SessionKey, events: readonly (AgentEvent & { id: string })[]): ModelAppend {
  const session = sessionIn(model, key)
  if (session === undefined) return 'not_found'
  const known = (id: string) => session.events.find((one) => one.id === id)
  if (
    events.some(
      (event) => known(event.id) !== undefined && !isDeepStrictEqual(known(event.id)?.event, storedForm(event)),
    )
  )
    return 'conflict'
  const fresh = events.filter(({ id }) => known(id) === undefined)
  const duplicates = new Set(events.filter(({ id }) => !fresh.some((one) => one.id === id)).map(({ id }) => id))
  for (const event of fresh) {
    const change = changeOf(event)
    session.events.push({ id: event.id, event: storedForm(event), change: part(change, 'own') })
    fold(session.doc, part(change, 'own'))
  }
  if (fresh.length > 0) session.revision += 1
  share(
    model,
    key,
    fresh.map((event) => changeOf(event)),
  )
  const answers = events.map(({ id }) => ({
    id,
    seq: session.events.findIndex((one) => one.id === id) + 1,
    duplicate: duplicates.has(id),
  }))
  return { events: answers, revision: session.revision }
}

/** False without the session. */
export function update(model: Model, key: SessionKey, change: Change): boolean {
  const session = sessionIn(model, key)
  if (session === undefined) return false
  const kept = {
    set: Object.fromEntries(Object.entries(change.set).filter(([name]) => !name.startsWith(prefixes.temp))),
    unset: change.unset.filter((name) => !name.startsWith(prefixes.temp)),
  }
  if (isEmpty(kept)) return true
  fold(session.doc, part(kept, 'own'))
  session.revision += 1
  share(model, key, [kept])
  return true
}

export function updateShared(
  model: Model,
  key: { appName: string; userId?: string },
  change: Change | { readonly replace: Readonly<Record<string, unknown>> },
): number {
  const [scopes, name] =
    key.userId === undefined
      ? [model.apps, key.appName]
      : [model.users, userOf({ appName: key.appName, userId: key.userId })]
  if (!('replace' in change) && isEmpty(change)) return scopes.get(name)?.revision ?? 0
  const target = scopeIn(scopes, name)
  if ('replace' in change) target.doc = new Map(Object.entries(change.replace))
  else fold(target.doc, change)
  target.revision += 1
  return target.revision
}

export function fork(model: Model, key: SessionKey, sessionId: string, throughSeq: number | undefined): boolean {
  const source = sessionIn(model, key)
  const target = { ...key, sessionId }
  if (source === undefined || sessionIn(model, target) !== undefined) return false
  const events = source.events.slice(0, throughSeq ?? source.events.length)
  const doc = new Map(Object.entries(stateAt(source, events.length)))
  model.sessions.set(nameOf(target), { key: target, doc, born: new Map(source.born), revision: 1, events: [...events] })
  return true
}

/** At the head the current state; earlier the creation state and the deltas up to there. */
export function stateAt(session: ModelSession, seq: number): Record<string, unknown> {
  if (seq === session.events.length) return Object.fromEntries(session.doc)
  const doc = new Map(session.born)
  for (const { change } of session.events.slice(0, seq)) fold(doc, change)
  return Object.fromEntries(doc)
}

export function merged(model: Model, { key, doc }: ModelSession): Record<string, unknown> {
  const entries = [...doc]
  for (const [name, value] of model.users.get(userOf(key))?.doc ?? []) entries.push([`user:${name}`, value])
  for (const [name, value] of model.apps.get(key.appName)?.doc ?? []) entries.push([`app:${name}`, value])
  return Object.fromEntries(entries)
}

export const sharedIn = (
  model: Model,
  key: { appName: string; userId?: string },
): { state: Record<string, unknown>; revision: number } | undefined => {
  const scope =
    key.userId === undefined
      ? model.apps.get(key.appName)
      : model.users.get(userOf({ appName: key.appName, userId: key.userId }))
  return scope === undefined ? undefined : { state: Object.fromEntries(scope.doc), revision: scope.revision }
}
