import {
  moneyUnits,
  toMicros,
  toStorableText,
  unsupported,
  type CheckedMetricWhere,
  type MetricColumn,
  type MetricSelectionRequest,
  type MetricValue,
} from '@daybook/core'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import type { Dialect, Value } from './dialect.ts'
import { stateFilter } from './state-filters.ts'
import { bare, param } from './statements.ts'

/** Which rows a query looks at, as a condition on the table, with what is bound in it. */
interface MetricCondition {
  readonly sql: SQL
  readonly params: Readonly<Record<string, Value>>
}

export type MetricFilter = (request: MetricSelectionRequest) => MetricCondition

/** The cost of a row, as its type. */
export const costOf = ({ tables: { metrics } }: Pick<Dialect, 'tables'>): SQL =>
  sql`coalesce(${metrics.providedCost}, ${metrics.computedCost})`

/**
 * The usage of a row counts: no row of its trace is of a lower level, and of two calls with the same answer of the provider it is the
 * one with the smaller id. By what is there now, so that a row that comes late changes it.
 */
export function isCounted({ tables: { metrics } }: Pick<Dialect, 'tables'>): SQL {
  const other = (column: (typeof metrics)['spanId' | 'traceId' | 'appName' | 'usageLevel' | 'responseId']) =>
    sql`${sql.identifier('other')}.${bare(column)}`
  return sql`${metrics.usageLevel} is not null and not exists (select 1 from ${metrics} as ${sql.identifier('other')}
    where ${other(metrics.appName)} = ${metrics.appName} and ${other(metrics.traceId)} = ${metrics.traceId}
      and (${other(metrics.usageLevel)} < ${metrics.usageLevel} or (${metrics.usageLevel} = 0 and ${other(metrics.usageLevel)} = 0
        and ${other(metrics.responseId)} = ${metrics.responseId} and ${other(metrics.spanId)} < ${metrics.spanId})))`
}

export function createMetricFilter(dialect: Dialect): MetricFilter {
  const { tables, expressions, jsonPaths } = dialect
  const { metrics } = tables
  const cost = costOf(dialect)
  const counted = isCounted(dialect)
  const running = sql`${metrics.status} = 'running'`

  const columnOf = (column: MetricColumn): SQLWrapper => (column === 'cost' ? cost : metrics[column])
  /** A value as the column's type. */
  const typed = (column: MetricColumn, value: SQLWrapper) => (column === 'cost' ? expressions.money(value) : value)

  function isOneOf(column: MetricColumn, values: readonly MetricValue[], bind: Bind): SQL {
    const given = values
      .filter((value) => value !== null)
      .map((value) => typed(column, bind(boundValue(column, value))))
    const parts = [
      ...(given.length === 1 ? [sql`${columnOf(column)} = ${given[0]}`] : []),
      ...(given.length > 1 ? [sql`${columnOf(column)} in (${sql.join(given, sql`, `)})`] : []),
      ...(values.includes(null) ? [sql`${columnOf(column)} is null`] : []),
    ]
    return parts.length === 0 ? sql`1 = 0` : sql`(${sql.join(parts, sql` or `)})`
  }

  /** What is running for long is abandoned, which is stored nowhere. */
  function isStatus(values: readonly MetricValue[], since: SQLWrapper, bind: Bind): SQL {
    const parts = [
      ...(values.includes('running') ? [sql`(${running} and ${metrics.startedAt} >= ${since})`] : []),
      ...(values.includes('abandoned') ? [sql`(${running} and ${metrics.startedAt} < ${since})`] : []),
    ]
    const others = values.filter((value) => value !== 'running' && value !== 'abandoned')
    if (others.length > 0) parts.push(isOneOf('status', others, bind))
    return parts.length === 0 ? sql`1 = 0` : sql`(${sql.join(parts, sql` or `)})`
  }

  function conditions(where: CheckedMetricWhere, abandonedBefore: bigint, bind: Bind): SQL[] {
    return [
      ...where.oneOf.map(({ column, values }) =>
        column === 'status' ? isStatus(values, bind(abandonedBefore), bind) : isOneOf(column, values, bind),
      ),
      ...where.ranges.map(
        ({ column, op, value }) =>
          sql`${columnOf(column)} ${operators[op]} ${typed(column, bind(boundValue(column, value)))}`,
      ),
      ...(where.root ? [sql`${metrics.parentSpanId} is null`] : []),
      ...(where.unpriced ? [sql`${cost} is null and ${counted}`] : []),
    ]
  }

  return ({ appName, where, since, before, abandonedBefore }) => {
    const params: Record<string, Value> = {}
    const bind: Bind = (value) => {
      const name = `metric${Object.keys(params).length}`
      params[name] = value
      return param(name)
    }
    const all = [
      sql`${metrics.appName} = ${bind(appName)}`,
      ...(since === undefined ? [] : [sql`${metrics.startedAt} >= ${bind(toMicros(since))}`]),
      ...(before === undefined ? [] : [sql`${metrics.startedAt} < ${bind(toMicros(before))}`]),
      ...conditions(where, toMicros(abandonedBefore), bind),
    ]
    if (where.attributes.length === 0) return { sql: sql.join(all, sql` and `), params }
    if (jsonPaths === undefined) throw unsupported('jsonPathFilter', 'filters on attributes')
    const attributes = stateFilter(jsonPaths, metrics.customAttributes, where.attributes, [])
    return { sql: sql.join([...all, attributes.sql], sql` and `), params: { ...params, ...attributes.params } }
  }
}

type Bind = (value: Value) => SQLWrapper

const operators = { gt: sql`>`, gte: sql`>=`, lt: sql`<`, lte: sql`<=` } as const

const times: ReadonlySet<MetricColumn> = new Set(['startedAt', 'endedAt', 'recordedAt'])

/** As it is bound: money in whole 10⁻¹². */
function boundValue(column: MetricColumn, value: string | number): Value {
  if (column === 'cost') return String(moneyUnits(value) ?? 0n)
  if (times.has(column)) return toMicros(Number(value))
  return column === 'invocationId' ? toStorableText(String(value)) : value // names and ids are stored as they are
}
