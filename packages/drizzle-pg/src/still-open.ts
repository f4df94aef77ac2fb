import { StoreError } from '@daybook/core'
import type { Script, Tx } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { failureOf } from './errors.ts'

const marker = 'daybook.joined'

/**
 * A driver goes on outside of a transaction that has ended, and what is written there would stay. A setting that ends with
 * the transaction tells. Who joins a transaction second, or inside a savepoint, finds the mark of the first and takes it.
 */
export function stillOpenIn(tx: Tx, joinId: string): () => Script<void> {
  const mark = {
    sql: sql.raw(
      `select set_config('${marker}', coalesce(nullif(current_setting('${marker}', true), ''), '${joinId}'), true) as "id"`,
    ),
  }
  const read = { sql: sql.raw(`select current_setting('${marker}', true) as "id"`) }
  let found: unknown
  return function* stillOpen() {
    try {
      found ??= (yield* tx.rows(mark))[0]?.['id']
      const [row] = yield* tx.rows(read)
      if (row?.['id'] === found) return
    } catch (error) {
      // PGlite asks the server nothing more, and its error has no code.
      if (failureOf(error).driverCode === undefined) throw transactionOver(error)
      throw error
    }
    throw transactionOver()
  }
}

const transactionOver = (cause?: unknown) =>
  new StoreError('closed', 'the transaction that this store had joined is over', { cause })
