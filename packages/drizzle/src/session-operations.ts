import {
  checkedCount,
  checkedOptions,
  checkedSessionKey,
  checkedUserKey,
  createRequest,
  eventsOption,
  forkRequest,
  pruneRequest,
  sessionFilter,
  sessionListRequest,
  unsupported,
  updateRequest,
  type CallOptions,
  type ErasureReceipt,
  type JsonObject,
  type LoadedSession,
  type Page,
  type PruneReport,
  type Session,
  type SessionFilterRequest,
  type SessionSummary,
} from '@daybook/core'
import { reading, writing, type Operation, type Parts, type Prepared } from './operation.ts'
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
  readonly lease: (key: unknown, options?: CallOptions) => Operation<never>
  readonly erase: (user: unknown, options?: CallOptions) => Operation<ErasureReceipt>
}

const eraseChunk = 100

export function createSessionOperations(parts: Parts): SessionOperations {
  const { dialect, eventRows, sessionRows, limits, micros } = parts
  const scripts = createSessionScripts(parts)

  function prepareGet(key: unknown, options: unknown): Prepared<LoadedSession | undefined> {
    const checked = checkedSessionKey(key, limits)
    const filter = eventsOption(checkedOptions(options, ['events'])['events'])
    const { shape, params } = eventRows.load(checked, filter)
    return {
      script: (tx) => scripts.load(tx, checked, filter),
      async direct(call) {
        const loaded = await dialect.loadSession(shape, params, call)
        // What is missing is an answer too.
        if (loaded === undefined) return { answer: undefined }
        const events = eventRows.eventsOf(loaded.events, checked)
        return { answer: { ...sessionRows.sessionOf(loaded.session), events } }
      },
    }
  }

  function preparePrune(query: unknown): Prepared<PruneReport> {
    const request = pruneRequest(query, parts)
    if (request.dryRun) return { script: (tx) => scripts.pruneCount(tx, request), onlyReads: true }
    return {
      script: (tx) => scripts.pruneChunk(tx, request),
      chunks: {
        isLast: ({ sessions }) => sessions < request.chunk,
        add: (sum, { sessions, events }) => ({
          sessions: sum.sessions + sessions,
          events: sum.events + events,
          dryRun: false,
        }),
      },
    }
  }

  function refuseFilters({ where }: SessionFilterRequest): void {
    if (where.length > 0 && dialect.capabilities.jsonPathFilter === 'no')
      throw unsupported('jsonPathFilter', 'filters on state')
  }

  return {
    create: (session, options) =>
      writing('sessions.create', options, () => {
        const request = createRequest(session, options, parts)
        return {
          script: (tx) => scripts.create(tx, request, micros()),
          generated: { sessionId: request.key.sessionId },
        }
      }),
    get: (key, options) => reading('sessions.get', options, () => prepareGet(key, options)),
    list: (query) =>
      reading('sessions.list', query, () => {
        const request = sessionListRequest(query, limits)
        refuseFilters(request)
        return { script: (tx) => scripts.list(tx, request) }
      }),
    count: (filter) =>
      reading('sessions.count', filter, () => {
        const checked = sessionFilter(filter, limits)
        refuseFilters(checked)
        return { script: (tx) => scripts.count(tx, checked) }
      }),
    update: (key, change, options) =>
      writing('sessions.update', options, () => {
        const request = updateRequest(key, change, options, parts)
        return { script: (tx) => scripts.update(tx, request, micros()) }
      }),
    delete: (key, options) =>
      writing('sessions.delete', options, () => {
        checkedOptions(options, [])
        const checked = checkedSessionKey(key, limits)
        return { script: (tx) => scripts.delete(tx, checked) }
      }),
    fork: (key, options) =>
      writing('sessions.fork', options, () => {
        const request = forkRequest(key, options, parts)
        return { script: (tx) => scripts.fork(tx, request, micros()), generated: { sessionId: request.sessionId } }
      }),
    stateAt: (key, seq, options) =>
      reading('sessions.stateAt', options, () => {
        checkedOptions(options, [])
        const [checked, at] = [checkedSessionKey(key, limits), checkedCount(seq, 'seq')]
        return { script: (tx) => scripts.stateAt(tx, checked, at) }
      }),
    prune: (query) => writing('sessions.prune', query, () => preparePrune(query)),
    lease: (_key, options) =>
      writing<never>('sessions.lease', options, () => {
        throw unsupported('lease', 'leases')
      }),
    erase: (user, options) =>
      writing('erase', options, () => {
        checkedOptions(options, [])
        const checked = checkedUserKey(user, limits)
        return {
          script: (tx) => scripts.eraseChunk(tx, checked, eraseChunk),
          chunks: {
            isLast: ({ sessions }) => sessions < eraseChunk,
            add: (sum, { sessions, events, userStates }) => ({
              sessions: sum.sessions + sessions,
              events: sum.events + events,
              userStates: sum.userStates + userStates,
            }),
          },
        }
      }),
  }
}
