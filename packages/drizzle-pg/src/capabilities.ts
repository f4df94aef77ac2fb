import type { Capabilities } from '@daybook/core'
import type { Driver } from './driver.ts'

interface Known {
  /** Whether tails are woken. */
  readonly isHeard: boolean
  readonly hasVectors: boolean
}

/** As far as it is known before the first look at the server. */
export const capabilitiesOf = ({ isSingle }: Driver, { isHeard, hasVectors }: Known): Capabilities => ({
  memories: 'yes',
  artifacts: 'yes',
  metrics: 'yes',
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
  nativeVectors: hasVectors ? 'yes' : 'no',
  isolation: 'read committed',
})
