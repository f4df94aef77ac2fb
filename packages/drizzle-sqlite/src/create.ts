import { isStoreError, StoreError } from '@daybook/core'
import { bound, createEngine, joinedStore, runSync, runTransaction, scriptStore, step, storeErrorOf, type DrizzleStoreOptions, type Failure, type Row, type Script, type Tx } from '@daybook/drizzle'
import type { Client } from '@libsql/client'
import { clientDialect, probeClient } from './client-dialect.ts'
import { connectionDialect, connectionTx, probeConnection } from './connection-dialect.ts'
import { createConnection, type Connection, type DriverDatabase } from './connection.ts'
import { commonDialect, insertNewStatement, serverLimits } from './dialect.ts'
import { ConnectionClosed, ConnectionInUse, failureOf } from './errors.ts'
import { daybookTables } from './schema.ts'
import type { AsyncDatabase, AsyncExecutor, AsyncSqliteStore, SyncDatabase, SyncSqliteStore, TransactionOf } from './store.ts'

export interface SqliteStoreOptions extends DrizzleStoreOptions {
  /** Milliseconds to wait for another process that writes. Default 5,000. The event loop stays free meanwhile. */
  readonly busyTimeout?: number
}

/**
 * A store over a Drizzle database that you already have: `drizzle-orm/libsql` or `drizzle-orm/better-sqlite3`. Its settings
 * are left as they are (`health()` says which could lose data), and `close()` does not close it.
 *
 * @throws `unsupported` for another driver, or SQLite below 3.38 · `unavailable` · `corrupt` · `closed`
 */
export async function createSqliteStore<Db extends SyncDatabase>(db: Db, options?: SqliteStoreOptions): Promise<SyncSqliteStore<Db>>
export async function createSqliteStore<Db extends AsyncDatabase>(db: Db, options?: SqliteStoreOptions): Promise<AsyncSqliteStore<Db>>
export async function createSqliteStore(db: SyncDatabase | AsyncDatabase, options: SqliteStoreOptions = {}): Promise<SyncSqliteStore | AsyncSqliteStore> {
  if (typeof db !== 'object' || db === null) throw new StoreError('invalid_argument', 'db must be a Drizzle database', { field: 'db' })
  try {
    return await storeOver(db, options)
  } catch (error) {
    throw isStoreError(error) ? error : storeErrorOf(failureOf(error), error)
  }
}

async function storeOver(db: SyncDatabase | AsyncDatabase, options: SqliteStoreOptions): Promise<SyncSqliteStore | AsyncSqliteStore> {
  if (isAsync(db)) {
    const isMemory = db.$client.protocol === 'file' && (await isInMemory(db.$client))
    return asyncStore(db, options, { isMemory, isOwned: false })
  }
  if (!isSync(db)) throw unknownDriver(db)
  const client = db.$client
  if (!client.open) throw new ConnectionClosed()
  const busyTimeout = timeoutOf(client)
  const connection = createConnection(client, busyTimeout)
  return syncStore(db, connection, options, { isMemory: mainFile(connection) === '', busyTimeout, close: () => {} })
}

const isAsync = (db: SyncDatabase | AsyncDatabase): db is AsyncDatabase => typeof db.$client === 'object' && 'protocol' in db.$client && 'batch' in db.$client
const isSync = (db: SyncDatabase | AsyncDatabase): db is SyncDatabase => typeof db.$client === 'object' && 'prepare' in db.$client && 'inTransaction' in db.$client

const unknownDriver = (db: object) =>
  new StoreError('unsupported', `${db.constructor.name} is not over @libsql/client or better-sqlite3, the drivers that this store knows`, { capability: 'driver' })

const databaseList = `select file as "file" from pragma_database_list where name = 'main'`
const mainFile = (connection: Connection) => connection.rows(databaseList, [])[0]?.['file'] ?? ''
const isInMemory = async (client: Client) => ((await client.execute(databaseList)).rows[0]?.['file'] ?? '') === ''

function timeoutOf(client: DriverDatabase): number {
  const [row] = client.prepare('select timeout as "timeout" from pragma_busy_timeout').all([])
  return Number((row as Row | undefined)?.['timeout'] ?? 0) // one row of that alias
}

interface SyncSetup {
  readonly isMemory: boolean
  /** The busy timeout that somebody else set on the connection, to be put back once a transaction has begun. */
  readonly busyTimeout: number | undefined
  readonly close: () => void
}

