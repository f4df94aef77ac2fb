import {
  columnList,
  onConflict,
  param,
  remembered,
  quoted,
  rowsWriter,
  step,
  usualStatementBytes,
  type ManyRows,
  type ManyRowsFacts,
  type Params,
  type RowsInsert,
  type RowValues,
  type Script,
  type Statement,
  type Value,
} from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'
import { unitsOf } from './column-types.ts'
import type { Connection } from './connection.ts'
import { SyncDialect } from './drizzle-names.ts'

/**
 * A writer has the whole database meanwhile, and a driver of a local file the thread. But a commit writes every page of six indexes anew:
 * in tens of a hundred rows a thousand take three times as long as in one.
 */
export const manyRowsFacts: ManyRowsFacts = {
  inTransaction: 1000,
  inStatement: (left) => Math.min(left, 1000),
  statementBytes: usualStatementBytes,
}

const sqlite = new SyncDialect()
const textOf = (text: SQL) => sqlite.sqlToQuery(text).sql

const ending = (replaces: boolean) =>
  remembered((insert: RowsInsert) => {
    const before = sql`insert into ${insert.into} ${columnList(insert)}`
    const after = onConflict(insert, replaces)
    const [start, end] = [textOf(before), textOf(after)]
    const row = `(${insert.columns.map(() => '?').join(', ')})`
    const values = insert.columns.map((_, i) => `json_extract(one.value, '$[${i}]')`).join(', ')
    return {
      /** A parameter for each value: of one row, and of so many. */
      one: `${start} values ${row} ${end}`,
      textOf: (count: number) => `${start} values ${`${row}, `.repeat(count - 1)}${row} ${end}`,
      // WHERE: else ON would belong to a join.
      list: {
        sql: sql`${before} select ${sql.raw(values)} from json_each(${param('rows')}) as one where true ${after}`,
      },
    }
  })
const inserting = ending(false)
const replacing = ending(true)

/** Numbers stay numbers, which are bound faster than bigints: the columns for them are INTEGER. */
const valuesFor = remembered(({ columns }: RowsInsert): ((row: RowValues) => RowValues) => {
  const isMoney = columns.map(({ kind }) => kind === 'money')
  if (!isMoney.includes(true)) return (row) => row
  return (row) => row.map((value, i) => (isMoney[i] === true ? units(value) : value))
})

/** A statement for each row, kept prepared: of a synchronous driver nothing is faster. */
export const manyRowsOn = (connection: Connection): ManyRows => ({
  insertNew: (insert, rows) => step(() => connection.changeEach(inserting(insert).one, rows.map(valuesFor(insert)))),
  *replace(insert, rows) {
    yield* step(() => connection.changeEach(replacing(insert).one, rows.map(valuesFor(insert))))
  },
})

/** SQLite takes 32,766 parameters. */
const [mostParameters, mostRows] = [32_000, 250]

/** Rows by the hundred, where each statement is prepared anew: to take a list of JSON apart costs more than so many parameters. */
export function manyRowsBy(change: (text: string, values: Value[]) => Promise<number>): ManyRows {
  function* send(
    statementOf: (count: number) => string,
    insert: RowsInsert,
    rows: readonly RowValues[],
  ): Script<number> {
    const atOnce = Math.min(mostRows, Math.floor(mostParameters / insert.columns.length))
    let count = 0
    for (let at = 0; at < rows.length; at += atOnce) {
      const values = rows.slice(at, at + atOnce).map(valuesFor(insert))
      count += yield* step(() => change(statementOf(values.length), values.flat()))
    }
    return count
  }
  return {
    insertNew: (insert, rows) => send(inserting(insert).textOf, insert, rows),
    *replace(insert, rows) {
      yield* send(replacing(insert).textOf, insert, rows)
    },
  }
}

/** All rows as one parameter, where every parameter is sent over a network, or through Drizzle. */
export const manyRowsThrough = (change: (statement: Statement, params: Params) => Promise<number>): ManyRows => ({
  insertNew: (insert, rows) => step(() => change(inserting(insert).list, { rows: writing(insert)(rows) })),
  *replace(insert, rows) {
    yield* step(() => change(replacing(insert).list, { rows: writing(insert)(rows) }))
  },
})

const units = (value: Value): Value => (value === null ? null : unitsOf(String(value)))

/** JSON is kept as a text here, so it is one in the list. */
const writing = remembered((insert: RowsInsert) =>
  rowsWriter(insert, {
    before: () => '',
    nothing: 'null',
    around: ['[', ']'],
    write: { text: quoted, whole: String, json: quoted, money: (amount) => String(unitsOf(String(amount))) },
  }),
)
