import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkedWhere, defaultLimits, isStoreError, matchesState, toStorableText } from '../src/index.ts'
import { anyText } from './arbitraries.ts'

const outcomeOf = (where: unknown): unknown => {
  try {
    return checkedWhere(where, defaultLimits)
  } catch (error) {
    if (!isStoreError(error)) throw error
    return `${error.code} ${error.facts.field ?? ''}`
  }
}

const path = ['a']
test.for<[unknown, string]>([
  ['a', 'invalid_argument where'],
  [{}, 'invalid_argument where'],
  [[null], 'invalid_argument where[0]'],
  [[{}], 'invalid_argument where[0].path'],
  [[{ path: 'a', op: 'exists' }], 'invalid_argument where[0].path'],
  [[{ path: [], op: 'exists' }], 'invalid_argument where[0].path'],
  [[{ path: [-1], op: 'exists' }], 'invalid_argument where[0].path[0]'],
  [[{ path: ['a', 1.5], op: 'exists' }], 'invalid_argument where[0].path[1]'],
  [[{ path: [2 ** 31], op: 'exists' }], 'invalid_argument where[0].path[0]'],
  [[{ path: [null], op: 'exists' }], 'invalid_argument where[0].path[0]'],
  [[{ path: Array.from({ length: 31 }, () => 'a'), op: 'exists' }], 'limit_exceeded where[0].path'],
  [[{ path: ['a'.repeat(defaultLimits.stateBytes + 1)], op: 'exists' }], 'limit_exceeded where[0].path'],
  [[{ path, op: 'like', value: 'a' }], 'invalid_argument where[0].op'],
  [[{ path }], 'invalid_argument where[0].op'],
  [[{ path, op: 'exists', value: true }], 'invalid_argument where[0].value'],
  [[{ path, op: 'exists', not: true }], 'invalid_argument where[0].not'],
  [[{ path, op: 'eq' }], 'invalid_argument where[0].value'],
  [[{ path, op: 'eq', value: {} }], 'invalid_argument where[0].value'],
  [[{ path, op: 'ne', value: [] }], 'invalid_argument where[0].value'],
  [[{ path, op: 'eq', value: Number.NaN }], 'invalid_argument where[0].value'],
  [[{ path, op: 'eq', value: 1n }], 'invalid_argument where[0].value'],
  [[{ path, op: 'eq', value: 'a'.repeat(defaultLimits.stateBytes + 1) }], 'limit_exceeded where[0].value'],
  [[{ path, op: 'lt', value: null }], 'invalid_argument where[0].value'],
  [[{ path, op: 'gte', value: true }], 'invalid_argument where[0].value'],
  [[{ path, op: 'in', value: 'a' }], 'invalid_argument where[0].value'],
  [[{ path, op: 'in', value: [1, [2]] }], 'invalid_argument where[0].value[1]'],
  [[{ path, op: 'in', value: Array.from({ length: 1001 }, () => 1) }], 'limit_exceeded where[0].value'],
  [[{ path, op: 'contains', value: { a: 1 } }], 'invalid_argument where[0].value'],
  [Array.from({ length: 21 }, () => ({ path, op: 'exists' })), 'limit_exceeded where'],
  [
    Array.from({ length: 2 }, () => ({ path, op: 'in', value: Array.from({ length: 501 }).fill(1) })),
    'limit_exceeded where',
  ],
  [[{ path, op: Symbol('s') }], 'invalid_argument where[0].op'],
])('what is no condition is refused before anything is read: %o', ([where, expected]) => {
  expect(outcomeOf(where)).toBe(expected)
})

test('a condition is copied, with its value as JSON would write it', () => {
  const given = { path: ['a', -0], op: 'in', value: [new Date(0), -0] }
  const [checked] = checkedWhere([given], defaultLimits)
  given.path.push('b')
  expect(checked).toEqual({ path: ['a', 0], op: 'in', values: ['1970-01-01T00:00:00.000Z', 0] })
})

const bytes = (text: string) => Buffer.from(toStorableText(text))

test('strings are in the order that their stored form has in UTF-8', () => {
  fc.assert(
    fc.property(anyText, anyText, (a, b) => {
      const isLess = matchesState({ a }, checkedWhere([{ path, op: 'lt', value: b }], defaultLimits))
      expect(isLess).toBe(Buffer.compare(bytes(a), bytes(b)) < 0)
    }),
    { numRuns: 2000 },
  )
})

test('a condition that cannot be read is refused', () => {
  const trap = {
    path,
    get op(): never {
      throw new Error('trap')
    },
  }
  expect(outcomeOf([trap])).toBe('invalid_argument where[0].op')
})
