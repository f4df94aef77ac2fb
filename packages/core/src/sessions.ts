import type { CallOptions } from './call.ts'
import type { Delta } from './delta.ts'
import type { AgentEvent, EventFilter, StoredEvent } from './events.ts'
import type { Lease, LeaseOptions } from './lease.ts'
import type { Page, PageOptions } from './page.ts'

/** A user of an app. */
export interface UserKey {
  readonly appName: string
  readonly userId: string
}

/**
 * One conversation of one user with one app. Every part is an id: 1 to 191 code points, at most 512 bytes in UTF-8,
 * without NUL and lone surrogates, kept verbatim and compared byte for byte.
 */
export interface SessionKey extends UserKey {
  readonly sessionId: string
}

export type State = Record<string, unknown>

/** A session as lists answer it. */
export interface SessionSummary<S extends State = State> extends SessionKey {
  /** The merged state, when asked for: session keys as they are, user and app keys as `user:…` and `app:…`. */
  readonly state?: S
  /** Grows by one with every change; the only version there is. A new session is at 1. */
  readonly revision: number
  /** `seq` of the last event; 0 when there is none. */
  readonly lastSeq: number
  /** Times are milliseconds since 1970 in UTC, the fraction carries microseconds. */
  readonly createdAt: number
  /** The store's clock at the last change; never runs backwards. */
  readonly updatedAt: number
  /** The timestamp of the event at `lastSeq` as it was appended, so it may run backwards. Without events `createdAt`. */
  readonly lastEventAt: number
}

export interface Session<S extends State = State> extends SessionSummary<S> {
  readonly state: S
}

/** A session with the events that were asked for, from one consistent view. */
export interface LoadedSession<S extends State = State, E extends AgentEvent = AgentEvent> extends Session<S> {
  /** Oldest first; empty when no events were asked for. */
  readonly events: readonly StoredEvent<E>[]
}

export interface NewSession extends UserKey {
  /** Default: a UUIDv7. */
  readonly sessionId?: string
  /** Split into scopes by prefix; `temp:` keys are dropped. */
  readonly state?: Readonly<Record<string, unknown>>
  /** When it was created, of a session that began elsewhere. Default: now. `updatedAt` is now in any case. */
  readonly createdAt?: number
  /**
   * The session's own state before its first event, from which `fork` and `stateAt` follow the deltas, of a session that
   * began elsewhere and is created with what became of it. Default: the own keys of `state`. Refuses prefixed keys.
   */
  readonly initialState?: Readonly<Record<string, unknown>>
}

export interface GetSessionOptions extends CallOptions {
  /** Which events to bring: `'all'`, or a filter such as `{ last: 50 }`. Default: none, and none are read. */
  readonly events?: 'all' | EventFilter
}

/** A delta of keys, or a whole new document. */
export type StateChange = Delta | { readonly replace: Readonly<Record<string, unknown>> }

export interface UpdateOptions extends CallOptions {
  /** Change only at this revision; otherwise `conflict` with the current one, also for an empty delta. */
  readonly expectedRevision?: number
}

/** Where in a document: strings are keys of objects, whole numbers from 0 are positions in arrays. */
export type StatePath = readonly (string | number)[]

/** A JSON value that can be compared. */
export type Scalar = string | number | boolean | null

export type ComparisonOperator = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' | 'in' | 'contains'

/**
 * A condition on the session's own state: not on what it sees of the user's and the app's, so a key such as `user:size` is
 * never there. The path is followed exactly: a string finds only a key of an object, a number only a position in an array.
 * A missing path never matches, and neither does a value of another type, with `ne` neither: missing is not null, `"1"` is
 * not `1` and not `true`, while `1` is `1.0`.
 *
 * - `eq`, `ne`: with a string, number, boolean or null. Nothing is null and another value, so `ne` null matches nothing.
 * - `lt`, `lte`, `gt`, `gte`: with a string or a number. Strings are in the order of their code points.
 * - `in`: equal to one of a list, which may be empty and mix types.
 * - `contains`: an array that has an element equal to the value, not deeper than that.
 * - `exists`: the path is there, be it null.
 *
 * Objects and arrays are not compared: as a value they are `invalid_argument`.
 */
export type StateCondition =
  | { readonly path: StatePath; readonly op: 'eq' | 'ne' | 'contains'; readonly value: Scalar }
  | { readonly path: StatePath; readonly op: 'lt' | 'lte' | 'gt' | 'gte'; readonly value: string | number }
  | { readonly path: StatePath; readonly op: 'in'; readonly value: readonly Scalar[] }
  | { readonly path: StatePath; readonly op: 'exists' }

export interface SessionFilter {
  readonly appName: string
  /** Without it: the sessions of all users of the app. */
  readonly userId?: string
  /**
   * Sessions whose state meets every condition: at most 20, with 1,000 values between them (`limit_exceeded`). Needs the
   * ability `jsonPathFilter`.
   */
  readonly where?: readonly StateCondition[]
}

export interface SessionQuery extends SessionFilter, PageOptions, CallOptions {
  /** Default `lastEventAt`. Ties are in ascending order of session id, then user id, in either direction. */
  readonly orderBy?: 'lastEventAt' | 'createdAt' | 'updatedAt'
  /** Default `desc`: the newest first. */
  readonly direction?: 'asc' | 'desc'
  /** Bring the merged state of each session. */
  readonly state?: boolean
}

