import { setTimeout as wait } from 'node:timers/promises'
import type { Metric, NewMetric, Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { brokenMetrics, querying, recording } from './metric-overrides.ts'

/** The row of a key, if there is one. */
async function rowOf(store: Store, { appName, traceId = '', spanId = '' }: NewMetric): Promise<Metric | undefined> {
  return (await store.metrics.query({ appName, where: { traceId, spanId } })).items[0]
}

const bySpan = (a: Metric, b: Metric) => (a.spanId < b.spanId ? -1 : 1)

/** Bugs in what becomes of a key that is there already. */
export const metricDuplicateMutants: readonly Mutant[] = [
  {
    id: 'M583',
    bug: 'the second row of a key takes the place of the first',
    check: 'MET-03',
    canary: true,
    wrap: (store) =>
      brokenMetrics(store, {
        record: (rows, options) => store.metrics.record(rows, { ...options, onDuplicate: 'replace' }),
      }),
  },
  {
    id: 'M584',
    bug: 'of rows of one key in a call the first counts',
    check: 'MET-03',
    wrap: (store) =>
      brokenMetrics(store, {
        record: async (rows, options) => {
          const sum = { stored: 0, completed: 0, replaced: 0, duplicates: 0 }
          for (const row of rows) {
            const answer = await store.metrics.record([row], options)
            for (const name of ['stored', 'completed', 'replaced', 'duplicates'] as const) sum[name] += answer[name]
          }
          return sum
        },
      }),
  },
  {
    id: 'M585',
    bug: 'rows that are there are not counted',
    check: 'MET-03',
    wrap: (store) =>
      brokenMetrics(store, {
        record: async (rows, options) => ({ ...(await store.metrics.record(rows, options)), duplicates: 0 }),
      }),
  },
  {
    id: 'M586',
    bug: 'a running row is never completed',
    check: 'MET-03@running',
    canary: true,
    wrap: (store) =>
      brokenMetrics(store, {
        record: async (rows, options) => {
          const there = await Promise.all(rows.map((row) => rowOf(store, row)))
          const fresh = rows.filter((_, i) => there[i] === undefined)
          const answer = await store.metrics.record(fresh, options)
          return { ...answer, duplicates: answer.duplicates + rows.length - fresh.length }
        },
      }),
  },
  {
    id: 'M587',
    bug: 'the end of a span keeps the place of its beginning',
    check: 'MET-03@running',
    wrap: (store) =>
      brokenMetrics(store, {
        query: async (query) => {
          const { items, nextCursor } = await store.metrics.query(query)
          return { items: query.order === 'recorded' ? items.toSorted(bySpan) : items, nextCursor }
        },
      }),
  },
  {
    id: 'M588',
    bug: 'a row that runs for hours still reads as running',
    check: 'MET-03@running',
    wrap: (store) =>
      querying(
        store,
        (query) => query,
        (row) => ({ ...row, status: row.status === 'abandoned' ? 'running' : row.status }),
      ),
  },
  {
    id: 'M589',
    bug: 'a filter for running rows finds those that are abandoned',
    check: 'MET-03@running',
    wrap: (store) =>
      querying(store, (query) =>
        query.where?.status === 'running'
          ? { ...query, where: { ...query.where, status: ['running', 'abandoned'] } }
          : query,
      ),
  },
  {
    id: 'M590',
    bug: 'replacing merges the new row into the old',
    check: 'MET-03@replace',
    wrap: (store) =>
      brokenMetrics(store, {
        record: async (rows, options) => {
          if (options?.onDuplicate !== 'replace') return store.metrics.record(rows, options)
          const there = await Promise.all(rows.map((row) => rowOf(store, row)))
          return store.metrics.record(
            rows.map((row, i) => ({ ...there[i], ...row })),
            options,
          )
        },
      }),
  },
  {
    id: 'M591',
    bug: 'replacing records the row anew',
    check: 'MET-03@replace',
    wrap: (store) =>
      querying(
        store,
        (query) => query,
        (row) => (row.computedCost === undefined ? row : { ...row, recordedAt: row.recordedAt + 5000 }),
      ),
  },
  {
    id: 'M592',
    bug: 'ids are compared without regard to case',
    check: 'MET-03@bytes',
    wrap: (store) =>
      recording(store, (row) => ({ ...row, ...(row.spanId !== undefined && { spanId: row.spanId.toLowerCase() }) })),
  },
  {
    id: 'M596',
    bug: 'whether a row is there is looked at before it is written',
    check: 'MET-10',
    canary: true,
    isRace: true,
    wrap: (store) =>
      brokenMetrics(store, {
        record: async (rows, options) => {
          const there = await Promise.all(rows.map((row) => rowOf(store, row)))
          await wait(2)
          const fresh = rows.filter((_, i) => there[i] === undefined || there[i].status === 'abandoned')
          await store.metrics.record(fresh, { ...options, onDuplicate: 'replace' })
          const completed = there.filter((row) => row?.status === 'abandoned').length
          return { stored: fresh.length - completed, completed, replaced: 0, duplicates: rows.length - fresh.length }
        },
      }),
  },
  {
    id: 'M645',
    bug: 'each row of a batch is looked for before it is written',
    check: 'PRF-03@metrics',
    wrap: (store) =>
      brokenMetrics(store, {
        record: async (rows, options) => {
          for (const row of rows) await rowOf(store, row)
          return store.metrics.record(rows, options)
        },
      }),
  },
]
