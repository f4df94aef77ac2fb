/** How long things took that ought to take no time. */
export interface Patience {
  /** Notes how long the work takes. */
  timed<T>(work: () => Promise<T>): Promise<T>
  /** Waits so long, and looks all the while, by work that takes no time, whether the machine has turns for everybody. */
  wait(ms: number, look: () => Promise<unknown>): Promise<void>
}

/** Short, for a machine that has turns for everybody, and long for one that has not. */
const ttls = [2_000, 10_000] as const

/**
 * For what rests on real time. A lease that is renewed at every third of its ttl ends, and should, where the machine holds its
 * holder or the database up for longer than that: what was seen meanwhile says nothing of the store, and the next ttl is tried.
 */
export async function inRealTime(body: (ttl: number, patience: Patience) => Promise<void>): Promise<void> {
  for (const ttl of ttls) {
    let longest = 0
    const timed = async <T>(work: () => Promise<T>): Promise<T> => {
      const begun = performance.now()
      try {
        return await work()
      } finally {
        longest = Math.max(longest, performance.now() - begun)
      }
    }
    const wait = async (ms: number, look: () => Promise<unknown>) => {
      const until = performance.now() + ms
      while (performance.now() < until)
        await timed(async () => {
          await new Promise((resolve) => setTimeout(resolve, Math.min(50, until - performance.now())))
          await look()
        })
    }
    try {
      return await body(ttl, { timed, wait })
    } catch (error) {
      if (longest < ttl / 4 || ttl === ttls.at(-1)) throw error
    }
  }
}
