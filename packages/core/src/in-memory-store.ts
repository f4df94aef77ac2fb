import { areasOf, capabilitiesWith } from './areas.ts'
import { checkedFlag, checkedOptions, membersOf } from './arguments.ts'
import type { Capabilities } from './capabilities.ts'
import { StoreError } from './errors.ts'
import { createInMemoryArtifacts } from './in-memory-artifacts.ts'
import { createInMemoryDatabase, data, type InMemoryDatabase } from './in-memory-database.ts'
import { createInMemoryEvents } from './in-memory-events.ts'
import { createInMemoryLeases } from './in-memory-leases.ts'
import { createInMemoryMemories } from './in-memory-memories.ts'
import { createInMemoryMetrics } from './in-memory-metrics.ts'
import { createInMemoryErase, createInMemorySessions } from './in-memory-sessions.ts'
import { createInMemoryState, type InMemoryContext } from './in-memory-state.ts'
import { reading } from './json.ts'
import { withoutPathIndexes } from './state-path-index.ts'
import { storeContext } from './store-options.ts'
import type { Health, MigrationReport, Store, StoreOptions } from './store.ts'

export interface InMemoryStoreOptions extends StoreOptions {
  /** Data to share with other stores. Default: data of its own. */
  readonly database?: InMemoryDatabase
}

export type InMemoryStore = Store

const capabilities: Capabilities = Object.freeze({
  memories: 'yes',
  artifacts: 'yes',
  metrics: 'yes',
  lease: 'yes',
  jsonPathFilter: 'yes',
  jsonPathIndex: 'no',
  fullTextSearch: 'yes',
  vectorSearch: 'no',
  callerTransaction: 'no',
  persistent: 'no',
  concurrentWriters: 'no',
  foreignKeys: 'yes',
  skipLocked: 'no',
  windowFunctions: 'no',
  transactionalDdl: 'yes',
  liveNotify: 'yes',
  nativeVectors: 'no',
  isolation: 'serializable',
})

/**
 * A store in memory that keeps the whole contract: the reference for others, and a real store for unit tests. Needs no
 * `migrate()`. Data end with the process.
 *
 * @example
 * ```ts
 * import { createInMemoryStore } from '@daybook/core'
 *
 * await using store = createInMemoryStore({ now: () => 1_700_000_000_000 })
 * const session = await store.sessions.create({ appName: 'shop', userId: 'ann', sessionId: 's1' })
 * const { events } = await store.events.append(session, [{ author: 'user' }, { author: 'agent' }])
 * console.log(session.createdAt, events.map(({ seq }) => seq)) // 1700000000000 [ 1, 2 ]
 * ```
 */
export function createInMemoryStore(options: InMemoryStoreOptions = {}): InMemoryStore {
  const context: InMemoryContext = {
    ...storeContext(options, ['database']),
    data: checkedDatabase(membersOf(options, 'options', ['database']).database)[data],
  }
  const { calls, limits, areas, embeddingDimensions } = context
  const leases = createInMemoryLeases(context)
  const close = () => {
    leases.close()
    return calls.close()
  }
  return {
    capabilities: capabilitiesWith(
      { ...capabilities, vectorSearch: embeddingDimensions === undefined ? 'no' : 'yes' },
      areas,
    ),
    limits,
    sessions: createInMemorySessions(context, leases),
    events: createInMemoryEvents(context),
    state: createInMemoryState(context),
    ...areasOf(
      { calls, areas },
      {
        memories: createInMemoryMemories(context),
        artifacts: createInMemoryArtifacts(context),
        metrics: createInMemoryMetrics(context),
      },
    ),
    erase: createInMemoryErase(context),
    migrate: (given) =>
      calls.run('migrate', given, (): MigrationReport => {
        const isDryRun = checkedFlag(checkedOptions(given, ['dryRun']).dryRun, 'dryRun')
        return { applied: [], current: undefined, ...(isDryRun && { sql: [] }) }
      }),
    ...withoutPathIndexes(calls),
    health: (given) =>
      calls.run('health', given, (): Health => {
        const isDeep = checkedFlag(checkedOptions(given, ['deep']).deep, 'deep')
        return {
          ok: true,
          flavour: 'memory',
          version: process.versions.node,
          latency: 0,
          schemaVersion: undefined,
          warnings: [],
          ...(isDeep && { settings: {} }),
        }
      }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function checkedDatabase(database: unknown = createInMemoryDatabase()): InMemoryDatabase {
  if (typeof database === 'object' && database !== null && reading('database', () => data in database))
    return database as InMemoryDatabase // the mark is on no other object
  throw new StoreError('invalid_argument', 'database must come from createInMemoryDatabase', { field: 'database' })
}
