import type { MetricAggregateQuery, MetricGroup, Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { brokenMetrics } from './metric-overrides.ts'

type Values = Record<string, unknown>

/** The store with its aggregates spoilt: what is asked of it, or each group of the answer. */
const aggregating = (
  store: Store,
  spoil: (query: MetricAggregateQuery) => MetricAggregateQuery,
  then: (group: MetricGroup, query: MetricAggregateQuery) => MetricGroup | undefined = (group) => group,
): Store =>
  brokenMetrics(store, {
    aggregate: async (query) => {
      const { items, nextCursor } = await store.metrics.aggregate(spoil(query))
      return { items: items.flatMap((group) => then(group, query) ?? []) as never, nextCursor } // groups of the same form
    },
  })

const same = (query: MetricAggregateQuery): MetricAggregateQuery => query

/** A group with some of its values changed. */
const valued = (group: MetricGroup, change: (values: Values) => Values): MetricGroup => ({
  ...group,
  values: { ...group.values, ...change(group.values) } as never, // values of the same names
})

const isNumber = (value: unknown): value is number => typeof value === 'number'

const byUnits = (a: MetricGroup, b: MetricGroup) => (String(a.key[0] ?? '') < String(b.key[0] ?? '') ? -1 : 1)

/** Bugs in what is counted and summed. */
export const metricAggregateMutants: readonly Mutant[] = [
  {
    id: 'M620',
    bug: 'an average takes what is absent for zero',
    check: 'MET-06',
    canary: true,
    wrap: (store) =>
      aggregating(store, same, (group) =>
        valued(group, ({ avg, sum, rows }) =>
          isNumber(avg) && isNumber(sum) && isNumber(rows) ? { avg: sum / rows } : {},
        ),
      ),
  },
  {
    id: 'M621',
    bug: 'a sum of nothing is zero',
    check: 'MET-06',
    wrap: (store) =>
      aggregating(store, same, (group) => valued(group, ({ sum }) => ('sum' in group.values ? { sum: sum ?? 0 } : {}))),
  },
  {
    id: 'M622',
    bug: 'a percentile is interpolated',
    check: 'MET-06',
    wrap: (store) =>
      aggregating(store, same, (group) =>
        valued(group, ({ p50 }) => (isNumber(p50) && p50 === 0.01 ? { p50: 0.0105 } : {})),
      ),
  },
  {
    id: 'M623',
    bug: 'the highest percentile is one rank too low',
    check: 'MET-06@model',
    wrap: (store) =>
      aggregating(store, (query) => ({
        ...query,
        measures: Object.fromEntries(
          Object.entries(query.measures).map(([name, measure]) => [
            name,
            typeof measure === 'object' && 'percentile' in measure && measure.percentile === 950
              ? { ...measure, percentile: 940 }
              : measure,
          ]),
        ),
      })),
  },
  {
    id: 'M624',
    bug: 'what a provider says and what a list says are added',
    check: 'MET-06',
    wrap: (store) =>
      aggregating(store, same, (group) =>
        valued(
          group,
          ({ cost }) =>
            Array.isArray(cost)
              ? {
                  cost: (cost as { amount: string }[]).map((one) => ({
                    ...one,
                    amount: one.amount === '0.4' ? '5.4' : one.amount,
                  })),
                }
              : {}, // amounts
        ),
      ),
  },
  {
    id: 'M625',
    bug: 'amounts of all currencies are added',
    check: 'MET-06@model',
    wrap: (store) =>
      aggregating(store, same, (group) =>
        valued(group, ({ cost }) => (Array.isArray(cost) && cost.length > 1 ? { cost: cost.slice(0, 1) } : {})),
      ),
  },
  {
    id: 'M626',
    bug: 'tokens that parents repeat are counted again',
    check: 'MET-06@model',
    canary: true,
    wrap: (store) =>
      brokenMetrics(store, {
        aggregate: async (query) => {
          const { input, ...measures } = query.measures
          const page = await store.metrics.aggregate(query)
          if (input !== 'inputTokens') return page // as it was asked for
          const all = await store.metrics.query({ appName: query.appName, limit: 1000, where: query.where ?? {} })
          const sum = all.items.reduce((total, { inputTokens = 0 }) => total + inputTokens, 0)
          const items = page.items.map((group) =>
            page.items.length === 1 && Object.keys(measures).length > 0 ? valued(group, () => ({ input: sum })) : group,
          )
          return { ...page, items }
        },
      }),
  },
  {
    id: 'M627',
    bug: 'a filter decides whose usage counts',
    check: 'MET-06@model',
    wrap: (store) =>
      aggregating(store, same, (group, { since }) =>
        since === undefined
          ? group
          : valued(group, ({ unpriced }) => (isNumber(unpriced) ? { unpriced: unpriced + 1 } : {})),
      ),
  },
  {
    id: 'M628',
    bug: 'an unknown measure is looked past',
    check: 'MET-06',
    wrap: (store) =>
      aggregating(store, (query) => ({
        ...query,
        measures: Object.fromEntries(
          Object.entries(query.measures).map(([name, measure]) => [
            name,
            (measure as string) === 'median' ? 'count' : measure, // what the types forbid is what is tried
          ]),
        ),
      })),
  },
  {
    id: 'M629',
    bug: 'days are those of UTC, whatever the clock',
    check: 'MET-07',
    canary: true,
    wrap: (store) =>
      aggregating(store, ({ bucket, ...query }) => ({
        ...query,
        ...(bucket !== undefined && { bucket: { size: bucket.size } }),
      })),
  },
  {
    id: 'M630',
    bug: 'spans without rows are left out',
    check: 'MET-07',
    wrap: (store) =>
      aggregating(
        store,
        same,
        (group, { bucket }) => (bucket !== undefined && (group.values as Values)['n'] === 0 ? undefined : group), // values of what was asked for
      ),
  },
  {
    id: 'M631',
    bug: 'times are cut to milliseconds before they are put into a span',
    check: 'MET-07',
    wrap: (store) =>
      brokenMetrics(store, {
        record: (rows, options) =>
          store.metrics.record(
            rows.map((row) => ({
              ...row,
              ...(row.startedAt !== undefined && { startedAt: Math.round(row.startedAt) }),
            })),
            options,
          ),
      }),
  },
  {
    id: 'M632',
    bug: 'rows without a value are in no group',
    check: 'MET-08',
    wrap: (store) => aggregating(store, same, (group) => (group.key.includes(null) ? undefined : group)),
  },
  {
    id: 'M633',
    bug: 'groups are in the order of UTF-16',
    check: 'MET-08',
    wrap: (store) =>
      brokenMetrics(store, {
        aggregate: async (query) => {
          const { items, nextCursor } = await store.metrics.aggregate(query)
          return {
            items: query.groupBy?.[0] === 'model' && query.orderBy === undefined ? items.toSorted(byUnits) : items,
            nextCursor,
          }
        },
      }),
  },
  {
    id: 'M634',
    bug: 'a text that looks like a number is one',
    check: 'MET-08',
    wrap: (store) =>
      aggregating(store, same, (group, { groupBy }) =>
        typeof groupBy?.[0] === 'object' && groupBy[0].type === 'number' && group.key[0] === 1
          ? { ...group, values: { n: 3 } } // as if "1" were among them
          : group,
      ),
  },
  {
    id: 'M635',
    bug: 'the agent around is looked for by the span alone, in any trace',
    check: 'MET-08',
    wrap: (store) =>
      aggregating(store, same, (group, { groupBy }) =>
        groupBy?.[0] === 'parentAgent' ? { ...group, key: ['root', ...group.key.slice(1)] } : group,
      ),
  },
  {
    id: 'M636',
    bug: 'groups without a value come first in either direction',
    check: 'MET-08@order',
    wrap: (store) =>
      brokenMetrics(store, {
        aggregate: async (query) => {
          const { items, nextCursor } = await store.metrics.aggregate(query)
          const name = query.orderBy?.measure ?? ''
          const isNone = (group: MetricGroup) => Number((group.values as Values)[name] === null) // values of what was asked for
          return { items: items.toSorted((a, b) => isNone(b) - isNone(a)), nextCursor }
        },
      }),
  },
  {
    id: 'M637',
    bug: 'a page of groups begins with the last of the one before',
    check: 'MET-08@order',
    wrap: (store) => {
      const last = new Map<string, MetricGroup>()
      return brokenMetrics(store, {
        aggregate: async (query) => {
          const { items, nextCursor } = await store.metrics.aggregate(query)
          const before = query.cursor === undefined ? undefined : last.get(query.cursor)
          const end: MetricGroup | undefined = items.at(-1)
          if (nextCursor !== undefined && end !== undefined) last.set(nextCursor, end)
          return { items: before === undefined ? items : [before, ...items], nextCursor }
        },
      })
    },
  },
  {
    id: 'M638',
    bug: 'money is added as floats',
    check: 'MET-12',
    canary: true,
    wrap: (store) =>
      aggregating(store, same, (group) =>
        valued(group, ({ cost }) =>
          Array.isArray(cost)
            ? { cost: (cost as { amount: string }[]).map((one) => ({ ...one, amount: String(Number(one.amount)) })) } // amounts
            : {},
        ),
      ),
  },
]
