import type { StateCondition } from '@daybook/core'

// What a filter on state means, written a second time: the stores' own reading of it must not be what they are judged by.

/** `unknown`: the path is missing, or the value has a type that the condition says nothing about. */
export type Truth = 'yes' | 'no' | 'unknown'

/** Parts of the meaning that a mutant replaces. */
export interface FilterMeaning {
  /** The value at a path; `undefined` where it is missing. */
  readonly at: (document: unknown, path: StateCondition['path']) => unknown
  readonly equal: (a: unknown, b: unknown) => boolean
  /** Whether a string stands before another. */
  readonly before: (a: string, b: string) => boolean
  readonly contains: (array: unknown, value: unknown, equal: FilterMeaning['equal']) => boolean
  /** What a path or a type that does not fit comes to. */
  readonly mismatch: (condition: StateCondition) => Truth
}

const at: FilterMeaning['at'] = (document, path) => {
  let here: unknown = document
  for (const segment of path) {
    if (typeof here !== 'object' || here === null || Array.isArray(here) !== (typeof segment === 'number'))
      return undefined
    here = Object.getOwnPropertyDescriptor(here, segment)?.value as unknown // any value
  }
  return here
}

/** By code point: the first that differs decides, and what comes after it is not looked at. */
const before: FilterMeaning['before'] = (a, b) => {
  const right = b[Symbol.iterator]()
  for (const char of a) {
    const other = right.next()
    if (other.done === true) return false
    if (char !== other.value) return (char.codePointAt(0) ?? 0) < (other.value.codePointAt(0) ?? 0)
  }
  return right.next().done !== true
}

const equal = (a: unknown, b: unknown): boolean => typeof a === typeof b && a === b

export const meaning: FilterMeaning = {
  at,
  equal,
  before,
  contains: (array, value, same) => Array.isArray(array) && array.some((item) => same(item, value)),
  mismatch: () => 'unknown',
}

const typeOf = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)
const truth = (is: boolean): Truth => (is ? 'yes' : 'no')

/** What a condition says about a document. */
export function judged(document: unknown, condition: StateCondition, by: FilterMeaning = meaning): Truth {
  const value = by.at(document, condition.path)
  if (condition.op === 'exists') return truth(value !== undefined)
  if (value === undefined) return by.mismatch(condition)
  switch (condition.op) {
    case 'in':
      return truth(condition.value.some((one) => by.equal(value, one)))
    case 'contains':
      return truth(by.contains(value, condition.value, by.equal))
    case 'eq':
      return by.equal(value, condition.value) ? 'yes' : sameType(value, condition, by)
    case 'ne':
      return by.equal(value, condition.value) ? 'no' : flipped(sameType(value, condition, by))
    default:
      return ordered(value, condition, by)
  }
}

/** Two values that differ: `no` of one type, a mismatch of two. */
const sameType = (value: unknown, condition: StateCondition & { readonly value: unknown }, by: FilterMeaning): Truth =>
  typeOf(value) === typeOf(condition.value) ? 'no' : by.mismatch(condition)

const flipped = (one: Truth): Truth => (one === 'no' ? 'yes' : one)

function ordered(
  value: unknown,
  condition: StateCondition & { readonly op: 'lt' | 'lte' | 'gt' | 'gte' },
  by: FilterMeaning,
): Truth {
  const { op, value: bound } = condition
  let isBefore: boolean
  let isAfter: boolean
  if (typeof value === 'number' && typeof bound === 'number') [isBefore, isAfter] = [value < bound, value > bound]
  else if (typeof value === 'string' && typeof bound === 'string')
    [isBefore, isAfter] = [by.before(value, bound), by.before(bound, value)]
  else return by.mismatch(condition)
  return truth({ lt: isBefore, lte: !isAfter, gt: isAfter, gte: !isBefore }[op])
}

/** Whether a document meets every condition. */
export const meets = (document: unknown, where: readonly StateCondition[], by: FilterMeaning = meaning): boolean =>
  where.every((condition) => judged(document, condition, by) === 'yes')
