import type { NewMetric } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { brokenMetrics, querying, recording } from './metric-overrides.ts'

/** Bugs in how rows are recorded. */
export const metricMutants: readonly Mutant[] = [
  {
    id: 'M570',
    bug: 'the last row of a full chunk of 250 is lost',
    check: 'MET-01',
    canary: true,
    wrap: (store) => recording(store, (row, i) => (i === 249 ? undefined : row)),
  },
  {
    id: 'M571',
    bug: 'a batch is written from its end',
    check: 'MET-01',
    wrap: (store) =>
      brokenMetrics(store, { record: (rows, options) => store.metrics.record(rows.toReversed(), options) }),
  },
  {
    id: 'M572',
    bug: 'a duration is kept in whole milliseconds',
    check: 'MET-02@kept',
    wrap: (store) =>
      recording(store, (row) => ({
        ...row,
        ...(row.durationMs !== undefined && { durationMs: Math.floor(row.durationMs) }),
      })),
  },
  {
    id: 'M573',
    bug: 'an amount goes through a float',
    check: 'MET-02@kept',
    wrap: (store) =>
      querying(
        store,
        (query) => query,
        (row) => ({
          ...row,
          ...(row.computedCost !== undefined && { computedCost: String(Number(row.computedCost)) }),
        }),
      ),
  },
  {
    id: 'M574',
    bug: 'what is absent comes back as zero',
    check: 'MET-02@kept',
    wrap: (store) =>
      querying(
        store,
        (query) => query,
        (row) => ({ inputTokens: 0, ...row }),
      ),
  },
  {
    id: 'M575',
    bug: 'an attribute without a value is left out',
    check: 'MET-02@kept',
    wrap: (store) => recording(store, (row) => without(row, 'imageCustomMetrics')),
  },
  {
    id: 'M576',
    bug: 'light leaves out the attributes alone',
    check: 'MET-02@kept',
    wrap: (store) =>
      querying(
        store,
        (query) => ({ ...query, fields: 'full' }),
        ({ customAttributes, ...row }, { fields }) =>
          fields === 'light' || customAttributes === undefined ? row : { ...row, customAttributes },
      ),
  },
  {
    id: 'M577',
    bug: 'a text of spaces at its end is cut',
    check: 'MET-02@kept',
    wrap: (store) =>
      recording(store, (row) => ({
        ...row,
        ...(row.responseId !== undefined && { responseId: row.responseId.trimEnd() }),
      })),
  },
  {
    id: 'M578',
    bug: 'the time of a span is cut to milliseconds',
    check: 'MET-02',
    wrap: (store) =>
      recording(store, (row) => ({
        ...row,
        ...(row.startedAt !== undefined && { startedAt: Math.floor(row.startedAt) }),
      })),
  },
  {
    id: 'M579',
    bug: 'rows without a duration are left out of the order by it',
    check: 'MET-02',
    wrap: (store) =>
      querying(
        store,
        (query) => query,
        (row, { order }) => (order === 'durationMs' && row.durationMs === undefined ? undefined : row),
      ),
  },
  {
    id: 'M580',
    bug: 'the order of insertion is that of the times',
    check: 'MET-02',
    wrap: (store) =>
      brokenMetrics(store, {
        query: async (query) => {
          const { items, nextCursor } = await store.metrics.query(query)
          return query.order === 'recorded'
            ? { items: items.toSorted((a, b) => a.startedAt - b.startedAt), nextCursor }
            : { items, nextCursor }
        },
      }),
  },
  {
    id: 'M581',
    bug: 'the order of insertion has an end',
    check: 'MET-02@feed',
    wrap: (store) =>
      brokenMetrics(store, {
        query: async (query) => {
          const { items, nextCursor } = await store.metrics.query(query)
          return { items, nextCursor: items.length < (query.limit ?? 100) ? undefined : nextCursor }
        },
      }),
  },
  {
    id: 'M582',
    bug: 'a row that is replaced is told of again',
    check: 'MET-02@feed',
    wrap: (store) =>
      brokenMetrics(store, {
        record: async (rows, options) => {
          if (options?.onDuplicate !== 'replace') return store.metrics.record(rows, options)
          const running = rows.map((row) => ({ ...row, spanId: `${row.spanId} again` }))
          await store.metrics.record(running)
          return store.metrics.record(rows, options)
        },
      }),
  },
  {
    id: 'M593',
    bug: 'rows are checked when their turn comes: those before a bad one are written',
    check: 'MET-04',
    canary: true,
    wrap: (store) =>
      brokenMetrics(store, {
        record: async (rows, options) => {
          if (Array.isArray(rows) && rows.length === 2) await store.metrics.record(rows.slice(0, 1), options)
          return store.metrics.record(rows, options)
        },
      }),
  },
  {
    id: 'M594',
    bug: 'what is no part of a row is dropped',
    check: 'MET-04',
    wrap: (store) => recording(store, (row) => without(row, 'prompt')),
  },
  {
    id: 'M595',
    bug: 'an empty batch counts as one row',
    check: 'MET-05',
    wrap: (store) =>
      brokenMetrics(store, {
        record: async (rows, options) => {
          const answer = await store.metrics.record(rows, options)
          return rows.length === 0 ? { ...answer, stored: 1 } : answer
        },
      }),
  },
]

/** The row less a member. */
const without = (row: NewMetric, name: string): NewMetric =>
  Object.fromEntries(Object.entries(row).filter(([member]) => member !== name)) as unknown as NewMetric // the rest of it
