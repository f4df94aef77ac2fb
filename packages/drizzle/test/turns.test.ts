import { createCalls, isStoreError, type Call } from '@daybook/core'
import { describe, expect, test } from 'vitest'
import { createTurns } from '../src/index.ts'

const calls = createCalls()
const call = <T>(body: (call: Call) => Promise<T>, timeout = 5_000) => calls.run('events.append', { timeout }, body)

/** Work that goes on until it is told to end. */
function gate() {
  const opening = new AbortController()
  const opened = new Promise<void>((resolve) => opening.signal.addEventListener('abort', () => resolve()))
  return { open: () => opening.abort(), work: () => opened }
}

describe('turns', () => {
  test('no more are in than there is room for, and they come in the order in which they asked', async () => {
    const turns = createTurns(2)
    const seen: number[] = []
    let most = 0
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        call((one) =>
          turns.run(one, async () => {
            seen.push(i)
            most = Math.max(most, turns.inUse)
            await new Promise((resolve) => setTimeout(resolve, 1))
          }),
        ),
      ),
    )
    expect([most, turns.inUse, turns.waiting]).toEqual([2, 0, 0])
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })

  test('a call whose time runs out in the queue is told what it waited for, leaves it, and its work is not done', async () => {
    const turns = createTurns(1)
    const first = gate()
    const busy = call((one) => turns.run(one, first.work))
    let isDone = false
    const late = call((one) => turns.run(one, async () => void (isDone = true)), 20)
    await expect(late).rejects.toMatchObject({
      code: 'timeout',
      message: 'events.append ran out of time waiting for one of 1 connections, which were all in use (1 waiting)',
    })
    expect(turns.waiting).toBe(0)
    first.open()
    await busy
    expect([isDone, turns.inUse]).toEqual([false, 0])
  })

  test('the wait has a bound of its own', async () => {
    const turns = createTurns(1)
    const first = gate()
    const busy = call((one) => turns.run(one, first.work))
    const late = await call((one) => turns.run(one, async () => {}, 20)).catch((error: unknown) => error)
    expect(isStoreError(late) && [late.code, late.retryable, late.message]).toEqual([
      'timeout',
      true,
      'no turn came within 20 ms for one of 1 connections, which were all in use (1 waiting)',
    ])
    first.open()
    await busy
    await call((one) => turns.run(one, async () => {}))
  })

  test('work that fails gives its turn on', async () => {
    const turns = createTurns(1)
    await expect(call((one) => turns.run(one, () => Promise.reject(new RangeError('no'))))).rejects.toMatchObject({
      code: 'internal',
    })
    expect(await call((one) => turns.run(one, async () => 5))).toBe(5)
  })
})
