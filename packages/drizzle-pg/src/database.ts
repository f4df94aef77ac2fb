import { isStoreError, type Call } from '@daybook/core'
import type { Driver, PgDatabase, PgExecutor } from './driver.ts'
import type { Waits } from './waits.ts'

type Config = Parameters<PgDatabase['transaction']>[1]

/** A Drizzle database whose errors tell what became of the connection. */
export interface Database {
  /** What runs statements outside of transactions for a call. */
  executor(call: Call): PgExecutor
  /** The body gets Drizzle's own transaction, whose errors are Drizzle's; see {@link Database.within}. */
  transaction<T>(body: (tx: PgExecutor) => Promise<T>, config: Config, call: Call): Promise<T>
  /** The same for a transaction of Drizzle's. */
  within(tx: PgExecutor): PgExecutor
}

export function databaseOver(db: PgDatabase, driver: Driver, waits: Waits): Database {
  const within = (executor: PgExecutor): PgExecutor => ({
    async execute(query) {
      try {
        // A builder of Drizzle asks for its connection when `then` is called, and that has to be now: see borrowed.ts.
        return await executor.execute(query).then((answer) => answer)
      } catch (error) {
        throw driver.coded(error)
      }
    },
  })
  return {
    executor: (call) => ({ execute: (query) => driver.inTurn(call, async () => within(db).execute(query)) }),
    within,
    async transaction(body, config, call) {
      let thrown: { readonly error: unknown } | undefined
      const noting = async (tx: PgExecutor) => {
        try {
          if (config?.accessMode !== 'read only') await within(tx).execute(waits.statement(call))
          return await body(tx)
        } catch (error) {
          thrown = { error: waits.told(error, call) }
          throw error
        }
      }
      try {
        return await driver.inTurn(call, () => db.transaction(noting, config))
      } catch (error) {
        // On a dead connection the rollback fails too, and Drizzle reports that.
        if (thrown !== undefined) throw thrown.error
        throw isStoreError(error) ? error : driver.coded(error)
      }
    },
  }
}
