import { checkedChoice, checkedRecord, listOf, membersOf } from './arguments.ts'
import { StoreError } from './errors.ts'
import { byteLength, isJsonObject, reading, toJson, type JsonObject, type JsonValue } from './json.ts'
import { checkLimit, type Limits } from './limits.ts'
import type { ComparisonOperator, Scalar, StatePath } from './sessions.ts'

/** A condition that was checked and copied. */
export type CheckedCondition =
  | { readonly path: StatePath; readonly op: 'exists' }
  | { readonly path: StatePath; readonly op: 'eq' | 'ne' | 'contains'; readonly value: Scalar }
  | { readonly path: StatePath; readonly op: 'lt' | 'lte' | 'gt' | 'gte'; readonly value: string | number }
  | { readonly path: StatePath; readonly op: 'in'; readonly values: readonly Scalar[] }

const operators = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'exists', 'contains'] as const satisfies readonly (
  | ComparisonOperator
  | 'exists'
)[]

/** Conditions of one query, and the values in all of them: what a statement of every database has room for. */
const mostConditions = 20
const mostValues = 1000
/** Segments of a path: a document is hardly ever deeper, and every database can follow so many. */
const longestPath = 60
/** The last position that an array of any database has. */
const lastIndex = 2 ** 31 - 1

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })

/** The conditions of a filter by paths, checked before anything is read; none for `undefined`. */
export function checkedWhere(where: unknown, limits: Limits, field = 'where'): readonly CheckedCondition[] {
  if (where === undefined) return []
  const given = checkedList(where, field, 'a list of conditions', { most: mostConditions, unit: 'conditions' })
  const checked = given.map((condition, i) => checkedCondition(condition, `${field}[${i}]`, limits))
  const values = checked.reduce((sum, condition) => sum + ('values' in condition ? condition.values.length : 1), 0)
  checkLimit(field, 'values', mostValues, values)
  return checked
}

function checkedList(
  value: unknown,
  field: string,
  what: string,
  bounds: { readonly most: number; readonly unit: string },
): readonly unknown[] {
  const items = listOf(value, field, bounds)
  if (items === undefined) throw invalid(field, `must be ${what}`)
  return items
}

function checkedCondition(condition: unknown, field: string, limits: Limits): CheckedCondition {
  const names: readonly string[] = ['path', 'op', 'value']
  const stray = reading(field, () => Object.keys(checkedRecord(condition, field))).find((name) => !names.includes(name))
  if (stray !== undefined)
    throw invalid(`${field}.${stray}`, `is no part of a condition; there are ${names.join(', ')}`)
  const given = membersOf(condition, field, ['path', 'op', 'value'])
  const path = checkedPath(given.path, `${field}.path`, limits)
  const op = checkedChoice(given.op, `${field}.op`, operators)
  const valueField = `${field}.value`
  switch (op) {
    case 'exists':
      if (given.value !== undefined) throw invalid(valueField, 'has no meaning with exists')
      return { path, op }
    case 'eq':
    case 'ne':
    case 'contains':
      return { path, op, value: checkedScalar(given.value, valueField, limits) }
    case 'in': {
      const list = checkedList(given.value, valueField, 'a list', { most: mostValues, unit: 'values' })
      return { path, op, values: list.map((value, i) => checkedScalar(value, `${valueField}[${i}]`, limits)) }
    }
    default: {
      const value = checkedScalar(given.value, valueField, limits)
      if (typeof value === 'string' || typeof value === 'number') return { path, op, value }
      throw invalid(valueField, `must be a string or a number: nothing else has an order`)
    }
  }
}