export interface ForkOptions extends CallOptions {
  /** Id of the new session. Default: a UUIDv7. */
  readonly sessionId?: string
  /** Copy the events up to this `seq`. Default: all. */
  readonly throughSeq?: number
}

export interface PruneQuery extends CallOptions {
  readonly appName: string
  readonly userId?: string
  /** Sessions whose `updatedAt` is before this time. */
  readonly before: number
  /** Count, but delete nothing. */
  readonly dryRun?: boolean
  /** Sessions deleted in one transaction. Default 100. */
  readonly chunk?: number
}

export interface PruneReport {
  readonly sessions: number
  readonly events: number
  readonly dryRun: boolean
}

/**
 * Sessions. Everything is keyed by the full key: the same session id under another user or app is another session.
 *
 * @example
 * ```ts
 * import { createInMemoryStore } from '@daybook/core'
 *
 * await using store = createInMemoryStore()
 * const session = await store.sessions.create({ appName: 'shop', userId: 'ann', state: { topic: 'shoes', 'user:size': 39 } })
 * const loaded = await store.sessions.get(session, { events: { last: 50 } })
 * console.log(loaded?.state) // { topic: 'shoes', 'user:size': 39 }
 * ```
 */
export interface SessionStore {
  /**
   * Creates a session. With an id of yours it is safe to repeat: `already_exists` says that it is there.
   * Of two callers with one id at once, one creates and the other gets `already_exists`.
   */
  create<S extends State = State>(session: NewSession, options?: CallOptions): Promise<Session<S>>
  /** Session, merged state and the events asked for, from one consistent view; `undefined` without the session. */
  get<S extends State = State, E extends AgentEvent = AgentEvent>(
    key: SessionKey,
    options?: GetSessionOptions,
  ): Promise<LoadedSession<S, E> | undefined>
  /** Reads no event, and state only when asked. A row whose sort key did not change while someone pages comes exactly once. */
  list<S extends State = State>(query: SessionQuery): Promise<Page<SessionSummary<S>>>
  /** As many as the walked list has. */
  count(filter: SessionFilter & CallOptions): Promise<number>
  /**
   * Changes state outside the event history, for administration. A delta is split into scopes by prefix, as an event's is,
   * and is one change; `{ replace }` is a new document of the session's own keys, and refuses prefixed ones.
   * An empty delta writes nothing. `not_found` without the session.
   */
  update<S extends State = State>(key: SessionKey, change: StateChange, options?: UpdateOptions): Promise<Session<S>>
  /** Removes the session with its events and artifacts; app and user state stay. False if there was none. */
  delete(key: SessionKey, options?: CallOptions): Promise<boolean>
  /**
   * A new session of the same app and user, at revision 1: the events up to `throughSeq` with their ids and `seq`, and the
   * session state of that point. Earlier than the head that is the state given at creation plus the deltas of the events up
   * to there: a direct `update` is not part of that history. User and app state are not copied, nor artifacts.
   */
  fork<S extends State = State>(key: SessionKey, options?: ForkOptions): Promise<Session<S>>
  /** The session's own state after event `seq`, as `fork` would copy it; `undefined` without the session. */
  stateAt<S extends State = State>(key: SessionKey, seq: number, options?: CallOptions): Promise<S | undefined>
  /**
   * Deletes old sessions of one app (or one user of it) in bounded chunks, each a transaction: one that was interrupted, also
   * by its time, keeps the chunks before it, its error says how many those were (`facts.removed`), and the next one counts the rest.
   */
  prune(query: PruneQuery): Promise<PruneReport>
  /**
   * Takes the session for a while: until it ends, or is released, only appends that show this lease (`{ lease }`) are accepted,
   * and everybody else's are `conflict`. Of several callers at once one gets it; `conflict` tells the others who has it
   * (`facts.owner`) and until when (`facts.expiresAt`), also one of the same owner, since that may be another process. Needs the
   * ability `lease`; `not_found` without the session.
   *
   * It is renewed in the background. Once it has ended its holder cannot append any more, whether or not somebody else took the session
   * meanwhile: a lease that is over does not come back, and a new one has a higher {@link Lease.fence}. The store's clock
   * decides, at the beginning of each call.
   *
   * A lease guards the history of a session, not its administration: `update`, `fork`, `prune`, `erase` and `delete` do not
   * ask for it, and whoever deletes the session ends it. After `outcome_unknown` it may be that nobody holds the session
   * until `ttl` is over. Inside a transaction a lease cannot be taken (`unsupported`), and can be shown.
   *
   * @example
   * ```ts
   * import { createInMemoryStore } from '@daybook/core'
   *
   * await using store = createInMemoryStore()
   * const session = await store.sessions.create({ appName: 'shop', userId: 'ann' })
   * await using lease = await store.sessions.lease(session, { ttl: 30_000, owner: 'worker-1' })
   * await store.events.append(session, { author: 'agent' }, { lease })
   * await store.events.append(session, { author: 'agent' }).catch((error) => console.log(error.code)) // conflict
   * ```
   */
  lease(key: SessionKey, options: LeaseOptions): Promise<Lease>
}
