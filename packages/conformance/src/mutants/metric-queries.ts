import type { Metric, MetricFilter } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { brokenMetrics, querying } from './metric-overrides.ts'

/** A filter without one of its members. */
const less = (where: MetricFilter | undefined, name: keyof MetricFilter): MetricFilter =>
  Object.fromEntries(Object.entries(where ?? {}).filter(([member]) => member !== name))

/** Bugs in which rows a query answers. */
export const metricQueryMutants: readonly Mutant[] = [
  {
    id: 'M600',
    bug: 'a filter by a user takes every user whose id is the same but for case',
    check: 'MET-09',
    wrap: (store) =>
      querying(store, (query) =>
        query.where?.userId === 'ann' ? { ...query, where: { ...query.where, userId: ['ann', 'ANN'] } } : query,
      ),
  },
  {
    id: 'M601',
    bug: 'a list of values is its first',
    check: 'MET-09',
    wrap: (store) =>
      querying(store, (query) => {
        const userId = query.where?.userId
        return Array.isArray(userId) && userId.length > 1
          ? { ...query, where: { ...query.where, userId: [userId[0] as string] } } // of those given
          : query
      }),
  },
  {
    id: 'M602',
    bug: 'no value is any value',
    check: 'MET-09',
    wrap: (store) =>
      querying(store, (query) =>
        Array.isArray(query.where?.userId) && query.where.userId.length === 0
          ? { ...query, where: less(query.where, 'userId') }
          : query,
      ),
  },
  {
    id: 'M603',
    bug: 'null in a filter is nobody',
    check: 'MET-09',
    wrap: (store) =>
      querying(store, (query) =>
        query.where?.userId === null ? { ...query, where: { ...query.where, userId: 'nobody' } } : query,
      ),
  },
  {
    id: 'M604',
    bug: 'a range takes what is absent for zero',
    check: 'MET-09',
    wrap: (store) =>
      querying(store, (query) => {
        const range = query.where?.cost
        return range?.gt === undefined ? query : { ...query, where: less(query.where, 'cost') }
      }),
  },
  {
    id: 'M605',
    bug: 'an amount is compared as a float: the last places do not count',
    check: 'MET-09',
    wrap: (store) =>
      querying(store, (query) =>
        query.where?.cost?.gt === undefined ? query : { ...query, where: { ...query.where, cost: { gt: '10.5' } } },
      ),
  },
  {
    id: 'M606',
    bug: 'root does not matter',
    check: 'MET-09',
    wrap: (store) => querying(store, (query) => ({ ...query, where: less(query.where, 'root') })),
  },
  {
    id: 'M607',
    bug: 'conditions on attributes are looked past beside others',
    check: 'MET-09',
    wrap: (store) =>
      querying(store, (query) =>
        Object.keys(query.where ?? {}).length > 1 ? { ...query, where: less(query.where, 'attributes') } : query,
      ),
  },
  {
    id: 'M608',
    bug: 'before is inclusive',
    check: 'MET-09',
    wrap: (store) =>
      querying(store, (query) => (query.before === undefined ? query : { ...query, before: query.before + 0.001 })),
  },
  {
    id: 'M609',
    bug: 'since is exclusive',
    check: 'MET-09',
    wrap: (store) =>
      querying(store, (query) => (query.since === undefined ? query : { ...query, since: query.since + 0.001 })),
  },
  {
    id: 'M610',
    bug: 'the app of a query does not matter where it has conditions on attributes',
    check: 'MET-09',
    canary: true,
    wrap: (store) =>
      brokenMetrics(store, {
        query: async (query) => {
          const { items, nextCursor } = await store.metrics.query(query)
          if (query.where?.attributes === undefined) return { items, nextCursor }
          const others = await store.metrics.query({ ...query, appName: `${query.appName}-b` })
          return { items: [...items, ...others.items], nextCursor }
        },
      }),
  },
  {
    id: 'M611',
    bug: 'a cursor is good for any query',
    check: 'MET-09@cursors',
    wrap: (store) =>
      brokenMetrics(store, {
        query: (query) =>
          store.metrics.query(query).catch(async (error: unknown) => {
            if (query.cursor === undefined || query.cursor.length < 20) throw error
            const { cursor: _, ...rest } = query
            return store.metrics.query(rest)
          }),
      }),
  },
  {
    id: 'M612',
    bug: 'an unknown filter is looked past',
    check: 'MET-09@cursors',
    wrap: (store) => querying(store, (query) => ({ ...query, where: less(query.where, 'content' as never) })), // no filter
  },
  {
    id: 'M613',
    bug: 'a quote in a text is doubled',
    check: 'MET-09@literal',
    wrap: (store) =>
      querying(
        store,
        (query) => query,
        (row): Metric => ({ ...row, ...(row.error !== undefined && { error: row.error.replaceAll("'", "''") }) }),
      ),
  },
  {
    id: 'M614',
    bug: 'usage that parents repeat counts again',
    check: 'MET-09@unpriced',
    canary: true,
    wrap: (store) =>
      querying(
        store,
        ({ where, ...query }) => ({ ...query, ...(where !== undefined && { where: less(where, 'unpriced') }) }),
        (row, { where }) =>
          where?.unpriced === true &&
          (row.usageLevel === undefined || row.providedCost !== undefined || row.computedCost !== undefined)
            ? undefined
            : row,
      ),
  },
  {
    id: 'M615',
    bug: 'a call that was recorded twice counts twice',
    check: 'MET-09@unpriced',
    wrap: (store) =>
      brokenMetrics(store, {
        query: async (query) => {
          const { items, nextCursor } = await store.metrics.query(query)
          if (query.where?.unpriced !== true || items.length === 0) return { items, nextCursor }
          const [responseId] = items.flatMap((row) => row.responseId ?? [])
          const all = await store.metrics.query({ ...query, where: { responseId: responseId ?? null, cost: null } })
          return { items: responseId === undefined ? items : [...items, ...all.items], nextCursor }
        },
      }),
  },
]
