import {
  isStoreError,
  StoreError,
  type AppendResult,
  type Lease,
  type LeaseOptions,
  type LoadedSession,
  type Store,
} from '@daybook/core'
import {
  BaseSessionService,
  type AppendEventRequest,
  type CompositeSessionKey,
  type CreateSessionRequest,
  type DeleteSessionRequest,
  type Event,
  type GetSessionRequest,
  type ListSessionsRequest,
  type ListSessionsResponse,
  type Session,
} from '@google/adk'
import { createAppendQueue, type AppendQueue } from './append-queue.ts'
import { LiveSession, readEvent, type AdkEvent, type Appended } from './live-session.ts'
import { createSessionLeases } from './session-leases.ts'
import { sessionPage } from './session-page.ts'
import { createStoreSource, lendSource, type StoreSource } from './store-source.ts'
import { storedForm, storedState } from './stored-form.ts'

export interface DaybookSessionServiceOptions {
  /**
   * What an append does when others have changed the session since its `Session` object was loaded. `merge` (default): the
   * event is appended, and the object gets what is new. `reject`: nothing is written, and the error says that the session is
   * to be loaded again.
   */
  readonly onStale?: 'merge' | 'reject'
}

export interface LeaseSessionRequest extends CompositeSessionKey, LeaseOptions {}

/**
 * ADK's sessions in a Daybook store: a drop-in for its `DatabaseSessionService`.
 *
 * @example
 * ```ts
 * import { DaybookSessionService } from '@daybook/adk'
 * import { createInMemoryStore } from '@daybook/core'
 * import { createEvent } from '@google/adk'
 *
 * const sessionService = new DaybookSessionService(createInMemoryStore())
 * const session = await sessionService.createSession({ appName: 'shop', userId: 'ann', state: { topic: 'shoes' } })
 * await sessionService.appendEvent({ session, event: createEvent({ author: 'user', actions: { stateDelta: { 'user:size': 39 } } }) })
 * console.log(session.events.length, session.state) // 1 { topic: 'shoes', 'user:size': 39 }
 * ```
 */
export class DaybookSessionService extends BaseSessionService implements AsyncDisposable {
  readonly #source: StoreSource
  readonly #onStale: 'merge' | 'reject'
  /** By the session objects that others hold. Nothing of ours is on those: they are ADK's and the user's. */
  readonly #appends = new WeakMap<Session, AppendQueue>()
  readonly #leases = createSessionLeases()

