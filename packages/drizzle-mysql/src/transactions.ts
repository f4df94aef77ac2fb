import type { Call } from '@daybook/core'
import {
  bound,
  compiler,
  insertSelect,
  readLazily,
  remembered,
  runAsync,
  step,
  type Dialect,
  type InsertAll,
  type InsertNew,
  type ManyRows,
  type Params,
  type Row,
  type Script,
  type Statement,
  type Tx,
} from '@daybook/drizzle'
import { MySqlDialect } from 'drizzle-orm/mysql-core'
import type { Flavour } from './column-types.ts'
import type { Connections } from './connections.ts'
import { resultOf, runPrepared, runText, wire, type Connection, type MysqlExecutor } from './driver.ts'
import { failureOf } from './errors.ts'
import { ensureSql, insertSql } from './expressions.ts'
import { manyRowsOn, manyRowsThrough, manyRowsWire } from './many-rows.ts'

const insertStatement = remembered((insert: InsertNew) => ({ sql: insertSql(insert) }))
const insertAllStatement = remembered((insert: InsertAll) => ({ sql: insertSelect(insert) }))
const ensureStatement = remembered((insert: InsertNew) => ({ sql: ensureSql(insert) }))

const mysql = new MySqlDialect()
export const compiled = compiler((statement) => mysql.sqlToQuery(statement))

/** The level is that of the next transaction only. */
const begin = {
  read: ['set transaction isolation level repeatable read', 'start transaction read only'],
  write: ['set transaction isolation level read committed', 'start transaction'],
}

/** How scripts run. */
export function transactions({ lend }: Connections, flavour: Flavour): Pick<Dialect, 'read' | 'write'> {
  const manyRowsWired = manyRowsWire[flavour]
  const run = <T>(mode: 'read' | 'write', script: (tx: Tx) => Script<T>, call: Call): Promise<T> =>
    lend(call, async (connection) => {
      try {
        for (const statement of begin[mode]) await runText(connection, statement)
        const answer = await runAsync(script(connectionTx(connection, manyRowsOn(connection, manyRowsWired))), () =>
          call.check(),
        )
        if (mode === 'write') call.committing()
        await runText(connection, 'commit')
        return answer
      } catch (error) {
        await rolledBack(connection)
        throw error
      }
    })
  return {
    read: (script, call) =>
      readLazily(
        script,
        call,
        (statement, params) => lend(call, (connection) => rowsOn(connection, statement, params)),
        (whole) => run('read', whole, call),
      ),
    write: (script, call) => run('write', script, call),
  }
}

/** Always: a lock that was not to be had undoes its statement alone, and leaves the first half to be committed. */
export async function rolledBack(connection: Connection): Promise<void> {
  try {
    await runText(connection, 'rollback')
  } catch {
    connection.destroy() // the server ends what is open on it
  }
}

export const runOn = (connection: Connection, statement: Statement, params: Params) => {
  const { text, values } = compiled(statement)
  const bindings = values(params)
  // What is not a statement to prepare (DDL, savepoints) carries no values.
  return bindings.length === 0 ? runText(connection, text) : runPrepared(connection, text, bindings)
}

export const rowsOn = async (connection: Connection, statement: Statement, params: Params): Promise<readonly Row[]> =>
  (await runOn(connection, statement, params)).rows

const runThrough = async (tx: MysqlExecutor, statement: Statement, params: Params) =>
  resultOf(await tx.execute(bound(statement, wired(params))))

const wired = (params: Params): Params =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, wire(value)]))

type Run = (statement: Statement, params: Params) => Promise<ReturnType<typeof resultOf>>

const connectionTx = (connection: Connection, many: ManyRows): Tx =>
  verbs((statement, params) => runOn(connection, statement, params), many)

/** The verbs over whatever executes Drizzle's SQL. */
export const executorTx = (tx: MysqlExecutor): Tx =>
  verbs((statement, params) => runThrough(tx, statement, params), manyRowsThrough(tx))

const verbs = (run: Run, many: ManyRows): Tx => ({
  many,
  rows: (statement, params = {}) => step(async () => (await run(statement, params)).rows),
  change: (statement, params = {}) => step(async () => (await run(statement, params)).count),
  insertNew: (insert, params = {}) =>
    step(async () => {
      try {
        await run(insertStatement(insert), params)
        return true
      } catch (error) {
        if (failureOf(error).kind === 'duplicate') return false
        throw error
      }
    }),
  insertAll: (insert, params = {}) =>
    step(async () => {
      try {
        await run(insertAllStatement(insert), params)
        return undefined
      } catch (error) {
        if (failureOf(error).kind === 'duplicate') return []
        throw error
      }
    }),
  *ensure(insert, params = {}) {
    yield* step(() => run(ensureStatement(insert), params))
  },
})
