import { fromStorableJson } from './json.ts'
import { heavyMembers, metricKinds, metricMembers } from './metric-columns.ts'
import { entryNames, type MetricEntry } from './metric-request.ts'
import type { MetricQueryRequest } from './metric-query-request.ts'
import type { Metric } from './metrics.ts'
import { fromMicros } from './time.ts'

/** A row as it is stored. */
export type MetricRow = MetricEntry & { readonly schemaVersion: number; readonly recordedAt: number }

const lightMembers = metricMembers.filter((member) => !heavyMembers.includes(member))

/** What a query answers of a row. With `light` the members that it leaves out need not have been read. */
export function metricOf(
  row: MetricRow,
  { fields, abandonedBefore }: Pick<MetricQueryRequest, 'fields' | 'abandonedBefore'>,
): Metric {
  const metric: Record<string, unknown> = {}
  for (const member of fields === 'light' ? lightMembers : metricMembers) {
    const cell = row[entryNames[member]]
    if (cell === null) continue
    metric[member] = typeof cell === 'string' && isJson(member) ? fromStorableJson(cell) : cell
  }
  for (const member of ['durationMs', 'firstChunkMs'] as const) {
    const micros = row[entryNames[member]]
    if (micros !== null) metric[member] = fromMicros(micros)
  }
  metric['status'] = statusOf(row, abandonedBefore)
  metric['schemaVersion'] = row.schemaVersion
  metric['recordedAt'] = row.recordedAt
  return metric as unknown as Metric // each member is that of the row, of which the entry was checked
}

const isJson = (member: keyof typeof metricKinds): boolean => ['object', 'tags', 'json'].includes(metricKinds[member])

/** The status as it reads at this time. */
export const statusOf = (
  { status, startedAt }: Pick<MetricRow, 'status' | 'startedAt'>,
  abandonedBefore: number,
): Metric['status'] => (status === 'running' && startedAt < abandonedBefore ? 'abandoned' : status)

/** What a row cost, where that is known. */
export const costOf = ({
  providedCost,
  computedCost,
}: Pick<MetricRow, 'providedCost' | 'computedCost'>): string | null => providedCost ?? computedCost
