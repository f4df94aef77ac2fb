import type { ArtifactStore } from './artifacts.ts'
import type { Calls } from './calls.ts'
import type { MemoryStore } from './memories.ts'
import type { MetricStore } from './metrics.ts'
import { unsupported } from './refusals.ts'

/** The areas that a store does not have: each method rejects with `unsupported`, or `closed`, before anything is sent. */
export function absentAreas(calls: Calls): { memories: MemoryStore; artifacts: ArtifactStore; metrics: MetricStore } {
  const absent = (area: string, method: string) => (): Promise<never> =>
    calls.run(`${area}.${method}`, undefined, () => {
      throw unsupported(area, area)
    })
  const [memories, artifacts, metrics] = ['memories', 'artifacts', 'metrics'] as const
  return {
    memories: { add: absent(memories, 'add'), search: absent(memories, 'search'), delete: absent(memories, 'delete') },
    artifacts: {
      save: absent(artifacts, 'save'),
      load: absent(artifacts, 'load'),
      list: absent(artifacts, 'list'),
      versions: absent(artifacts, 'versions'),
      delete: absent(artifacts, 'delete'),
    },
    metrics: {
      record: absent(metrics, 'record'),
      query: absent(metrics, 'query'),
      aggregate: absent(metrics, 'aggregate'),
      prune: absent(metrics, 'prune'),
      budgets: absent(metrics, 'budgets'),
    },
  }
}
