import { checkedFlag, checkedRecord, createCalls, isStoreError, StoreError } from '@daybook/core'
import {
  applicationTransaction,
  createEngine,
  joiningStore,
  storeErrorOf,
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
 * @throws `unsupported` for MySQL below 8.0.19, MariaDB below 10.6, a server with NO_BACKSLASH_ESCAPES, connections without
 * autocommit, one connection instead of a pool, or another driver · `unavailable` when the server cannot be reached
 */
export const createMysqlStore = async <Db extends MysqlDatabase>(
  db: Db,
  options: MysqlStoreOptions = {},
): Promise<MysqlStore<Db>> => mysqlStore(db, options, connectionsOf(poolOf(db)), async () => {})

/**
 * @param close closes what the store opened itself
 * @param place where it was opened, to be named in errors
 */
export async function mysqlStore<Db extends MysqlDatabase>(
  db: Db,
  options: MysqlStoreOptions,
  connections: Connections,
  close: () => Promise<void>,
  place?: ServerPlace,
): Promise<MysqlStore<Db>> {
  const { foreignKeys } = checkedRecord(options, 'options')
  if (foreignKeys !== undefined) checkedFlag(foreignKeys, 'foreignKeys')
  const server = await createCalls(options).run('open', undefined, (call) =>
    connections.lend(call, probe).catch((error: unknown) => {
      throw isStoreError(error) ? error : storeErrorOf(failureOf(error), error, place)
    }),
  )
  const failures = failuresOf[server.flavour]
  const engine = createEngine(
    mysqlDialect({ connections, server, options, close, failures }),
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
