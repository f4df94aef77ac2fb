import { setImmediate } from 'node:timers/promises'
import { checkedCount, checkedOptions, checkedSessionKey, checkedUserKey, checkStateBytes } from './arguments.ts'
import type { Call } from './calls.ts'
import { applyDelta, isEmptyDelta } from './delta.ts'
import { deleteUserArtifacts, sessionVersions } from './in-memory-artifacts.ts'
import {
  deleteSession,
  findSession,
  insertSession,
  sessionsOf,
  type InMemoryData,
  type SessionRow,
} from './in-memory-database.ts'
import { matchingEvents, storedEvent } from './in-memory-events.ts'
import { deleteMemories } from './in-memory-memories.ts'
import { deleteMetrics } from './in-memory-metrics.ts'
import { inOrder, positionOf, summaryOf } from './in-memory-list.ts'
import { deleteUserState, fresh, laterOf, stateChanges, stateOf, type InMemoryContext } from './in-memory-state.ts'
import type { Leases } from './held-lease.ts'
import type { JsonObject } from './json.ts'
import { eventsOption, pageOf, sessionFilter, sessionListRequest, type SessionFilterRequest } from './list-request.ts'
import { noSession, seqBeyondHead, sessionExists, staleSession } from './refusals.ts'
import {
  createRequest,
  forkRequest,
  pruneRequest,
  updateRequest,
  type CreateRequest,
  type ForkRequest,
  type PruneRequest,
  type SessionChange,
  type UpdateRequest,
} from './session-request.ts'
import type { PruneReport, Session, SessionKey, SessionQuery, SessionStore, SessionSummary, State } from './sessions.ts'
import { matchesState } from './state-filter.ts'
import type { ErasureReceipt, Store } from './store.ts'

export const createInMemorySessions = (context: InMemoryContext, { lease }: Leases): SessionStore => ({
  ...reads(context),
  ...writes(context),
  lease,
})

function reads(context: InMemoryContext): Pick<SessionStore, 'get' | 'list' | 'count' | 'stateAt'> {
  const { calls, data, limits } = context
  return {
    get: (key, options) =>
      calls.run('sessions.get', options, () => {
        const checked = checkedSessionKey(key, limits)
        const filter = eventsOption(checkedOptions(options, ['events']).events)
        const row = findSession(data, checked)
        if (row === undefined) return undefined
        const events = filter === undefined ? [] : matchingEvents(row, filter)
        return { ...sessionOf(row, context), events: events.map((event) => storedEvent(event)) }
      }),
    list: <S extends State>(query: SessionQuery) =>
      calls.run('sessions.list', query, () => {
        const request = sessionListRequest(query, limits)
        const item = (row: SessionRow): SessionSummary<S> =>
          request.wantsState ? sessionOf(row, context) : summaryOf(row)
        return pageOf(inOrder(filtered(data, request), request), request, positionOf(request), item)
      }),
    count: (filter) => calls.run('sessions.count', filter, () => filtered(data, sessionFilter(filter, limits)).length),
    stateAt: <S extends State>(key: SessionKey, seq: number, options?: object) =>
      calls.run('sessions.stateAt', options, () => {
        checkedOptions(options, [])
        const [checked, at] = [checkedSessionKey(key, limits), checkedCount(seq, 'seq')]
        const row = findSession(data, checked)
        return row === undefined ? undefined : (fresh(stateAfter(row, at, 'seq')) as S) // what the caller says it put there
      }),
  }
}

function writes(context: InMemoryContext): Pick<SessionStore, 'create' | 'update' | 'delete' | 'fork' | 'prune'> {
  const { calls, data, limits } = context
  const found = (key: SessionKey): SessionRow => {
    const row = findSession(data, key)
    if (row === undefined) throw noSession(key)
    return row
  }
  return {
    create: (session, options) =>
      calls.run('sessions.create', options, () =>
        sessionOf(create(createRequest(session, options, context), context), context),
      ),
    update: (key, change, options) =>
      calls.run('sessions.update', options, () => {
        const request = updateRequest(key, change, options, context)
        const row = found(request.key)
        update(row, request, context)
        return sessionOf(row, context)
      }),
    delete: (key, options) =>
      calls.run('sessions.delete', options, () => {
        checkedOptions(options, [])
        const row = findSession(data, checkedSessionKey(key, limits))
        if (row !== undefined) deleteSession(data, row)
        return row !== undefined
      }),
    fork: (key, options) =>
      calls.run('sessions.fork', options, () => {
        const request = forkRequest(key, options, context)
        return sessionOf(fork(found(request.key), request, context), context)
      }),
    prune: (query) => calls.run('sessions.prune', query, (call) => prune(pruneRequest(query, context), call, context)),
  }
}

