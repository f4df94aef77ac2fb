import type { CallOptions } from './call.ts'
import type { SessionKey } from './sessions.ts'

/** The bounds of a lease's `ttl`, in milliseconds. */
export const leaseTtl = { min: 100, max: 86_400_000 } as const

export interface LeaseOptions extends CallOptions {
  /**
   * Milliseconds, whole ones from 100 to 86,400,000, after which the lease ends by itself unless it is renewed: how long others wait when
   * its holder dies. Let it be far more than what the clocks of the processes differ by, and than the event loop ever stands still.
   */
  readonly ttl: number
  /** Who holds it, for those who are refused: an id, such as a name of the process. It need not be unique. */
  readonly owner: string
}

/**
 * The right to append to a session, for a while. In the background it is renewed after each third of its `ttl`, for as long as the process
 * lives and the store is open, so release it: by {@link Lease.release}, by `await using`, or by closing the store. No
 * process is kept alive by it.
 */
export interface Lease extends AsyncDisposable {
  readonly key: SessionKey
  readonly owner: string
  /**
   * Grows with every lease of the session, over all time, also when the session is deleted and created anew: another system
   * that keeps the highest one that it saw can refuse who comes with a lower one.
   */
  readonly fence: number
  /** When it ends unless it is renewed, by the store's clock; moves with each renewal. */
  readonly expiresAt: number
  /**
   * Fires when the lease is over, with a `StoreError` as its reason: `closed` when it was released, `conflict` when it was
   * lost. Whoever holds it stops work then. It tells as soon as the process can know; that nothing is written after the end
   * does not rest on it.
   */
  readonly signal: AbortSignal
  /** Lets it last `ttl` from now. `conflict` once it is over; nothing brings it back. */
  renew(options?: CallOptions): Promise<void>
  /** Ends it: the session is free at once. Idempotent, and of no effect on the lease of somebody else. */
  release(options?: CallOptions): Promise<void>
}

/** What an append shows of a lease: data, so that it can cross to another process. */
export type LeaseToken = Pick<Lease, 'owner' | 'fence'>
