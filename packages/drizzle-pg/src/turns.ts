import { StoreError, type Call } from '@daybook/core'

/** Lets so many in at a time, in the order in which they came. */
export interface Turns {
  /** A call that is over before its turn comes does no work. */
  run<T>(call: Call, work: () => Promise<T>): Promise<T>
}

export function createTurns(size: number): Turns {
  let free = size
  const waiting = new Set<() => void>()

  const turn = (call: Call) =>
    new Promise<void>((resolve, reject) => {
      const go = () => {
        call.signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        waiting.delete(go)
        reject(new StoreError('aborted', 'the call was over before its turn came')) // the call has its own answer already
      }
      waiting.add(go)
      call.signal.addEventListener('abort', leave, { once: true })
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
    async run(call, work) {
      call.check()
      if (free > 0) free--
      else await turn(call)
      try {
        call.check()
        return await work()
      } finally {
        next()
      }
    },
  }
}