/** `erase` of an in-memory store. */
export const createInMemoryErase =
  ({ calls, data, limits }: InMemoryContext): Store['erase'] =>
  (user, options) =>
    calls.run('erase', options, (): ErasureReceipt => {
      checkedOptions(options, [])
      const key = checkedUserKey(user, limits)
      const rows = sessionsOf(data, key)
      const artifacts = rows.reduce((sum, row) => sum + sessionVersions(data, row), deleteUserArtifacts(data, key))
      for (const row of rows) deleteSession(data, row)
      return {
        sessions: rows.length,
        events: eventsIn(rows),
        userStates: deleteUserState(data, key) ? 1 : 0,
        memories: deleteMemories(data, key),
        artifacts,
        metrics: deleteMetrics(data, key),
      }
    })

const sessionOf = <S extends State>(row: SessionRow, { data }: InMemoryContext): Session<S> => ({
  ...summaryOf(row),
  state: stateOf(data, row) as S, // what the caller says it put there
})

const filtered = (data: InMemoryData, request: SessionFilterRequest): SessionRow[] =>
  sessionsOf(data, request).filter(({ state }) => matchesState(state, request.where))

const eventsIn = (rows: readonly SessionRow[]) => rows.reduce((sum, { events }) => sum + events.length, 0)

function create({ key, deltas, initialState, ...given }: CreateRequest, context: InMemoryContext): SessionRow {
  const { data, limits, logger, now } = context
  if (findSession(data, key) !== undefined) throw sessionExists(key)
  const updatedAt = now()
  const { createdAt = updatedAt } = given
  const state = deltas.session.set
  checkStateBytes(state, 'session state', limits, logger)
  const writeStates = stateChanges(key, deltas, context)
  const row = newRow(key, { state, initialState, createdAt, updatedAt, lastEventAt: createdAt, events: [] })
  insertSession(data, row)
  writeStates()
  return row
}

type Start = Pick<SessionRow, 'state' | 'initialState' | 'createdAt' | 'updatedAt' | 'lastEventAt'> & {
  readonly events: SessionRow['events']
}

const newRow = (key: SessionKey, start: Start): SessionRow => ({
  ...key,
  ...start,
  revision: 1,
  lease: undefined,
  seqs: new Map(start.events.map(({ id, seq }) => [id, seq])),
  watchers: new Set(),
  isDeleted: false,
})

function update(
  row: SessionRow,
  { key, change, expectedRevision }: UpdateRequest<SessionKey, SessionChange>,
  context: InMemoryContext,
): void {
  if (expectedRevision !== undefined && expectedRevision !== row.revision) throw staleSession(row, expectedRevision)
  if ('deltas' in change && Object.values(change.deltas).every((delta) => isEmptyDelta(delta))) return
  const state = 'replace' in change ? change.replace : applyDelta(row.state, change.deltas.session)
  checkStateBytes(state, 'session state', context.limits, context.logger)
  const writeStates = 'deltas' in change ? stateChanges(key, change.deltas, context) : undefined
  Object.assign(row, { state, revision: row.revision + 1, updatedAt: laterOf(row.updatedAt, context) })
  writeStates?.()
}

function fork(source: SessionRow, { sessionId, throughSeq }: ForkRequest, { data, now }: InMemoryContext): SessionRow {
  const { appName, userId, initialState } = source
  const seq = throughSeq ?? source.events.length
  const state = stateAfter(source, seq, 'throughSeq')
  const key = { appName, userId, sessionId }
  if (findSession(data, key) !== undefined) throw sessionExists(key)
  const events = source.events.slice(0, seq)
  const createdAt = now()
  const row = newRow(key, {
    state,
    initialState,
    createdAt,
    updatedAt: createdAt,
    lastEventAt: events.at(-1)?.timestamp ?? createdAt,
    events,
  })
  insertSession(data, row)
  return row
}

/** The session's own state of a point of its history: now at the head, before that what creation and events made of it. */
function stateAfter({ events, state, initialState }: SessionRow, seq: number, field: string): JsonObject {
  if (seq > events.length) throw seqBeyondHead(field, seq, events.length)
  if (seq === events.length) return state
  return events.slice(0, seq).reduce((sum, { delta }) => applyDelta(sum, delta), initialState)
}

async function prune(request: PruneRequest, call: Call, { data }: InMemoryContext): Promise<PruneReport> {
  const { before, chunk, dryRun } = request
  const old = () =>
    sessionsOf(data, request)
      .filter(({ updatedAt }) => updatedAt < before)
      .toSorted((a, b) => a.updatedAt - b.updatedAt)
  const pruned = dryRun ? old() : []
  // Between chunks others have their turn, and what they change meanwhile is no longer old.
  for (let rows = dryRun ? [] : old().slice(0, chunk); rows.length > 0; rows = old().slice(0, chunk)) {
    for (const row of rows) deleteSession(data, row)
    pruned.push(...rows)
    call.removed({ sessions: pruned.length, events: eventsIn(pruned) })
    await setImmediate()
    call.check()
  }
  return { sessions: pruned.length, events: eventsIn(pruned), dryRun }
}
