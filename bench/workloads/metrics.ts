import type { Sequential } from './workload.ts'

const rows = 1000

export const recordMetrics: Sequential = {
  id: 'W5',
  title: 'write 1,000 rows of metrics in one call',
  rounds: 25,
  chunk: 1,
  isForSome: true,
  async begin(contender, data) {
    if (contender.record === undefined) return undefined
    return () => {
      const given = Array.from({ length: rows }, () => data.metric())
      return async () => contender.record?.(given)
    }
  },
}
