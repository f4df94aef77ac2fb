import { setImmediate } from 'node:timers/promises'
import type { Call } from './calls.ts'
import type { InMemoryData } from './in-memory-database.ts'
import { putMetric, type KeptMetric } from './in-memory-metric-rows.ts'
import type { InMemoryContext } from './in-memory-state.ts'
import type { Position } from './cursor.ts'
import { aggregatedRows } from './metric-aggregated-rows.ts'
import { metricAggregateRequest } from './metric-aggregate-request.ts'
import { groupPageOf } from './metric-groups.ts'
import {
  metricPageOf,
  metricPruneRequest,
  metricQueryRequest,
  type MetricPruneRequest,
  type MetricQueryRequest,
} from './metric-query-request.ts'
import {
  metricKey,
  metricRecordRequest,
  metricSchemaVersion,
  type MetricEntry,
  type MetricRecordRequest,
} from './metric-request.ts'
import { costOf, metricOf } from './metric-row.ts'
import { selectedRows } from './metric-selection.ts'
import type { MetricPruneReport } from './metric-query.ts'
import type { MetricStore, RecordedMetrics } from './metrics.ts'
import { moneyUnits } from './money.ts'
import type { UserKey } from './sessions.ts'
import { toMicros } from './time.ts'

export function createInMemoryMetrics(context: InMemoryContext): MetricStore {
  const { calls, data, limits } = context
  return {
    record: (rows, options) =>
      calls.run('metrics.record', options, () => record(metricRecordRequest(rows, options, context), context)),
    query: (query) =>
      calls.run('metrics.query', query, () => {
        const request = metricQueryRequest(query, context)
        return metricPageOf(pageRows(data, request), request, positionOf(request), (row) => metricOf(row, request))
      }),
    aggregate: (query) =>
      calls.run('metrics.aggregate', query, () => {
        const request = metricAggregateRequest(query, context)
        return groupPageOf(aggregatedRows(metricsOf(data, request.appName), request), request, limits)
      }),
    prune: (query) =>
      calls.run('metrics.prune', query, (call) => prune(metricPruneRequest(query, context), call, data)),
  }
}

const metricsOf = ({ metrics }: InMemoryData, appName: string): KeptMetric[] => [
  ...(metrics.get(appName)?.values() ?? []),
]

/** What `erase` takes of a user. */
export function deleteMetrics(data: InMemoryData, { appName, userId }: UserKey): number {
  const rows = metricsOf(data, appName).filter((row) => row.userId === userId)
  for (const row of rows) data.metrics.get(appName)?.delete(metricKey(row))
  return rows.length
}

function record({ entries, folded, onDuplicate }: MetricRecordRequest, context: InMemoryContext): RecordedMetrics {
  const { data, now } = context
  const counts = { stored: 0, completed: 0, replaced: 0, duplicates: folded }
  for (const entry of entries) {
    const before = data.metrics.get(entry.appName)?.get(metricKey(entry))
    const outcome = outcomeOf(entry, before, onDuplicate)
    counts[outcome]++
    if (outcome === 'duplicates') continue
    const isKept = outcome === 'replaced' && before !== undefined
    const { place, recordedAt } = isKept ? before : { place: ++data.lastPlace, recordedAt: now() }
    putMetric(data, { ...entry, schemaVersion: metricSchemaVersion, recordedAt, place })
  }
  return counts
}

function outcomeOf(
  { status }: MetricEntry,
  before: MetricEntry | undefined,
  onDuplicate: MetricRecordRequest['onDuplicate'],
): keyof RecordedMetrics {
  if (before === undefined) return 'stored'
  if (before.status === 'running' && status !== 'running') return 'completed'
  if (before.status !== 'running' && status === 'running') return 'duplicates'
  return onDuplicate === 'replace' ? 'replaced' : 'duplicates'
}

/** The value that an order goes by, as a whole number; that of an absent one is less than every other. */
const sortKeys: Readonly<Record<MetricQueryRequest['order'], (row: KeptMetric) => bigint>> = {
  startedAt: ({ startedAt }) => toMicros(startedAt),
  durationMs: ({ durationUs }) => BigInt(durationUs ?? -1),
  cost: (row) => moneyUnits(costOf(row)) ?? -1n,
  recorded: () => 0n,
}

const positionOf =
  ({ order }: MetricQueryRequest) =>
  (row: KeptMetric): Position => {
    const key = order === 'cost' ? (costOf(row) ?? '') : sortKeys[order](row)
    return [typeof key === 'string' || key >= 0n ? String(key) : '', row.place]
  }

/** The rows of a page and one more, if there is one. */
function pageRows(data: InMemoryData, request: MetricQueryRequest): KeptMetric[] {
  const { order, direction, position, limit } = request
  const sign = direction === 'asc' ? 1 : -1
  const keyed = selectedRows(metricsOf(data, request.appName), request).map((row) => ({
    row,
    key: sortKeys[order](row),
    place: row.place,
  }))
  const compare = (a: SortKey, b: SortKey) => sign * (a.key === b.key ? a.place - b.place : a.key < b.key ? -1 : 1)
  const last = position === undefined ? undefined : lastOf(position, order)
  return keyed
    .filter((one) => last === undefined || compare(one, last) > 0)
    .toSorted(compare)
    .slice(0, limit + 1)
    .map(({ row }) => row)
}

interface SortKey {
  readonly key: bigint
  readonly place: number
}

function lastOf([value = '', place = 0]: Position, order: MetricQueryRequest['order']): SortKey {
  if (value === '') return { key: -1n, place: Number(place) }
  return { key: order === 'cost' ? (moneyUnits(value) ?? -1n) : BigInt(value), place: Number(place) }
}

async function prune(request: MetricPruneRequest, call: Call, data: InMemoryData): Promise<MetricPruneReport> {
  const { appName, userId, dryRun, chunk } = request
  const isByRow = userId !== undefined
  const total = { metrics: 0, traces: 0 }
  if (dryRun) {
    const old = oldTraces(data, request)
    return { metrics: old.reduce((sum, rows) => sum + rows.length, 0), traces: isByRow ? 0 : old.length, dryRun }
  }
  for (let old = oldTraces(data, request); old.length > 0; old = oldTraces(data, request)) {
    const before = total.metrics
    for (const rows of old) {
      for (const row of rows) data.metrics.get(appName)?.delete(metricKey(row))
      total.metrics += rows.length
      if (!isByRow) total.traces += 1
      if (total.metrics - before >= chunk) break
    }
    call.removed(total)
    await setImmediate() // between chunks others have their turn
    call.check()
  }
  return { ...total, dryRun }
}

/** What is to go, of which each is deleted as a whole: a trace, or of a user each row. */
function oldTraces(data: InMemoryData, { appName, userId, sessionId, before }: MetricPruneRequest): KeptMetric[][] {
  const rows = metricsOf(data, appName)
  if (userId !== undefined)
    return rows
      .filter((row) => row.userId === userId && (sessionId === undefined || row.sessionId === sessionId))
      .filter(({ startedAt }) => startedAt < before)
      .map((row) => [row])
  const traces = new Map<string, KeptMetric[]>()
  for (const row of rows) {
    const trace = traces.get(row.traceId)
    if (trace === undefined) traces.set(row.traceId, [row])
    else trace.push(row)
  }
  return [...traces.values()].filter((trace) => trace.every(({ startedAt }) => startedAt < before))
}
