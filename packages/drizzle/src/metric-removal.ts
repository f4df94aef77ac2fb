import { toMicros, type MetricPruneReport, type MetricPruneRequest, type UserKey } from '@daybook/core'
import { sql, type SQL } from 'drizzle-orm'
import type { Dialect, Params, Row, Tx } from './dialect.ts'
import { createDeleteListed } from './listed-rows.ts'
import type { Script } from './script.ts'
import { bare, param, selected, variants } from './statements.ts'

/** Where a prune goes on. */
export interface MetricPlace {
  /** The row after which it walks on; absent: there are no more. */
  readonly after?: { readonly startedAt: bigint; readonly position: bigint } | undefined
  /** Traces that it has come by, and that are still to go. */
  readonly pending: readonly Trace[]
}

interface Trace {
  readonly traceId: string
  readonly size: number
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
  readonly pruneChunk: (tx: Tx, request: MetricPruneRequest, from: MetricPlace) => Script<PrunedChunk>
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
  const inTrace = (appName: SQL, traceId: SQL) =>
    sql`from ${metrics} as ${other} where ${other}.${bare(metrics.appName)} = ${appName} and ${other}.${bare(metrics.traceId)} = ${traceId}`
  const newer = (appName: SQL, traceId: SQL) =>
    sql`exists (select 1 ${inTrace(appName, traceId)} and ${other}.${bare(metrics.startedAt)} >= ${param('before')})`
  const { startedAt } = metrics
  const beyond = sql`${startedAt} >= ${param('startedAt')} and (${startedAt} > ${param('startedAt')} or ${metrics.position} > ${param('position')})`
  const walk = {
    sql: sql`select ${selected({ traceId: metrics.traceId, startedAt: expressions.wholeText(startedAt), position })} from ${metrics}
      where ${ofApp} and ${isOld} and ${beyond} order by ${startedAt}, ${metrics.position} limit ${param('chunk')}`,
  }
  const traces = expressions.strings(param('traces'))
  const given = sql`one.value`
  const named = sql`${expressions.textParam(param('appName'))}`
  const size = sql`(select count(*) ${inTrace(named, given)})`
  const whole = {
    sql: sql`select ${selected({ traceId: given, size })} from ${traces} where not ${newer(named, given)}`,
  }
  const removeTraces = {
    sql: expressions.deleteEach(
      metrics,
      [
        [metrics.appName, named],
        [metrics.traceId, given],
      ],
      traces,
      isOld, // a row that came since its trace was looked at stays, whoever writes it
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

  function* wholeOf(tx: Tx, { appName, before }: MetricPruneRequest, ids: readonly string[]): Script<readonly Trace[]> {
    if (ids.length === 0) return []
    const found = yield* tx.rows(whole, { appName, before: toMicros(before), traces: listOf(ids) })
    return found.map((row) => ({ traceId: String(row['traceId']), size: Number(row['size']) }))
  }

  /** The traces that the next rows are of. */
  function* walked(tx: Tx, request: MetricPruneRequest, from: MetricPlace): Script<MetricPlace> {
    const { appName, before, chunk } = request
    const seen = yield* tx.rows(walk, { appName, before: toMicros(before), ...from.after, chunk })
    const ids = seen.map((row) => String(row['traceId']))
    const pending = yield* wholeOf(tx, request, ids)
    return { after: seen.length < chunk ? undefined : placeOf(seen.at(-1)), pending }
  }

  function* pruneTraces(tx: Tx, request: MetricPruneRequest, from: MetricPlace): Script<PrunedChunk> {
    const isKnown = from.pending.length > 0
    const { after, pending } = isKnown ? from : yield* walked(tx, request, from)
    const few = firstOf(pending, request.chunk)
    const ids = few.map(({ traceId }) => traceId)
    // Since another transaction saw them some may have got rows that are newer.
    const old = isKnown ? (yield* wholeOf(tx, request, ids)).map(({ traceId }) => traceId) : ids
    const params = { appName: request.appName, before: toMicros(request.before), traces: listOf(old) }
    const removed = old.length === 0 ? 0 : yield* tx.change(removeTraces, params)
    const left = pending.slice(few.length)
    const next = left.length === 0 && after === undefined ? undefined : { after, pending: left }
    return { report: { metrics: removed, traces: old.length, dryRun: false }, next }
  }

  return {
    eraseSome: (tx, { appName, userId }, chunk) => removeSome(tx, '', { appName, userId, chunk }),
    *pruneChunk(tx, request, from) {
      const { userId, chunk } = request
      if (userId === undefined) return yield* pruneTraces(tx, request, from)
      const removed = yield* removeSome(tx, variantOf(request), { ...paramsOf(request), chunk })
      // What is left begins at the same place again: nothing that is to go stays behind.
      const next = removed < chunk ? undefined : beginning
      return { report: { metrics: removed, traces: 0, dryRun: false }, next }
    },
    *pruneCount(tx, request) {
      const isOfUser = request.userId !== undefined
      const [row] = yield* tx.rows(isOfUser ? countOfUser(variantOf(request)) : countTraces, paramsOf(request))
      return { metrics: Number(row?.['metrics']), traces: isOfUser ? 0 : Number(row?.['traces']), dryRun: true }
    },
  }
}

/** Before all rows. */
export const beginning: MetricPlace = { after: { startedAt: 0n, position: 0n }, pending: [] }

/** So many traces as have so many rows together, but one at least. */
function firstOf(traces: readonly Trace[], rows: number): readonly Trace[] {
  let [end, sum] = [0, 0]
  for (const { size } of traces) {
    sum += size
    if (end > 0 && sum > rows) break
    end++
  }
  return traces.slice(0, end)
}

const variantOf = ({ sessionId }: MetricPruneRequest) => (sessionId === undefined ? 'before' : 'session|before')

const paramsOf = ({ appName, userId, sessionId, before }: MetricPruneRequest): Params => ({
  appName,
  ...(userId !== undefined && { userId }),
  ...(sessionId !== undefined && { sessionId }),
  before: toMicros(before),
})

const placeOf = (row: Row | undefined): MetricPlace['after'] =>
  row && { startedAt: BigInt(String(row['startedAt'])), position: BigInt(String(row['position'])) }

/** Each once and in one order, so that two prunes wait for each other and not in a circle. */
const listOf = (ids: readonly string[]): string => JSON.stringify([...new Set(ids)].toSorted())

/** Of a store whose database has no table of metrics. */
export const noMetrics: MetricRemoval['eraseSome'] = function* noRows() {
  yield* []
  return 0
}
