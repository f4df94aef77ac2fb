import type { Capabilities } from '@daybook/core'
import type { Driver } from './driver.ts'

/** @param isHeard whether tails are woken, as far as that is known before the first look */
export const capabilitiesOf = ({ isSingle }: Driver, isHeard: boolean): Capabilities => ({
  memories: 'yes',
  artifacts: 'yes',
  metrics: 'no',
  lease: 'yes',
  jsonPathFilter: 'yes',
  jsonPathIndex: 'yes',
  fullTextSearch: 'yes',
  vectorSearch: 'no',
  callerTransaction: 'yes',
  persistent: 'yes',
  concurrentWriters: isSingle ? 'no' : 'yes',
  foreignKeys: 'yes',
  skipLocked: 'yes',
  windowFunctions: 'yes',
  transactionalDdl: 'yes',
  liveNotify: isHeard ? 'yes' : 'no',
  isolation: 'read committed',
})
