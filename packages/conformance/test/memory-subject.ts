import { createInMemoryDatabase, createInMemoryStore, type StoreOptions } from '@daybook/core'
import { defineStoreUnderTest, type OpenOptions, type StoreUnderTest } from '../src/define.ts'

/** What a store in memory knows of the options of an opening. */
const storeOptions = ({ now, timeout, logger, limits }: OpenOptions = {}): StoreOptions => ({
  ...(now !== undefined && { now }),
  ...(timeout !== undefined && { timeout }),
  ...(logger !== undefined && { logger }),
  ...(limits !== undefined && { limits }),
})

export const memory: StoreUnderTest = defineStoreUnderTest({
  subject: { name: '@daybook/core in-memory store', version: '0.1.0' },
  contract: '1.0',
  expects: {
    memories: 'no',
    artifacts: 'no',
    metrics: 'no',
    lease: 'no',
    jsonPathFilter: 'no',
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
  async provision() {
    const database = createInMemoryDatabase()
    return {
      open: async (options) => createInMemoryStore({ database, ...storeOptions(options) }),
      destroy: async () => {},
    }
  },
})

export const subjects: Record<string, StoreUnderTest> = { memory }
