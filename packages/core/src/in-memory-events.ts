import { appendRequest, deltaOf, isSameEvent, type AppendRequest, type NewEvent } from './append-request.ts'
import { checkedId, checkedOptions, checkedSessionKey, checkStateBytes } from './arguments.ts'
import { applyDelta, splitDelta } from './delta.ts'
import type { AgentEvent, AppendResult, EventQuery, EventStore, StoredEvent } from './events.ts'
import { findSession, wake, type EventRow, type SessionRow } from './in-memory-database.ts'
import { laterOf, stateChanges, stateOf, type InMemoryContext } from './in-memory-state.ts'
import { tailOf } from './in-memory-tail.ts'
import type { JsonObject } from './json.ts'
import { checkHolder } from './lease-request.ts'
import { eventListRequest, pageOf, type CheckedEventFilter, type EventListRequest } from './list-request.ts'
import { noSession, otherPayload, staleSession } from './refusals.ts'
import type { SessionKey } from './sessions.ts'

export function createInMemoryEvents(context: InMemoryContext): EventStore {
  const { calls, data, limits } = context
  return {
    append: (key, events, options) =>
      calls.run('events.append', options, () => {
        const request = appendRequest(key, events, options, context)
        const row = findSession(data, request.key)
        if (row === undefined) throw noSession(request.key)
        return answerTo(request, row, append(row, request, context), context)
      }),
    get: (key, eventId, options) =>
      calls.run('events.get', options, () => {
        checkedOptions(options, [])
        const [checked, id] = [checkedSessionKey(key, limits), checkedId(eventId, 'eventId', limits)]
        const row = findSession(data, checked)
        const event = row?.events[(row.seqs.get(id) ?? 0) - 1]
        return event === undefined ? undefined : storedEvent(event)
      }),
    list: <E extends AgentEvent>(key: SessionKey, query?: EventQuery) =>
      calls.run('events.list', query, () => {
        const request = eventListRequest(key, query, limits)
        const row = findSession(data, request.key)
        if (request.filter.last !== undefined) {
          const last = row === undefined ? [] : matchingEvents(row, request.filter)
          return { items: last.map((event) => storedEvent<E>(event)), nextCursor: undefined }
        }
        return pageOf(
          row === undefined ? [] : pageRows(row, request),
          request,
          ({ seq }) => [seq],
          (event) => storedEvent<E>(event),
        )
      }),
    tail: (key, options) => tailOf(context, key, options),
  }
}

/** A fresh copy of what is stored. */
export const storedEvent = <E extends AgentEvent>({ seq, text }: EventRow): StoredEvent<E> => ({
  seq,
  event: JSON.parse(text) as StoredEvent<E>['event'], // what the caller says it put there
})

/** The events that a filter leaves, oldest first. */
export function matchingEvents({ events }: SessionRow, filter: CheckedEventFilter): EventRow[] {
  const matching = events.filter((event) => matches(event, filter))
  return filter.last === undefined ? matching : matching.slice(Math.max(0, matching.length - filter.last))
}

const matches = (
  event: EventRow,
  { since, after, afterSeq, author, invocationId, branch }: CheckedEventFilter,
): boolean =>
  (since === undefined || event.timestamp >= since) &&
  (after === undefined || event.timestamp > after) &&
  (afterSeq === undefined || event.seq > afterSeq) &&
  (author === undefined || event.author === author) &&
  (invocationId === undefined || event.invocationId === invocationId) &&
  (branch === undefined || event.branch === branch)

