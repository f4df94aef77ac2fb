import type { CallOptions } from './call.ts'
import { defaultTimeout } from './calls.ts'
import { isStoreError, StoreError } from './errors.ts'
import type { LeaseRequest } from './lease-request.ts'
import type { Lease, LeaseToken } from './lease.ts'
import { endedLease } from './refusals.ts'
import type { SessionKey, SessionStore } from './sessions.ts'

/** A lease that was given: data. */
export interface LeaseGrant extends LeaseRequest, LeaseToken {
  readonly expiresAt: number
}

/** What a store does about leases. */
export interface LeaseWork {
  take(key: SessionKey, options: CallOptions): Promise<LeaseGrant>
  /** Answers when it ends now. */
  renew(grant: LeaseGrant, options: CallOptions | undefined): Promise<number>
  release(grant: LeaseGrant, options: CallOptions | undefined): Promise<void>
}

export interface Leases {
  readonly lease: SessionStore['lease']
  /** Begins to release those that are held, and gives no more. Before the store's calls are closed, which waits for that. */
  close(): void
}

/** The leases of one store: renewed in the background until they are over. */
export function createLeases(work: LeaseWork): Leases {
  const held = new Set<HeldLease>()
  let isClosed = false
  return {
    async lease(key, options) {
      const asked = performance.now()
      const grant = await work.take(key, options)
      // It is not to be given back any more, and ends by itself.
      if (isClosed) throw new StoreError('closed', 'sessions.lease: the store is closed')
      const lease = new HeldLease(work, grant, asked)
      held.add(lease)
      lease.signal.addEventListener('abort', () => held.delete(lease), { once: true })
      return lease
    },
    close() {
      isClosed = true
      // What cannot be released ends by itself.
      for (const lease of held) lease.release().catch(() => {})
    },
  }
}

/** Milliseconds between two tries of a renewal that fails. */
const longestPause = 1_000
/** Milliseconds that a try may always take. */
const shortestTry = 50

class HeldLease implements Lease {
  readonly key: SessionKey
  readonly owner: string
  readonly fence: number
  readonly #work: LeaseWork
  readonly #grant: LeaseGrant
  readonly #over = new AbortController()
  #expiresAt: number
  /** When it has ended for certain, on the clock of this process: counted from before it was asked for. */
  #deadline: number
  #timer: NodeJS.Timeout | undefined
  #isGivenBack = false

  constructor(work: LeaseWork, grant: LeaseGrant, asked: number) {
    this.key = grant.key
    this.owner = grant.owner
    this.fence = grant.fence
    this.#work = work
    this.#grant = grant
    this.#expiresAt = grant.expiresAt
    this.#deadline = asked + grant.ttl
    this.#renewLater(grant.ttl / 3)
  }

  get expiresAt(): number {
    return this.#expiresAt
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  async renew(options?: CallOptions): Promise<void> {
    if (this.signal.aborted) throw endedLease(this.key, this)
    const asked = performance.now()
    try {
      this.#expiresAt = Math.max(this.#expiresAt, await this.#work.renew(this.#grant, options))
    } catch (error) {
      if (isOver(error)) this.#end(endedLease(this.key, this, undefined, error))
      throw error
    }
    this.#deadline = Math.max(this.#deadline, asked + this.#grant.ttl)
    this.#renewLater(this.#grant.ttl / 3)
  }

  async release(options?: CallOptions): Promise<void> {
    if (this.#isGivenBack) return
    this.#end(new StoreError('closed', `the lease of session ${this.key.sessionId} was released`))
    await this.#work.release(this.#grant, options)
    this.#isGivenBack = true
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  #renewLater(ms: number): void {
    clearTimeout(this.#timer)
    if (this.signal.aborted) return
    this.#timer = setTimeout(() => void this.#renewNow(), ms)
    this.#timer.unref()
  }

  /** Whether it still lasts only the store can say; who cannot reach it has lost the lease at its end. */
  async #renewNow(): Promise<void> {
    const timeout = Math.max(shortestTry, Math.min(defaultTimeout, this.#left() / 2))
    try {
      await this.renew({ timeout })
    } catch (error) {
      if (this.#left() <= 0) this.#end(endedLease(this.key, this, undefined, error))
      else this.#renewLater(Math.min(longestPause, this.#grant.ttl / 10, this.#left()))
    }
  }

  #left(): number {
    return this.#deadline - performance.now()
  }

  #end(reason: StoreError): void {
    clearTimeout(this.#timer)
    if (reason.code === 'conflict') this.#isGivenBack = true // there is nothing to give back
    this.#over.abort(reason) // of no effect the second time
  }
}

/** Somebody else has the session, the lease has ended, or the session or the store has. */
const isOver = (error: unknown) =>
  isStoreError(error) && (error.code === 'conflict' || error.code === 'not_found' || error.code === 'closed')
