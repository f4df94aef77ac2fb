import type { Capabilities } from '@daybook/core'
import type { Driver } from './driver.ts'

export const capabilitiesOf = ({ isSingle }: Driver): Capabilities => ({
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
  concurrentWriters: isSingle ? 'no' : 'yes',
  foreignKeys: 'yes',
  skipLocked: 'yes',
  windowFunctions: 'yes',
  transactionalDdl: 'yes',
  liveNotify: 'no',
  isolation: 'read committed',
})
