import { metricKey } from './metric-request.ts'
import type { MetricRow } from './metric-row.ts'

export type KeptMetric = MetricRow & {
  /** In the order of insertion. */
  readonly place: number
}

/** Metrics of each app by {@link metricKey}. */
export type KeptMetrics = Map<string, Map<string, KeptMetric>>

export function putMetric({ metrics }: { readonly metrics: KeptMetrics }, row: KeptMetric): void {
  const ofApp = metrics.get(row.appName) ?? new Map<string, KeptMetric>()
  metrics.set(row.appName, ofApp.set(metricKey(row), row))
}

/** Its JSON is read once at the beginning, so that no call meets damage later. */
export function restoredMetric(row: KeptMetric): KeptMetric {
  const { textCustomMetrics, imageCustomMetrics, costDetail, tags, customAttributes, content } = row
  for (const text of [textCustomMetrics, imageCustomMetrics, costDetail, tags, customAttributes, content])
    if (text !== null) JSON.parse(text)
  return row
}
