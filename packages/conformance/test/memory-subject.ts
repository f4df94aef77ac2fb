import { referencePlace } from '../src/control.ts'
import { defineStoreUnderTest, type StoreUnderTest } from '../src/define.ts'

export const memory: StoreUnderTest = defineStoreUnderTest({
  subject: { name: '@daybook/core in-memory store', version: '0.1.0' },
  contract: '1.0',
  expects: {
    memories: 'yes',
    artifacts: 'yes',
    metrics: 'yes',
    lease: 'yes',
    jsonPathFilter: 'yes',
    jsonPathIndex: 'no',
    fullTextSearch: 'yes',
    vectorSearch: 'yes',
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
  // The other process shows that data end with this one.
  provision: async () => ({
    ...(await referencePlace()),
    worker: { module: new URL('./memory-worker.ts', import.meta.url).href, args: 'memory' },
  }),
})

export const subjects: Record<string, StoreUnderTest> = { memory }
