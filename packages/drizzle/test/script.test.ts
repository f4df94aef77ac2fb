import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { runAsync, runSync, step, type Script } from '../src/index.ts'

/** Adds numbers by steps; a negative one makes its step fail, and the script goes on with the error's place. */
function* sumOf(
  numbers: readonly number[],
  answer: (n: number) => number | Promise<number>,
  log: string[],
): Script<number> {
  let sum = 0
  try {
    for (const n of numbers) {
      try {
        sum += yield* step(() => answer(n))
      } catch (error) {
        log.push(String(error))
        sum -= 1
      }
    }
  } finally {
    log.push('end')
  }
  return sum
}

const answer = (n: number) => {
  if (n < 0) throw new RangeError(`step ${n}`)
  return n
}

test('a script does the same on a driver that waits and on one that does not', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: -3, max: 10 })), async (numbers) => {
      const [now, later, mixed]: string[][] = [[], [], []]
      const sync = runSync(sumOf(numbers, answer, now ?? []))
      expect(await runAsync(sumOf(numbers, async (n) => answer(n), later ?? []))).toBe(sync)
      expect(await runAsync(sumOf(numbers, answer, mixed ?? []))).toBe(sync)
      expect([later, mixed]).toEqual([now, now])
    }),
  ))

test('an error that a script does not catch comes out as it was thrown', async () => {
  const error = new RangeError('of the driver')
  const failing = function* failing(): Script<never> {
    return yield* step((): never => {
      throw error
    })
  }
  expect(() => runSync(failing())).toThrow(error)
  await expect(runAsync(failing())).rejects.toBe(error)
})

test('what is asked before each step can end the script, and its finally still runs', async () => {
  const log: string[] = []
  let left = 2
  const before = () => {
    if (left-- === 0) throw new Error('over')
  }
  const script = function* script(): Script<void> {
    try {
      for (let i = 0; ; i++) yield* step(() => log.push(`step ${i}`))
    } finally {
      log.push('end')
    }
  }
  await expect(runAsync(script(), before)).rejects.toThrow('over')
  expect(log).toEqual(['step 0', 'step 1', 'end'])
})
