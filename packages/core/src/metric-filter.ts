import { checkedFlag, checkedRecord, listOf, membersOf } from './arguments.ts'
import { StoreError } from './errors.ts'
import { reading, type JsonObject, type JsonValue } from './json.ts'
import { checkLimit, type Limits } from './limits.ts'
import { checkedCell, checkedMoney } from './metric-cells.ts'
import { metricKinds, metricMembers, type MetricKind, type MetricMember } from './metric-columns.ts'
import type { MetricTextMember, MetricNumberMember } from './metric-query.ts'
import { entryNames, type MetricEntry } from './metric-request.ts'
import { checkedWhere, whereBinding, type CheckedCondition } from './state-filter.ts'
import { checkedTimestamp } from './time.ts'

/** What rows are compared by: a column, or `cost`, which is `providedCost`, or else `computedCost`. */
export type MetricColumn = FilteredColumn | 'cost'
type FilteredColumn = Extract<keyof MetricEntry, MetricTextMember | MetricNumberMember> | OtherColumn
type OtherColumn = 'durationUs' | 'firstChunkUs' | 'recordedAt'

/** A value as it is stored: times in milliseconds, durations in microseconds, money as the shortest text. */
export type MetricValue = string | number | null

export interface CheckedMetricWhere {
  /** The column has one of the values, of which `null` means that it is absent; without values no row fits. */
  readonly oneOf: readonly OneOf[]
  /** The column is there, and compares so; that of `cost` as a number. */
  readonly ranges: readonly Range[]
  readonly root: boolean
  readonly unpriced: boolean
  /** On `customAttributes`; a row without them fits none. */
  readonly attributes: readonly CheckedCondition[]
}

interface OneOf {
  readonly column: MetricColumn
  readonly values: readonly MetricValue[]
}

interface Range {
  readonly column: MetricColumn
  readonly op: RangeOperator
  readonly value: string | number
}

export type RangeOperator = (typeof rangeOperators)[number]
const rangeOperators = ['gt', 'gte', 'lt', 'lte'] as const

const mostValues = 1000

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })

const textKinds: readonly MetricKind[] = ['id', 'name', 'tag', 'choice']
const numberKinds: readonly MetricKind[] = ['time', 'duration', 'count', 'size', 'level']

/** The names that a filter may have, besides those that have a meaning of their own. */
const filterMembers = metricMembers.filter(
  (member) =>
    member !== 'appName' && (member === 'invocationId' || [...textKinds, ...numberKinds].includes(metricKinds[member])),
)
const filterNames = [...filterMembers, 'recordedAt', 'cost', 'root', 'unpriced', 'attributes']

/** The filter of a query, checked before anything is read. */
export function checkedMetricWhere(where: unknown, limits: Limits): CheckedMetricWhere {
  const none = { oneOf: [], ranges: [], root: false, unpriced: false, attributes: [] }
  if (where === undefined) return none
  const record = checkedRecord(where, 'where')
  const stray = reading('where', () => Object.keys(record)).find((name) => !filterNames.includes(name))
  if (stray !== undefined) throw invalid(`where.${stray}`, `is no filter; there are ${filterNames.join(', ')}`)
  const given = membersOf(where, 'where', filterNames)
  const oneOf: OneOf[] = []
  const ranges: Range[] = []
  for (const name of [...filterMembers, 'recordedAt', 'cost'] as const) {
    const value = given[name]
    if (value === undefined) continue
    const checked = conditions(name, value, limits)
    if (Array.isArray(checked)) ranges.push(...checked)
    else oneOf.push(checked)
  }
  checkLimit(
    'where',
    'values',
    mostValues,
    oneOf.reduce((sum, { values }) => sum + values.length, ranges.length),
  )
  return {
    oneOf,
    ranges,
    root: checkedFlag(given['root'], 'where.root'),
    unpriced: checkedFlag(given['unpriced'], 'where.unpriced'),
    attributes: checkedWhere(given['attributes'], limits, 'where.attributes'),
  }
}

type FilterName = MetricMember | 'recordedAt' | 'cost'

function conditions(name: FilterName, value: unknown, limits: Limits): OneOf | Range[] {
  const field = `where.${name}`
  const column = columnOf(name)
  const isNumber = name === 'recordedAt' || name === 'cost' || numberKinds.includes(metricKinds[name])
  const list = listOf(value, field, { most: mostValues, unit: 'values' })
  if (list !== undefined && name !== 'cost')
    return { column, values: list.map((one, i) => checkedValue(one, name, `${field}[${i}]`, limits)) }
  if (isNumber && typeof value === 'object' && value !== null)
    return checkedRange(value, name, field, limits).map((range) => ({ column, ...range }))
  if (name === 'cost' && value !== null) throw invalid(field, 'must be a range of amounts, or null')
  return { column, values: [checkedValue(value, name, field, limits)] }
}

const columnOf = (name: FilterName): MetricColumn =>
  name === 'recordedAt' || name === 'cost' ? name : (entryNames[name] as MetricColumn) // only names of filters come here

function checkedValue(value: unknown, name: FilterName, field: string, limits: Limits): MetricValue {
  if (value === null) return null
  if (value === undefined) throw invalid(field, 'is missing')
  if (name === 'recordedAt') return checkedTimestamp(value, field)
  if (name === 'cost') return checkedMoney(value, field)
  return checkedCell(value, name, field, limits)
}

function checkedRange(value: object, name: FilterName, field: string, limits: Limits) {
  const operators: readonly string[] = rangeOperators
  const stray = reading(field, () => Object.keys(value)).find((one) => !operators.includes(one))
  if (stray !== undefined) throw invalid(`${field}.${stray}`, `is no bound; there are ${operators.join(', ')}`)
  const given = membersOf(value, field, rangeOperators)
  return rangeOperators.flatMap((op) => {
    if (given[op] === undefined) return []
    const bound = checkedValue(given[op], name, `${field}.${op}`, limits)
    if (bound === null) throw invalid(`${field}.${op}`, 'is null, which has no order')
    return [{ op, value: bound }]
  })
}

/** What binds a cursor to a filter. */
export const metricWhereBinding = ({ oneOf, ranges, root, unpriced, attributes }: CheckedMetricWhere): JsonObject => ({
  oneOf: oneOf.map(({ column, values }): JsonValue => [column, [...values]]),
  ranges: ranges.map(({ column, op, value }): JsonValue => [column, op, value]),
  root,
  unpriced,
  ...whereBinding(attributes),
})
