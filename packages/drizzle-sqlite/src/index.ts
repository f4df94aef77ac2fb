export { createSqliteStore } from './create.ts'
export {
  openSqliteStore,
  type LocalDatabase,
  type OpenedSqliteStore,
  type OpenSqliteOptions,
  type OpenWorkerOptions,
  type ServerDatabase,
} from './open.ts'
export type {
  AsyncDatabase,
  AsyncExecutor,
  AsyncSqliteStore,
  SqliteStore,
  SyncDatabase,
  SyncSqliteStore,
  WorkerSqliteStore,
} from './store.ts'
export type { TransactionOf } from '@daybook/drizzle'
export type { CodecContext, PayloadCodec } from '@daybook/drizzle'
export type { SqliteStoreOptions } from './options.ts'
export type { Pragmas } from './pragmas.ts'
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
} from './schema.ts'
