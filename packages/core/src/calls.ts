import type { CallOptions } from './call.ts'
import { isStoreError, StoreError, type ErrorFacts } from './errors.ts'
import type { Logger } from './store.ts'

/** One running call, as the store's inside sees it. */
export interface Call {
  /** `performance.now()` at which the call is over. */
  readonly deadline: number
  /** Fires when the caller gave up, the time is over, or (for waits) the store closes. */
  readonly signal: AbortSignal
  /** Throws if the caller gave up or the time is over. To be asked before each step, and before a commit. */
  check(): void
  /** From here on the outcome of the call is unknown until {@link Call.settled}: a commit is on its way. */
  committing(facts?: ErrorFacts): void
  settled(): void
}

export interface Calls {
  /** Runs a method: closed, aborted and timed out calls end as the contract says, and no other error than ours leaves. */
  run<T>(operation: string, options: CallOptions | undefined, body: (call: Call) => Promise<T> | T): Promise<T>
  /** Fires when the store begins to close. */
  readonly closing: AbortSignal
  /** No call begins any more; resolves when the running ones have ended. */
  close(): Promise<void>
}

export const defaultTimeout = 30_000
const longestTimeout = 2 ** 31 - 1

/** The frame around every method of a store. For those who write a store of their own. */
export function createCalls({ timeout = defaultTimeout, logger }: { timeout?: number | undefined; logger?: Logger | undefined } = {}): Calls {
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()
  const standard = checkedTimeout(timeout)

  async function run<T>(operation: string, options: CallOptions | undefined, body: (call: Call) => Promise<T> | T): Promise<T> {
    if (closing.signal.aborted) throw new StoreError('closed', `${operation}: the store is closed`)
    const started = performance.now()
    const call = new RunningCall(operation, checkedTimeout(options?.timeout ?? standard), checkedSignal(options?.signal))
    try {
      call.check()
      const work = (async () => body(call))()
      running.add(work)
      const done = () => running.delete(work)
      work.then(done, done)
      return await Promise.race([call.ended, work])
    } catch (error) {
      const known = isStoreError(error) ? error : new StoreError('internal', `${operation} failed in an unexpected way`, { cause: error })
      logger?.debug({ operation, ms: performance.now() - started, code: known.code }, `${operation} failed`)
      throw known
    } finally {
      call.end()
    }
  }

  return {
    run,
    closing: closing.signal,
    async close() {
      closing.abort()
      await Promise.allSettled(running)
    },
  }
}

class RunningCall implements Call {
  readonly deadline: number
  readonly #operation: string
  readonly #given: AbortSignal | undefined
  readonly #stop = new AbortController()
  readonly #timer: NodeJS.Timeout
  /** Rejects when the caller gave up or the time is over. The body is left behind and stops at its next step. */
  readonly ended: Promise<never>
  #reject: ((error: StoreError) => void) | undefined
  #inFlight: ErrorFacts | undefined

  constructor(operation: string, timeout: number, signal: AbortSignal | undefined) {
    this.#operation = operation
    this.#given = signal
    this.deadline = performance.now() + timeout
    this.#timer = setTimeout(() => this.#timedOut(), timeout)
    this.#timer.unref()
    this.ended = new Promise((_, reject) => (this.#reject = reject))
    this.ended.catch(() => {}) // a call that fails before its body begins leaves nobody listening
    signal?.addEventListener('abort', this.#aborted, { once: true })
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  check(): void {
    if (this.#given?.aborted) throw new StoreError('aborted', `${this.#operation} was aborted; nothing was written`, { cause: this.#given.reason })
    if (performance.now() >= this.deadline) throw this.#timeout()
  }

  committing(facts: ErrorFacts = {}): void {
    this.check()
    this.#inFlight = facts
  }

  settled(): void {
    this.#inFlight = undefined
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#given?.removeEventListener('abort', this.#aborted)
  }

  readonly #aborted = (): void => {
    if (this.#inFlight !== undefined) return // the commit's answer counts
    this.#stop.abort()
    this.#reject?.(new StoreError('aborted', `${this.#operation} was aborted; nothing was written`, { cause: this.#given?.reason }))
  }

  #timedOut(): void {
    this.#stop.abort()
    this.#reject?.(
      this.#inFlight === undefined
        ? this.#timeout()
        : new StoreError('outcome_unknown', `${this.#operation} ran out of time while its commit was under way; it can be repeated safely`, this.#inFlight),
    )
  }

  #timeout(): StoreError {
    return new StoreError('timeout', `${this.#operation} ran out of time; nothing was written`)
  }
}

function checkedTimeout(timeout: unknown): number {
  if (typeof timeout !== 'number' || !(timeout > 0)) {
    throw new StoreError('invalid_argument', 'timeout must be a number of milliseconds above 0', { field: 'timeout' })
  }
  return Math.min(timeout, longestTimeout)
}

function checkedSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal
  throw new StoreError('invalid_argument', 'signal must be an AbortSignal', { field: 'signal' })
}
