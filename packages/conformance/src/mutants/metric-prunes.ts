import type { Mutant } from '../mutant.ts'
import { brokenMetrics } from './metric-overrides.ts'

/** Bugs in what a prune takes. */
export const metricPruneMutants: readonly Mutant[] = [
  {
    id: 'M639',
    bug: 'a prune takes every row that is old, and tears traces',
    check: 'MET-11',
    canary: true,
    wrap: (store) =>
      brokenMetrics(store, {
        prune: async (query) => {
          const report = await store.metrics.prune(query)
          if (query.dryRun === true || query.userId !== undefined) return report
          const users = ['ann', 'bob']
          for (const userId of users) await store.metrics.prune({ ...query, userId })
          const { items } = await store.metrics.query({ appName: query.appName, before: query.before })
          return { ...report, metrics: report.metrics + items.length }
        },
      }),
  },
  {
    id: 'M640',
    bug: 'a prune ends after its first chunk',
    check: 'MET-11',
    wrap: (store) =>
      brokenMetrics(store, {
        prune: async (query) => {
          const report = await store.metrics.prune(query)
          return query.chunk === 7 && query.dryRun !== true
            ? { ...report, metrics: Math.min(report.metrics, 7) }
            : report
        },
      }),
  },
  {
    id: 'M641',
    bug: 'a dry run deletes',
    check: 'MET-11',
    wrap: (store) =>
      brokenMetrics(store, {
        prune: async (query) => ({
          ...(await store.metrics.prune({ ...query, dryRun: false })),
          dryRun: query.dryRun === true,
        }),
      }),
  },
  {
    id: 'M642',
    bug: 'a prune of a session takes the rows of every session of the user',
    check: 'MET-11@user',
    wrap: (store) => brokenMetrics(store, { prune: ({ sessionId: _other, ...query }) => store.metrics.prune(query) }),
  },
]
