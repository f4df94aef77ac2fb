import { isStoreError, uuidv7 } from '@daybook/core'
import { createEngine, joinedStore, runTransaction, storeErrorOf, type DrizzleStoreOptions } from '@daybook/drizzle'
import { executorTx, pgDialect, stillOpenIn } from './dialect.ts'
import { driverOf, type PgDatabase } from './driver.ts'
import { failureOf } from './errors.ts'
import { probe } from './probe.ts'
import { daybookTables, type PgTableOptions } from './schema.ts'
import type { PgStore, TransactionOf } from './store.ts'

export interface PgStoreOptions extends DrizzleStoreOptions, PgTableOptions {}

/**
 * A store over a Drizzle database that you already have: `drizzle-orm/postgres-js`, `drizzle-orm/node-postgres` or
 * `drizzle-orm/pglite`. `close()` does not close it.
 *
 * @throws `unsupported` for another driver, or PostgreSQL below 14 · `unavailable` when the server cannot be reached
 */
export const createPgStore = <Db extends PgDatabase>(db: Db, options: PgStoreOptions = {}): Promise<PgStore<Db>> => pgStore(db, options, async () => {})

/** @param close closes what the store opened itself */
export async function pgStore<Db extends PgDatabase>(db: Db, options: PgStoreOptions, close: () => Promise<void>): Promise<PgStore<Db>> {
  const dialect = pgDialect({ db, driver: driverOf(db), options, close })
  const engine = createEngine(dialect, options)
  try {
    await probe(db)
  } catch (error) {
    throw isStoreError(error) ? error : storeErrorOf(failureOf(error), error)
  }

  const transaction: PgStore<Db>['transaction'] = (body, callOptions) =>
    runTransaction(engine, callOptions, (call, enter) => {
      call.check()
      return db.transaction(
        async (tx) => {
          const { store, appendedTo } = joinedStore(engine, executorTx(tx))
          try {
            const answer = await enter(() => body(tx as TransactionOf<Db>, store)) // Drizzle hands out the transaction of this database
            call.committing()
            return { answer, appendedTo }
          } finally {
            await store.close()
          }
        },
        { isolationLevel: 'read committed' },
      )
    })
  const using: PgStore<Db>['using'] = (tx) => {
    const verbs = executorTx(tx)
    return joinedStore(engine, verbs, stillOpenIn(verbs, uuidv7())).store
  }
  return Object.assign(engine.store, { db, tables: daybookTables(options), transaction, using })
}