export function syncStore<Db extends SyncDatabase>(db: Db, connection: Connection, options: SqliteStoreOptions, setup: SyncSetup): SyncSqliteStore<Db> {
  const probe = probeConnection(connection, { isSynchronous: true, isMemory: setup.isMemory })
  const dialect = connectionDialect(commonDialect(options, probe), connection, probe, setup.close)
  const engine = createEngine(dialect, options)

  function setBusyTimeout(ms: number | undefined): void {
    if (ms !== undefined) db.$client.exec(`PRAGMA busy_timeout = ${ms}`)
  }

  /** Drizzle begins it, so that the body gets Drizzle's own transaction; see connection.ts about the timeout. */
  function inTransaction<T>(body: (tx: TransactionOf<Db>) => T): T {
    if (!connection.isOpen) throw new ConnectionClosed()
    if (connection.inTransaction) throw new ConnectionInUse()
    if (setup.busyTimeout !== undefined) setBusyTimeout(0)
    try {
      return db.transaction(
        (tx) => {
          setBusyTimeout(setup.busyTimeout)
          return body(tx as TransactionOf<Db>) // Drizzle hands out the transaction of this database
        },
        { behavior: 'immediate' },
      )
    } finally {
      setBusyTimeout(setup.busyTimeout)
    }
  }

  const transaction: SyncSqliteStore<Db>['transaction'] = (body, callOptions) =>
    runTransaction(engine, callOptions, async (call, enter) => {
      call.check()
      return inTransaction((tx) => {
        const { store, appendedTo, end } = scriptStore(engine, connectionTx(connection))
        try {
          const answer = enter(() => runSync(checkedScript(body(tx, store))))
          call.check()
          return { answer, appendedTo }
        } finally {
          end()
        }
      })
    })
  return Object.assign(engine.store, { db, tables: daybookTables(options), transaction })
}

/** An `async` body would go on after the commit. */
function checkedScript<T>(script: Script<T>): Script<T> {
  if (typeof script === 'object' && script !== null && 'next' in script && !(Symbol.asyncIterator in script)) return script
  throw new StoreError('invalid_argument', 'body must be a generator function (function*): this driver is synchronous', { field: 'body' })
}

interface AsyncSetup {
  readonly isMemory: boolean
  readonly isOwned: boolean
}

export async function asyncStore<Db extends AsyncDatabase>(db: Db, options: SqliteStoreOptions, setup: AsyncSetup): Promise<AsyncSqliteStore<Db>> {
  const tables = daybookTables(options)
  const probe = await probeClient(db.$client, setup.isMemory)
  const dialect = clientDialect({ common: commonDialect(options, probe, db.$client.protocol === 'file' ? {} : serverLimits), tables, client: db.$client, probe, isOwned: setup.isOwned })
  const engine = createEngine(dialect, options)

  const transaction: AsyncSqliteStore<Db>['transaction'] = (body, callOptions) =>
    runTransaction(engine, callOptions, (call, enter) =>
      dialect.lock.write(() => {
        call.check()
        return db.transaction(async (tx) => {
          const { store, appendedTo } = joinedStore(engine, executorTx(tx))
          try {
            const answer = await enter(() => body(tx as TransactionOf<Db>, store)) // as above
            call.committing()
            return { answer, appendedTo }
          } finally {
            await store.close()
          }
        })
      }),
    )
  const using = (tx: AsyncExecutor) => joinedStore({ ...engine, failureOf: joinedFailureOf }, executorTx(tx)).store
  return Object.assign(engine.store, { db, tables, transaction, using })
}

/** To a store that joined a transaction, its end is the end. */
function joinedFailureOf(error: unknown): Failure {
  const failure = failureOf(error)
  return failure.driverCode === 'TRANSACTION_CLOSED' ? { ...failure, kind: 'closed' } : failure
}

/** The verbs inside a transaction of Drizzle over `@libsql/client`. */
const executorTx = (tx: AsyncExecutor): Tx => ({
  rows: (statement, params = {}) => step(async () => (await tx.all(bound(statement, params))) as readonly Row[]), // objects by alias
  change: (statement, params = {}) => step(async () => (await tx.run(bound(statement, params))).rowsAffected),
  insertNew: (insert, params = {}) => step(async () => (await tx.run(bound(insertNewStatement(insert), params))).rowsAffected > 0),
})
