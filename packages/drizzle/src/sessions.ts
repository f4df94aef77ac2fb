import {
  applyDelta,
  checkStateBytes,
  isEmptyDelta,
  isJsonObject,
  noSession,
  seqBeyondHead,
  sessionExists,
  splitDelta,
  staleSession,
  StoreError,
  toMicros,
  type AgentEvent,
  type CheckedEventFilter,
  type CreateRequest,
  type ErasureReceipt,
  type ForkRequest,
  type JsonDelta,
  type JsonObject,
  type LoadedSession,
  type Session,
  type SessionChange,
  type SessionKey,
  type UpdateRequest,
  type UserKey,
} from '@daybook/core'
import { changeScopes } from './append.ts'
import type { Tx } from './dialect.ts'
import { loadWithin } from './load.ts'
import { noFilter } from './event-rows.ts'
import { readsOldView } from './old-view.ts'
import { createSessionLists, type SessionLists } from './session-lists.ts'
import type { MemoryScripts } from './memories.ts'
import type { MetricRemoval } from './metric-removal.ts'
import type { Parts } from './operation.ts'
import type { Script } from './script.ts'
import { createSessionRemoval, type SessionRemoval } from './session-removal.ts'
import { sessionKeyParams, type StoredSession } from './session-rows.ts'

/** Everything about sessions, as scripts: inside one transaction, whoever began it. */
export interface SessionScripts extends SessionLists, Pick<SessionRemoval, 'pruneChunk' | 'pruneCount'> {
  create(tx: Tx, request: CreateRequest, now: bigint): Script<Session>
  load(tx: Tx, key: SessionKey, filter: CheckedEventFilter | undefined): Script<LoadedSession | undefined>
  update(tx: Tx, request: UpdateRequest<SessionKey, SessionChange>, now: bigint): Script<Session>
  delete(tx: Tx, key: SessionKey): Script<boolean>
  fork(tx: Tx, request: ForkRequest, now: bigint): Script<Session>
  stateAt(tx: Tx, key: SessionKey, seq: number): Script<JsonObject | undefined>
  /** Deletes up to `chunk` sessions of a user; after the last of them some memories, metrics and artifacts of the user, and then the user's state. */
  eraseChunk(
    tx: Tx,
    user: UserKey,
    chunk: number,
  ): Script<{ readonly receipt: ErasureReceipt; readonly isLast: boolean }>
}

