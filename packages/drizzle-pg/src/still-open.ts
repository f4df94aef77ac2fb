import { StoreError } from '@daybook/core'
import type { Script, Tx } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { failureOf } from './errors.ts'

/**
 * Unlike a setting, neither is undone with a savepoint. Outside of a transaction each statement has a number of its own. A
 * standby gives no numbers, and lets nobody write.
 */
const place = {
  sql: sql.raw(
    `select pg_backend_pid()::text || ' ' || case when pg_is_in_recovery() then transaction_timestamp()::text else pg_current_xact_id()::text end as "place"`,
  ),
}

/**
 * A driver goes on outside of a transaction that has ended, and what is written there would stay. Where the first call
 * found itself, each later one must be.
 *
 * The first one asks twice, for the transaction may have been over before it.
 */
export function stillOpenIn(tx: Tx): () => Script<void> {
  let found: unknown
  return function* stillOpen() {
    try {
      found ??= yield* placeIn(tx)
      if ((yield* placeIn(tx)) === found) return
    } catch (error) {
      // PGlite asks the server nothing more, and its error has no code.
      if (failureOf(error).driverCode === undefined) throw transactionOver(error)
      throw error
    }
    throw transactionOver()
  }
}

function* placeIn(tx: Tx): Script<unknown> {
  return (yield* tx.rows(place))[0]?.['place']
}

const transactionOver = (cause?: unknown) =>
  new StoreError('closed', 'the transaction that this store had joined is over', { cause })
