import { toMicros, type MetricPruneReport, type MetricPruneRequest, type UserKey } from '@daybook/core'
import { sql } from 'drizzle-orm'
import type { Dialect, Params, Row, Tx } from './dialect.ts'
import { createDeleteListed } from './listed-rows.ts'
import type { Script } from './script.ts'
import { bare, param, selected, variants } from './statements.ts'

/** The row after which a prune goes on. */
export interface MetricPlace {
  readonly startedAt: bigint
  readonly position: bigint
}

interface PrunedChunk {
  readonly report: MetricPruneReport
  /** `undefined`: that was all. */
  readonly next: MetricPlace | undefined
}

/** How metrics are taken away. */
export interface MetricRemoval {
  /** Deletes up to `chunk` rows of a user, and counts them. */
  readonly eraseSome: (tx: Tx, user: UserKey, chunk: number) => Script<number>
  readonly pruneChunk: (tx: Tx, request: MetricPruneRequest, after?: MetricPlace) => Script<PrunedChunk>
  readonly pruneCount: (tx: Tx, request: MetricPruneRequest) => Script<MetricPruneReport>
}

export function createMetricRemoval(dialect: Dialect): MetricRemoval {
  const { tables, expressions } = dialect
  const { metrics } = tables
  const ofApp = sql`${metrics.appName} = ${param('appName')}`
  const isOld = sql`${metrics.startedAt} < ${param('before')}`
  const removeRows = createDeleteListed(dialect, metrics, metrics.position)
  const position = expressions.wholeText(metrics.position)

  /** A variant is the words that apply: `session`, `before`. In the order of the index that begins with what is named. */
  const ofUser = (variant: string) => {
    const words = variant.split('|')
    const session = words.includes('session') ? sql` and ${metrics.sessionId} = ${param('sessionId')}` : sql``
    const before = words.includes('before') ? sql` and ${isOld}` : sql``
    return sql`from ${metrics} where ${ofApp} and ${metrics.userId} = ${param('userId')}${session}${before}`
  }
  const someOfUser = variants((variant) => ({
    sql: sql`select ${selected({ position })} ${ofUser(variant)} order by ${metrics.startedAt} limit ${param('chunk')}${expressions.forUpdate}`,
  }))
  const countOfUser = variants((variant) => ({ sql: sql`select count(*) as "metrics" ${ofUser(variant)}` }))

  const other = sql.identifier('other')
  const newer = (appName: ReturnType<typeof sql>, traceId: ReturnType<typeof sql>) =>
    sql`exists (select 1 from ${metrics} as ${other} where ${other}.${bare(metrics.appName)} = ${appName}
      and ${other}.${bare(metrics.traceId)} = ${traceId} and ${other}.${bare(metrics.startedAt)} >= ${param('before')})`
  const walk = variants((variant) => {
    const { startedAt } = metrics
    const beyond = sql` and ${startedAt} >= ${param('startedAt')} and (${startedAt} > ${param('startedAt')} or ${metrics.position} > ${param('position')})`
    return {
      sql: sql`select ${selected({ traceId: metrics.traceId, startedAt: expressions.wholeText(startedAt), position })} from ${metrics}
        where ${ofApp} and ${isOld}${variant === 'beyond' ? beyond : sql``} order by ${startedAt}, ${metrics.position} limit ${param('chunk')}`,
    }
  })
  const traces = expressions.strings(param('traces'))
  const given = sql`one.value`
  const whole = {
    sql: sql`select ${selected({ traceId: given })} from ${traces} where not ${newer(sql`${expressions.textParam(param('appName'))}`, given)}`,
  }
  const removeTraces = {
    sql: expressions.deleteEach(
      metrics,
      [
        [metrics.appName, expressions.textParam(param('appName'))],
        [metrics.traceId, given],
      ],
      traces,
    ),
  }
  const countTraces = {
    sql: sql`select count(*) as "metrics", count(distinct ${metrics.traceId}) as "traces" from ${metrics}
      where ${ofApp} and ${isOld} and not ${newer(sql`${metrics.appName}`, sql`${metrics.traceId}`)}`,
  }

  function* removeSome(tx: Tx, variant: string, params: Params): Script<number> {
    const found = yield* tx.rows(someOfUser(variant), params)
    yield* removeRows(
      tx,
      found.map((row) => String(row['position'])),
    )
    return found.length
  }

  function* pruneTraces(tx: Tx, request: MetricPruneRequest, after: MetricPlace | undefined): Script<PrunedChunk> {
    const { appName, chunk } = request
    const params = { appName, before: toMicros(request.before) }
    const seen = yield* tx.rows(walk(after === undefined ? '' : 'beyond'), { ...params, ...after, chunk })
    const listed = listOf(seen.map((row) => String(row['traceId'])))
    const old = seen.length === 0 ? [] : yield* tx.rows(whole, { ...params, traces: listed })
    const ids = old.map((row) => String(row['traceId']))
    const removed = ids.length === 0 ? 0 : yield* tx.change(removeTraces, { appName, traces: listOf(ids) })
    const next = seen.length < chunk ? undefined : placeOf(seen.at(-1))
    return { report: { metrics: removed, traces: ids.length, dryRun: false }, next }
  }

  return {
    eraseSome: (tx, { appName, userId }, chunk) => removeSome(tx, '', { appName, userId, chunk }),
    *pruneChunk(tx, request, after) {
      const { userId, chunk } = request
      if (userId === undefined) return yield* pruneTraces(tx, request, after)
      const removed = yield* removeSome(tx, variantOf(request), { ...paramsOf(request), chunk })
      // What is left begins at the same place again: nothing that is to go stays behind.
      const next = removed < chunk ? undefined : { startedAt: 0n, position: 0n }
      return { report: { metrics: removed, traces: 0, dryRun: false }, next }
    },
    *pruneCount(tx, request) {
      const isOfUser = request.userId !== undefined
      const [row] = yield* tx.rows(isOfUser ? countOfUser(variantOf(request)) : countTraces, paramsOf(request))
      return { metrics: Number(row?.['metrics']), traces: isOfUser ? 0 : Number(row?.['traces']), dryRun: true }
    },
  }
}

const variantOf = ({ sessionId }: MetricPruneRequest) => (sessionId === undefined ? 'before' : 'session|before')

const paramsOf = ({ appName, userId, sessionId, before }: MetricPruneRequest): Params => ({
  appName,
  ...(userId !== undefined && { userId }),
  ...(sessionId !== undefined && { sessionId }),
  before: toMicros(before),
})

const placeOf = (row: Row | undefined): MetricPlace | undefined =>
  row && { startedAt: BigInt(String(row['startedAt'])), position: BigInt(String(row['position'])) }

/** Each once and in one order, so that two prunes wait for each other and not in a circle. */
const listOf = (ids: readonly string[]): string => JSON.stringify([...new Set(ids)].toSorted())

/** Of a store whose database has no table of metrics. */
export const noMetrics: MetricRemoval['eraseSome'] = function* noRows() {
  yield* []
  return 0
}
