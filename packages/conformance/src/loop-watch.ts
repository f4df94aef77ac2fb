import { Worker } from 'node:worker_threads'

/** Milliseconds between two beats. */
const beat = 10

const beats = `
const { parentPort, workerData } = require('node:worker_threads')
setInterval(() => Atomics.add(workerData, 0, 1), ${beat})
parentPort.postMessage('begun')
`

export interface LoopWatch {
  /** Longest time for which the event loop answered nobody though there were turns for it, in milliseconds. */
  readonly longest: number
  /** What part of its turns it took. */
  readonly part: number
}

/**
 * Watches whether the event loop of this thread goes on, by a thread beside it that has nothing to do. Where both stand still
 * it is the machine, which has others to serve; where only this one does, somebody holds it.
 */
export async function watchLoop(): Promise<() => Promise<LoopWatch>> {
  const count = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const beside = new Worker(beats, { eval: true, execArgv: [], workerData: count })
  await new Promise((resolve, reject) => beside.once('message', resolve).once('error', reject))
  const begun = Atomics.load(count, 0)
  let [last, longest, turns] = [begun, 0, 0]
  const look = () => {
    const now = Atomics.load(count, 0)
    longest = Math.max(longest, now - last)
    last = now
    turns += 1
  }
  const timer = setInterval(look, beat)
  return async function stop() {
    clearInterval(timer)
    look()
    await beside.terminate()
    return { longest: longest * beat, part: turns / Math.max(1, last - begun) }
  }
}
