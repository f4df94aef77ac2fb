export type { CodecContext, PayloadCodec } from '@daybook/drizzle'
export { createMysqlStore, type MysqlStoreOptions } from './create.ts'
export { openMysqlStore, type OpenMysqlOptions } from './open.ts'
export type { MysqlStore } from './store.ts'
export type { TransactionOf } from '@daybook/drizzle'
export type { MysqlDatabase, MysqlExecutor } from './driver.ts'
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
  type Flavour,
  type MysqlTableOptions,
} from './schema.ts'
