import { StoreError } from './errors.ts'
import { compareText } from './in-memory-list.ts'
import { checkLimit, type Limits } from './limits.ts'
import { pageOf } from './list-request.ts'
import type { MetricGroup, MoneyAmount } from './metric-aggregate.ts'
import type { CheckedBucket, CheckedMeasure, MetricAggregateRequest } from './metric-aggregate-request.ts'
import { fromMoneyUnits } from './money.ts'
import type { Page } from './page.ts'
import { fromMicros, toMicros } from './time.ts'

export type GroupValue = string | number | boolean | null

/** What was found out of a part: a whole number, nothing, or units of money by currency. */
export type PartValue = bigint | null | ReadonlyMap<string, bigint>

/** A group as a store finds it. */
export interface FoundGroup {
  /** When its span of time begins, in microseconds. */
  readonly bucket: bigint | undefined
  readonly key: readonly GroupValue[]
  /** By the names of `request.parts`; one that is absent is none, or 0 of what is counted. */
  readonly parts: ReadonlyMap<string, PartValue>
}

/** When the span of time begins in which a time is. */
export function bucketOf(micros: bigint, { size, offset }: CheckedBucket): bigint {
  const [span, past] = [BigInt(size), (micros + BigInt(offset)) % BigInt(size)]
  return micros - (past < 0n ? past + span : past)
}

/** A page of the answer out of all groups that have rows, in whatever order they were found. */
export function groupPageOf(
  found: readonly FoundGroup[],
  request: MetricAggregateRequest,
  limits: Limits,
): Page<MetricGroup<never>> {
  checkLimit('groupBy', 'groups', limits.metricGroups, found.length)
  const { orderBy, direction, position, limit } = request
  const sign = direction === 'asc' ? 1 : -1
  const groups = withEmpty(found, request, limits).map((group) => ({
    group,
    place: {
      value: orderBy === undefined ? null : numberOf(orderBy, group),
      bucket: group.bucket ?? 0n,
      key: group.key,
    },
  }))
  const compare = (a: Place, b: Place) => sign * compareValues(a.value, b.value) || comparePlaces(a, b)
  const last = position === undefined ? undefined : placeOf(String(position[0]), request)
  const rows = groups
    .filter(({ place }) => last === undefined || compare(place, last) > 0)
    .toSorted((a, b) => compare(a.place, b.place))
    .slice(0, limit + 1)
  return pageOf(
    rows,
    request,
    ({ place: { value, bucket, key } }) => [JSON.stringify([value, String(bucket), key])],
    ({ group }) => groupOf(group, request),
  )
}

interface Place {
  readonly value: number | null
  readonly bucket: bigint
  readonly key: readonly GroupValue[]
}

function comparePlaces(a: Place, b: Place): number {
  if (a.bucket !== b.bucket) return a.bucket < b.bucket ? -1 : 1
  for (const [i, value] of a.key.entries()) {
    const order = compareValues(value, b.key[i] ?? null)
    if (order !== 0) return order
  }
  return 0
}

/** Nothing before everything; texts by their bytes. */
function compareValues(a: GroupValue, b: GroupValue): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null)
  return typeof a === 'string' && typeof b === 'string' ? compareText(a, b) : Number(a) - Number(b)
}

/** The place inside a cursor. Its seal is no secret, so what is inside is looked at. */
function placeOf(text: string, { groupBy }: MetricAggregateRequest): Place {
  try {
    const [value, bucket, key] = JSON.parse(text) as readonly [unknown, unknown, unknown] // looked at below
    const isPlace = (value === null || typeof value === 'number') && Array.isArray(key) && key.length === groupBy.length
    if (isPlace && /^-?\d{1,18}$/.test(String(bucket)))
      return { value, bucket: BigInt(String(bucket)), key: key.map(asValue) }
  } catch {
    // Refused like any other text that is no place.
  }
  throw new StoreError('invalid_cursor', 'the cursor names no position of this list', { field: 'cursor' })
}

const asValue = (value: unknown): GroupValue =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null

/** Also the spans of time without rows, where both ends are known; and the one group of everything. */
function withEmpty(
  found: readonly FoundGroup[],
  request: MetricAggregateRequest,
  limits: Limits,
): readonly FoundGroup[] {
  const { bucket, since, before, groupBy } = request
  if (bucket === undefined)
    return found.length === 0 && groupBy.length === 0 ? [{ bucket: undefined, key: [], parts: new Map() }] : found
  if (since === undefined || before === undefined || before <= since) return found
  const keys = new Map(found.map(({ key }) => [JSON.stringify(key), key]))
  if (groupBy.length === 0) keys.set('[]', [])
  const there = new Set(found.map((group) => nameOf(group.bucket, group.key)))
  const all = [...found]
  const end = toMicros(before)
  for (let start = bucketOf(toMicros(since), bucket); start < end; start += BigInt(bucket.size))
    for (const key of keys.values()) {
      if (there.has(nameOf(start, key))) continue
      all.push({ bucket: start, key, parts: new Map() })
      checkLimit('bucket', 'groups', limits.metricGroups, all.length)
    }
  return all
}

const nameOf = (bucket: bigint | undefined, key: readonly GroupValue[]) => `${bucket} ${JSON.stringify(key)}`

const groupOf = (group: FoundGroup, { measures }: MetricAggregateRequest): MetricGroup<never> => ({
  ...(group.bucket !== undefined && { bucket: fromMicros(group.bucket) }),
  key: group.key,
  values: Object.fromEntries(
    measures.map((measure) => [
      measure.name,
      measure.measure === 'cost' ? amountsOf(group, measure) : numberOf(measure, group),
    ]),
  ) as never, // one for each measure that was asked for
})

function amountsOf({ parts }: FoundGroup, { parts: [name = ''] }: CheckedMeasure): readonly MoneyAmount[] {
  const amounts = parts.get(name)
  if (amounts === undefined || amounts === null || typeof amounts === 'bigint') return []
  return [...amounts]
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([currency, units]) => ({ currency, amount: fromMoneyUnits(units) }))
}

/** The value of a measure that is a number, `null` where there is none. */
function numberOf({ measure, parts: [first = '', second = ''] }: CheckedMeasure, { parts }: FoundGroup): number | null {
  const whole = (name: string): bigint | null => {
    const value = parts.get(name)
    return typeof value === 'bigint' ? value : null
  }
  const [value, rows] = [whole(first), whole(second)]
  if (measure === 'errorRate') return rows === null || rows === 0n ? null : Number(value ?? 0n) / Number(rows)
  const isCount = measure === 'count' || measure === 'errorCount' || measure === 'unpriced'
  if (isCount || (typeof measure === 'object' && 'countDistinct' in measure)) return Number(value ?? 0n)
  if (value === null) return null
  if (typeof measure !== 'object') return Number(value)
  if ('avg' in measure) return rows === null || rows === 0n ? null : inUnit(Number(value) / Number(rows), measure.avg)
  const member: unknown = Object.values(measure).find((part) => typeof part === 'string')
  return isDuration(member) ? fromMicros(value) : Number(value)
}

const isDuration = (member: unknown): boolean => member === 'durationMs' || member === 'firstChunkMs'

const inUnit = (value: number, member: string): number => (isDuration(member) ? value / 1000 : value)
