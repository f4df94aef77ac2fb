import {
  checkLimit,
  fromStorableText,
  groupPageOf,
  toMicros,
  unsupported,
  type CheckedDimension,
  type FoundGroup,
  type GroupValue,
  type Limits,
  type MetricAggregateRequest,
  type MetricGroup,
  type MetricPart,
  type Page,
  type PartValue,
} from '@daybook/core'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import type { Dialect, Row, Tx, Value } from './dialect.ts'
import { costOf, createMetricFilter, isCounted } from './metric-filter.ts'
import { storablePath } from './path-indexes.ts'
import type { Script } from './script.ts'
import { bare, param, selected } from './statements.ts'

export type AggregateMetrics = (tx: Tx, request: MetricAggregateRequest) => Script<Page<MetricGroup<never>>>

const named = (name: string): SQL => sql`${sql.identifier(name)}`

/**
 * Counts and sums by the database, in whole numbers, so that all databases answer the same. Rows are taken out first with what is
 * asked of them, then ranked where a percentile is asked for, then grouped. Money is grouped by its currency too, in a second
 * statement that sees the same.
 */
export function createAggregateMetrics(dialect: Dialect, limits: Limits): AggregateMetrics {
  const { tables, expressions, jsonPaths } = dialect
  const { metrics } = tables
  const filterOf = createMetricFilter(dialect)
  const cost = costOf(dialect)
  const isOfUse = isCounted(dialect)
  const counted = sql`case when ${isOfUse} then 1 else 0 end`
  const units = expressions.moneyUnits(cost)
  const parent = sql.identifier('parent')
  const parentAgent = sql`(select ${parent}.${bare(metrics.agentName)} from ${metrics} as ${parent}
    where ${parent}.${bare(metrics.appName)} = ${metrics.appName} and ${parent}.${bare(metrics.traceId)} = ${metrics.traceId}
      and ${parent}.${bare(metrics.spanId)} = ${metrics.parentSpanId})`

  function dimensionOf(dimension: CheckedDimension, abandonedBefore: number, bind: Bind): SQLWrapper {
    if ('attribute' in dimension) {
      if (jsonPaths === undefined) throw unsupported('jsonPathFilter', 'groups by attributes')
      return jsonPaths.at(metrics.customAttributes, storablePath(dimension.attribute), bind)[dimension.type]
    }
    if (dimension.of === 'parentAgent') return parentAgent
    if (dimension.of !== 'status') return metrics[dimension.of]
    return sql`case when ${metrics.status} = 'running' and ${metrics.startedAt} < ${expressions.wholeParam(bind(toMicros(abandonedBefore)))}
      then 'abandoned' else ${metrics.status} end`
  }

  /** The rows that are asked for, with the keys of their groups and what is measured of them. */
  function taken(
    { bucket, groupBy, abandonedBefore }: MetricAggregateRequest,
    columns: Columns,
    filter: SQL,
    bind: Bind,
  ) {
    const keys: Record<string, SQLWrapper> = {}
    const texts: Record<string, SQLWrapper> = {}
    if (bucket !== undefined) {
      const [size, offset] = [bucket.size, bucket.offset].map((one) => sql.raw(String(one)))
      keys['b'] = sql`${metrics.startedAt} - ((${metrics.startedAt} + ${offset}) % ${size} + ${size}) % ${size}`
    }
    for (const [i, dimension] of groupBy.entries()) {
      const value = dimensionOf(dimension, abandonedBefore, bind)
      const isLong = 'attribute' in dimension && dimension.type === 'string' && expressions.shortKey !== undefined
      keys[`k${i}`] = isLong ? expressions.shortKey(value) : value
      if (isLong) texts[`t${i}`] = value
    }
    const rows = sql`select ${selected({ position: metrics.position, ...keys, ...columns })} from ${metrics} where ${filter}`
    return { names: Object.keys(keys), rows, texts }
  }

  /** With the texts that short keys stand for, each out of a row of its group. */
  function withTexts(groups: SQL, texts: Columns): SQL {
    const [found, first] = [named('found'), named('first_')]
    const read = Object.entries(texts).map(([name, text]): [string, SQL] => [
      name,
      sql`(select ${text} from ${metrics} where ${metrics.position} = ${found}.${first})`,
    ])
    return read.length === 0
      ? groups
      : sql`select ${found}.*, ${selected(Object.fromEntries(read))} from (${groups}) as ${found}`
  }

  function grouped(all: readonly string[], aggregates: Columns, rows: SQL): SQL {
    const keys = Object.fromEntries(
      all.map((name) => [name, name === 'b' ? expressions.wholeText(named(name)) : named(name)]),
    )
    const by = all.length === 0 ? sql`` : sql` group by ${list(all.map(named))}`
    return sql`select ${selected({ ...keys, ...aggregates })} from (${rows}) as ${named('taken')}${by}`
  }

  function aggregateOf(part: MetricPart): SQL {
    switch (part.part) {
      case 'rows':
        return sql`count(*)`
      case 'errors':
        return sql`sum(case when ${named('status_')} = 'error' then 1 else 0 end)`
      case 'unpriced':
        return sql`sum(case when ${named('counted_')} = 1 and ${named('units_')} is null then 1 else 0 end)`
      case 'cost':
        return sql`0`
      case 'distinct':
        return sql`count(distinct ${named(part.column)})`
      case 'present':
        return sql`count(${named(part.column)})`
      case 'sum':
        return expressions.sumText(named(part.column))
      case 'counted':
        return expressions.sumText(sql`case when ${named('counted_')} = 1 then ${named(part.column)} end`)
      case 'percentile':
        return expressions.wholeText(
          sql`min(case when ${named(part.column)} is not null and ${named(`rank_${part.column}`)} * 1000 >= ${sql.raw(String(part.thousandths))} * ${named(`of_${part.column}`)} then ${named(part.column)} end)`,
        )
      default:
        return expressions.wholeText(sql`${sql.raw(part.part)}(${named(part.column)})`)
    }
  }

  /** What rows are asked for, by what their parts need. */
  function columnsOf(parts: readonly MetricPart[]): Columns {
    const has = (...kinds: readonly MetricPart['part'][]) => parts.some(({ part }) => kinds.includes(part))
    const columns: Record<string, SQLWrapper> = {}
    for (const part of parts) if ('column' in part) columns[part.column] = metrics[part.column]
    if (has('errors')) columns['status_'] = metrics.status
    if (has('unpriced', 'counted')) columns['counted_'] = counted
    if (has('unpriced')) columns['units_'] = units
    return columns
  }

  return function* aggregateMetrics(tx, request) {
    const { sql: filter, params } = filterOf(request)
    const bound: Record<string, Value> = { ...params }
    const bind: Bind = (value) => {
      const name = `key${Object.keys(bound).length}`
      bound[name] = value
      return param(name)
    }
    const parts = [...request.parts.values()]
    const wantsCost = parts.some(({ part }) => part === 'cost')
    const { names, rows, texts } = taken(request, columnsOf(parts), filter, bind)
    const percentiles = parts.flatMap((part) => (part.part === 'percentile' ? [part.column] : []))
    const aggregates = Object.fromEntries([
      ['n', sql`count(*)`],
      ...(Object.keys(texts).length > 0 ? [['first_', sql`min(${named('position')})`]] : []),
      ...parts.map((part, i) => [`p${i}`, aggregateOf(part)]),
    ])
    const most = sql.raw(String(limits.metricGroups + 1))
    const grouping = grouped(names, aggregates, ranked(rows, names, [...new Set(percentiles)]))
    const statement = withTexts(sql`${grouping} limit ${most}`, texts)
    const found = yield* tx.rows({ sql: statement, isOneOff: true, ...(wantsCost && { isFollowed: true }) }, bound)
    checkLimit('groupBy', 'groups', limits.metricGroups, found.length) // of these few each has all of its currencies
    const costs = new Map<string, Map<string, bigint>>()
    if (wantsCost) {
      const isPriced = sql`${filter} and ${cost} is not null and ${metrics.currency} is not null and ${isOfUse}`
      const priced = taken(request, { currency: metrics.currency, units_: units }, isPriced, bind)
      const sums = { sum: expressions.sumText(named('units_')) }
      for (const row of yield* tx.rows(
        { sql: grouped([...names, 'currency'], sums, priced.rows), isOneOff: true },
        bound,
      )) {
        const name = nameOf(row, names)
        const amounts = costs.get(name) ?? new Map<string, bigint>()
        costs.set(name, amounts.set(String(row['currency']), wholeOf(row['sum']) ?? 0n))
      }
    }
    const groups = found
      .filter((row) => Number(row['n']) > 0)
      .map((row) => groupOf(row, request, (costs.get(nameOf(row, names)) ?? new Map()) as ReadonlyMap<string, bigint>))
    return groupPageOf(groups, request, limits)
  }
}

