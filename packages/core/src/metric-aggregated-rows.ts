import type { JsonValue } from './json.ts'
import type { CheckedDimension, MetricAggregateRequest, MetricPart } from './metric-aggregate-request.ts'
import { bucketOf, type FoundGroup, type GroupValue, type PartValue } from './metric-groups.ts'
import { costOf, statusOf, type MetricRow } from './metric-row.ts'
import { attributesOf, selectedRows } from './metric-selection.ts'
import { countedRows } from './metric-usage.ts'
import { moneyUnits } from './money.ts'
import { valueAt } from './state-filter.ts'
import { toMicros } from './time.ts'

/** What an aggregate finds among all rows of an app: the reference for what a database finds. */
export function aggregatedRows(rows: readonly MetricRow[], request: MetricAggregateRequest): readonly FoundGroup[] {
  const counted = countedRows(rows)
  const agents = new Map(rows.map((row) => [spanName(row.traceId, row.spanId), row.agentName]))
  const parentAgentOf = ({ traceId, parentSpanId }: MetricRow): string | null =>
    parentSpanId === null ? null : (agents.get(spanName(traceId, parentSpanId)) ?? null)
  const groups = new Map<string, { bucket: bigint | undefined; key: readonly GroupValue[]; rows: MetricRow[] }>()
  for (const row of selectedRows(rows, request)) {
    const bucket = request.bucket && bucketOf(toMicros(row.startedAt), request.bucket)
    const key = request.groupBy.map((dimension) => valueOf(row, dimension, request, parentAgentOf))
    const name = `${bucket} ${JSON.stringify(key)}`
    const group = groups.get(name)
    if (group === undefined) groups.set(name, { bucket, key, rows: [row] })
    else group.rows.push(row)
  }
  return [...groups.values()].map(({ bucket, key, rows: own }) => ({
    bucket,
    key,
    parts: new Map([...request.parts].map(([name, part]) => [name, partOf(part, own, counted)])),
  }))
}

/** No id has a NUL. */
const spanName = (traceId: string, spanId: string) => `${traceId}\0${spanId}`

function valueOf(
  row: MetricRow,
  dimension: CheckedDimension,
  { abandonedBefore }: MetricAggregateRequest,
  parentAgentOf: (row: MetricRow) => string | null,
): GroupValue {
  if ('attribute' in dimension) {
    const value: JsonValue | undefined = valueAt(attributesOf(row), dimension.attribute)
    return typeof value === dimension.type ? (value as GroupValue) : null // it is of that type
  }
  if (dimension.of === 'parentAgent') return parentAgentOf(row)
  return dimension.of === 'status' ? statusOf(row, abandonedBefore) : row[dimension.of]
}

const sumOf = (values: readonly bigint[]): bigint => values.reduce((sum, value) => sum + value, 0n)

function partOf(part: MetricPart, rows: readonly MetricRow[], counted: ReadonlySet<MetricRow>): PartValue {
  switch (part.part) {
    case 'rows':
      return BigInt(rows.length)
    case 'errors':
      return BigInt(rows.filter(({ status }) => status === 'error').length)
    case 'unpriced':
      return BigInt(rows.filter((row) => counted.has(row) && costOf(row) === null).length)
    case 'cost':
      return amountsOf(rows.filter((row) => counted.has(row)))
    case 'distinct':
      return BigInt(new Set(rows.flatMap((row) => row[part.column] ?? [])).size)
    default:
      return numberOf(part, rows, counted)
  }
}

function numberOf(
  part: Extract<MetricPart, { readonly part: 'sum' | 'present' | 'min' | 'max' | 'counted' | 'percentile' }>,
  rows: readonly MetricRow[],
  counted: ReadonlySet<MetricRow>,
): bigint | null {
  const own = part.part === 'counted' ? rows.filter((row) => counted.has(row)) : rows
  const values = own
    .flatMap((row) => row[part.column] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b)
    .map(BigInt)
  if (part.part === 'present') return BigInt(values.length)
  if (part.part === 'min') return values[0] ?? null
  if (part.part === 'max') return values.at(-1) ?? null
  // Nearest rank, in whole numbers: the smallest rank with rank · 1000 ≥ p · n.
  if (part.part === 'percentile') return values[Math.ceil((part.thousandths * values.length) / 1000) - 1] ?? null
  return values.length === 0 ? null : sumOf(values)
}

function amountsOf(rows: readonly MetricRow[]): ReadonlyMap<string, bigint> {
  const amounts = new Map<string, bigint>()
  for (const row of rows) {
    const units = moneyUnits(costOf(row))
    if (units !== undefined && row.currency !== null)
      amounts.set(row.currency, (amounts.get(row.currency) ?? 0n) + units)
  }
  return amounts
}