  /**
   * @param store A store that is yours: migrated by you, and left open by {@link close}. Or a function that opens one: called
   * when it is first needed, and the store is then migrated and closed by the service.
   */
  constructor(store: Store | (() => Promise<Store>), { onStale = 'merge' }: DaybookSessionServiceOptions = {}) {
    super()
    this.#source = createStoreSource(store)
    this.#onStale = onStale
    lendSource(this, this.#source)
  }

  /** Opens and migrates what is to be opened. Every method does so itself; call it to learn early whether it works. */
  async init(): Promise<void> {
    await this.#source.open()
  }

  override async createSession({ appName, userId, state, sessionId }: CreateSessionRequest): Promise<Session> {
    const store = this.#source.store ?? (await this.#source.open())
    try {
      const created = await store.sessions.create({
        appName,
        userId,
        ...(state && { state: storedState(state) }),
        ...(sessionId && { sessionId }),
      })
      return this.#remember(store, { ...created, events: [] })
    } catch (cause) {
      if (!isStoreError(cause) || cause.code !== 'already_exists') throw cause
      throw new Error(`Session with id ${sessionId} already exists.`, { cause })
    }
  }

  override async getSession({ appName, userId, sessionId, config }: GetSessionRequest): Promise<Session | undefined> {
    const store = this.#source.store ?? (await this.#source.open())
    const { numRecentEvents: last, afterTimestamp: after } = config ?? {}
    const loaded = await store.sessions.get<Session['state'], AdkEvent>(
      { appName, userId, sessionId },
      { events: { ...(last !== undefined && { last }), ...(after && after > 0 && { after }) } },
    )
    return loaded && this.#remember(store, { ...loaded, events: loaded.events.map(({ event }) => readEvent(event)) })
  }

  /** Of several callers at once one creates the session, and all get it. */
  override async getOrCreateSession(request: CreateSessionRequest): Promise<Session> {
    try {
      return await super.getOrCreateSession(request)
    } catch (error) {
      const { appName, userId, sessionId } = request
      const isThere = error instanceof Error && isStoreError(error.cause) && error.cause.code === 'already_exists'
      const session = isThere && sessionId && (await this.getSession({ appName, userId, sessionId }))
      if (!session) throw error
      return session
    }
  }

  override async listSessions(request: ListSessionsRequest): Promise<ListSessionsResponse> {
    const { rows, ...page } = await sessionPage(this.#source.store ?? (await this.#source.open()), request)
    const sessions = rows.map(({ appName, userId, sessionId, state = {}, lastEventAt }) => ({
      id: sessionId,
      appName,
      userId,
      state,
      events: [],
      lastUpdateTime: lastEventAt,
    }))
    return { sessions, ...page }
  }

  override async deleteSession({ appName, userId, sessionId }: DeleteSessionRequest): Promise<void> {
    const store = this.#source.store ?? (await this.#source.open())
    await store.sessions.delete({ appName, userId, sessionId })
  }

  /**
   * Stores the event, and then moves the session object in place. Appends of one object are stored, and move it, in the order
   * of the calls. When it fails neither the event nor the object has changed, and it may be repeated with the same event.
   */
  override async appendEvent({ session, event }: AppendEventRequest): Promise<Event> {
    if (event.partial) return event
    const store = this.#source.store ?? (await this.#source.open())
    const append = this.#appends.get(session) ?? this.#hold(store, session, LiveSession.unknown(session))
    return append({ event, stored: storedForm(event, store.limits) })
  }

  /**
   * Takes a session for a while, so that no two runners answer in one conversation: until the lease is released or has ended,
   * only this service appends to it, and others get a `conflict` that says who has it. Take one before each run:
   *
   * ```
   * await using lease = await sessionService.leaseSession({ appName, userId, sessionId, ttl: 30_000, owner: 'worker-1' })
   * for await (const event of runner.runAsync({ userId, sessionId, newMessage, abortSignal: lease.signal })) …
   * ```
   *
   * @throws `conflict` when somebody has it, a run of this service included · `unsupported` by a store without leases
   */
  async leaseSession({ appName, userId, sessionId, ...options }: LeaseSessionRequest): Promise<Lease> {
    const store = this.#source.store ?? (await this.#source.open())
    return this.#leases.take(store, { appName, userId, sessionId }, options)
  }

  /** Closes the store if the service opened it. Idempotent. */
  async close(): Promise<void> {
    await this.#source.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #remember(store: Store, loaded: Omit<LoadedSession, 'events'> & { readonly events: Event[] }): Session {
    const { appName, userId, sessionId, state, events, lastEventAt } = loaded
    const session = { id: sessionId, appName, userId, state, events, lastUpdateTime: lastEventAt }
    this.#hold(store, session, LiveSession.loaded(session, loaded))
    return session
  }

  #hold(store: Store, session: Session, live: LiveSession): AppendQueue {
    const commit = async (group: readonly Appended[]) => {
      const answer = await this.#write(store, session, live, group)
      await live.follow(session, group, answer, (event) => super.appendEvent({ session, event }))
    }
    const append = createAppendQueue(commit, store.limits.batchEvents)
    this.#appends.set(session, append)
    return append
  }

  async #write(
    store: Store,
    session: Session,
    { seq = 0, revision }: LiveSession,
    group: readonly Appended[],
  ): Promise<AppendResult<AdkEvent>> {
    const { appName, userId, id: sessionId } = session
    const key = { appName, userId, sessionId }
    const lease = this.#leases.of(key)
    const isStrict = this.#onStale === 'reject'
    const events = group.map(({ stored }) => stored as AdkEvent) // what is wrong in it, the store refuses
    if (isStrict && revision === undefined) throw unknownSession(session)
    try {
      return await store.events.append<AdkEvent>(
        key,
        events.length === 1 && events[0] !== undefined ? events[0] : events,
        {
          onDuplicate: 'replace',
          eventsAfterSeq: seq,
          ...(isStrict && revision !== undefined && { expectedRevision: revision }),
          ...(lease && { lease }),
        },
      )
    } catch (cause) {
      if (!isStoreError(cause)) throw cause
      if (cause.code === 'not_found') throw new Error(`Session ${sessionId} not found for appendEvent`, { cause })
      throw isStrict && isStale(cause) ? staleSession(session, cause) : cause
    }
  }
}

/** A conflict about nothing but the revision. */
const isStale = ({ code, facts: { field, owner } }: StoreError) =>
  code === 'conflict' && field === undefined && owner === undefined

const staleSession = ({ id }: Session, cause: StoreError) =>
  new StoreError(
    'conflict',
    `session ${id} was changed by others since this object of it was loaded, and nothing was appended: load it again with getSession, and repeat on what that returns`,
    { ...cause.facts, cause },
  )

const unknownSession = ({ id }: Session) =>
  new StoreError(
    'invalid_argument',
    `this object of session ${id} is not one that the service returned, so with onStale 'reject' nobody knows whether it is stale: load it with getSession`,
    { field: 'session' },
  )
