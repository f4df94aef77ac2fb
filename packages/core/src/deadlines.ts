/** What has to be over by a time. */
export interface Timed {
  /** `performance.now()` at which it is over. */
  readonly deadline: number
  /** Its time is over: it leaves. */
  late(): void
}

/** Those that are under way, each told when its time is over. */
export interface Deadlines<One extends Timed> {
  readonly running: ReadonlySet<One>
  add(one: One, now: number): void
  /** Says no where it was not under way. */
  delete(one: One): boolean
  /** Nobody is added any more. */
  close(): void
}

/** A timer should have fired by now: whoever replaces the timers of a process may have taken it along. */
const grace = 1_000

/** One timer for all of them: most have ended long before, and a timer of its own costs a short call more than the rest of its frame. */
export function createDeadlines<One extends Timed>(): Deadlines<One> {
  const running = new Set<One>()
  let timer: NodeJS.Timeout | undefined
  let firesAt = Infinity

  function arm(at: number, now: number): void {
    clearTimeout(timer)
    firesAt = at
    timer = setTimeout(fire, at - now)
    timer.unref()
  }

  function fire(): void {
    // Timers fire up to a millisecond early, by a clock that may be ahead of ours.
    const now = Math.max(performance.now(), firesAt)
    firesAt = Infinity
    let next = Infinity
    const late: One[] = []
    for (const one of running) {
      if (one.deadline <= now) late.push(one)
      else if (one.deadline < next) next = one.deadline
    }
    if (next < Infinity) arm(next, now)
    for (const one of late) if (running.has(one)) one.late()
  }

  return {
    running,
    add(one, now) {
      running.add(one)
      if (one.deadline < firesAt) arm(one.deadline, now)
      else if (now > firesAt + grace) arm(firesAt, firesAt)
    },
    delete: (one) => running.delete(one),
    close: () => clearTimeout(timer),
  }
}
