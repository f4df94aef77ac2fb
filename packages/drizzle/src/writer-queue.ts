/** Lets one writer in at a time, in the order in which they came. */
export interface WriterQueue {
  run<T>(work: () => Promise<T>): Promise<T>
}

export function createWriterQueue(): WriterQueue {
  let last: Promise<unknown> = Promise.resolve()
  return {
    run(work) {
      const mine = last.then(work)
      last = mine.catch(() => {}) // the next one comes whatever became of this one
      return mine
    },
  }
}
