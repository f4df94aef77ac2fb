import {
  columnList,
  remembered,
  replacedColumns,
  step,
  usualStatementBytes,
  variants,
  type ManyRows,
  type ManyRowsFacts,
  type RowsInsert,
  type RowValues,
  type Value,
} from '@daybook/drizzle'
import { Param, sql, type SQL } from 'drizzle-orm'
import { MySqlDialect } from 'drizzle-orm/mysql-core'
import type { Flavour } from './column-types.ts'
import { resultOf, runWired, wire, type Connection, type MysqlExecutor } from './driver.ts'
import { failureOf } from './errors.ts'

/** What of the largest packet is left for all that is no value. */
export const frameBytes: number = 64 * 1024

/** A connection keeps each length of a list prepared, so there are a few of them. */
const lengths = [250, 50, 10, 1]
/** Parameters of a statement at most. */
const parameters = 65_535

/** Of the largest packet a quarter: a text may be escaped as JSON and once more for the statement. */
export const manyRowsFacts = (maxAllowedPacket: number): ManyRowsFacts => ({
  inTransaction: 1000,
  inStatement: (left) => lengths.find((length) => length <= left) ?? 1,
  statementBytes: Math.min(usualStatementBytes, Math.floor((maxAllowedPacket - frameBytes) / 4)),
})

const mysql = new MySqlDialect()
const textOf = (text: SQL) => mysql.sqlToQuery(text).sql

/** What stands before and after the values. */
const framed = remembered((insert: RowsInsert) => {
  const { into, columns } = insert
  if (columns.length * (lengths[0] ?? 1) > parameters) throw new TypeError('the table has too many columns')
  const replaced = sql.join(
    replacedColumns(insert).map(({ name }) => sql`${sql.identifier(name)} = values(${sql.identifier(name)})`),
    sql`, `,
  )
  const before = sql`insert into ${into} ${columnList(insert)} values `
  const after = sql` on duplicate key update ${replaced}`
  const row = `(${columns.map(() => '?').join(', ')})`
  const text = (end: string) =>
    variants((length) => `${textOf(before)}${Array.from({ length: Number(length) }, () => row).join(', ')}${end}`)
  return { before, after, inserting: text(''), replacing: text(textOf(after)) }
})

type Send = (insert: RowsInsert, rows: readonly RowValues[], replaces: boolean) => Promise<number>

type Wire = (value: Value) => Value

/** MySQL tells the driver what a column is, and the driver makes a whole number anew for it, by way of a BigInt, at ten times the cost of its text. */
export const manyRowsWire: Readonly<Record<Flavour, Wire>> = {
  mariadb: wire,
  mysql: (value) => (typeof value === 'number' || typeof value === 'bigint' ? String(value) : value),
}

/** Prepared, so that the values go as they are. */
export const manyRowsOn = (connection: Connection, wired: Wire): ManyRows =>
  verbs(async (insert, rows, replaces) => {
    const { inserting, replacing } = framed(insert)
    const text = (replaces ? replacing : inserting)(String(rows.length))
    const values: Value[] = []
    for (const row of rows) for (let i = 0; i < row.length; i++) values.push(wired(row[i] ?? null))
    return (await runWired(connection, text, values)).count
  }, true)

/** The same over Drizzle, which writes the values into the text. */
export const manyRowsThrough = (tx: MysqlExecutor): ManyRows =>
  verbs(async (insert, rows, replaces) => {
    const { before, after } = framed(insert)
    const lists = rows.map((values) => sql`(${sql.join(values.map(parameter), sql`, `)})`)
    return resultOf(await tx.execute(sql`${before}${sql.join(lists, sql`, `)}${replaces ? after : sql``}`)).count
  }, false)

const parameter = (value: Value) => sql`${new Param(wire(value))}`

/**
 * A key that exists leaves a lock behind that others may share, and gaps beside it: who went on to write under it would wait for
 * others that do the same. A transaction of ours begins anew, and looks first.
 */
const verbs = (send: Send, isOurs: boolean): ManyRows => ({
  insertNew: (insert, rows, isHasty) =>
    step(async () => {
      try {
        return await send(insert, rows, false)
      } catch (error) {
        if (!(isHasty && isOurs) && failureOf(error).kind === 'duplicate') return undefined
        throw error
      }
    }),
  *replace(insert, rows) {
    yield* step(() => send(insert, rows, true))
  },
})
