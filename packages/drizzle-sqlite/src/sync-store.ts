import { StoreError } from '@daybook/core'
import {
  createEngine,
  runSync,
  runTransaction,
  scriptStore,
  type Dialect,
  type Engine,
  type Script,
  type TransactionOf,
} from '@daybook/drizzle'
import { connectionDialect, connectionTx, probeConnection } from './connection-dialect.ts'
import type { Connection } from './connection.ts'
import { commonDialect } from './dialect.ts'
import { ConnectionClosed, ConnectionInUse } from './errors.ts'
import type { SqliteStoreOptions } from './options.ts'
import type { Probe } from './probe.ts'
import { daybookTables } from './schema.ts'
import type { SyncDatabase, SyncSqliteStore } from './store.ts'

interface SyncSetup {
  readonly isMemory: boolean
  /** The busy timeout that somebody else set on the connection, to be put back once a transaction has begun. */
  readonly busyTimeout: number | undefined
  readonly close: () => void
}

/** A store over one connection of a synchronous driver. */
export function syncStore<Db extends SyncDatabase>(
  db: Db,
  connection: Connection,
  options: SqliteStoreOptions,
  setup: SyncSetup,
): SyncSqliteStore<Db> {
  const { engine } = syncEngine(connection, options, setup)

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
        const { store, appendedTo, assertAllRun, end } = scriptStore(engine, connectionTx(connection))
        try {
          const answer = enter(() => runSync(checkedScript(body(tx, store))))
          assertAllRun()
          call.check()
          return { answer, appendedTo }
        } finally {
          end()
        }
      })
    })
  return Object.assign(engine.store, { kind: 'sync' as const, db, tables: daybookTables(options), transaction })
}

/** @param patch changes the dialect before the engine gets it */
export function syncEngine(
  connection: Connection,
  options: SqliteStoreOptions,
  { isMemory, close }: Pick<SyncSetup, 'isMemory' | 'close'>,
  patch: (dialect: Dialect) => Dialect = (dialect) => dialect,
): { readonly engine: Engine; readonly probe: Probe } {
  const probe = probeConnection(connection, { isSynchronous: true, isMemory })
  const dialect = connectionDialect({
    common: commonDialect(options, probe),
    tables: daybookTables(options),
    connection,
    probe,
    close,
  })
  return { engine: createEngine(patch(dialect), options, ['busyTimeout']), probe }
}

/** An `async` body would go on after the commit. */
function checkedScript<T>(script: Script<T>): Script<T> {
  if (typeof script === 'object' && script !== null && 'next' in script && !(Symbol.asyncIterator in script))
    return script
  throw new StoreError(
    'invalid_argument',
    'body must be a generator function (function*): this driver is synchronous',
    { field: 'body' },
  )
}
