export type { CodecContext, PayloadCodec } from '@daybook/drizzle'
export { createPgStore, type PgStoreOptions } from './create.ts'
export { openPgStore, type OpenPgOptions } from './open.ts'
export type { PgStore } from './store.ts'
export type { TransactionOf } from '@daybook/drizzle'
export type { PgDatabase, PgExecutor } from './driver.ts'
export {
  appStates,
  daybookTables,
  events,
  memories,
  memoryWords,
  migrations,
  sessions,
  userStates,
  type DaybookTables,
  type PgTableOptions,
} from './schema.ts'
