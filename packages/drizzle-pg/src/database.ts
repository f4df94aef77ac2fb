import type { Driver, PgDatabase, PgExecutor } from './driver.ts'

type Config = Parameters<PgDatabase['transaction']>[1]

/** A Drizzle database whose errors tell what became of the connection. */
export interface Database {
  readonly execute: PgExecutor['execute']
  /** The body gets Drizzle's own transaction, whose errors are Drizzle's; see {@link Database.within}. */
  transaction<T>(body: (tx: PgExecutor) => Promise<T>, config: Config): Promise<T>
  /** The same for a transaction of Drizzle's. */
  within(tx: PgExecutor): PgExecutor
}

export function databaseOver(db: PgDatabase, { coded }: Driver): Database {
  const within = (executor: PgExecutor): PgExecutor => ({
    async execute(query) {
      try {
        return await executor.execute(query)
      } catch (error) {
        throw coded(error)
      }
    },
  })
  return {
    execute: within(db).execute,
    within,
    async transaction(body, config) {
      let thrown: { readonly error: unknown } | undefined
      const noting = async (tx: PgExecutor) => {
        try {
          return await body(tx)
        } catch (error) {
          thrown = { error }
          throw error
        }
      }
      try {
        return await db.transaction(noting, config)
      } catch (error) {
        // On a dead connection the rollback fails too, and Drizzle reports that.
        throw thrown === undefined ? coded(error) : thrown.error
      }
    },
  }
}
