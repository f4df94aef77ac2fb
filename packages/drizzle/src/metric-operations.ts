import { metricRecordRequest, type CallOptions, type MetricRecordRequest, type RecordedMetrics } from '@daybook/core'
import { byMetricKey, createRecordMetrics, metricChunks, sumOf } from './metric-record.ts'
import { createMetricRows } from './metric-rows.ts'
import { writing, type Operation, type Parts, type Prepared } from './operation.ts'

/** The methods of `store.metrics`. */
export interface MetricOperations {
  readonly record: (rows: unknown, options?: CallOptions) => Operation<RecordedMetrics>
}

export function createMetricOperations(parts: Parts): MetricOperations {
  const { dialect, micros } = parts
  const rows = createMetricRows(dialect)
  const record = createRecordMetrics(dialect, rows)

  function prepareRecord({ entries, folded, onDuplicate, generated }: MetricRecordRequest): Prepared<RecordedMetrics> {
    const chunks = metricChunks(entries, dialect)
    let [done, tries] = [0, 0]
    return {
      // In the order given; after a first try that failed in that of the keys, so that two who write the same ones do not
      // wait for each other in a circle again.
      *script(tx) {
        const chunk = chunks[done] ?? []
        const isHasty = tries++ === 0
        const inOrder = isHasty ? chunk : chunk.toSorted(byMetricKey)
        const recorded = yield* record(tx, inOrder, { onDuplicate, now: micros(), isHasty })
        return done === 0 ? { ...recorded, duplicates: recorded.duplicates + folded } : recorded
      },
      chunks: {
        isLast() {
          tries = 0
          return ++done >= chunks.length
        },
        add: sumOf,
        writes: true,
      },
      generated,
    }
  }

  return {
    record: (given, options) =>
      writing('metrics.record', options, () => metricRecordRequest(given, options, parts), prepareRecord),
  }
}
