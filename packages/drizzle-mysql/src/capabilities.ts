import type { Capabilities } from '@daybook/core'
import type { Flavour } from './schema.ts'

/** @param foreignKeys whether the tables have them */
export const capabilitiesOf = (flavour: Flavour, foreignKeys: boolean): Capabilities => ({
  memories: 'no',
  artifacts: 'no',
  metrics: 'no',
  lease: 'no',
  jsonPathFilter: 'yes',
  // MariaDB 10.11 was seen to miss a row that it had just written, when it looked for it by an indexed virtual column.
  jsonPathIndex: flavour === 'mysql' ? 'yes' : 'no',
  fullTextSearch: 'no',
  vectorSearch: 'no',
  callerTransaction: 'yes',
  persistent: 'yes',
  concurrentWriters: 'yes',
  foreignKeys: foreignKeys ? 'yes' : 'no',
  skipLocked: 'yes',
  windowFunctions: 'yes',
  transactionalDdl: 'no',
  liveNotify: 'no',
  isolation: 'read committed',
})
