import { checkedChoice, checkedCount, checkedOptions, checkedRecord, listOf, membersOf } from './arguments.ts'
import { StoreError } from './errors.ts'
import { reading, type JsonValue } from './json.ts'
import { checkLimit, type Limits } from './limits.ts'
import { pageRequest, type PageRequest } from './list-request.ts'
import type { MetricBucket, MetricDimension, MetricMeasure, TokenMember } from './metric-aggregate.ts'
import { metricKinds, metricMembers, type MetricMember } from './metric-columns.ts'
import {
  metricSelection,
  selectionBinding,
  selectionNames,
  type MetricSelectionRequest,
} from './metric-query-request.ts'
import { entryNames, type MetricContext, type MetricEntry } from './metric-request.ts'
import type { StatePath } from './sessions.ts'
import { checkedPath } from './state-filter.ts'
import { toMicros } from './time.ts'

export type CheckedDimension =
  | { readonly of: MetricDimension }
  | { readonly attribute: StatePath; readonly type: 'string' | 'number' | 'boolean' }

/**
 * What has to be found out of each group; a measure is made of one or two of them. Those of a column are in the unit that it is stored
 * in, and over the rows that have it; `counted` and `cost` over the rows whose usage counts.
 */
export type MetricPart =
  | { readonly part: 'rows' | 'errors' | 'unpriced' | 'cost' }
  | { readonly part: 'sum' | 'present' | 'min' | 'max'; readonly column: keyof MetricEntry }
  | { readonly part: 'counted'; readonly column: TokenMember }
  | { readonly part: 'percentile'; readonly column: keyof MetricEntry; readonly thousandths: number }
  | { readonly part: 'distinct'; readonly column: 'traceId' | 'sessionId' | 'userId' }

export interface CheckedMeasure {
  readonly name: string
  readonly measure: MetricMeasure
  /** Names of the parts that it is made of. */
  readonly parts: readonly string[]
}

/** Spans of time that begin where `(time + offset) % size` is 0, in microseconds. */
export interface CheckedBucket {
  readonly size: number
  readonly offset: number
}

export interface MetricAggregateRequest extends MetricSelectionRequest, PageRequest {
  readonly groupBy: readonly CheckedDimension[]
  readonly bucket: CheckedBucket | undefined
  readonly measures: readonly CheckedMeasure[]
  /** Each once, by name. */
  readonly parts: ReadonlyMap<string, MetricPart>
  readonly orderBy: CheckedMeasure | undefined
}

const dimensions: readonly MetricDimension[] = [
  'operationName',
  'operationType',
  'provider',
  'model',
  'agentName',
  'userId',
  'sessionId',
  'status',
  'environment',
  'release',
  'errorType',
  'parentAgent',
]
const tokens: readonly TokenMember[] = [
  'inputTokens',
  'outputTokens',
  'totalTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
]
const plain = ['count', 'errorCount', 'errorRate', 'cost', 'unpriced', ...tokens] as const
const measured = metricMembers.filter((member) => ['duration', 'count', 'size'].includes(metricKinds[member]))
const minute = 60_000_000
const sizes: Readonly<Record<MetricBucket['size'], number>> = { minute, hour: 60 * minute, day: 1440 * minute }

const mostDimensions = 5
const mostMeasures = 20

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })

export function metricAggregateRequest(query: unknown, context: MetricContext): MetricAggregateRequest {
  const { limits } = context
  const names = [...selectionNames, 'groupBy', 'bucket', 'measures', 'orderBy', 'limit', 'cursor'] as const
  const given = checkedOptions(checkedRecord(query, 'query'), names, 'query')
  const selection = metricSelection(given, context)
  const groupBy = checkedGroupBy(given.groupBy, limits)
  const bucket = given.bucket === undefined ? undefined : checkedBucket(given.bucket)
  checkSpan(selection, bucket, limits)
  const parts = new Map<string, MetricPart>()
  const measures = checkedMeasures(given.measures, parts)
  const { orderBy, direction } = checkedOrder(given.orderBy, measures)
  const binding = {
    list: 'metric groups',
    ...selectionBinding(selection),
    groupBy: groupBy.map((one): JsonValue => ('of' in one ? one.of : [[...one.attribute], one.type])),
    bucket: bucket === undefined ? null : { ...bucket },
    measures: measures.map(({ name, parts: own, measure }): JsonValue => [name, nameOf(measure), ...own]),
    orderBy: orderBy?.name ?? null,
    direction,
  }
  const { limit, cursor } = given
  return {
    ...selection,
    ...pageRequest({ limit, cursor, offset: undefined }, { direction, binding, limits, shape: ['text'] }),
    groupBy,
    bucket,
    measures,
    parts,
    orderBy,
  }
}

const nameOf = (measure: MetricMeasure): string =>
  typeof measure === 'string' ? measure : (Object.keys(measure)[0] ?? '')

function checkedGroupBy(value: unknown, limits: Limits): readonly CheckedDimension[] {
  if (value === undefined) return []
  const list = listOf(value, 'groupBy', { most: mostDimensions, unit: 'parts' })
  if (list === undefined) throw invalid('groupBy', 'must be a list')
  return list.map((one, i): CheckedDimension => {
    const field = `groupBy[${i}]`
    if (typeof one === 'string') return { of: checkedChoice(one, field, dimensions) }
    const given = only(one, field, ['attribute', 'type'])
    return {
      attribute: checkedPath(given.attribute, `${field}.attribute`, limits),
      type: checkedChoice(given.type, `${field}.type`, ['string', 'number', 'boolean']),
    }
  })
}