export function createSessionScripts(
  parts: Parts,
  memoryScripts: MemoryScripts,
  eraseMetrics: MetricRemoval['eraseSome'],
): SessionScripts {
  const { dialect, sessionRows, eventRows, scopeStates, artifacts, limits, logger } = parts
  const lists = createSessionLists(dialect, sessionRows)
  const removal = createSessionRemoval(parts)

  function* load(tx: Tx, key: SessionKey, filter: CheckedEventFilter | undefined): Script<LoadedSession | undefined> {
    const { shape, params } = eventRows.load(key, filter)
    const found = yield* loadWithin(dialect)(tx, shape, params)
    return found === undefined
      ? undefined
      : { ...sessionRows.sessionOf(found.session), events: eventRows.eventsOf(found.events, key) }
  }

  function* loaded(tx: Tx, key: SessionKey): Script<Session> {
    const [row] = yield* tx.rows(sessionRows.withStates, sessionKeyParams(key))
    if (row === undefined) throw noSession(key)
    return sessionRows.sessionOf(row)
  }

  /**
   * An event that is not to be seen. Under the session's lock it may be there all the same, for a transaction that the store joined may
   * read what was before others appended.
   */
  function* lacking(tx: Tx, session: StoredSession, seq: number, isLocked: boolean): Script<never> {
    if (isLocked && (yield* eventRows.isThere(tx, session, seq))) throw readsOldView(session)
    throw new StoreError(
      'corrupt',
      `session ${session.sessionId} lacks event ${seq}, or it is not to be seen from here`,
    )
  }

  /** The session's own state after `seq`: what creation and the events up to there made of it. */
  function* stateAfter(tx: Tx, session: StoredSession, seq: number, isLocked: boolean): Script<JsonObject> {
    if (seq === session.lastSeq) return session.state
    let state = yield* sessionRows.initialState(tx, session)
    for (let done = 0; done < seq;) {
      const page = yield* eventRows.page(tx, session, {
        filter: noFilter,
        direction: 'asc',
        beyondSeq: done,
        limit: Math.min(200, seq - done),
      })
      for (const { event, seq: found } of page) {
        if (found !== done + 1) yield* lacking(tx, session, done + 1, isLocked)
        state = applyDelta(state, storedDelta(event))
        done = found
      }
      if (page.length === 0) yield* lacking(tx, session, done + 1, isLocked)
    }
    return state
  }

  return {
    ...lists,
    load,
    *create(tx, { key, deltas, initialState, ...given }, now) {
      const createdAt = given.createdAt === undefined ? now : toMicros(given.createdAt)
      const isNew = yield* sessionRows.insert(tx, {
        key,
        state: deltas.session.set,
        initialState,
        lastSeq: 0,
        createdAt,
        updatedAt: now,
        lastEventAt: createdAt,
      })
      if (!isNew) throw sessionExists(key)
      checkStateBytes(deltas.session.set, 'session state', limits, logger) // warns; what is too large was refused before
      yield* changeScopes(tx, scopeStates, key, deltas, { now, limits, logger })
      return yield* loaded(tx, key)
    },
    *update(tx, { key, change, expectedRevision }, now) {
      const session = yield* sessionRows.lock(tx, key)
      if (expectedRevision !== undefined && expectedRevision !== session.revision)
        throw staleSession(session, expectedRevision)
      const deltas = 'deltas' in change ? change.deltas : undefined
      if (deltas !== undefined && Object.values(deltas).every((delta) => isEmptyDelta(delta)))
        return yield* loaded(tx, key)
      const state = 'replace' in change ? change.replace : applyDelta(session.state, change.deltas.session)
      checkStateBytes(state, 'session state', limits, logger)
      const stored = toMicros(session.updatedAt)
      yield* sessionRows.change(tx, session, {
        state,
        lastSeq: session.lastSeq,
        updatedAt: stored > now ? stored : now,
        lastEventAt: toMicros(session.lastEventAt),
      })
      if (deltas !== undefined) yield* changeScopes(tx, scopeStates, key, deltas, { now, limits, logger })
      return yield* loaded(tx, key)
    },
    *delete(tx, key) {
      const session = yield* sessionRows.lockIfThere(tx, key)
      if (session === undefined) return false
      yield* removal.remove(tx, [session.sid])
      if (dialect.announce !== undefined) yield* dialect.announce(tx, key)
      return true
    },
    *fork(tx, { key, sessionId, throughSeq }, now) {
      const source = yield* sessionRows.lock(tx, key)
      const seq = throughSeq ?? source.lastSeq
      if (seq > source.lastSeq) throw seqBeyondHead('throughSeq', seq, source.lastSeq)
      const state = yield* stateAfter(tx, source, seq, true)
      const initialState = yield* sessionRows.initialState(tx, source)
      const target = { ...key, sessionId }
      const [last] =
        seq === 0
          ? []
          : yield* eventRows.page(tx, key, { filter: noFilter, direction: 'asc', beyondSeq: seq - 1, limit: 1 })
      const lastEventAt = last === undefined ? now : toMicros(last.event.timestamp)
      const isNew = yield* sessionRows.insert(tx, {
        key: target,
        state,
        initialState,
        lastSeq: seq,
        createdAt: now,
        updatedAt: now,
        lastEventAt,
      })
      if (!isNew) throw sessionExists(target)
      const copy = yield* sessionRows.find(tx, target)
      if (copy === undefined) throw noSession(target)
      yield* eventRows.copy(tx, source.sid, copy.sid, seq)
      return yield* loaded(tx, target)
    },
    *stateAt(tx, key, seq) {
      const session = yield* sessionRows.find(tx, key)
      if (session === undefined) return undefined
      if (seq > session.lastSeq) throw seqBeyondHead('seq', seq, session.lastSeq)
      return yield* stateAfter(tx, session, seq, false)
    },
    pruneChunk: removal.pruneChunk,
    pruneCount: removal.pruneCount,
    *eraseChunk(tx, user, chunk) {
      const own = yield* removal.lockSome(tx, user, chunk)
      const removed = yield* removal.remove(tx, own)
      const none = { sessions: own.length, userStates: 0, memories: 0, metrics: 0, ...removed }
      if (own.length === chunk) return { receipt: none, isLast: false }
      const { memories } = yield* memoryScripts.deleteChunk(tx, { ...everyMemory, ...user, chunk })
      if (memories === chunk) return { receipt: { ...none, memories }, isLast: false }
      const metrics = yield* eraseMetrics(tx, user, metricChunk)
      if (metrics === metricChunk) return { receipt: { ...none, memories, metrics }, isLast: false }
      // Pieces before names, as a save takes them: what it has locked it records first, and then it is seen.
      yield* artifacts.removeStaged(tx, user)
      const { names, versions } = yield* artifacts.removeAll(tx, { ...user, sessionId: '' }, chunk)
      const sum = { ...none, memories, metrics, artifacts: removed.artifacts + versions }
      if (names === chunk) return { receipt: sum, isLast: false }
      const hadState = yield* scopeStates.user.delete(tx, user)
      return { receipt: { ...sum, userStates: hadState ? 1 : 0 }, isLast: true }
    },
  }
}

/** Rows of metrics are small, and a user has many. */
const metricChunk = 1000

const everyMemory = { id: undefined, sessionId: undefined, before: undefined, dryRun: false }

/** The session-scope delta of a stored event. It was checked when it was appended. */
function storedDelta({ actions }: AgentEvent): JsonDelta {
  const { stateDelta, stateUnset } = isJsonObject(actions) ? actions : {}
  const unset = Array.isArray(stateUnset) ? stateUnset.map(String) : []
  return splitDelta({ set: isJsonObject(stateDelta) ? stateDelta : {}, unset }).session
}
