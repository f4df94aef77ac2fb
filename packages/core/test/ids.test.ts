import { expect, test, vi } from 'vitest'
import { checkedId, defaultLimits, isStoreError, uuidv7 } from '@daybook/core'

const shape = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/
const timeOf = (id: string) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
const many = (count: number, now?: () => number) => Array.from({ length: count }, () => uuidv7(now))
const isIncreasing = (ids: readonly string[]) => ids.every((id, i) => i === 0 || (ids[i - 1] ?? '') < id)

/** The module as another process has it: with a counter of its own. */
async function anotherProcess(): Promise<typeof uuidv7> {
  vi.resetModules()
  const copy = await import('../src/ids.ts')
  return copy.uuidv7
}

test('ids are UUIDs of version 7 whose time is the clock', () => {
  const before = Date.now()
  const id = uuidv7()
  expect(id).toMatch(shape)
  expect(timeOf(id)).toBeGreaterThanOrEqual(before)
  expect(timeOf(id)).toBeLessThanOrEqual(Date.now() + 1)
})

test('100,000 ids are strictly increasing and of the right form', () => {
  const ids = many(100_000)
  expect(isIncreasing(ids)).toBe(true)
  expect(ids.filter((id) => !shape.test(id))).toEqual([])
})

test('ids increase while the clock stands still, runs back and jumps', async () => {
  const ids = await anotherProcess()
  let time = 1_700_000_000_000
  const clocks = [() => time, () => time--, () => time++, () => (time += 7), () => Math.random() * 2e12]
  const made = clocks.flatMap((clock) => Array.from({ length: 20_000 }, () => ids(clock)))
  expect(isIncreasing(made)).toBe(true)
  expect(made.filter((id) => !shape.test(id))).toEqual([])
})

test('at least 2,048 ids of one millisecond keep its time', async () => {
  const ids = await anotherProcess()
  const made = Array.from({ length: 2048 }, () => ids(() => 1_700_000_000_000))
  expect(new Set(made.map((id) => timeOf(id)))).toEqual(new Set([1_700_000_000_000]))
})

test('processes with one clock never make the same id', async () => {
  const processes = [await anotherProcess(), await anotherProcess(), await anotherProcess()]
  const made = processes.flatMap((ids) => Array.from({ length: 20_000 }, () => ids(() => 1_700_000_000_000)))
  expect(new Set(made).size).toBe(60_000)
})

test('a broken clock is refused', () => {
  for (const time of [Number.NaN, -1, Infinity, 2 ** 48]) expect(() => uuidv7(() => time)).toThrow(/^now must be/)
})

const codeOf = (id: unknown) => {
  try {
    return checkedId(id, 'key.sessionId', defaultLimits) === id ? 'taken' : 'changed'
  } catch (error) {
    return isStoreError(error) ? [error.code, error.facts] : error
  }
}

test('an id is 1 to 191 code points and at most 512 bytes, well-formed, without NUL', () => {
  for (const id of ['a', ' ', 'x'.repeat(191), 'é'.repeat(191), '😀'.repeat(128), '\u0001', '\ud7ff', '\uffff'])
    expect(codeOf(id)).toBe('taken')
  const field = 'key.sessionId'
  expect(codeOf('x'.repeat(192))).toEqual(['limit_exceeded', { field, limit: 191, actual: 192 }])
  expect(codeOf('😀'.repeat(192))).toEqual(['limit_exceeded', { field, limit: 191, actual: 192 }])
  expect(codeOf('😀'.repeat(129))).toEqual(['limit_exceeded', { field, limit: 512, actual: 516 }])
  expect(codeOf('\u0800'.repeat(171))).toEqual(['limit_exceeded', { field, limit: 512, actual: 513 }])
  for (const id of ['', 'a\0', '\ud800', 'a\udc00b', '\udc00\ud800', 5, null, undefined, ['a'], new String('a')])
    expect(codeOf(id)).toEqual(['invalid_argument', { field }])
})
