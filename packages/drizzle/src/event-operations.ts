import {
  appendRequest,
  checkedId,
  checkedOptions,
  checkedSessionKey,
  deltaOf,
  eventListRequest,
  pageOf,
  scopes,
  warnOfLargeState,
  type AppendRequest,
  type AppendResult,
  type Call,
  type CallOptions,
  type CheckedEventFilter,
  type EventListRequest,
  type JsonDelta,
  type Page,
  type Scope,
  type SessionKey,
  type StoredEvent,
} from '@daybook/core'
import { acrossSessions, type AcrossSessions } from './across-sessions.ts'
import { createAppend } from './append.ts'
import type { Append, Appended, Loaded, StoredDelta, Tx } from './dialect.ts'
import { noFilter } from './event-rows.ts'
import { createGroupCommit } from './group-commit.ts'
import { loadWithin } from './load.ts'
import { hasGap, readsOldView } from './old-view.ts'
import { reading, writing, type Operation, type Parts, type Prepared } from './operation.ts'
import type { Script } from './script.ts'
import { compactMark, isCompact } from './stored-form.ts'
import type { Look } from './tail.ts'

/** The methods of `store.events`; `tail` is made of many looks. */
export interface EventOperations {
  readonly append: (key: unknown, events: unknown, options?: CallOptions) => Operation<AppendResult>
  readonly get: (key: unknown, eventId: unknown, options?: CallOptions) => Operation<StoredEvent | undefined>
  readonly list: (key: unknown, query?: CallOptions) => Operation<Page<StoredEvent>>
  /** Which session it is, and what it has after `afterSeq`. */
  readonly look: (tx: Tx, key: SessionKey, afterSeq: number) => Script<Look | undefined>
}

const lookLimit = 100

