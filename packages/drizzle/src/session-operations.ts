import {
  checkedCount,
  checkedOptions,
  checkedSessionKey,
  checkedUserKey,
  createRequest,
  eventsOption,
  forkRequest,
  leaseRequest,
  pruneRequest,
  sessionFilter,
  sessionListRequest,
  unsupported,
  updateRequest,
  type CallOptions,
  type CheckedEventFilter,
  type CreateRequest,
  type ErasureReceipt,
  type JsonObject,
  type LeaseGrant,
  type LoadedSession,
  type Page,
  type PruneReport,
  type PruneRequest,
  type Session,
  type SessionFilterRequest,
  type SessionKey,
  type SessionSummary,
} from '@daybook/core'
import type { MemoryScripts } from './memories.ts'
import type { MetricRemoval } from './metric-removal.ts'
import { reading, writing, type Operation, type Parts, type Prepared } from './operation.ts'
import { newSession, warnOfLarge } from './new-session.ts'
import type { PrunePlace } from './session-removal.ts'
import { createSessionLeases } from './session-leases.ts'
import { createSessionScripts } from './sessions.ts'

/** The methods of `store.sessions`, and `store.erase`. */
export interface SessionOperations {
  readonly create: (session: unknown, options?: CallOptions) => Operation<Session>
  readonly get: (key: unknown, options?: CallOptions) => Operation<LoadedSession | undefined>
  readonly list: (query: CallOptions) => Operation<Page<SessionSummary>>
  readonly count: (filter: CallOptions) => Operation<number>
  readonly update: (key: unknown, change: unknown, options?: CallOptions) => Operation<Session>
  readonly delete: (key: unknown, options?: CallOptions) => Operation<boolean>
  readonly fork: (key: unknown, options?: CallOptions) => Operation<Session>
  readonly stateAt: (key: unknown, seq: unknown, options?: CallOptions) => Operation<JsonObject | undefined>
  readonly prune: (query: CallOptions) => Operation<PruneReport>
  /** What `store.sessions.lease` is made of. */
  readonly lease: (key: unknown, options?: CallOptions) => Operation<LeaseGrant>
  readonly renewLease: (grant: LeaseGrant, options: CallOptions | undefined) => Operation<number>
  readonly releaseLease: (grant: LeaseGrant, options: CallOptions | undefined) => Operation<void>
  readonly erase: (user: unknown, options?: CallOptions) => Operation<ErasureReceipt>
}

const eraseChunk = 100

