import { fromStorableJson, type JsonObject } from './json.ts'
import type { CheckedMetricWhere, MetricColumn, MetricValue } from './metric-filter.ts'
import type { MetricSelectionRequest } from './metric-query-request.ts'
import { costOf, statusOf, type MetricRow } from './metric-row.ts'
import { countedRows } from './metric-usage.ts'
import { moneyUnits } from './money.ts'
import { matchesState } from './state-filter.ts'

/** Which of the rows of an app a query looks at, in the order given: what every store's filters mean. */
export function selectedRows<Row extends MetricRow>(rows: readonly Row[], request: MetricSelectionRequest): Row[] {
  const { where, since, before, abandonedBefore } = request
  const counted = where.unpriced ? countedRows(rows) : undefined
  return rows.filter(
    (row) =>
      (since === undefined || row.startedAt >= since) &&
      (before === undefined || row.startedAt < before) &&
      (counted === undefined || (counted.has(row) && costOf(row) === null)) &&
      matches(row, where, abandonedBefore),
  )
}

function matches(row: MetricRow, where: CheckedMetricWhere, abandonedBefore: number): boolean {
  const valueOf = (column: MetricColumn): MetricValue => {
    if (column === 'cost') return costOf(row)
    return column === 'status' ? statusOf(row, abandonedBefore) : row[column]
  }
  return (
    where.oneOf.every(({ column, values }) => values.includes(valueOf(column))) &&
    where.ranges.every(({ column, op, value }) => {
      const own = valueOf(column)
      return own !== null && compares[op](comparable(own, column), comparable(value, column))
    }) &&
    (!where.root || row.parentSpanId === null) &&
    (where.attributes.length === 0 || matchesState(attributesOf(row), where.attributes))
  )
}

const compares = {
  gt: (a: number | bigint, b: number | bigint) => a > b,
  gte: (a: number | bigint, b: number | bigint) => a >= b,
  lt: (a: number | bigint, b: number | bigint) => a < b,
  lte: (a: number | bigint, b: number | bigint) => a <= b,
}

const comparable = (value: string | number, column: MetricColumn): number | bigint =>
  column === 'cost' ? (moneyUnits(value) ?? 0n) : Number(value)

/** Without attributes no path is there. */
export const attributesOf = ({ customAttributes }: Pick<MetricRow, 'customAttributes'>): JsonObject =>
  customAttributes === null ? {} : (fromStorableJson(customAttributes) as JsonObject) // an object was stored
