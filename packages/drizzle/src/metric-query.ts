import {
  fromMoneyUnits,
  heavyMembers,
  metricOf,
  metricPageOf,
  moneyUnits,
  type Metric,
  type MetricQueryRequest,
  type Page,
} from '@daybook/core'
import { sql, type SQL } from 'drizzle-orm'
import type { Dialect, Params, Row, Tx } from './dialect.ts'
import { costOf, createMetricFilter } from './metric-filter.ts'
import type { MetricRows } from './metric-rows.ts'
import type { Script } from './script.ts'
import { param } from './statements.ts'

export type QueryMetrics = (tx: Tx, request: MetricQueryRequest) => Script<Page<Metric>>

/** What an absent value is to an order: less than every other. */
const absent = sql.raw('-1')

/** An error is a text, and any character may be in it. */
const documents: ReadonlySet<string> = new Set(heavyMembers.filter((member) => member !== 'error'))

export function createQueryMetrics(dialect: Dialect, rows: MetricRows): QueryMetrics {
  const { tables, expressions, feed } = dialect
  const { metrics } = tables
  const filterOf = createMetricFilter(dialect)
  const page = sql.identifier('page')
  const sortKeys = {
    startedAt: sql`${metrics.startedAt}`,
    durationMs: sql`coalesce(${metrics.durationUs}, ${absent})`,
    cost: sql`coalesce(${costOf(dialect)}, ${expressions.money(absent)})`,
    recorded: feed?.transaction ?? sql`0`,
  }
  const keyText = {
    startedAt: expressions.wholeText(sql`${page}.${sql.identifier('k')}`),
    durationMs: expressions.wholeText(sql`${page}.${sql.identifier('k')}`),
    cost: expressions.moneyText(sql`${page}.${sql.identifier('k')}`),
    recorded: sql`${page}.${sql.identifier('k')}`,
  }

  /** A page is found by its keys alone, and only then its rows are read: what is sorted has no documents. */
  function statementOf({ order, direction, fields, position }: MetricQueryRequest, filter: SQL) {
    const key = sortKeys[order]
    const by = direction === 'asc' ? sql`` : sql` desc`
    const isBeyond = position === undefined ? sql`` : sql` and ${beyond(order, direction)}`
    const isSeen =
      order === 'recorded' && direction === 'asc' && feed !== undefined ? sql` and ${feed.isSettled}` : sql``
    const keys = order === 'recorded' ? (feed?.order ?? []) : [key]
    const orderBy = [...keys, sql`${metrics.position}`].map((one) => sql`${one}${by}`)
    const found = sql`select ${metrics.position} as ${sql.identifier('p')}, ${key} as ${sql.identifier('k')} from ${metrics}
      where ${filter}${isSeen}${isBeyond} order by ${sql.join(orderBy, sql`, `)} limit ${param('limit')}`
    const columns = { ...rows.columns(fields), key: keyText[order] }
    const names = Object.keys(columns)
    return {
      sql: expressions.selectEach(
        columns,
        sql`(${found}) as ${page}`,
        metrics,
        sql`${metrics.position} = ${page}.${sql.identifier('p')}`,
      ),
      isOneOff: true as const,
      listed: {
        plain: names.filter((name) => !documents.has(name)),
        documents: names.filter((name) => documents.has(name)),
      },
    }
  }

  function beyond(order: MetricQueryRequest['order'], direction: 'asc' | 'desc'): SQL {
    const isAfter = direction === 'asc' ? sql`>` : sql`<`
    const place = param('place')
    if (order === 'recorded' && feed !== undefined) return feed.beyond(isAfter, param('value'), place)
    const isTieAfter = sql`${metrics.position} ${isAfter} ${place}`
    if (order === 'recorded') return isTieAfter
    const value = order === 'cost' ? expressions.money(param('value')) : param('value')
    const key = sortKeys[order]
    // The first condition is what an index can use; the second one settles ties.
    return sql`${key} ${isAfter}= ${value} and (${key} ${isAfter} ${value} or ${isTieAfter})`
  }

  return function* queryMetrics(tx, request) {
    const { order, direction, position, limit } = request
    const { sql: filter, params } = filterOf(request)
    const found =
      limit === 0
        ? []
        : yield* tx.rows(statementOf(request, filter), { ...params, ...positionParams(request), limit: limit + 1 })
    const sign = direction === 'asc' ? 1 : -1
    return metricPageOf(
      found.toSorted((a, b) => sign * compareKeys(a, b)),
      request,
      (row) => [valueOf(order, String(row['key'])), Number(row['position'])],
      (row) => metricOf(rows.rowOf(row), request),
    )

    function positionParams({ position: given }: MetricQueryRequest): Params {
      if (given === undefined || position === undefined) return {}
      const [value = '', place = 0] = given
      const isUsed = order !== 'recorded' || feed !== undefined
      return { place: BigInt(place), ...(isUsed && { value: boundKey(order, String(value)) }) }
    }
  }
}

/** As a statement wants it: a time or a duration as a number, money and a transaction as text. */
function boundKey(order: MetricQueryRequest['order'], value: string): string | bigint {
  if (order === 'cost') return value === '' ? '-1' : String(moneyUnits(value) ?? 0n)
  if (order === 'recorded') return value
  return value === '' ? -1n : BigInt(value)
}

const valueOf = (order: MetricQueryRequest['order'], key: string): string => {
  if (key.startsWith('-')) return ''
  return order === 'cost' ? fromMoneyUnits(key) : key
}

/** In their order, whatever the database made of it. */
function compareKeys(a: Row, b: Row): number {
  const [x, y] = [BigInt(String(a['key'])), BigInt(String(b['key']))]
  if (x !== y) return x < y ? -1 : 1
  return Number(a['position']) - Number(b['position'])
}
