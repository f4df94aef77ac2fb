export { createMysqlStore, type MysqlStoreOptions } from './create.ts'
export { openMysqlStore, type OpenMysqlOptions } from './open.ts'
export type { MysqlStore, TransactionOf } from './store.ts'
export type { MysqlDatabase, MysqlExecutor } from './driver.ts'
export {
  appStates,
  daybookTables,
  events,
  migrations,
  sessions,
  userStates,
  type DaybookTables,
  type Flavour,
  type MysqlTableOptions,
} from './schema.ts'
