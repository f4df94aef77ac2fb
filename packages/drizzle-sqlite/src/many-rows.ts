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
export const manyRowsFacts: ManyRowsFacts = { inTransaction: 1000, inStatement: (left) => Math.min(left, 1000) }

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

/** The part of an INSERT that has values. */
interface Filled {
  readonly insert: RowsInsert
  readonly valuesOf: (row: RowValues) => Value[]
}

/**
 * The columns that any row had a value in, so far: to bind NULL costs as much as a value does, and most rows leave most columns empty.
 * They only become more, so that there are few statements to keep prepared.
 */
const filledOf = remembered((insert: RowsInsert) => {
  const isFilled = insert.columns.map(() => false)
  let filled: Filled | undefined
  return (rows: readonly RowValues[]): Filled => {
    for (const row of rows)
      for (let i = 0; i < isFilled.length; i++) {
        if (isFilled[i] === true || row[i] === null) continue
        isFilled[i] = true
        filled = undefined
      }
    return (filled ??= partOf(insert, isFilled))
  }
})

function partOf(insert: RowsInsert, isFilled: readonly boolean[]): Filled {
  const slots = insert.columns.flatMap((column, at) => (isFilled[at] === true ? [{ column, at }] : []))
  const places = slots.map(({ column, at }) => ({ at, isMoney: column.kind === 'money' }))
  return {
    insert: { ...insert, columns: slots.map(({ column }) => column) },
    // Numbers stay numbers, which are bound faster than bigints: the columns for them are INTEGER.
    valuesOf: (row) => places.map(({ at, isMoney }) => (isMoney ? units(row[at] ?? null) : (row[at] ?? null))),
  }
}

/** All columns, since what is empty has to become so. */
const wholeOf = remembered((insert: RowsInsert) =>
  partOf(
    insert,
    insert.columns.map(() => true),
  ),
)

/** A statement for each row, kept prepared: of a synchronous driver nothing is faster. */
export function manyRowsOn(connection: Connection): ManyRows {
  const send = (text: string, { valuesOf }: Filled, rows: readonly RowValues[]) =>
    connection.changeEach(text, rows.map(valuesOf))
  return {
    insertNew: (insert, rows) =>
      step(() => {
        const filled = filledOf(insert)(rows)
        return send(inserting(filled.insert).one, filled, rows)
      }),
    *replace(insert, rows) {
      yield* step(() => send(replacing(insert).one, wholeOf(insert), rows))
    },
  }
}

/** SQLite takes 32,766 parameters. */
const [mostParameters, mostRows] = [32_000, 250]

/** Rows by the hundred, where each statement is prepared anew: to take a list of JSON apart costs more than so many parameters. */
export function manyRowsBy(change: (text: string, values: Value[]) => Promise<number>): ManyRows {
  function* send(
    statementOf: (count: number) => string,
    { insert, valuesOf }: Filled,
    rows: readonly RowValues[],
  ): Script<number> {
    const atOnce = Math.min(mostRows, Math.floor(mostParameters / insert.columns.length))
    let count = 0
    for (let at = 0; at < rows.length; at += atOnce) {
      const portion = rows.slice(at, at + atOnce)
      count += yield* step(() => change(statementOf(portion.length), portion.flatMap(valuesOf)))
    }
    return count
  }
  return {
    insertNew(insert, rows) {
      const filled = filledOf(insert)(rows)
      return send(inserting(filled.insert).textOf, filled, rows)
    },
    *replace(insert, rows) {
      yield* send(replacing(insert).textOf, wholeOf(insert), rows)
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