/** The rows of a page and one more, if there is one. */
function pageRows(
  { events }: SessionRow,
  { filter, direction, position, offset, limit }: EventListRequest,
): EventRow[] {
  const wanted = offset + limit + 1
  const rows: EventRow[] = []
  const step = direction === 'asc' ? 1 : -1
  const [beyond = direction === 'asc' ? 0 : events.length + 1] = position ?? []
  // A cursor may name an event of a session that was deleted, and that was longer than the one which has its id now.
  const first =
    direction === 'asc'
      ? Math.max(Number(beyond), filter.afterSeq ?? 0) + 1
      : Math.min(Number(beyond), events.length + 1) - 1
  for (
    let event = events[first - 1];
    event !== undefined && rows.length < wanted;
    event = events[event.seq - 1 + step]
  ) {
    if (matches(event, filter)) rows.push(event)
  }
  return rows.slice(offset)
}

interface Placed {
  readonly event: NewEvent
  readonly seq: number
}

/** Everything that can refuse comes first; what is written then is written as a whole. */
function append(row: SessionRow, request: AppendRequest, context: InMemoryContext): AppendResult['events'] {
  const { answers, placed } = plan(row, request)
  const { expectedRevision } = request
  if (placed.length === 0) return answers
  checkHolder(row, request.lease, context.now())
  if (expectedRevision !== undefined && expectedRevision !== row.revision) throw staleSession(row, expectedRevision)
  const deltas = deltaOf(
    request,
    placed.map(({ event }) => event),
  )
  const state = applyDelta(row.state, deltas.session)
  checkStateBytes(state, 'session state', context.limits, context.logger)
  const writeStates = stateChanges(request.key, deltas, context)
  const updatedAt = laterOf(row.updatedAt, context)

  const added = placed.filter(({ seq }) => seq > row.events.length)
  for (const { event, seq } of placed) {
    row.events[seq - 1] = eventRow(event, seq)
    row.seqs.set(event.id, seq)
  }
  Object.assign(row, {
    state,
    revision: row.revision + 1,
    updatedAt,
    lastEventAt: added.at(-1)?.event.timestamp ?? row.lastEventAt,
  })
  writeStates()
  if (added.length > 0) wake(row)
  return answers
}

/** What becomes of each event: new, already stored, or put in the place of the stored one. Nothing is written here. */
function plan(
  row: SessionRow,
  { events, onDuplicate }: AppendRequest,
): { answers: AppendResult['events']; placed: readonly Placed[] } {
  const placed = new Map<string, Placed>()
  let lastSeq = row.events.length
  const answers = events.map((event) => {
    const { id } = event
    const inBatch = placed.get(id)
    const seq = inBatch?.seq ?? row.seqs.get(id)
    if (seq === undefined) {
      placed.set(id, { event, seq: ++lastSeq })
      return { id, seq: lastSeq, duplicate: false }
    }
    if (!isSameEvent(inBatch?.event.payload ?? payloadAt(row, seq), event)) {
      if (inBatch !== undefined || onDuplicate === 'reject') throw otherPayload(row, id)
      placed.set(id, { event, seq })
    }
    return { id, seq, duplicate: true }
  })
  return { answers, placed: [...placed.values()] }
}

const payloadAt = ({ events }: SessionRow, seq: number) => JSON.parse(events[seq - 1]?.text ?? 'null') as JsonObject // stored as the text of one

const eventRow = ({ id, text, timestamp, author, invocationId, branch, delta }: NewEvent, seq: number): EventRow => ({
  id,
  seq,
  text,
  timestamp,
  author,
  invocationId,
  branch,
  delta: splitDelta(delta).session,
})

function answerTo<E extends AgentEvent>(
  { wantsState, eventsAfterSeq }: AppendRequest,
  row: SessionRow,
  events: AppendResult['events'],
  { data }: InMemoryContext,
): AppendResult<E> {
  const own = new Set(events.map(({ seq }) => seq))
  return {
    events,
    revision: row.revision,
    ...(wantsState && { state: stateOf(data, row) }),
    ...(eventsAfterSeq !== undefined && {
      newEvents: row.events
        .slice(eventsAfterSeq)
        .filter(({ seq }) => !own.has(seq))
        .map((event) => storedEvent<E>(event)),
    }),
  }
}
