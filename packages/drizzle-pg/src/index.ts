export { createPgStore, type PgStoreOptions } from './create.ts'
export { openPgStore, type OpenPgOptions } from './open.ts'
export type { PgStore, TransactionOf } from './store.ts'
export type { PgDatabase, PgExecutor } from './driver.ts'
export {
  appStates,
  daybookTables,
  events,
  migrations,
  sessions,
  userStates,
  type DaybookTables,
  type PgTableOptions,
} from './schema.ts'
