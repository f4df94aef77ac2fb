import type { Call } from '@daybook/core'
import {
  ensuringByInsert,
  bound,
  readLazily,
  remembered,
  runAsync,
  step,
  type Dialect,
  type InsertAll,
  type InsertNew,
  type Params,
  type Script,
  type Statement,
  type Tx,
} from '@daybook/drizzle'
import type { Database } from './database.ts'
import { resultOf, type Driver, type PgExecutor } from './driver.ts'
import { insertAllSql, insertNewSql } from './expressions.ts'
import { manyRowsOn } from './many-rows.ts'
import { preparedOn } from './prepared.ts'
import type { Waits } from './waits.ts'
import { wire } from './wire.ts'

const insertAllStatement = remembered((insert: InsertAll) => ({ sql: insertAllSql(insert) }))
const insertNewStatement = remembered((insert: InsertNew) => ({ sql: insertNewSql(insert) }))

/** How scripts run. */
export function transactions(database: Database, driver: Driver, waits: Waits): Pick<Dialect, 'read' | 'write'> {
  const prepared = preparedOn(driver)
  const inTransaction = <T>(script: (tx: Tx) => Script<T>, call: Call): Promise<T> =>
    database.transaction(
      (tx) => runAsync(script(executorTx(database.within(tx))), () => call.check()),
      { isolationLevel: 'repeatable read', accessMode: 'read only' },
      call,
    )

  return {
    read: (script, call) => {
      // A text that no other call will have is not worth the server's memory.
      const readOne = async (statement: Statement, params: Params) =>
        statement.isOneOff === true
          ? resultOf(await database.executor(call).execute(bound(statement, textual(params)))).rows
          : prepared(statement, () => params, call)
      return readLazily(script, call, readOne, inTransaction)
    },
    write: (script, call) =>
      database.transaction(
        async (tx) => {
          const answer = await runAsync(script(executorTx(database.within(tx), () => waits.hasty(call))), () =>
            call.check(),
          )
          call.committing()
          return answer
        },
        { isolationLevel: 'read committed' },
        call,
      ),
  }
}

const textual = (params: Params): Params =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, wire([value])[0] ?? null]))

/** The verbs over whatever executes Drizzle's SQL. */
/** @param hasty see {@link manyRowsOn} */
export const executorTx = (tx: PgExecutor, hasty?: () => Params): Tx =>
  ensuringByInsert({
    rows: (statement, params = {}) =>
      step(async () => resultOf(await tx.execute(bound(statement, textual(params)))).rows),
    change: (statement, params = {}) =>
      step(async () => resultOf(await tx.execute(bound(statement, textual(params)))).count),
    insertNew: (insert, params = {}) =>
      step(async () => resultOf(await tx.execute(bound(insertNewStatement(insert), textual(params)))).rows.length > 0),
    insertAll: (insert, params = {}) =>
      step(async () =>
        resultOf(await tx.execute(bound(insertAllStatement(insert), textual(params)))).rows.map((row) =>
          String(row['key']),
        ),
      ),
    many: manyRowsOn(tx, hasty),
  })
