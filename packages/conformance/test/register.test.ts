import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { linearize, type RegisterCall } from '../src/register.ts'

const call = (kind: 'read' | 'write', value: number | undefined, began: number, ended: number): RegisterCall => ({
  by: 'c',
  kind,
  value,
  began,
  ended,
})
const write = (value: number, began: number, ended: number) => call('write', value, began, ended)
const read = (value: number | undefined, began: number, ended: number) => call('read', value, began, ended)

test.each([
  ['a read of what was written before', [write(1, 0, 1), read(1, 2, 3)]],
  ['a read beside a write has the old value', [write(1, 0, 1), write(2, 2, 9), read(1, 3, 4)]],
  ['or the new one', [write(1, 0, 1), write(2, 2, 9), read(2, 3, 4), read(2, 5, 6)]],
  ['two writes at once, read in either order', [write(1, 0, 9), write(2, 0, 9), read(2, 10, 11)]],
])('%s has an order', (_name, calls) => {
  expect(linearize(calls, undefined).order).toHaveLength(calls.length)
})

test.each([
  ['a stale read', [write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)]],
  ['a lost write', [write(1, 0, 1), read(undefined, 2, 3)]],
  ['a phantom', [write(1, 0, 1), read(7, 2, 3)]],
  ['a value that comes back', [write(1, 0, 9), write(2, 0, 9), read(1, 10, 11), read(2, 12, 13)]],
  ['a read of the future', [read(1, 0, 1), write(1, 2, 3)]],
])('%s has none', (_name, calls) => {
  expect(linearize(calls, undefined).order).toBeUndefined()
})

/** Calls whose moment of effect is known, so that an order is there; each is seen to last a while around it. */
const histories = fc
  .array(
    fc.record({
      isWrite: fc.boolean(),
      before: fc.integer({ min: 0, max: 30 }),
      after: fc.integer({ min: 0, max: 30 }),
    }),
    {
      minLength: 1,
      maxLength: 50,
    },
  )
  .map((steps) => {
    let value: number | undefined
    return steps.map(({ isWrite, before, after }, i) => {
      if (isWrite) value = i
      return call(isWrite ? 'write' : 'read', value, 10 * i - before, 10 * i + after)
    })
  })

test('every history that was made in some order has one, found within few steps', () => {
  fc.assert(
    fc.property(histories, (calls) => {
      const { order, steps } = linearize(
        calls.toSorted((a, b) => a.ended - b.ended),
        undefined,
      )
      expect(order).toHaveLength(calls.length)
      expect(steps).toBeLessThan(20_000)
    }),
    { numRuns: 200 },
  )
})

test('a read of a value that was never written has no order, whatever else happened', () => {
  fc.assert(
    fc.property(histories, (calls) => {
      expect(linearize([...calls, read(9999, 0, 1000)], undefined).order).toBeUndefined()
    }),
    { numRuns: 100 },
  )
})
