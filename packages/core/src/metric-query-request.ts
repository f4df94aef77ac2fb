import { checkedChoice, checkedCount, checkedFlag, checkedId, checkedOptions, checkedRecord } from './arguments.ts'
import { encodeCursor, type Position } from './cursor.ts'
import { StoreError } from './errors.ts'
import type { JsonObject } from './json.ts'
import type { Limits } from './limits.ts'
import { pageOf, pageRequest, type PageRequest } from './list-request.ts'
import { checkedMetricWhere, metricWhereBinding, type CheckedMetricWhere } from './metric-filter.ts'
import type { MetricOrder } from './metric-query.ts'
import type { MetricContext } from './metric-request.ts'
import type { Page } from './page.ts'
import { checkedTimestamp } from './time.ts'

/** Which rows a query looks at, checked. */
export interface MetricSelectionRequest {
  readonly appName: string
  readonly where: CheckedMetricWhere
  readonly since: number | undefined
  readonly before: number | undefined
  /** A row that is running and began before this time is abandoned. */
  readonly abandonedBefore: number
}

export interface MetricQueryRequest extends MetricSelectionRequest, PageRequest {
  readonly order: MetricOrder
  readonly fields: 'light' | 'full'
}

/** Milliseconds after which a row that is still running is said to be abandoned. */
const abandonedAfter = 3_600_000

export const selectionNames = ['appName', 'where', 'since', 'before'] as const

export function metricSelection(
  given: Readonly<Partial<Record<(typeof selectionNames)[number], unknown>>>,
  { limits, now }: MetricContext,
): MetricSelectionRequest {
  return {
    appName: checkedId(given.appName, 'appName', limits),
    where: checkedMetricWhere(given.where, limits),
    since: optionalTime(given.since, 'since'),
    before: optionalTime(given.before, 'before'),
    abandonedBefore: Math.max(0, now() - abandonedAfter),
  }
}

const optionalTime = (value: unknown, field: string): number | undefined =>
  value === undefined ? undefined : checkedTimestamp(value, field)

/** What binds a cursor to a selection. */
export const selectionBinding = ({ appName, where, since, before }: MetricSelectionRequest): JsonObject => ({
  appName,
  where: metricWhereBinding(where),
  since: since ?? null,
  before: before ?? null,
})

/**
 * What a position of each order is: the value, which is empty where it is absent, and the place in the order of insertion. In the
 * order `recorded` the first part is the transaction, where a database needs one to tell which rows are seen by everybody, else 0.
 */
const shapes = {
  startedAt: ['number', 'number'],
  durationMs: ['maybe number', 'number'],
  cost: ['maybe money', 'number'],
  recorded: ['number', 'number'],
} as const

export function metricQueryRequest(query: unknown, context: MetricContext): MetricQueryRequest {
  const names = [...selectionNames, 'order', 'direction', 'fields', 'limit', 'cursor'] as const
  const given = checkedOptions(checkedRecord(query, 'query'), names, 'query')
  const selection = metricSelection(given, context)
  const order = checkedChoice(given.order ?? 'startedAt', 'order', ['startedAt', 'durationMs', 'cost', 'recorded'])
  const standard = order === 'recorded' ? 'asc' : 'desc'
  const direction = checkedChoice(given.direction ?? standard, 'direction', ['asc', 'desc'])
  const fields = checkedChoice(given.fields ?? 'full', 'fields', ['light', 'full'])
  const binding = { list: 'metrics', ...selectionBinding(selection), order, direction }
  const { limit, cursor } = given
  return {
    ...selection,
    ...pageRequest(
      { limit, cursor, offset: undefined },
      { direction, binding, limits: context.limits, shape: shapes[order] },
    ),
    order,
    fields,
  }
}

/** A page of rows read with one more than `limit`. Of the order `recorded` it always says where to go on: there will be more. */
export function metricPageOf<Row, T>(
  rows: readonly Row[],
  request: MetricQueryRequest,
  positionOf: (row: Row) => Position,
  itemOf: (row: Row) => T,
): Page<T> {
  const page = pageOf(rows, request, positionOf, itemOf)
  const { order, direction, binding, limit, position = [0, 0] } = request
  if (order !== 'recorded' || direction !== 'asc') return page
  const last = rows.slice(0, limit).at(-1)
  return { items: page.items, nextCursor: encodeCursor(binding, last === undefined ? position : positionOf(last)) }
}

/** A prune, checked. */
export interface MetricPruneRequest {
  readonly appName: string
  readonly userId: string | undefined
  readonly sessionId: string | undefined
  readonly before: number
  readonly dryRun: boolean
  readonly chunk: number
}

export function metricPruneRequest(query: unknown, { limits }: { readonly limits: Limits }): MetricPruneRequest {
  const names = ['appName', 'userId', 'sessionId', 'before', 'dryRun', 'chunk'] as const
  const given = checkedOptions(checkedRecord(query, 'query'), names, 'query')
  const id = (name: 'userId' | 'sessionId') =>
    given[name] === undefined ? undefined : checkedId(given[name], name, limits)
  const [userId, sessionId] = [id('userId'), id('sessionId')]
  if (sessionId !== undefined && userId === undefined)
    throw new StoreError('invalid_argument', 'userId is missing: a session is one of a user', { field: 'userId' })
  return {
    appName: checkedId(given.appName, 'appName', limits),
    userId,
    sessionId,
    before: checkedTimestamp(given.before, 'before'),
    dryRun: checkedFlag(given.dryRun, 'dryRun'),
    chunk: checkedCount(given.chunk ?? 1000, 'chunk', { min: 1, max: 10_000 }),
  }
}
