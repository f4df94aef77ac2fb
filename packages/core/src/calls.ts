import type { CallOptions } from './call.ts'
import { isStoreError, StoreError, type ErrorFacts } from './errors.ts'
import { reading } from './json.ts'
import type { Logger } from './store.ts'
import { tellAll, whenAborted } from './when-aborted.ts'

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
  /** Ids that the store generated: an unknown outcome names them, so that a repeat can. */
  generated(facts: ErrorFacts): void
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
  const running = new Set<Promise<void>>()
  const standard = checkedTimeout(timeout)

  function begin(operation: string, options: CallOptions | undefined): RunningCall {
    if (closing.signal.aborted) throw new StoreError('closed', `${operation}: the store is closed`)
    const given = reading('options', () => ({ timeout: options?.timeout, signal: options?.signal }))
    return new RunningCall(operation, checkedTimeout(given.timeout ?? standard), checkedSignal(given.signal))
  }

  async function run<T>(
    operation: string,
    options: CallOptions | undefined,
    body: (call: Call) => Promise<T> | T,
  ): Promise<T> {
    const started = performance.now()
    let call: RunningCall | undefined
    try {
      call = begin(operation, options)
      const work = call.run(body)
      const over = call.over(work)
      running.add(over)
      void over.then(() => running.delete(over))
      const answer = await Promise.race([call.ended, work])
      logger?.debug({ operation, ms: performance.now() - started }, `${operation} done`)
      return answer
    } catch (error) {
      const known = toldWith(
        isStoreError(error)
          ? error
          : new StoreError('internal', `${operation} failed in an unexpected way`, { cause: error }),
        call?.removedSoFar,
      )
      logger?.debug({ operation, ms: performance.now() - started, code: known.code }, `${operation} failed`)
      throw known
    }
  }

  return {
    run,
    closing: closing.signal,
    async close() {
      closing.abort()
      await Promise.all(running)
    },
  }
}

class RunningCall implements Call {
  readonly deadline: number
  readonly #operation: string
  readonly #given: AbortSignal | undefined
  readonly #unlisten: (() => void) | undefined
  /** Made for who asks for it: most calls are over before anybody does. */
  #stop: AbortController | undefined
  #isStopped = false
  readonly #onOver = new Set<() => void>()
  readonly #timer: NodeJS.Timeout
  /** Rejects when the caller gave up or the time is over. The body is left behind and stops at its next step. */
  readonly ended: Promise<never>
  readonly #timeOver: Promise<void>
  #overdue: (() => void) | undefined
  #reject: ((error: StoreError) => void) | undefined
  #generated: ErrorFacts = {}
  #waitsFor: (() => string) | undefined
  #removed: Readonly<Record<string, number>> | undefined
  /** The caller was told. Timers fire up to a millisecond early, and nothing may be committed in between. */
  #isLate = false
  #commit: 'none' | 'under way' | 'done' = 'none'
  #stopElsewhere: () => boolean = () => true

  constructor(operation: string, timeout: number, signal: AbortSignal | undefined) {
    this.#operation = operation
    this.#given = signal
    this.deadline = performance.now() + timeout
    this.ended = new Promise((_, reject) => (this.#reject = reject))
    this.ended.catch(() => {}) // a call whose body fails first leaves nobody listening
    this.#timeOver = new Promise((resolve) => (this.#overdue = resolve))
    this.#timer = setTimeout(() => this.#late(), timeout)
    this.#timer.unref()
    this.#unlisten = signal && whenAborted(signal, this.#aborted)
  }

  async run<T>(body: (call: Call) => Promise<T> | T): Promise<T> {
    this.check()
    return body(this)
  }

  /** Resolves when the work has ended, also one that nobody waits for any more, or when its time is over. */
  async over(work: Promise<unknown>): Promise<void> {
    await Promise.race([Promise.allSettled([work]), this.#timeOver])
    clearTimeout(this.#timer)
    this.#unlisten?.()
  }

  get signal(): AbortSignal {
    this.#stop ??= new AbortController()
    if (this.#isStopped) this.#stop.abort()
    return this.#stop.signal
  }

  onOver(callback: () => void): () => void {
    const own = () => callback() // the same function may wait twice
    if (this.#isStopped) own()
    else this.#onOver.add(own)
    return () => void this.#onOver.delete(own)
  }

  check(): void {
    if (this.#given?.aborted && this.#commit !== 'done') throw this.#abortion()
    if (this.#isLate || performance.now() >= this.deadline) throw this.#lateness()
  }

  generated(facts: ErrorFacts): void {
    this.#generated = facts
  }

  removed(counts: Readonly<Record<string, number>>): void {
    this.#removed = counts
  }

  get removedSoFar(): Readonly<Record<string, number>> | undefined {
    return this.#removed
  }

  get isCommitting(): boolean {
    return this.#commit === 'under way'
  }

  committing(): void {
    this.check()
    this.#commit = 'under way'
  }

  settled(): void {
    this.#commit = 'none'
  }

  committed(): void {
    this.#commit = 'done'
  }

  waitsFor(what: (() => string) | undefined): void {
    this.#waitsFor = what
  }

  stoppable(stop: () => boolean): void {
    this.#stopElsewhere = stop
  }

  outcomeUnknown(cause?: unknown): StoreError {
    return new StoreError(
      'outcome_unknown',
      `${this.#operation}: the reply to its commit did not come; the call can be repeated safely`,
      {
        ...this.#generated,
        cause,
      },
    )
  }

  readonly #aborted = (): void => {
    if (this.#commit !== 'none' || !this.#stopElsewhere()) return // the commit's answer counts
    this.#stopNow()
    this.#reject?.(this.#abortion())
  }

  #late(): void {
    this.#isLate = true
    if (this.#commit === 'none' && !this.#stopElsewhere()) this.#commit = 'under way'
    const lateness = this.#lateness() // before those that wait are told, and leave
    this.#stopNow()
    this.#reject?.(lateness)
    this.#overdue?.()
  }

  #stopNow(): void {
    this.#isStopped = true
    this.#stop?.abort()
    tellAll(this.#onOver)
    this.#onOver.clear()
  }

  #abortion(): StoreError {
    return new StoreError('aborted', `${this.#operation} was aborted`, { cause: this.#given?.reason })
  }

  #lateness(): StoreError {
    if (this.#commit !== 'none') return this.outcomeUnknown()
    const waited = this.#waitsFor === undefined ? '' : ` waiting for ${this.#waitsFor()}`
    return new StoreError('timeout', `${this.#operation} ran out of time${waited}`)
  }
}

/** The same error, with what the call had done. */
function toldWith(error: StoreError, removed: ErrorFacts['removed']): StoreError {
  if (removed === undefined) return error
  const { code, message, cause, retryable, facts } = error
  return new StoreError(code, message, { ...facts, cause, retryable, removed })
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
