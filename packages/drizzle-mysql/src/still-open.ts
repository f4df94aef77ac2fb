import { StoreError } from '@daybook/core'
import type { Script, Tx } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'

/**
 * The driver goes on outside of a transaction that has ended, and what is written there would stay. A variable of the
 * connection says whose transaction it is, and the server whether there is one.
 */
export function stillOpenIn(tx: Tx, joinId: string): () => Script<void> {
  const mark = { sql: sql.raw(`set @daybook_joined = '${joinId}'`) }
  const read = { sql: sql.raw('select @@in_transaction as `open`, @daybook_joined as `id`') }
  let isMarked = false
  return function* stillOpen() {
    if (!isMarked) yield* tx.rows(mark)
    isMarked = true
    const [row] = yield* tx.rows(read)
    if (Number(row?.['open']) === 1 && row?.['id'] === joinId) return
    throw new StoreError('closed', 'the transaction that this store had joined is over')
  }
}
