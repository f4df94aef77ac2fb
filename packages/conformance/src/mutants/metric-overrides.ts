import type { Metric, MetricQuery, NewMetric, Store } from '@daybook/core'
import { wrapStore, type Overrides } from '../wrap.ts'

type Metrics = NonNullable<Overrides['metrics']>

export const brokenMetrics = (store: Store, metrics: Metrics): Store => wrapStore(store, { metrics })

/** The store with every row spoilt that is recorded. */
export const recording = (store: Store, spoil: (row: NewMetric, i: number) => NewMetric | undefined): Store =>
  brokenMetrics(store, {
    record: (rows, options) =>
      store.metrics.record(
        Array.isArray(rows) ? rows.flatMap((row: NewMetric, i) => (isRow(row) ? (spoil(row, i) ?? []) : row)) : rows,
        options,
      ),
  })

/** What a check gives that is no row goes on as it is. */
const isRow = (row: unknown): row is NewMetric => typeof row === 'object' && row !== null

/** The store with its queries spoilt, or their answers. */
export const querying = (
  store: Store,
  spoil: (query: MetricQuery) => MetricQuery,
  then: (row: Metric, query: MetricQuery) => Metric | undefined = (row) => row,
): Store =>
  brokenMetrics(store, {
    query: async (query) => {
      const { items, nextCursor } = await store.metrics.query(spoil(query))
      return { items: items.flatMap((row) => then(row, query) ?? []), nextCursor }
    },
  })
