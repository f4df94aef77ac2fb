import { createInMemoryDatabase, createInMemoryStore, type Store } from '@daybook/core'
import { defineStoreUnderTest, type OpenOptions } from '@daybook/conformance'

// Put your store in the place of the one in memory. `options` are those of every store: a clock, a timeout, limits, a logger.
const database = (id: string) => (databases[id] ??= createInMemoryDatabase())
const databases: Record<string, ReturnType<typeof createInMemoryDatabase>> = {}
const open = async (id: string, options: OpenOptions = {}): Promise<Store> =>
  createInMemoryStore({
    database: database(id),
    ...(options.now && { now: options.now }),
    ...(options.timeout && { timeout: options.timeout }),
    ...(options.logger && { logger: options.logger }),
    ...(options.limits && { limits: options.limits }),
  })

// How another process opens the same place.
export const openWorkerStore = (id: string): Promise<Store> => open(id)

export default defineStoreUnderTest({
  subject: { name: 'my-store', version: '0.1.0' },
  contract: '1.0',
  // What your store says of itself, pinned: a probe that breaks must not quietly switch checks off.
  expects: {
    memories: 'no',
    artifacts: 'no',
    metrics: 'no',
    lease: 'no',
    jsonPathFilter: 'yes',
    jsonPathIndex: 'no',
    fullTextSearch: 'no',
    vectorSearch: 'no',
    callerTransaction: 'no',
    persistent: 'no',
    concurrentWriters: 'no',
    foreignKeys: 'yes',
    skipLocked: 'no',
    windowFunctions: 'no',
    transactionalDdl: 'yes',
    liveNotify: 'yes',
    isolation: 'serializable',
  },
  // One empty, private place for each run: a schema, a file, a map. `id` is safe in any identifier.
  provision: async ({ id }) => ({
    open: (options) => open(id, options),
    worker: { module: import.meta.url, args: id },
    lacks: ['roles', 'pool', 'schema', 'locks'],
    destroy: async () => void Reflect.deleteProperty(databases, id),
  }),
})
