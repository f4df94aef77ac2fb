import { checkedFlag, createCalls, isStoreError, StoreError, storeContext } from '@daybook/core'
import {
  applicationTransaction,
  checkedCodecs,
  checkedStorage,
  createEngine,
  drizzleOptionNames,
  joiningStore,
  storeErrorOf,
  tableNamesOf,
  type DrizzleStoreOptions,
  type ServerPlace,
} from '@daybook/drizzle'
import { connectionsOf, type Connections } from './connections.ts'
import { mysqlDialect } from './dialect.ts'
import { poolOf, type MysqlDatabase, type MysqlExecutor } from './driver.ts'
import { failureOf, failuresOf } from './errors.ts'
import { probe } from './probe.ts'
import { daybookTables, type MysqlTableOptions } from './schema.ts'
import { isInTransaction, stillOpen, stillOpenIn } from './still-open.ts'
import type { MysqlStore } from './store.ts'
import { executorTx } from './transactions.ts'

export interface MysqlStoreOptions extends DrizzleStoreOptions, Pick<MysqlTableOptions, 'foreignKeys'> {}

/** The options that only this store has, besides those for opening one. */
export const mysqlOptionNames = ['foreignKeys'] as const

/**
 * A store over a Drizzle database that you already have: `drizzle-orm/mysql2` over a pool, for MySQL and MariaDB. `close()`
 * does not close it.
 *
 * @throws `unsupported` for MySQL below 8.0.19, MariaDB below 10.6, a server or connections with NO_BACKSLASH_ESCAPES, connections without
 * autocommit, one connection instead of a pool, or another driver · `unavailable` when the server cannot be reached
 */
export const createMysqlStore = async <Db extends MysqlDatabase>(
  db: Db,
  options: MysqlStoreOptions = {},
): Promise<MysqlStore<Db>> => mysqlStore(db, options, connectionsOf(poolOf(db)), async () => {})

/** What is wrong with the options is said before any I/O. */
export function checkedMysqlOptions(options: MysqlStoreOptions): void {
  storeContext(options, [...drizzleOptionNames, ...mysqlOptionNames])
  checkedCodecs(options.codec)
  checkedStorage(options.artifacts)
  tableNamesOf(options)
  if (options.foreignKeys !== undefined) checkedFlag(options.foreignKeys, 'foreignKeys')
}

/**
 * @param close closes what the store opened itself
 * @param place where it was opened, to be named in errors; absent for a pool that was handed over
 */
export async function mysqlStore<Db extends MysqlDatabase>(
  db: Db,
  options: MysqlStoreOptions,
  connections: Connections,
  close: () => Promise<void>,
  place?: ServerPlace,
): Promise<MysqlStore<Db>> {
  checkedMysqlOptions(options)
  const setsMode = place !== undefined
  const server = await createCalls(options).run('open', undefined, (call) =>
    connections
      .lend(call, (connection) => probe(connection, setsMode))
      .catch((error: unknown) => {
        throw isStoreError(error) ? error : storeErrorOf(failureOf(error), error, place)
      }),
  )
  const failures = failuresOf[server.flavour]
  const engine = createEngine(
    mysqlDialect({ connections, server, options, close, failures, setsMode }),
    options,
    mysqlOptionNames,
  )

  const transaction = applicationTransaction<Db, MysqlExecutor>(engine, {
    begin: (body, call) => connections.inTurn(call, () => db.transaction(body, { isolationLevel: 'read committed' })),
    verbs: executorTx,
    stillOpen,
    async beforeCommit(tx) {
      if (!(await isInTransaction(tx))) throw endedEarly()
    },
  })
  const using: MysqlStore<Db>['using'] = (tx) => joiningStore(engine, executorTx(tx), stillOpenIn(tx))
  return Object.assign(engine.store, {
    db,
    tables: daybookTables({ ...options, flavour: server.flavour }),
    transaction,
    using,
  })
}

/** By an error that the body caught, or by a statement such as DDL: COMMIT would say nothing. */
const endedEarly = () =>
  new StoreError(
    'internal',
    'the transaction was over before its commit: by a deadlock that the body caught, or by a statement that commits by itself',
  )
