import type { Migration } from '@daybook/drizzle'
import { sessions } from './migrations/0001-sessions.ts'
import { views } from './migrations/0002-views.ts'
import { leases } from './migrations/0003-leases.ts'
import { artifacts } from './migrations/0004-artifacts.ts'
import { memories } from './migrations/0005-memories.ts'
import { artifactAge } from './migrations/0006-artifact-age.ts'
import { vectors } from './migrations/0007-vectors.ts'
import { memorySource } from './migrations/0008-memory-source.ts'
import { metrics } from './migrations/0009-metrics.ts'

/** In the order in which they are applied. */
export const allMigrations: readonly Migration[] = [
  sessions,
  views,
  leases,
  artifacts,
  memories,
  artifactAge,
  vectors,
  memorySource,
  metrics,
]
