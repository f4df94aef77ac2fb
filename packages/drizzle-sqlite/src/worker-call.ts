import { StoreError, whenOver, type Call } from '@daybook/core'
import type { CallMessage } from './worker-messages.ts'

// A call lives in two threads, which agree by one number that both see on whether it can still be stopped:
//
//   free -> committing   the thread is about to commit: from here on its answer counts
//   committing -> free   that transaction was rolled back or was one of several, and the next one begins
//   free -> stopped      the caller gave up, or the time is over: the thread will not commit
//   committing -> last   the same while a commit is on its way: it is the last one of the call

const [free, committing, stopped, last] = [0, 1, 2, 3]

/** The number for a new call. */
export const newCell = (): Int32Array => new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

/** Stops the call, or answers `false` because it is committing, or has committed; then it will not go on after that. */
export function stop(cell: Int32Array): boolean {
  for (;;) {
    const found = Atomics.compareExchange(cell, 0, free, stopped)
    if (found === free || found === stopped) return true
    if (found === last || Atomics.compareExchange(cell, 0, committing, last) === committing) return false
  }
}

export const isCommitting = (cell: Int32Array): boolean => {
  const found = Atomics.load(cell, 0)
  return found === committing || found === last
}

/** The call as the thread sees it. Its time is watched by the store, which stops it. */
export function threadCall({ ms, cell }: CallMessage, removed: Call['removed']): Call & { readonly abort: () => void } {
  const controller = new AbortController()
  let isSent = false
  let isDone = false

  /** To go on after a commit is to begin another transaction. */
  function check(): void {
    if (isDone) return
    if (isSent) Atomics.compareExchange(cell, 0, committing, free)
    isSent = false
    const found = Atomics.load(cell, 0)
    if (found === stopped || found === last) throw new StoreError('aborted', 'the call was stopped')
  }

  return {
    deadline: performance.now() + ms,
    signal: controller.signal,
    onOver: (callback) => whenOver(controller.signal, callback),
    check,
    generated() {}, // the store knows them: it made them
    removed,
    committing() {
      check()
      if (Atomics.compareExchange(cell, 0, free, committing) !== free)
        throw new StoreError('aborted', 'the call was stopped')
      isSent = true
    },
    // The number stays: the answer is still on its way, and until it is there the call must not pass for stopped.
    settled() {},
    committed() {
      isDone = true
    },
    get isCommitting() {
      return isSent
    },
    stoppable() {}, // nobody asks here
    waitsFor() {}, // the store says what a call ran out of time for
    outcomeUnknown: (cause) => new StoreError('outcome_unknown', 'the reply to a commit did not come', { cause }),
    abort: () => controller.abort(),
  }
}