/** The members of an argument, of which no other may be there. */
function only<const Name extends string>(value: unknown, field: string, names: readonly Name[]) {
  const known: readonly string[] = names
  const stray = reading(field, () => Object.keys(checkedRecord(value, field))).find((name) => !known.includes(name))
  if (stray !== undefined) throw invalid(`${field}.${stray}`, `is not known here; there are ${names.join(', ')}`)
  return membersOf(value, field, names)
}

function checkedBucket(value: unknown): CheckedBucket {
  const given = only(value, 'bucket', ['size', 'offsetMinutes'])
  const size = checkedChoice(given.size, 'bucket.size', ['minute', 'hour', 'day'])
  const offset = checkedCount(given.offsetMinutes ?? 0, 'bucket.offsetMinutes', { min: -1440, max: 1440 })
  return { size: sizes[size], offset: offset === 0 ? 0 : offset * minute }
}

/** Spans that have to be answered whatever there is. */
function checkSpan({ since, before }: MetricSelectionRequest, bucket: CheckedBucket | undefined, limits: Limits): void {
  if (bucket === undefined || since === undefined || before === undefined) return
  const spans = Number((toMicros(before) - toMicros(since)) / BigInt(bucket.size))
  checkLimit('bucket', 'spans of time', limits.metricGroups, spans)
}

function checkedMeasures(value: unknown, parts: Map<string, MetricPart>): readonly CheckedMeasure[] {
  const record = checkedRecord(value, 'measures')
  const names = reading('measures', () => Object.keys(record))
  if (names.length === 0) throw invalid('measures', 'is empty')
  checkLimit('measures', 'measures', mostMeasures, names.length)
  return names.map((name) => {
    const measure = checkedMeasure(
      reading(`measures.${name}`, () => record[name]),
      `measures.${name}`,
    )
    const own = partsOf(measure).map((part) => [Object.values(part).join(' '), part] as const)
    for (const [key, part] of own) parts.set(key, part)
    return { name, measure, parts: own.map(([key]) => key) }
  })
}

function checkedMeasure(value: unknown, field: string): MetricMeasure {
  if (typeof value === 'string') return checkedChoice(value, field, plain)
  const given = only(value, field, ['sum', 'avg', 'min', 'max', 'percentile', 'of', 'countDistinct'])
  const member = (name: 'sum' | 'avg' | 'min' | 'max' | 'of') =>
    checkedChoice(given[name], `${field}.${name}`, measured) as 'durationMs' // or another one that is measured
  const [kind, ...more] = (Object.keys(given) as (keyof typeof given)[]).filter((name) => name !== 'of') // of the names above
  if (kind === undefined || more.length > 0 || (given.of !== undefined && kind !== 'percentile'))
    throw invalid(field, 'must be one measure')
  switch (kind) {
    case 'percentile':
      return {
        percentile: checkedCount(given.percentile, `${field}.percentile`, { min: 1, max: 1000 }),
        of: member('of'),
      }
    case 'countDistinct':
      return { countDistinct: checkedChoice(given[kind], `${field}.${kind}`, ['traceId', 'sessionId', 'userId']) }
    case 'sum':
      return { sum: member(kind) }
    case 'avg':
      return { avg: member(kind) }
    case 'min':
      return { min: member(kind) }
    default:
      return { max: member('max') }
  }
}

const columnOf = (member: MetricMember) => entryNames[member]

/** What a measure is made of, in an order that {@link CheckedMeasure} keeps. */
function partsOf(measure: MetricMeasure): readonly MetricPart[] {
  if (measure === 'count') return [{ part: 'rows' }]
  if (measure === 'errorCount') return [{ part: 'errors' }]
  if (measure === 'errorRate') return [{ part: 'errors' }, { part: 'rows' }]
  if (measure === 'cost' || measure === 'unpriced') return [{ part: measure }]
  if (typeof measure === 'string') return [{ part: 'counted', column: measure }]
  if ('sum' in measure) return [{ part: 'sum', column: columnOf(measure.sum) }]
  if ('avg' in measure)
    return [
      { part: 'sum', column: columnOf(measure.avg) },
      { part: 'present', column: columnOf(measure.avg) },
    ]
  if ('min' in measure) return [{ part: 'min', column: columnOf(measure.min) }]
  if ('max' in measure) return [{ part: 'max', column: columnOf(measure.max) }]
  if ('countDistinct' in measure) return [{ part: 'distinct', column: measure.countDistinct }]
  return [{ part: 'percentile', column: columnOf(measure.of), thousandths: measure.percentile }]
}

function checkedOrder(value: unknown, measures: readonly CheckedMeasure[]) {
  if (value === undefined) return { orderBy: undefined, direction: 'asc' as const }
  const given = only(value, 'orderBy', ['measure', 'direction'])
  const direction = checkedChoice(given.direction ?? 'asc', 'orderBy.direction', ['asc', 'desc'])
  const orderBy = measures.find(({ name }) => name === given.measure)
  if (orderBy === undefined) throw invalid('orderBy.measure', 'must be the name of a measure')
  if (orderBy.measure === 'cost') throw invalid('orderBy.measure', 'is a cost: amounts of currencies have no order')
  return { orderBy, direction }
}
