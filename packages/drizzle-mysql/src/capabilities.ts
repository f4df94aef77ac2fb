import type { Capabilities } from '@daybook/core'

export const capabilities: Capabilities = {
  memories: 'no',
  artifacts: 'no',
  metrics: 'no',
  lease: 'no',
  jsonPathFilter: 'yes',
  jsonPathIndex: 'no',
  fullTextSearch: 'no',
  vectorSearch: 'no',
  callerTransaction: 'yes',
  persistent: 'yes',
  concurrentWriters: 'yes',
  foreignKeys: 'yes',
  skipLocked: 'yes',
  windowFunctions: 'yes',
  transactionalDdl: 'no',
  liveNotify: 'no',
  isolation: 'read committed',
}
