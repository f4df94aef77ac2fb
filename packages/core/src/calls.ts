import type { CallOptions } from './call.ts'
import { createDeadlines } from './deadlines.ts'
import { isStoreError, StoreError, type ErrorFacts } from './errors.ts'
import { reading } from './json.ts'
import { RunningCall } from './running-call.ts'
import type { Logger } from './store.ts'

/** One running call, as the store's inside sees it. */
export interface Call {
  /** `performance.now()` at which the call is over. */
  readonly deadline: number
  /** Fires when the caller gave up or the time is over: ends a wait. */
  readonly signal: AbortSignal
  /**
   * Calls back when {@link Call.signal} fires, at once where it has fired already, unless the answer is called before. Most
   * calls have nothing else to do with a signal, and to make one costs more than the rest of their frame.
   */
  onOver(callback: () => void): () => void
  /** Throws if the caller gave up or the time is over. To be asked before each step, and before a commit. */
  check(): void
  /**
   * Ids that the store generated: an unknown outcome names them, so that a repeat can. Of a call that writes in parts, each committed
   * by itself, every error names them.
   */
  generated(facts: ErrorFacts, isInParts?: boolean): void
  /** What is removed for good so far, by a call that removes in chunks: an error that ends it says so. */
  removed(counts: Readonly<Record<string, number>>): void
  /** From here on the outcome of the call is unknown until {@link Call.settled} or {@link Call.committed}: a commit is on its way. */
  committing(): void
  /** No commit is under way any more, whatever became of it; the call may go on with another one. */
  settled(): void
  /**
   * All that the call writes is written, and only its answer is still to be read: an abort no longer counts, and to run
   * out of time is `outcome_unknown`.
   */
  committed(): void
  readonly isCommitting: boolean
  /**
   * For work that is done in another thread. `stop` is asked when the caller gave up or the time is over: it stops the work,
   * or answers `false` because a commit is on its way there.
   */
  stoppable(stop: () => boolean): void
  /** What the call waits for from here on, told if its time runs out meanwhile: `one of 10 connections`. `undefined`: it goes on. */
  waitsFor(what: (() => string) | undefined): void
  /** The error for a reply to a commit that will not come. */
  outcomeUnknown(cause?: unknown): StoreError
}

export interface Calls {
  /** Runs a method: closed, aborted and timed out calls end as the contract says, and no other error than ours leaves. */
  run<T>(operation: string, options: CallOptions | undefined, body: (call: Call) => Promise<T> | T): Promise<T>
  /** Fires when the store begins to close. */
  readonly closing: AbortSignal
  /** No call begins any more; resolves when the work of the running ones has ended, or their time is over. */
  close(): Promise<void>
}

export const defaultTimeout = 30_000
const longestTimeout = 2 ** 31 - 1

/**
 * The frame around every method of a store. For those who write a store of their own.
 *
 * @example
 * ```ts
 * import { createCalls } from '@daybook/core'
 *
 * const calls = createCalls({ timeout: 5_000 })
 * console.log(await calls.run('sessions.count', undefined, () => 3)) // 3
 * await calls.close()
 * await calls.run('sessions.count', undefined, () => 3).catch((error) => console.log(error.code)) // closed
 * ```
 */
export function createCalls({
  timeout = defaultTimeout,
  logger,
}: { timeout?: number | undefined; logger?: Logger | undefined } = {}): Calls {
  const closing = new AbortController()
  const deadlines = createDeadlines<RunningCall>()
  const standard = checkedTimeout(timeout)

  function begin(operation: string, options: CallOptions | undefined, tell: (error: unknown) => void): RunningCall {
    if (closing.signal.aborted) throw new StoreError('closed', `${operation}: the store is closed`)
    const given = options && reading('options', () => ({ timeout: options.timeout, signal: options.signal }))
    const ms = given?.timeout === undefined ? standard : checkedTimeout(given.timeout)
    return new RunningCall({ operation, timeout: ms, signal: checkedSignal(given?.signal), deadlines, tell })
  }

  // One promise, and no race of several: what is around a call is more than what most of them do.
  const run = <T>(
    operation: string,
    options: CallOptions | undefined,
    body: (call: Call) => Promise<T> | T,
  ): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const started = logger && performance.now()
      let call: RunningCall | undefined
      let isTold = false
      const told = (code?: string) => {
        isTold = true
        if (logger === undefined || started === undefined) return
        const facts = { operation, ms: performance.now() - started, ...(code !== undefined && { code }) }
        try {
          logger.debug(facts, `${operation} ${code === undefined ? 'done' : 'failed'}`)
        } catch (error) {
          reject(ours(error, operation)) // nobody else would hear of it
        }
      }
      const fail = (error: unknown) => {
        if (isTold) return
        const known = toldWith(ours(error, operation), call?.done)
        told(known.code)
        reject(known)
      }
      const failed = (error: unknown) => {
        call?.end()
        fail(error)
      }
      const answered = (answer: T) => {
        call?.end()
        if (isTold) return
        told()
        resolve(answer)
      }
      try {
        // Not at once: work that has ended, and of which nobody has heard yet, comes first.
        call = begin(operation, options, (error) => queueMicrotask(() => fail(error)))
        call.checkGiven()
        const work = body(call)
        Promise.resolve(work).then(answered, failed)
      } catch (error) {
        queueMicrotask(() => failed(error)) // as late as an answer, so that those who race are told in their order
      }
    })

  return {
    run,
    closing: closing.signal,
    async close() {
      closing.abort()
      await Promise.all([...deadlines.running].map((call) => call.whenEnded()))
      deadlines.close()
    },
  }
}

const ours = (error: unknown, operation: string): StoreError =>
  isStoreError(error) ? error : new StoreError('internal', `${operation} failed in an unexpected way`, { cause: error })

/** The same error, with what the call had done or may have. */
function toldWith(error: StoreError, done: ErrorFacts | undefined): StoreError {
  if (done === undefined) return error
  const { code, message, cause, retryable, facts } = error
  return new StoreError(code, message, { ...facts, ...done, cause, retryable })
}

function checkedTimeout(timeout: unknown): number {
  if (typeof timeout !== 'number' || !(timeout > 0)) {
    throw new StoreError('invalid_argument', 'timeout must be a number of milliseconds above 0', { field: 'timeout' })
  }
  return Math.min(timeout, longestTimeout)
}

/** Not by `instanceof`: test environments bring an AbortSignal of their own. */
const isSignal = (signal: object): signal is AbortSignal =>
  'aborted' in signal && 'addEventListener' in signal && typeof signal.addEventListener === 'function'

function checkedSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || (typeof signal === 'object' && signal !== null && isSignal(signal))) return signal
  throw new StoreError('invalid_argument', 'signal must be an AbortSignal', { field: 'signal' })
}
