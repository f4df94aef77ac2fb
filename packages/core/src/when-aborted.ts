const listeners = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls back when the signal fires from now on, unless the answer is called before. However many wait for one, it has one
 * listener of ours: Node.js warns of a leak when there are more than ten.
 *
 * @example
 * ```ts
 * import { whenAborted } from '@daybook/core'
 *
 * const abort = new AbortController()
 * whenAborted(abort.signal, () => console.log('stopped')) // stopped
 * abort.abort()
 * ```
 */
export function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  const waiting = listeners.get(signal) ?? listenTo(signal)
  const own = () => callback() // the same function may wait twice
  waiting.add(own)
  return () => void waiting.delete(own)
}

/**
 * The same, and at once where the signal has fired already.
 *
 * @example
 * ```ts
 * import { whenOver } from '@daybook/core'
 *
 * whenOver(AbortSignal.abort(), () => console.log('stopped')) // stopped
 * ```
 */
export function whenOver(signal: AbortSignal, callback: () => void): () => void {
  if (!signal.aborted) return whenAborted(signal, callback)
  callback()
  return () => {}
}

/**
 * The answer, or `undefined` as soon as the signal fires. A race of its own each time: one with a promise that lasts would hold every
 * answer for as long.
 *
 * @example
 * ```ts
 * import { unlessAborted } from '@daybook/core'
 *
 * const abort = new AbortController()
 * const never = unlessAborted(new Promise(() => {}), abort.signal)
 * abort.abort()
 * console.log(await never) // undefined
 * ```
 */
export function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const unlisten = whenAborted(signal, () => resolve(undefined))
    answer.then(resolve, reject).finally(unlisten)
    if (signal.aborted) resolve(undefined)
  })
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const waiting = new Set<() => void>()
  listeners.set(signal, waiting)
  const fire = () => {
    listeners.delete(signal)
    tellAll(waiting)
  }
  signal.addEventListener('abort', fire, { once: true })
  return waiting
}

/**
 * Calls all of them, also those after one that throws: they are of calls that have nothing to do with one another. What is thrown
 * goes where the error of a signal's listener goes, and ends a process that has not asked for it.
 */
export function tellAll(callbacks: Iterable<() => void>): void {
  for (const callback of callbacks) {
    try {
      callback()
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }
}