export function createEventOperations(parts: Parts): EventOperations {
  const { dialect, eventRows, sessionRows, form, limits, logger, micros, groupBounds } = parts
  const append = createAppend(parts)
  function warned(appended: Appended | undefined): Appended | undefined {
    for (const scope of scopes) warnOfLargeState(appended?.stateBytes?.[scope] ?? 0, `${scope} state`, logger)
    return appended
  }
  function send(batch: Append, call: Call): Promise<Appended | undefined> {
    const sent = dialect.appendEvents?.(batch, call) ?? Promise.resolve(undefined)
    return logger === undefined ? sent : sent.then(warned)
  }
  const sendAll = async (batches: readonly Append[], call: Call) =>
    ((await dialect.appendTogether?.(batches, call)) ?? []).map(warned)
  const warnedAcross = (across: AcrossSessions): AcrossSessions =>
    logger === undefined
      ? across
      : { ...across, send: async (batches, call) => (await across.send(batches, call))?.map(warned) }
  const appendEvents =
    groupBounds === undefined || dialect.appendEvents === undefined
      ? send
      : createGroupCommit(
          dialect,
          {
            send:
              dialect.across === undefined
                ? send
                : acrossSessions(dialect, send, warnedAcross(dialect.across), groupBounds),
            sendAll: dialect.appendTogether === undefined ? undefined : sendAll,
          },
          groupBounds,
        )

  function prepareAppend(request: AppendRequest): Prepared<AppendResult> {
    const { key, events, wantsState } = request
    const ids = events.map(({ id }) => id)
    const isDirect = ids.length === 1 || (ids.length > 0 && new Set(ids).size === ids.length)
    return {
      script: (tx) => append(tx, request, micros()),
      generated: { eventIds: ids },
      appendsTo: key,
      direct: isDirect ? (call) => direct(request, call) : undefined,
      afterwards: wantsState ? (tx, answer) => withView(tx, request, answer) : undefined,
    }
  }

  async function direct(request: AppendRequest, call: Call) {
    const { key, events, wantsState, expectedRevision, lease } = request
    // One whose ids are new does the same whatever it says of those that are not.
    const isSociable = expectedRevision === undefined && lease === undefined
    const deltas = storedDeltas(deltaOf(request, events), key)
    // The database counts what is stored, and of these it would count too little.
    if (form.isEncoded && scopes.some((scope) => isCompact(deltas[scope]))) return undefined
    const batch = {
      key,
      events: events.map((event) => eventRows.values(event, key)),
      deltas,
      expectedRevision,
      lease,
      now: micros(),
      limits,
      compactMark: form.isEncoded ? compactMark : undefined,
      wantsStates: wantsState ? (true as const) : undefined,
    }
    const appended = await appendEvents(batch, call, isSociable)
    return appended === undefined ? undefined : directOf(request, appended)
  }

  const storedDeltas = (deltas: Record<Scope, JsonDelta>, key: SessionKey): Record<Scope, StoredDelta> => ({
    session: form.delta(deltas.session, key),
    user: form.delta(deltas.user, { appName: key.appName, userId: key.userId }),
    app: form.delta(deltas.app, { appName: key.appName }),
  })

  /** With what came of a direct append, where that is all: nobody appended between what the caller has seen and it. */
  function directOf(request: AppendRequest, { states, ...appended }: Appended) {
    const { key, events, eventsAfterSeq = Infinity } = request
    const answer = answerOf(events, appended)
    if (states === undefined || appended.lastSeq - events.length > eventsAfterSeq) return { answer }
    return {
      answer,
      whole: () => ({
        ...answer,
        state: sessionRows.mergedStateOf(states, key),
        ...(request.eventsAfterSeq !== undefined && { newEvents: [] }),
      }),
    }
  }

  /** The merged state, and what others appended meanwhile. */
  function* withView(tx: Tx, { key, eventsAfterSeq }: AppendRequest, answer: AppendResult): Script<AppendResult> {
    const look = (filter: CheckedEventFilter | undefined) => {
      const { shape, params } = eventRows.load(key, filter)
      return loadWithin(dialect)(tx, shape, params)
    }
    const stateIn = (loaded: Loaded | undefined) =>
      loaded === undefined ? {} : sessionRows.mergedStateOf(loaded.session, key)
    if (eventsAfterSeq === undefined) return { ...answer, state: stateIn(yield* look(undefined)) }
    const last = lastWhereNext(answer, eventsAfterSeq)
    if (last !== undefined) {
      // Its own events are all that is new, unless somebody was quick: none is read, and the session tells.
      const loaded = yield* look(undefined)
      if (loaded === undefined || Number(loaded.session['lastSeq']) === last)
        return { ...answer, state: stateIn(loaded), newEvents: [] }
    }
    const loaded = yield* look({ ...noFilter, afterSeq: eventsAfterSeq })
    const own = new Set(answer.events.map(({ id }) => id))
    const later = eventRows.eventsOf(loaded?.events ?? [], key)
    if (hasGap(later, eventsAfterSeq, answer.events.at(-1)?.seq ?? 0)) throw readsOldView(key)
    return { ...answer, state: stateIn(loaded), newEvents: later.filter(({ event }) => !own.has(event.id)) }
  }

  function* list(tx: Tx, request: EventListRequest): Script<Page<StoredEvent>> {
    const { key, filter, direction, limit, offset, position } = request
    if (filter.last !== undefined) {
      const newest =
        filter.last === 0 ? [] : yield* eventRows.page(tx, key, { filter, direction: 'desc', limit: filter.last })
      return { items: newest.toReversed(), nextCursor: undefined }
    }
    if (limit === 0) return { items: [], nextCursor: undefined }
    const beyondSeq = position === undefined ? undefined : Number(position[0])
    const rows = yield* eventRows.page(tx, key, { filter, direction, beyondSeq, limit: limit + 1, offset })
    return pageOf(
      rows,
      request,
      ({ seq }) => [seq],
      (event) => event,
    )
  }

  return {
    append: (key, events, options) =>
      writing('events.append', options, () => appendRequest(key, events, options, parts), prepareAppend),
    get: (key, eventId, options) =>
      reading(
        'events.get',
        options,
        () => {
          checkedOptions(options, [])
          return { key: checkedSessionKey(key, limits), id: checkedId(eventId, 'eventId', limits) }
        },
        (request) => ({ script: (tx) => eventRows.find(tx, request.key, request.id) }),
      ),
    list: (key, query) =>
      reading(
        'events.list',
        query,
        () => eventListRequest(key, query, limits),
        (request) => ({ script: (tx) => list(tx, request) }),
      ),
    *look(tx, key, afterSeq) {
      const session = yield* sessionRows.find(tx, key)
      if (session === undefined) return undefined
      if (session.lastSeq <= afterSeq) return { sid: session.sid, events: [] }
      return {
        sid: session.sid,
        events: yield* eventRows.page(tx, key, {
          filter: noFilter,
          direction: 'asc',
          beyondSeq: afterSeq,
          limit: lookLimit,
        }),
      }
    },
  }
}

/** The `seq` of the last of the events, where nobody else appended between `afterSeq` and them. */
function lastWhereNext({ events }: AppendResult, afterSeq: number): number | undefined {
  const [first, last] = [events[0], events.at(-1)]
  const isNext = first !== undefined && first.seq <= afterSeq + 1 && events.every(({ duplicate }) => !duplicate)
  return isNext ? last?.seq : undefined
}

/** A direct append stored all of its events, one after the other, at the end. */
function answerOf(events: AppendRequest['events'], { revision, lastSeq }: Appended): AppendResult {
  const before = lastSeq - events.length
  return { events: events.map(({ id }, i) => ({ id, seq: before + i + 1, duplicate: false })), revision }
}
