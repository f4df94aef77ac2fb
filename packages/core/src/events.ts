import type { CallOptions } from './call.ts'
import type { LeaseToken } from './lease.ts'
import type { Page, PageOptions } from './page.ts'
import type { SessionKey } from './sessions.ts'

/** What an event does besides being said. Members not named here are kept as they are. */
export interface EventActions {
  /** Keys to set, by prefix: `app:`, `user:`, `temp:` (never stored), anything else belongs to the session. */
  readonly stateDelta?: Readonly<Record<string, unknown>>
  /** Keys to remove, by the same prefixes. A key in both is refused. */
  readonly stateUnset?: readonly string[]
  readonly artifactDelta?: Readonly<Record<string, number>>
  readonly transferToAgent?: string
  readonly escalate?: boolean
  readonly skipSummarization?: boolean
  readonly [member: string]: unknown
}

/**
 * One entry of a session: a message, a tool call, a result, a change of state. An open record: members not named here
 * are kept, and the three-valued flags keep absent, false and true apart.
 */
export interface AgentEvent {
  /** Unique within its session. Default: a UUIDv7. */
  readonly id?: string
  /** Milliseconds since 1970, the fraction carries microseconds. Default: now. It never orders events; `seq` does. */
  readonly timestamp?: number
  /** `user`, or the name of the agent. It, `invocationId`, `branch` and `errorCode` have `limits.eventNameBytes` each at most. */
  readonly author?: string
  /** One run of the agent, from a user's message to its final answer. */
  readonly invocationId?: string
  /** Path of agents that led here, for conversations of several agents. */
  readonly branch?: string
  readonly content?: unknown
  readonly actions?: EventActions
  readonly partial?: boolean
  readonly turnComplete?: boolean
  readonly interrupted?: boolean
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly longRunningToolIds?: readonly string[]
  readonly groundingMetadata?: unknown
  readonly customMetadata?: unknown
  readonly usageMetadata?: unknown
  readonly [member: string]: unknown
}

/** An event as it is stored: deep-equal to what was appended (`temp:` keys aside), at its position. */
export interface StoredEvent<E extends AgentEvent = AgentEvent> {
  /** 1, 2, 3 … in its session, without gaps, in commit order. */
  readonly seq: number
  readonly event: E & { readonly id: string; readonly timestamp: number }
}

export interface AppendOptions extends CallOptions {
  /**
   * Append only if the session is at this revision; otherwise `conflict` with the current one, and nothing is written. Looked
   * at only when there is something to write: not when all events are known already, nor for an empty list.
   */
  readonly expectedRevision?: number
  /**
   * The lease by which the session is held: itself, or its `owner` and `fence` alone, so that another process can append in its name.
   * `conflict` once it has ended, and for everybody else while it lasts. Looked at only when there is something to write, and
   * before `expectedRevision`. Needs the ability `lease`.
   */
  readonly lease?: LeaseToken
  /** Answer also what others appended after this `seq`, and the merged state. */
  readonly eventsAfterSeq?: number
  /** Answer the merged state. */
  readonly state?: boolean
  /**
   * What to do about an id that the session already has with another payload: `reject` (default) is `conflict`; `replace`
   * puts the new payload in its place, applies the new delta (what the old one did to state stays) and keeps `seq`. Within
   * one append an id has one payload, whatever is said here.
   */
  readonly onDuplicate?: 'reject' | 'replace'
  /**
   * What the events do to state: `apply` (default), or nothing with `record`, for a history whose effect is in the states
   * already, as an import writes them. The deltas are stored with the events all the same, and `fork` and `stateAt` of an
   * earlier point follow them.
   */
  readonly deltas?: 'apply' | 'record'
}

export interface AppendResult<E extends AgentEvent = AgentEvent> {
  /**
   * One for each event given, in the same order. `duplicate`: the session had its id already, or an earlier event of this
   * append had, so that it was given no `seq` of its own.
   */
  readonly events: readonly { readonly id: string; readonly seq: number; readonly duplicate: boolean }[]
  /** The session's revision after this append. */
  readonly revision: number
  /** The merged state, when asked for: as it was at one moment, with this append in it. It may contain later changes. */
  readonly state?: Record<string, unknown>
  /** With `eventsAfterSeq`: the events after that `seq` other than those given, oldest first. */
  readonly newEvents?: readonly StoredEvent<E>[]
}

export interface EventFilter {
  /** Timestamp at or after. */
  readonly since?: number
  /** Timestamp after. */
  readonly after?: number
  /** Position after. */
  readonly afterSeq?: number
  readonly author?: string
  readonly invocationId?: string
  readonly branch?: string
  /** The newest so many of what the filter leaves, oldest first; 0 answers none. */
  readonly last?: number
}

export interface EventQuery extends EventFilter, PageOptions, CallOptions {
  /** Order by `seq`. Default `asc`. Not together with `last`, which is always one page, oldest first, of up to `pageMax`. */
  readonly direction?: 'asc' | 'desc'
}

export interface TailOptions extends CallOptions {
  /** The last `seq` already seen. Default 0: from the beginning. */
  readonly afterSeq?: number
  /** Longest wait between two looks, in milliseconds, where the database cannot wake us. Default 1,000. */
  readonly pollInterval?: number
}

/**
 * The events of sessions: immutable, in the order in which they were committed.
 *
 * @example
 * ```ts
 * import { createInMemoryStore } from '@daybook/core'
 *
 * await using store = createInMemoryStore()
 * const session = await store.sessions.create({ appName: 'shop', userId: 'ann' })
 * const { events, revision } = await store.events.append(session, {
 *   author: 'user',
 *   content: { parts: [{ text: 'I live in Oslo' }] },
 *   actions: { stateDelta: { 'user:city': 'Oslo' } },
 * })
 * console.log(events[0]?.seq, revision) // 1 2
 * ```
 */
export interface EventStore {
  /**
   * Appends events and merges their state deltas in one transaction: all or nothing, as one revision.
   *
   * Needs no earlier read: of several callers at once each gets its own `seq`, and no event and no state key is lost.
   * Safe to repeat: an event whose id the session already has, with the same payload, is answered and not stored again;
   * this is looked at before `expectedRevision`. An empty list writes nothing.
   *
   * @throws `not_found` without the session · `conflict` for another revision, or a known id with another payload ·
   * `invalid_argument`, `limit_exceeded` before any I/O · `outcome_unknown` when the reply was lost: repeat the call with
   * the ids that the error carries.
   */
  append<E extends AgentEvent = AgentEvent>(
    key: SessionKey,
    events: E | readonly E[],
    options?: AppendOptions,
  ): Promise<AppendResult<E>>
  /** One event by its id, or `undefined`. */
  get<E extends AgentEvent = AgentEvent>(
    key: SessionKey,
    eventId: string,
    options?: CallOptions,
  ): Promise<StoredEvent<E> | undefined>
  /** The events of a session by `seq`; a missing session has none. */
  list<E extends AgentEvent = AgentEvent>(key: SessionKey, query?: EventQuery): Promise<Page<StoredEvent<E>>>
  /**
   * The events after `afterSeq`, and then each new one from any process, without gaps. It follows the session that its first
   * look finds, which comes with the first `next()` and not with the call. Ends quietly on abort, when the store closes, when
   * that look finds no session, and when the session that it found is deleted: one created anew under the same id is another
   * one. Replaced events are not sent again. `timeout` bounds each look, not the wait.
   */
  tail<E extends AgentEvent = AgentEvent>(key: SessionKey, options?: TailOptions): AsyncIterable<StoredEvent<E>>
}
