import type { Mutant } from '../mutant.ts'
import { appendMutants } from './appends.ts'
import { argumentMutants } from './arguments.ts'
import { artifactEndMutants } from './artifact-ends.ts'
import { artifactStreamMutants } from './artifact-streams.ts'
import { artifactMutants } from './artifacts.ts'
import { costMutants } from './costs.ts'
import { cursorMutants } from './cursors.ts'
import { failureMutants } from './failures.ts'
import { scopeMutants } from './scopes.ts'
import { sessionMutants } from './sessions.ts'
import { timeMutants } from './times.ts'
import { eventMutants } from './events.ts'
import { factMutants } from './facts.ts'
import { faultMutants } from './faults.ts'
import { filterMutants } from './filters.ts'
import { groupMutants } from './groups.ts'
import { idMutants } from './ids.ts'
import { leaseMutants } from './leases.ts'
import { listMutants } from './lists.ts'
import { likenessMutants } from './likeness.ts'
import { memoryMutants } from './memories.ts'
import { memorySearchMutants } from './memory-searches.ts'
import { metricAggregateMutants } from './metric-aggregates.ts'
import { metricDuplicateMutants } from './metric-duplicates.ts'
import { metricPruneMutants } from './metric-prunes.ts'
import { metricQueryMutants } from './metric-queries.ts'
import { metricMutants } from './metrics.ts'
import { raceAppendMutants } from './race-appends.ts'
import { raceMutants } from './races.ts'
import { realWorldMutants } from './real-world.ts'
import { resourceMutants } from './resources.ts'
import { stateMutants } from './state.ts'
import { transactionMutants } from './transactions.ts'
import { valueMutants } from './values.ts'

/** Every wrapper mutant, by number. */
export const mutants: readonly Mutant[] = [
  ...eventMutants,
  ...appendMutants,
  ...argumentMutants,
  ...artifactMutants,
  ...artifactEndMutants,
  ...artifactStreamMutants,
  ...costMutants,
  ...cursorMutants,
  ...failureMutants,
  ...scopeMutants,
  ...sessionMutants,
  ...timeMutants,
  ...transactionMutants,
  ...factMutants,
  ...faultMutants,
  ...filterMutants,
  ...groupMutants,
  ...idMutants,
  ...leaseMutants,
  ...listMutants,
  ...likenessMutants,
  ...memoryMutants,
  ...memorySearchMutants,
  ...metricMutants,
  ...metricAggregateMutants,
  ...metricDuplicateMutants,
  ...metricPruneMutants,
  ...metricQueryMutants,
  ...raceAppendMutants,
  ...raceMutants,
  ...realWorldMutants,
  ...resourceMutants,
  ...stateMutants,
  ...valueMutants,
].toSorted((a, b) => Number.parseInt(a.id.slice(1)) - Number.parseInt(b.id.slice(1)))