/** A path into a state document: at least one segment, of which strings are keys and whole numbers are positions. */
export function checkedPath(path: unknown, field: string, limits: Limits): StatePath {
  const deepest = Math.min(limits.stateDepth, longestPath)
  const segments = checkedList(path, field, 'a list of keys and positions', { most: deepest, unit: 'segments' })
  if (segments.length === 0) throw invalid(field, 'is empty')
  let bytes = 0
  const checked = segments.map((segment, i) => {
    if (typeof segment === 'string') {
      bytes += byteLength(segment)
      return segment
    }
    if (typeof segment === 'number' && Number.isInteger(segment) && segment >= 0 && segment <= lastIndex)
      return segment === 0 ? 0 : segment
    throw invalid(`${field}[${i}]`, `must be a string, or a whole number from 0 to ${lastIndex}`)
  })
  checkLimit(field, 'bytes', limits.stateBytes, bytes)
  return checked
}

function checkedScalar(value: unknown, field: string, limits: Limits): Scalar {
  if (value === undefined) throw invalid(field, 'is missing')
  const copy = toJson(value, field, { depth: limits.stateDepth, name: 'stateDepth', bytes: limits.stateBytes })
  if (copy !== null && typeof copy === 'object')
    throw invalid(field, 'must be a string, a number, a boolean or null: objects and arrays are not compared')
  if (typeof copy === 'string') checkLimit(field, 'bytes', limits.stateBytes, byteLength(copy))
  return copy
}

/** What binds a cursor to the conditions. */
export const whereBinding = (where: readonly CheckedCondition[]): JsonObject =>
  where.length === 0
    ? {}
    : {
        where: where.map((condition): JsonValue => [
          [...condition.path],
          condition.op,
          'value' in condition ? condition.value : 'values' in condition ? [...condition.values] : null,
        ]),
      }

/**
 * Whether a state document meets all conditions: the meaning that every store's filters have.
 *
 * @example
 * ```ts
 * import { checkedWhere, defaultLimits, matchesState } from '@daybook/core'
 *
 * const where = checkedWhere([{ path: ['filters', 'region'], op: 'eq', value: 'EMEA' }], defaultLimits)
 * console.log(matchesState({ filters: { region: 'EMEA' } }, where), matchesState({ filters: {} }, where)) // true false
 * ```
 */
export const matchesState = (state: JsonObject, where: readonly CheckedCondition[]): boolean =>
  where.every((condition) => matches(valueAt(state, condition.path), condition))

/** `undefined` stands for a path that is not there. */
export function valueAt(state: JsonObject, path: StatePath): JsonValue | undefined {
  let value: JsonValue | undefined = state
  for (const segment of path) {
    if (typeof segment === 'number') value = Array.isArray(value) ? value[segment] : undefined
    else value = isJsonObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined
  }
  return value
}

function matches(value: JsonValue | undefined, condition: CheckedCondition): boolean {
  if (value === undefined) return false
  switch (condition.op) {
    case 'exists':
      return true
    case 'eq':
      return value === condition.value
    case 'ne':
      return kindOf(value) === kindOf(condition.value) && value !== condition.value
    case 'in':
      return condition.values.some((one) => one === value)
    case 'contains':
      return Array.isArray(value) && value.includes(condition.value)
    default: {
      const order = compared(value, condition.value)
      if (order === undefined) return false
      if (condition.op === 'lt') return order < 0
      if (condition.op === 'lte') return order <= 0
      return condition.op === 'gt' ? order > 0 : order >= 0
    }
  }
}

const kindOf = (value: JsonValue) => (value === null ? 'null' : typeof value)

/** `undefined` for two values of different types, and of types without an order. */
function compared(a: JsonValue, b: JsonValue): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return typeof a === 'string' && typeof b === 'string' ? compareCodePoints(a, b) : undefined
}

/** By code point, as the bytes of UTF-8 compare; `<` compares UTF-16 units, where U+1F600 precedes U+FFFD. */
function compareCodePoints(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length;) {
    const [x = 0, y = 0] = [a.codePointAt(i), b.codePointAt(i)]
    if (x !== y) return x - y
    i += x > 0xffff ? 2 : 1
  }
  return a.length - b.length
}