/** Rows with their rank among those of their group that have the value, and how many these are. */
function ranked(rows: SQL, names: readonly string[], columns: readonly string[]): SQL {
  if (columns.length === 0) return rows
  const partition = names.length === 0 ? sql`` : sql`partition by ${list(names.map(named))} `
  const ranks = columns.flatMap((column) => [
    sql`row_number() over (${partition}order by case when ${named(column)} is null then 1 else 0 end, ${named(column)}) as ${named(`rank_${column}`)}`,
    sql`count(${named(column)}) over (${partition}) as ${named(`of_${column}`)}`,
  ])
  return sql`select ${named('rows_')}.*, ${list(ranks)} from (${rows}) as ${named('rows_')}`
}

type Bind = (value: Value) => SQLWrapper
type Columns = Readonly<Record<string, SQLWrapper>>

const list = (items: readonly SQLWrapper[]): SQL => sql.join([...items], sql`, `)

function groupOf(row: Row, request: MetricAggregateRequest, amounts: ReadonlyMap<string, bigint>): FoundGroup {
  const parts = [...request.parts].map(([name, part], i): [string, PartValue] => [
    name,
    part.part === 'cost' ? amounts : wholeOf(row[`p${i}`]),
  ])
  return {
    bucket: request.bucket === undefined ? undefined : BigInt(String(row['b'])),
    key: request.groupBy.map((dimension, i) => keyOf(row[`t${i}`] ?? row[`k${i}`], dimension)),
    parts: new Map(parts),
  }
}

function keyOf(value: unknown, dimension: CheckedDimension): GroupValue {
  if (value === null || value === undefined) return null
  if ('of' in dimension) return textOf(value)
  if (dimension.type === 'number') return Number(value)
  if (dimension.type === 'boolean') return value === true || Number(value) === 1
  return fromStorableText(textOf(value))
}

/** Some drivers give bytes for a text that is compared by its bytes. */
const textOf = (value: unknown): string => (value instanceof Uint8Array ? Buffer.from(value).toString() : asText(value))

const asText = (value: unknown): string => String(value)

const nameOf = (row: Row, names: readonly string[]): string =>
  JSON.stringify(names.map((name) => (row[name] === null ? null : textOf(row[name]))))

/** A whole number, or what a database that would overflow has of it: how many 10¹², and what is left. */
function wholeOf(value: unknown): bigint | null {
  if (value === null || value === undefined) return null
  const [first = '0', second] = asText(value).split('|')
  return second === undefined ? BigInt(first) : BigInt(first) * 1_000_000_000_000n + BigInt(second)
}
