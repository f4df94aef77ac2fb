import { StoreError, type Call } from '@daybook/core'

/** Lets so many in at a time, in the order in which they came: to a pool, so that who waits for a connection can be told, and leave. */
export interface Turns {
  /** How many may be in at a time. */
  readonly size: number
  readonly inUse: number
  readonly waiting: number
  /**
   * A call that is over before its turn comes does no work. Rejects with `timeout` where the longest wait is over first.
   *
   * @param longestWait milliseconds. Default: as long as the call may take
   */
  run<T>(call: Call, work: () => Promise<T>, longestWait?: number): Promise<T>
}

export function createTurns(size: number): Turns {
  let free = size
  const waiting = new Set<() => void>()
  const crowd = () => `one of ${size} connections, which were all in use (${waiting.size} waiting)`

  const turn = (call: Call, longestWait: number | undefined) =>
    new Promise<void>((resolve, reject) => {
      const timer =
        longestWait === undefined
          ? undefined
          : setTimeout(() => {
              const message = `no turn came within ${longestWait} ms for ${crowd()}`
              leave(new StoreError('timeout', message, { retryable: true }))
            }, longestWait)
      timer?.unref()
      let stay: (() => void) | undefined
      const settled = () => {
        clearTimeout(timer)
        stay?.()
        call.waitsFor(undefined)
      }
      const go = () => {
        settled()
        resolve()
      }
      const leave = (error: StoreError) => {
        settled()
        waiting.delete(go)
        reject(error)
      }
      const over = () => leave(new StoreError('aborted', 'the call was over before its turn came')) // the call has its own answer already
      waiting.add(go)
      call.waitsFor(crowd)
      stay = call.onOver(over)
    })

  function next(): void {
    const [first] = waiting
    if (first === undefined) {
      free++
      return
    }
    waiting.delete(first)
    first()
  }

  return {
    size,
    get inUse() {
      return size - free
    },
    get waiting() {
      return waiting.size
    },
    async run(call, work, longestWait) {
      call.check()
      if (free > 0) free--
      else await turn(call, longestWait)
      try {
        call.check()
        return await work()
      } finally {
        next()
      }
    },
  }
}
