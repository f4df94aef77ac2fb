import { describe } from './expect.ts'

/** What nobody handled while a check ran. */
export interface Stray {
  readonly error: Error
  /** The checks that ran at once, of which one is to blame. */
  readonly during: readonly string[]
}

interface Watch {
  readonly check: string
  stray: Stray | undefined
}

const events = ['unhandledRejection', 'uncaughtException'] as const

const watches = new Set<Watch>()
/** Who listened before the first check began. */
let others: (() => void) | undefined

/** Nobody else hears of them meanwhile: they are the checks'. Answers how to give the others their turn again. */
function takeOver(): () => void {
  const taken = events.map((event) => {
    const before = process.rawListeners(event)
    const hear = (error: unknown) => {
      const text = event === 'uncaughtException' ? 'an exception that ends the process' : 'an unhandled rejection'
      const during = [...watches].map(({ check }) => check)
      for (const watch of watches)
        watch.stray ??= { error: new Error(`${text}: ${describe(error)}`, { cause: error }), during }
    }
    process.removeAllListeners(event).on(event, hear)
    return () => {
      process.off(event, hear)
      for (const other of before) process.on(event, other as (error: unknown) => void) // they listened before
    }
  })
  return () => taken.forEach((giveBack) => giveBack())
}

/**
 * Hears what nobody handled while the check runs: rejections, and exceptions out of the driver's own callbacks, which would
 * have ended the process.
 */
export function hearStrays(check: string): { end(): Promise<Stray | undefined> } {
  others ??= takeOver()
  const watch: Watch = { check, stray: undefined }
  watches.add(watch)
  return {
    async end() {
      await new Promise((resolve) => setImmediate(resolve)) // Node reports them after the microtasks of this turn
      watches.delete(watch)
      if (watches.size === 0) {
        others?.()
        others = undefined
      }
      return watch.stray
    },
  }
}
