import type { Capabilities } from '@daybook/core'
import type { Probe } from './probe.ts'

/** @param foreignKeys whether the tables have them */
export const capabilitiesOf = (foreignKeys: boolean, { hasVectors }: Pick<Probe, 'hasVectors'>): Capabilities => ({
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
  concurrentWriters: 'yes',
  foreignKeys: foreignKeys ? 'yes' : 'no',
  skipLocked: 'yes',
  windowFunctions: 'yes',
  transactionalDdl: 'no',
  liveNotify: 'no',
  nativeVectors: hasVectors ? 'yes' : 'no',
  isolation: 'read committed',
})
