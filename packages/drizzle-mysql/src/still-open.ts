import { StoreError } from '@daybook/core'
import { step, type Row, type Script } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { resultOf, type MysqlExecutor } from './driver.ts'
import { failureOf } from './errors.ts'

// mysql2 goes on outside of a transaction that has ended, and what is written there would stay. So it is asked before each
// call of a store that lives in one.

/** The server says it with every answer that has no rows, and nothing does less than this. */
export async function isInTransaction(tx: MysqlExecutor): Promise<boolean> {
  return resultOf(await tx.execute(sql.raw('do 0'))).isInTransaction
}

/** For a transaction that the store began, whose end it therefore knows: it may be gone before, by a deadlock or by DDL. */
export const stillOpen = (tx: MysqlExecutor) =>
  function* stillOpenHere(): Script<void> {
    if (!(yield* step(() => isInTransaction(tx)))) throw transactionOver()
  }

/** Which transaction it is: each begins and ends by a statement that its connection counts. Any role may read that. */
const counters = sql.raw(
  `show session status where variable_name in ('Com_begin', 'Com_commit', 'Com_rollback', 'Com_xa_start')`,
)
const connectionId = sql.raw('select connection_id() as `id`')

/**
 * For a transaction that somebody else began: a pool lends its connection to another one afterwards. Asked at once, before
 * anything that the application does after it: the driver keeps the order.
 */
export function stillOpenIn(tx: MysqlExecutor): () => Script<void> {
  const joined = placeOf(tx)
  joined.catch(() => {}) // the first call tells
  return function* stillOpenThere() {
    try {
      if ((yield* step(() => isInTransaction(tx))) && (yield* step(() => placeOf(tx))) === (yield* step(() => joined)))
        return
    } catch (error) {
      const { kind, driverCode } = failureOf(error)
      if (kind === 'connection' && driverCode === undefined) throw transactionOver(error) // closed on our side
      throw error
    }
    throw transactionOver()
  }
}

async function placeOf(tx: MysqlExecutor): Promise<string> {
  const [id, counted] = await Promise.all([rowsOf(tx, connectionId), rowsOf(tx, counters)])
  return JSON.stringify([id, counted])
}

const rowsOf = async (tx: MysqlExecutor, query: typeof counters): Promise<readonly Row[]> =>
  resultOf(await tx.execute(query)).rows

const transactionOver = (cause?: unknown) =>
  new StoreError('closed', 'the transaction that this store had joined is over', { cause })
