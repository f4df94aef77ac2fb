import type { Call } from './calls.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import { StoreError, type ErrorFacts } from './errors.ts'
import { tellAll, whenAborted } from './when-aborted.ts'

interface Frame {
  readonly operation: string
  readonly timeout: number
  readonly signal: AbortSignal | undefined
  readonly deadlines: Deadlines<RunningCall>
  /** Hears why the caller need not wait any longer. The body is left behind and stops at its next step. */
  readonly tell: (error: unknown) => void
}

/** A call from its beginning until its work has ended, or its time is over. */
export class RunningCall implements Call, Timed {
  readonly deadline: number
  readonly #frame: Frame
  readonly #unlisten: (() => void) | undefined
  /** Made for who asks for it: most calls are over before anybody does. */
  #stop: AbortController | undefined
  #isStopped = false
  #onOver: Set<() => void> | undefined
  #whenEnded: (() => void)[] | undefined
  #generated: ErrorFacts | undefined
  #waitsFor: (() => string) | undefined
  /** What every error tells. */
  #done: ErrorFacts | undefined
  /** The caller was told. Timers fire up to a millisecond early, and nothing may be committed in between. */
  #isLate = false
  #commit: 'none' | 'under way' | 'done' = 'none'
  #stopElsewhere: (() => boolean) | undefined

  constructor(frame: Frame) {
    this.#frame = frame
    const now = performance.now()
    this.deadline = now + frame.timeout
    frame.deadlines.add(this, now)
    this.#unlisten = frame.signal && whenAborted(frame.signal, () => this.#aborted())
  }

  /** The work has ended, also one that nobody waits for any more, or its time is over. */
  end(): void {
    if (!this.#frame.deadlines.delete(this)) return
    this.#unlisten?.()
    for (const heard of this.#whenEnded ?? []) heard()
  }

  whenEnded(): Promise<void> {
    return new Promise((resolve) => void (this.#whenEnded ??= []).push(resolve))
  }

  get signal(): AbortSignal {
    this.#stop ??= new AbortController()
    if (this.#isStopped) this.#stop.abort()
    return this.#stop.signal
  }

  onOver(callback: () => void): () => void {
    const own = () => callback() // the same function may wait twice
    if (this.#isStopped) own()
    else (this.#onOver ??= new Set()).add(own)
    return () => void this.#onOver?.delete(own)
  }

  /** What {@link Call.check} says at the beginning, where no time has gone by. */
  checkGiven(): void {
    if (this.#frame.signal?.aborted && this.#commit !== 'done') throw this.#abortion()
  }

  check(): void {
    this.checkGiven()
    if (this.#isLate || performance.now() >= this.deadline) throw this.#lateness()
  }

  generated(facts: ErrorFacts, isInParts = false): void {
    this.#generated = facts
    if (isInParts) this.#done = facts
  }

  removed(counts: Readonly<Record<string, number>>): void {
    this.#done = { removed: counts }
  }

  get done(): ErrorFacts | undefined {
    return this.#done
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
      `${this.#frame.operation}: the reply to its commit did not come; the call can be repeated safely`,
      {
        ...this.#generated,
        cause,
      },
    )
  }

  #aborted(): void {
    if (this.#commit !== 'none' || this.#stopElsewhere?.() === false) return // the commit's answer counts
    this.#stopNow()
    this.#frame.tell(this.#abortion())
  }

  late(): void {
    this.#isLate = true
    if (this.#commit === 'none' && this.#stopElsewhere?.() === false) this.#commit = 'under way'
    const lateness = this.#lateness() // before those that wait are told, and leave
    this.#stopNow()
    this.#frame.tell(lateness)
    this.end()
  }

  #stopNow(): void {
    this.#isStopped = true
    this.#stop?.abort()
    const waiting = this.#onOver
    if (waiting === undefined) return
    tellAll(waiting)
    waiting.clear()
  }

  #abortion(): StoreError {
    return new StoreError('aborted', `${this.#frame.operation} was aborted`, { cause: this.#frame.signal?.reason })
  }

  #lateness(): StoreError {
    if (this.#commit !== 'none') return this.outcomeUnknown()
    const waited = this.#waitsFor === undefined ? '' : ` waiting for ${this.#waitsFor()}`
    return new StoreError('timeout', `${this.#frame.operation} ran out of time${waited}`)
  }
}
