import type { CallOptions, Store } from '@daybook/core'
import type { JoinedStore, TransactionOf } from '@daybook/drizzle'
import type { MysqlDatabase, MysqlExecutor } from './driver.ts'
import type { DaybookTables } from './schema.ts'

/** A store on MySQL or MariaDB. */
export interface MysqlStore<Db extends MysqlDatabase = MysqlDatabase> extends Store {
  /** The Drizzle database: yours, or the one over the pool that the store opened. */
  readonly db: Db
  /** The store's tables under their names here, for joins. */
  readonly tables: DaybookTables
  /**
   * Commits the application's rows and the agent's together, or neither. Inside, use the `store` that is given: it lives in
   * the transaction, and is `closed` afterwards. An error that the body throws rolls everything back and comes out as it is.
   */
  transaction<T>(body: (tx: TransactionOf<Db>, store: JoinedStore) => Promise<T>, options?: CallOptions): Promise<T>
  /** Joins a transaction that you began with `db.transaction`. Once it is over every method rejects with `closed`. */
  using(tx: MysqlExecutor): JoinedStore
}
