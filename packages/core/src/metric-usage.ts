import { compareText } from './in-memory-list.ts'
import type { MetricRow } from './metric-row.ts'

type UsageRow = Pick<MetricRow, 'traceId' | 'spanId' | 'usageLevel' | 'responseId'>

/**
 * Those rows of one app whose usage counts. In each trace these are the rows of the lowest level that is there; of two calls with the
 * same answer of the provider, which was recorded twice, the one with the smaller span id. All rows of a trace have to be given.
 */
export function countedRows<Row extends UsageRow>(rows: Iterable<Row>): ReadonlySet<Row> {
  const traces = new Map<string, Row[]>()
  for (const row of rows) {
    if (row.usageLevel === null) continue
    const ofTrace = traces.get(row.traceId)
    if (ofTrace === undefined) traces.set(row.traceId, [row])
    else ofTrace.push(row)
  }
  const counted = new Set<Row>()
  for (const ofTrace of traces.values()) for (const row of countedOfTrace(ofTrace)) counted.add(row)
  return counted
}

function countedOfTrace<Row extends UsageRow>(rows: readonly Row[]): readonly Row[] {
  const lowest = rows.reduce((least, { usageLevel }) => Math.min(least, usageLevel ?? least), Infinity)
  const candidates = rows.filter(({ usageLevel }) => usageLevel === lowest)
  if (lowest > 0) return candidates
  const first = new Map<string, Row>()
  for (const row of candidates) {
    if (row.responseId === null) continue
    const before = first.get(row.responseId)
    if (before === undefined || compareText(row.spanId, before.spanId) < 0) first.set(row.responseId, row)
  }
  return candidates.filter((row) => row.responseId === null || first.get(row.responseId) === row)
}
