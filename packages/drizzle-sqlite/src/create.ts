import { isStoreError, StoreError } from '@daybook/core'
import { storeErrorOf, type Row } from '@daybook/drizzle'
import type { Client } from '@libsql/client'
import { asyncStore } from './async-store.ts'
import { createConnection, type Connection, type DriverDatabase } from './connection.ts'
import { ConnectionClosed, failureOf } from './errors.ts'
import type { SqliteStoreOptions } from './options.ts'
import type { AsyncDatabase, AsyncSqliteStore, SyncDatabase, SyncSqliteStore } from './store.ts'
import { syncStore } from './sync-store.ts'

/**
 * A store over a Drizzle database that you already have: `drizzle-orm/libsql` or `drizzle-orm/better-sqlite3`. Its settings
 * are left as they are (`health()` says which could lose data), and `close()` does not close it.
 *
 * @throws `unsupported` for another driver, or SQLite below 3.41 · `unavailable` · `corrupt` · `closed`
 */
export async function createSqliteStore<Db extends SyncDatabase>(
  db: Db,
  options?: SqliteStoreOptions,
): Promise<SyncSqliteStore<Db>>
export async function createSqliteStore<Db extends AsyncDatabase>(
  db: Db,
  options?: SqliteStoreOptions,
): Promise<AsyncSqliteStore<Db>>
export async function createSqliteStore(
  db: SyncDatabase | AsyncDatabase,
  options: SqliteStoreOptions = {},
): Promise<SyncSqliteStore | AsyncSqliteStore> {
  if (typeof db !== 'object' || db === null)
    throw new StoreError('invalid_argument', 'db must be a Drizzle database', { field: 'db' })
  try {
    return await storeOver(db, options)
  } catch (error) {
    throw isStoreError(error) ? error : storeErrorOf(failureOf(error), error)
  }
}

async function storeOver(
  db: SyncDatabase | AsyncDatabase,
  options: SqliteStoreOptions,
): Promise<SyncSqliteStore | AsyncSqliteStore> {
  if (isAsync(db)) {
    const isMemory = db.$client.protocol === 'file' && (await isInMemory(db.$client))
    return asyncStore(db, options, { isMemory, isOwned: false })
  }
  if (!isSync(db)) throw unknownDriver(db)
  const client = db.$client
  if (!client.open) throw new ConnectionClosed()
  const busyTimeout = timeoutOf(client)
  const connection = createConnection(client, { lockTimeout: busyTimeout, hasSlowRows: false })
  return syncStore(db, connection, options, { isMemory: mainFile(connection) === '', busyTimeout, close: () => {} })
}

const isAsync = (db: SyncDatabase | AsyncDatabase): db is AsyncDatabase =>
  typeof db.$client === 'object' && 'protocol' in db.$client && 'batch' in db.$client
const isSync = (db: SyncDatabase | AsyncDatabase): db is SyncDatabase =>
  typeof db.$client === 'object' && 'prepare' in db.$client && 'inTransaction' in db.$client

const unknownDriver = (db: object) =>
  new StoreError(
    'unsupported',
    `${db.constructor.name} is not over @libsql/client or better-sqlite3, the drivers that this store knows`,
    { capability: 'driver' },
  )

const databaseList = `select file as "file" from pragma_database_list where name = 'main'`
const mainFile = (connection: Connection) => connection.rows(databaseList, [])[0]?.['file'] ?? ''
const isInMemory = async (client: Client) => ((await client.execute(databaseList)).rows[0]?.['file'] ?? '') === ''

function timeoutOf(client: DriverDatabase): number {
  const [row] = client.prepare('select timeout as "timeout" from pragma_busy_timeout').all([])
  return Number((row as Row | undefined)?.['timeout'] ?? 0) // one row of that alias
}
