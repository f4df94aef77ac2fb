import { isStoreError, uuidv7 } from '@daybook/core'
import {
  applicationTransaction,
  createEngine,
  joinedStore,
  storeErrorOf,
  type DrizzleStoreOptions,
} from '@daybook/drizzle'
import { mysqlDialect } from './dialect.ts'
import type { MysqlDatabase, MysqlExecutor } from './driver.ts'
import { failureOf } from './errors.ts'
import { probe } from './probe.ts'
import { daybookTables } from './schema.ts'
import { stillOpenIn } from './still-open.ts'
import type { MysqlStore } from './store.ts'
import { executorTx } from './transactions.ts'

export interface MysqlStoreOptions extends DrizzleStoreOptions {}

/**
 * A store over a Drizzle database that you already have: `drizzle-orm/mysql2`, for MySQL and MariaDB. `close()` does not
 * close it.
 *
 * @throws `unsupported` for MySQL below 8.0.19, MariaDB below 10.6, or a server with NO_BACKSLASH_ESCAPES · `unavailable`
 * when the server cannot be reached
 */
export const createMysqlStore = <Db extends MysqlDatabase>(
  db: Db,
  options: MysqlStoreOptions = {},
): Promise<MysqlStore<Db>> => mysqlStore(db, options, async () => {})

/** @param close closes what the store opened itself */
export async function mysqlStore<Db extends MysqlDatabase>(
  db: Db,
  options: MysqlStoreOptions,
  close: () => Promise<void>,
): Promise<MysqlStore<Db>> {
  const server = await probe(db).catch((error: unknown) => {
    throw isStoreError(error) ? error : storeErrorOf(failureOf(error), error)
  })
  const engine = createEngine(mysqlDialect({ db, server, options, close }), options, [])

  const transaction = applicationTransaction<Db, MysqlExecutor>(engine, {
    begin: (body) => db.transaction(body, { isolationLevel: 'read committed' }),
    verbs: executorTx,
  })
  const using: MysqlStore<Db>['using'] = (tx) => {
    const verbs = executorTx(tx)
    return joinedStore(engine, verbs, stillOpenIn(verbs, uuidv7())).store
  }
  return Object.assign(engine.store, {
    db,
    tables: daybookTables({ ...options, flavour: server.flavour }),
    transaction,
    using,
  })
}
