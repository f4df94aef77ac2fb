import {
  columnList,
  onConflict,
  param,
  remembered,
  quoted,
  rowsWriter,
  step,
  type ManyRows,
  type ManyRowsFacts,
  type Params,
  type RowsInsert,
  type RowValues,
  type Statement,
  type Value,
} from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'
import { unitsOf } from './column-types.ts'
import type { Connection } from './connection.ts'
import { SyncDialect } from './drizzle-names.ts'

/** The writer has the whole database meanwhile, and a driver of a local file the thread. */
export const manyRowsFacts: ManyRowsFacts = { inTransaction: 100, inStatement: (left) => Math.min(left, 100) }

const sqlite = new SyncDialect()
const textOf = (text: SQL) => sqlite.sqlToQuery(text).sql

const ending = (replaces: boolean) =>
  remembered((insert: RowsInsert) => {
    const before = sql`insert into ${insert.into} ${columnList(insert)}`
    const after = onConflict(insert, replaces)
    const values = insert.columns.map((_, i) => `json_extract(one.value, '$[${i}]')`).join(', ')
    return {
      /** For one row. */
      text: textOf(sql`${before} values (${sql.raw(insert.columns.map(() => '?').join(', '))}) ${after}`),
      // WHERE: else ON would belong to a join.
      list: {
        sql: sql`${before} select ${sql.raw(values)} from json_each(${param('rows')}) as one where true ${after}`,
      },
    }
  })
const inserting = ending(false)
const replacing = ending(true)

/** A statement for each row, kept prepared: of a synchronous driver nothing is faster. */
export function manyRowsOn(connection: Connection): ManyRows {
  const send = (insert: RowsInsert, text: string, rows: readonly RowValues[]) => {
    const isMoney = insert.columns.map(({ kind }) => kind === 'money')
    let count = 0
    for (const row of rows)
      count += connection.change(
        text,
        row.map((value, i) => (isMoney[i] === true ? units(value) : value)),
      )
    return count
  }
  return {
    insertNew: (insert, rows) => step(() => send(insert, inserting(insert).text, rows)),
    *replace(insert, rows) {
      yield* step(() => send(insert, replacing(insert).text, rows))
    },
  }
}

/** All rows as one parameter, where each statement costs more than to run it. */
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