export function createSessionOperations(
  parts: Parts,
  memoryScripts: MemoryScripts,
  eraseMetrics: MetricRemoval['eraseSome'],
): SessionOperations {
  const { dialect, eventRows, sessionRows, limits, logger, micros } = parts
  const scripts = createSessionScripts(parts, memoryScripts, eraseMetrics)
  const leases = createSessionLeases(dialect, sessionRows)

  function prepareGet({ key, filter }: GetRequest): Prepared<LoadedSession | undefined> {
    const { shape, params } = eventRows.load(key, filter)
    return {
      script: (tx) => scripts.load(tx, key, filter),
      async direct(call) {
        const loaded = await dialect.loadSession(shape, params, call)
        // What is missing is an answer too.
        if (loaded === undefined) return { answer: undefined }
        const events = eventRows.eventsOf(loaded.events, key)
        return { answer: Object.assign(sessionRows.sessionOf(loaded.session), { events }) }
      },
    }
  }

  function prepareCreate(request: CreateRequest): Prepared<Session> {
    const { key } = request
    return {
      script: (tx) => scripts.create(tx, request, micros()),
      generated: { sessionId: key.sessionId },
      ...(dialect.createSession !== undefined && {
        async direct(call) {
          const session = newSession(request, micros(), parts)
          if (session === undefined) return undefined
          const states = await dialect.createSession?.(session, call)
          if (states === undefined) return undefined
          warnOfLarge(session, states, logger)
          return { answer: sessionRows.createdFrom(session, states, request.deltas.session.set) }
        },
      }),
    }
  }

  function preparePrune(request: PruneRequest): Prepared<PruneReport> {
    if (request.dryRun) return { script: (tx) => scripts.pruneCount(tx, request), onlyReads: true }
    // One that has to be repeated begins where it began before.
    let after: PrunePlace | undefined
    let next: PrunePlace | undefined
    return {
      *script(tx) {
        const chunk = yield* scripts.pruneChunk(tx, request, after)
        next = chunk.next
        return chunk.report
      },
      chunks: {
        isLast() {
          after = next
          return next === undefined
        },
        add: (sum, { sessions, events }) => ({
          sessions: sum.sessions + sessions,
          events: sum.events + events,
          dryRun: false,
        }),
      },
    }
  }

  function answerable<Request extends SessionFilterRequest>(request: Request): Request {
    if (request.where.length > 0 && dialect.capabilities.jsonPathFilter === 'no')
      throw unsupported('jsonPathFilter', 'filters on state')
    return request
  }

  return {
    create: (session, options) =>
      writing('sessions.create', options, () => createRequest(session, options, parts), prepareCreate),
    get: (key, options) =>
      reading(
        'sessions.get',
        options,
        (): GetRequest => ({
          key: checkedSessionKey(key, limits),
          filter: eventsOption(checkedOptions(options, ['events'])['events']),
        }),
        prepareGet,
      ),
    list: (query) =>
      reading(
        'sessions.list',
        query,
        () => answerable(sessionListRequest(query, limits)),
        (request) => ({ script: (tx) => scripts.list(tx, request) }),
      ),
    count: (filter) =>
      reading(
        'sessions.count',
        filter,
        () => answerable(sessionFilter(filter, limits)),
        (request) => ({ script: (tx) => scripts.count(tx, request) }),
      ),
    update: (key, change, options) =>
      writing(
        'sessions.update',
        options,
        () => updateRequest(key, change, options, parts),
        (request) => ({ script: (tx) => scripts.update(tx, request, micros()) }),
      ),
    delete: (key, options) =>
      writing(
        'sessions.delete',
        options,
        () => {
          checkedOptions(options, [])
          return checkedSessionKey(key, limits)
        },
        (checked) => ({ script: (tx) => scripts.delete(tx, checked) }),
      ),
    fork: (key, options) =>
      writing(
        'sessions.fork',
        options,
        () => forkRequest(key, options, parts),
        (request) => ({
          script: (tx) => scripts.fork(tx, request, micros()),
          generated: { sessionId: request.sessionId },
        }),
      ),
    stateAt: (key, seq, options) =>
      reading(
        'sessions.stateAt',
        options,
        () => {
          checkedOptions(options, [])
          return { key: checkedSessionKey(key, limits), seq: checkedCount(seq, 'seq') }
        },
        (request) => ({ script: (tx) => scripts.stateAt(tx, request.key, request.seq) }),
      ),
    prune: (query) => writing('sessions.prune', query, () => pruneRequest(query, parts), preparePrune),
    lease: (key, options) =>
      writing(
        'sessions.lease',
        options,
        () => leaseRequest(key, options, parts),
        (request) => ({ script: (tx) => leases.take(tx, request, micros()) }),
      ),
    renewLease: (grant, options) =>
      writing(
        'lease.renew',
        options,
        () => {
          checkedOptions(options, [])
          return grant
        },
        (held) => ({ script: (tx) => leases.renew(tx, held, micros()) }),
      ),
    releaseLease: (grant, options) =>
      writing(
        'lease.release',
        options,
        () => {
          checkedOptions(options, [])
          return grant
        },
        (held) => ({ script: (tx) => leases.release(tx, held) }),
      ),
    erase: (user, options) =>
      writing(
        'erase',
        options,
        () => {
          checkedOptions(options, [])
          return checkedUserKey(user, limits)
        },
        (checked) => {
          let isLast = false
          return {
            *script(tx) {
              const chunk = yield* scripts.eraseChunk(tx, checked, eraseChunk)
              isLast = chunk.isLast
              return chunk.receipt
            },
            chunks: {
              isLast: () => isLast,
              add: (sum, { sessions, events, userStates, memories, artifacts, metrics }) => ({
                sessions: sum.sessions + sessions,
                events: sum.events + events,
                userStates: sum.userStates + userStates,
                memories: sum.memories + memories,
                artifacts: sum.artifacts + artifacts,
                metrics: sum.metrics + metrics,
              }),
            },
          }
        },
      ),
  }
}

interface GetRequest {
  readonly key: SessionKey
  readonly filter: CheckedEventFilter | undefined
}
