import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkedTimestamp, fromMicros, isStoreError, lastTimestamp, toMicros } from '@daybook/core'

// Doubles of half a microsecond's distance end here: 2 ** 43 milliseconds.
const endOf2247 = Date.UTC(2248, 0, 1)

test('every microsecond until 2248 survives', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: endOf2247 - 1 }), fc.integer({ min: 0, max: 999 }), (ms, micros) => {
      const stored = BigInt(ms) * 1000n + BigInt(micros)
      const timestamp = fromMicros(stored)
      expect(fromMicros(String(stored))).toBe(timestamp)
      expect(toMicros(timestamp)).toBe(stored)
      expect(timestamp).toBe(Number(`${ms}.${String(micros).padStart(3, '0')}`))
      expect(checkedTimestamp(timestamp, 'timestamp')).toBe(timestamp)
    }),
    { numRuns: 2000 },
  )
})

const survives = (ms: number) => {
  expect(fromMicros(toMicros(ms))).toBe(ms)
  expect(fromMicros(String(toMicros(ms)))).toBe(ms)
  expect(checkedTimestamp(ms, 'timestamp')).toBe(ms)
}

test('every millisecond until the end of 9999 survives', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: lastTimestamp }), survives), { numRuns: 2000 })
  for (const ms of [
    0,
    1,
    2 ** 31 * 1000,
    2 ** 43,
    Number.MAX_SAFE_INTEGER / 1000,
    Date.UTC(2000, 1, 29),
    lastTimestamp - 1,
    lastTimestamp,
  ].map(Math.floor))
    survives(ms)
})

test('a text that is no row of digits is the number that it says', () => {
  for (const text of ['-5', '1.5', '1e3', ' 12 ', '']) expect(fromMicros(text)).toBe(fromMicros(Number(text)))
})

test('times as stored are in the order of times as given', () => {
  const anyTime = fc
    .double({ min: 0, max: lastTimestamp, noNaN: true })
    .map((time) => checkedTimestamp(time, 'timestamp'))
  fc.assert(
    fc.property(anyTime, anyTime, (a, b) => {
      expect(Math.sign(a - b)).toBe(Math.sign(Number(toMicros(a) - toMicros(b))))
      expect(fromMicros(toMicros(a))).toBe(a)
    }),
    { numRuns: 2000 },
  )
})

test('a finer fraction is rounded to the nearest microsecond, and never beyond the last timestamp', () => {
  expect(checkedTimestamp(1.0004, 't')).toBe(1)
  expect(checkedTimestamp(1.0006, 't')).toBe(1.001)
  expect(checkedTimestamp(999.9996, 't')).toBe(1000)
  expect(checkedTimestamp(-0, 't')).toBe(0)
  expect(Object.is(checkedTimestamp(-0, 't'), 0)).toBe(true)
})

test('what is outside of 1970 to 9999 is refused', () => {
  for (const value of [
    -1,
    -0.001,
    lastTimestamp + 1,
    Number.NaN,
    Infinity,
    -Infinity,
    '0',
    5n,
    new Date(),
    null,
    undefined,
  ]) {
    let error: unknown
    try {
      checkedTimestamp(value, 'event.timestamp')
    } catch (caught) {
      error = caught
    }
    expect(isStoreError(error) && [error.code, error.facts.field]).toEqual(['invalid_argument', 'event.timestamp'])
  }
})
