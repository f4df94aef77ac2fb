import type { Call } from '@daybook/core'
import {
  bound,
  readLazily,
  remembered,
  runAsync,
  step,
  type Dialect,
  type InsertNew,
  type Params,
  type Row,
  type Script,
  type Statement,
  type Tx,
} from '@daybook/drizzle'
import { resultOf, wire, type MysqlDatabase, type MysqlExecutor } from './driver.ts'
import { failureOf } from './errors.ts'
import { ensureSql, insertSql } from './expressions.ts'

const insertStatement = remembered((insert: InsertNew) => ({ sql: insertSql(insert) }))
const ensureStatement = remembered((insert: InsertNew) => ({ sql: ensureSql(insert) }))

/** How scripts run. */
export function transactions(db: MysqlDatabase): Pick<Dialect, 'read' | 'write'> {
  const readInTransaction = <T>(script: (tx: Tx) => Script<T>, call: Call): Promise<T> => {
    call.check()
    return db.transaction((tx) => runAsync(script(executorTx(tx)), () => call.check()), {
      isolationLevel: 'repeatable read',
      accessMode: 'read only',
    })
  }
  return {
    read: (script, call) =>
      readLazily(
        script,
        call,
        (statement, params) => rowsOf(db, statement, params),
        (whole) => readInTransaction(whole, call),
      ),
    write(script, call) {
      call.check()
      return db.transaction(
        async (tx) => {
          const answer = await runAsync(script(executorTx(tx)), () => call.check())
          call.committing()
          return answer
        },
        { isolationLevel: 'read committed' },
      )
    },
  }
}

const execute = async (tx: MysqlExecutor, statement: Statement, params: Params) =>
  resultOf(await tx.execute(bound(statement, wired(params))))

const wired = (params: Params): Params =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, wire(value)]))

export const rowsOf = async (tx: MysqlExecutor, statement: Statement, params: Params): Promise<readonly Row[]> =>
  (await execute(tx, statement, params)).rows

/** The verbs over whatever executes Drizzle's SQL. */
export const executorTx = (tx: MysqlExecutor): Tx => ({
  rows: (statement, params = {}) => step(() => rowsOf(tx, statement, params)),
  change: (statement, params = {}) => step(async () => (await execute(tx, statement, params)).count),
  insertNew: (insert, params = {}) =>
    step(async () => {
      try {
        await execute(tx, insertStatement(insert), params)
        return true
      } catch (error) {
        if (failureOf(error).kind === 'duplicate') return false
        throw error
      }
    }),
  *ensure(insert, params = {}) {
    yield* step(() => execute(tx, ensureStatement(insert), params))
  },
})
