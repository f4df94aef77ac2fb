import type { CallOptions, Store } from '@daybook/core'
import type { JoinedStore, Script, ScriptStore, TransactionOf } from '@daybook/drizzle'
import type { Client } from '@libsql/client'
import type { SQL } from 'drizzle-orm'
import type { DriverDatabase } from './connection.ts'
import type { DaybookTables } from './schema.ts'

/** What every SQLite store adds to the contract; `kind` tells a {@link SyncSqliteStore} from an {@link AsyncSqliteStore}. */
export interface SqliteStore<Db = unknown> extends Store {
  /** Whether the driver answers at once or later, which is what `transaction` takes a body for: a script, or a promise. */
  readonly kind: 'sync' | 'async'
  /** The Drizzle database: yours, or the one over the connection that the store opened. */
  readonly db: Db
  /** The store's tables under their names here, for joins. */
  readonly tables: DaybookTables
}

/** A store over a synchronous driver: better-sqlite3, or a local file that the store opened. */
export interface SyncSqliteStore<Db extends SyncDatabase = SyncDatabase> extends SqliteStore<Db> {
  readonly kind: 'sync'
  /**
   * Commits the application's rows and the agent's together, or neither. The body is a script, because a synchronous driver
   * cannot wait: `yield*` the store's methods; run what you do with `tx` at once. It holds the thread and the writer's lock
   * until it ends. An error that the body throws rolls everything back and comes out as it is.
   *
   * @throws `busy` when another process kept the lock for longer than `busyTimeout` · `closed`
   */
  transaction<T>(body: (tx: TransactionOf<Db>, store: ScriptStore) => Script<T>, options?: CallOptions): Promise<T>
}

/** A store over `@libsql/client`. */
export interface AsyncSqliteStore<Db extends AsyncDatabase = AsyncDatabase> extends SqliteStore<Db> {
  readonly kind: 'async'
  /**
   * Commits the application's rows and the agent's together, or neither. Writers of this process wait meanwhile, calls on
   * the outer store too: inside, use the `store` that is given. It is `closed` afterwards. An error that the body throws
   * rolls everything back and comes out as it is.
   */
  transaction<T>(body: (tx: TransactionOf<Db>, store: JoinedStore) => Promise<T>, options?: CallOptions): Promise<T>
  /**
   * Joins a transaction that you began with `db.transaction`. Other writes of the same process wait or fail until it ends;
   * with `store.transaction` they wait.
   */
  using(tx: AsyncExecutor): JoinedStore
}

/**
 * A store over a local database whose work is done in a thread of its own: the event loop of this one stays free. There is
 * no `db` and no `transaction`, since neither can cross to another thread.
 */
export interface WorkerSqliteStore extends Store {
  readonly kind: 'worker'
  /** The store's tables under their names here. */
  readonly tables: DaybookTables
}

/** The part of a Drizzle database over a synchronous driver that a store uses. */
export interface SyncDatabase {
  readonly $client: DriverDatabase
  transaction<T>(body: (tx: object) => T, config?: { behavior?: 'deferred' | 'immediate' | 'exclusive' }): T
}

/** The part of a Drizzle database or transaction over `@libsql/client` that runs statements. */
export interface AsyncExecutor {
  all(query: SQL): PromiseLike<unknown[]>
  run(query: SQL): PromiseLike<{ readonly rowsAffected: number }>
}

export interface AsyncDatabase extends AsyncExecutor {
  readonly $client: Client
  transaction<T>(body: (tx: AsyncExecutor) => Promise<T>): Promise<T>
}
