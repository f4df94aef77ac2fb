import { createInMemoryDatabase, createInMemoryStore, type InMemoryDatabase, type Store } from '@daybook/core'
import { defineStoreUnderTest, type OpenOptions } from '@daybook/conformance'

// Put your store in the place of the one in memory. `options` are those of every store: a clock, a timeout, limits, a logger.
const databases = new Map<string, InMemoryDatabase>()
const open = async (id: string, { now, timeout, limits, logger }: OpenOptions = {}): Promise<Store> =>
  createInMemoryStore({
    database: databases.get(id) ?? createInMemoryDatabase(),
    ...(now && { now }),
    ...(timeout && { timeout }),
    ...(limits && { limits }),
    ...(logger && { logger }),
  })

// How another process opens the same place: in memory it finds nothing there, and your store finds everything.
export const openWorkerStore = (id: string): Promise<Store> => open(id)

export default defineStoreUnderTest({
  subject: { name: 'my-store', version: '0.1.0' },
  contract: '1.0',
  // What your store says of itself, every key: a probe that breaks must not quietly switch checks off.
  expects: {
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
  },
  // One empty, private place: a schema, a file, a map. `id` is safe in any identifier; `open` is an independent store each time.
  async provision({ id }) {
    databases.set(id, createInMemoryDatabase())
    return {
      open: (options) => open(id, options),
      worker: { module: import.meta.url, args: id },
      lacks: ['roles', 'pool', 'schema', 'locks', 'network', 'storage', 'refusals', 'opening'],
      destroy: async () => void databases.delete(id),
    }
  },
})
