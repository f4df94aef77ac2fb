import {
  metricAggregateRequest,
  metricPruneRequest,
  metricQueryRequest,
  metricRecordRequest,
  type Call,
  type CallOptions,
  type Metric,
  type MetricGroup,
  type MetricPruneReport,
  type MetricPruneRequest,
  type MetricRecordRequest,
  type Page,
  type RecordedMetrics,
} from '@daybook/core'
import { createAggregateMetrics } from './metric-aggregate.ts'
import {
  byMetricKey,
  createRecordMetrics,
  metricChunks,
  noneRecorded,
  sumOf,
  type WeighedMetric,
} from './metric-record.ts'
import { createQueryMetrics } from './metric-query.ts'
import { beginning, type MetricPlace, type MetricRemoval } from './metric-removal.ts'
import { createMetricRows } from './metric-rows.ts'
import { reading, writing, type Operation, type Parts, type Prepared } from './operation.ts'

/** The methods of `store.metrics`. */
export interface MetricOperations {
  readonly record: (rows: unknown, options?: CallOptions) => Operation<RecordedMetrics>
  readonly query: (query: CallOptions) => Operation<Page<Metric>>
  readonly aggregate: (query: CallOptions) => Operation<Page<MetricGroup<never>>>
  readonly prune: (query: CallOptions) => Operation<MetricPruneReport>
}

export function createMetricOperations(parts: Parts, removal: MetricRemoval): MetricOperations {
  const { dialect, micros } = parts
  const rows = createMetricRows(dialect, parts.form)
  const record = createRecordMetrics(dialect, rows)
  const page = createQueryMetrics(dialect, rows)
  const aggregate = createAggregateMetrics(dialect, parts.limits)

  /** Whether those that came last were new, all of them: whoever also records what is running finds much that is there. */
  let areNew = true

  async function direct(request: MetricRecordRequest, chunk: readonly WeighedMetric[], call: Call) {
    const { members, folded } = request
    const { insert, valuesOf } = rows.insertFor(members)
    const at = micros()
    const values = chunk.map(({ entry }) => valuesOf(entry, at))
    areNew = (await dialect.insertFresh?.(insert, values, call)) === true
    return areNew ? { answer: { ...noneRecorded, stored: chunk.length, duplicates: folded } } : undefined
  }

  function prepareRecord(request: MetricRecordRequest): Prepared<RecordedMetrics> {
    const { members, folded, onDuplicate, generated } = request
    const chunks = metricChunks(request, dialect)
    const [only = []] = chunks
    const isDirect = onDuplicate === 'keep' && chunks.length === 1 && areNew
    let [done, tries] = [0, 0]
    return {
      direct: isDirect && dialect.insertFresh !== undefined ? (call) => direct(request, only, call) : undefined,
      // In the order given; after a first try that failed in that of the keys, so that two who write the same ones do not
      // wait for each other in a circle again.
      *script(tx) {
        const chunk = chunks[done] ?? []
        const isHasty = tries++ === 0
        const inOrder = isHasty ? chunk : chunk.toSorted((a, b) => byMetricKey(a.entry, b.entry))
        const recorded = yield* record(tx, inOrder, { members, onDuplicate, now: micros(), isHasty })
        areNew = recorded.stored === chunk.length
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
      ...(generated !== undefined && { generated }),
    }
  }

  function preparePrune(request: MetricPruneRequest): Prepared<MetricPruneReport> {
    if (request.dryRun) return { script: (tx) => removal.pruneCount(tx, request), onlyReads: true }
    let at = beginning
    let next: MetricPlace | undefined
    return {
      *script(tx) {
        const chunk = yield* removal.pruneChunk(tx, request, at)
        next = chunk.next
        return chunk.report
      },
      chunks: {
        isLast() {
          if (next !== undefined) at = next
          return next === undefined
        },
        add: (sum, { metrics, traces }) => ({
          metrics: sum.metrics + metrics,
          traces: sum.traces + traces,
          dryRun: false,
        }),
      },
    }
  }

  return {
    record: (given, options) =>
      writing('metrics.record', options, () => metricRecordRequest(given, options, parts), prepareRecord),
    query: (query) =>
      reading(
        'metrics.query',
        query,
        () => metricQueryRequest(query, parts),
        (request) => ({ script: (tx) => page(tx, request) }),
      ),
    aggregate: (query) =>
      reading(
        'metrics.aggregate',
        query,
        () => metricAggregateRequest(query, parts),
        (request) => ({ script: (tx) => aggregate(tx, request) }),
      ),
    prune: (query) => writing('metrics.prune', query, () => metricPruneRequest(query, parts), preparePrune),
  }
}
