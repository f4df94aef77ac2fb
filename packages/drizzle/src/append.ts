import {
  applyDelta,
  checkHolder,
  checkStateBytes,
  deltaOf,
  fromMicros,
  isEmptyDelta,
  isJsonObject,
  isSameEvent,
  otherPayload,
  staleSession,
  StoreError,
  toMicros,
  type AppendRequest,
  type AppendResult,
  type JsonDelta,
  type NewEvent,
  type StoredEvent,
} from '@daybook/core'
import type { Tx } from './dialect.ts'
import type { Parts } from './operation.ts'
import type { Script } from './script.ts'
import type { StoredSession } from './session-rows.ts'

export type Append = (tx: Tx, request: AppendRequest, now: bigint) => Script<Pick<AppendResult, 'events' | 'revision'>>

/**
 * The whole of an append as a script: every case, under the session's lock. Dialects with a shorter way for the common
 * case come here for the others.
 */
export function createAppend({ dialect, sessionRows, eventRows, scopeStates, limits, logger }: Parts): Append {
  return function* append(tx, request, now) {
    const session = yield* sessionRows.lock(tx, request.key)
    const known =
      request.events.length === 0
        ? []
        : yield* eventRows.byIds(
            tx,
            session,
            request.events.map(({ id }) => id),
          )
    const { answers, added, replaced } = plan(request, session, known)
    if (added.length === 0 && replaced.length === 0) return { events: answers, revision: session.revision }
    checkHolder(session, request.lease, fromMicros(now))
    const { expectedRevision } = request
    if (expectedRevision !== undefined && expectedRevision !== session.revision)
      throw staleSession(session, expectedRevision)

    for (const { event, seq } of added) yield* eventRows.insert(tx, session, seq, event)
    for (const { event, seq } of replaced) yield* eventRows.replace(tx, session, seq, event)
    const deltas = deltaOf(request, inGivenOrder(request, [...added, ...replaced]))
    const stored = toMicros(session.updatedAt)
    const last = added.at(-1)
    const revision = yield* sessionRows.change(tx, session, {
      state: changed(session.state, deltas.session, { limits, logger }),
      lastSeq: last?.seq ?? session.lastSeq,
      updatedAt: stored > now ? stored : now,
      lastEventAt: toMicros(last?.event.timestamp ?? session.lastEventAt),
    })
    yield* changeScopes(tx, scopeStates, request.key, deltas, { now, limits, logger })
    if (added.length > 0 && dialect.announce !== undefined) yield* dialect.announce(tx, request.key)
    return { events: answers, revision }
  }
}

const changed = (
  state: StoredSession['state'],
  delta: JsonDelta,
  { limits, logger }: Pick<Parts, 'limits' | 'logger'>,
) => {
  if (isEmptyDelta(delta)) return state
  const next = applyDelta(state, delta)
  checkStateBytes(next, 'session state', limits, logger)
  return next
}

/** User before app: every script takes its locks in the order session, user, app, so that none can wait in a circle. */
export function* changeScopes(
  tx: Tx,
  scopeStates: Parts['scopeStates'],
  { appName, userId }: { appName: string; userId: string },
  deltas: { readonly user: JsonDelta; readonly app: JsonDelta },
  context: { readonly now: bigint } & Pick<Parts, 'limits' | 'logger'>,
): Script<void> {
  if (!isEmptyDelta(deltas.user)) {
    yield* scopeStates.user.update(tx, {
      key: { appName, userId },
      change: (state) => applyDelta(state, deltas.user),
      ...context,
    })
  }
  if (!isEmptyDelta(deltas.app)) {
    yield* scopeStates.app.update(tx, {
      key: { appName },
      change: (state) => applyDelta(state, deltas.app),
      ...context,
    })
  }
}

interface Placed {
  readonly event: NewEvent
  readonly seq: number
}

interface Plan {
  readonly answers: AppendResult['events']
  readonly added: readonly Placed[]
  readonly replaced: readonly Placed[]
}

/** What becomes of each event: new, already stored, or put in the place of the stored one. */
function plan(request: AppendRequest, session: StoredSession, known: readonly StoredEvent[]): Plan {
  const stored = new Map(known.map((one) => [one.event.id, one]))
  const added = new Map<string, Placed>()
  const replaced = new Map<string, Placed>()
  const answers = request.events.map((event) => {
    const { id } = event
    const placed = added.get(id) ?? replaced.get(id)
    if (placed !== undefined) {
      if (!isSameEvent(placed.event.payload, event)) throw otherPayload(session, id)
      return { id, seq: placed.seq, duplicate: true }
    }
    const before = stored.get(id)
    if (before === undefined) {
      const seq = session.lastSeq + added.size + 1
      added.set(id, { event, seq })
      return { id, seq, duplicate: false }
    }
    if (!isJsonObject(before.event)) throw new StoreError('corrupt', `event ${id} is not an object`)
    if (!isSameEvent(before.event, event)) {
      if (request.onDuplicate === 'reject') throw otherPayload(session, id)
      replaced.set(id, { event, seq: before.seq })
    }
    return { id, seq: before.seq, duplicate: true }
  })
  return { answers, added: [...added.values()], replaced: [...replaced.values()] }
}

function inGivenOrder({ events }: AppendRequest, placed: readonly Placed[]): NewEvent[] {
  const changing = new Set(placed.map(({ event }) => event))
  return events.filter((event) => changing.has(event))
}
