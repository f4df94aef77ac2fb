import {
  bound,
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
  type RowsColumn,
  type RowsInsert,
  type RowValues,
  type Statement,
} from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'
import { lockTimeoutIsSet } from './append.ts'
import { resultOf, type PgExecutor } from './driver.ts'

/** One statement takes any number, and plans the same for all. */
export const manyRowsFacts: ManyRowsFacts = {
  inTransaction: 1000,
  inStatement: (left) => Math.min(left, 1000),
  statementBytes: usualStatementBytes,
}

const types: Readonly<Record<RowsColumn['kind'], string>> = {
  text: 'text',
  whole: 'bigint',
  json: 'jsonb',
  money: 'numeric',
}

/** One parameter: a list of objects with short names, in which what is NULL is left out. */
const insertOf = (insert: RowsInsert, { from = sql``, end }: { readonly from?: SQL; readonly end: SQL }) => {
  const entry = insert.columns.map(({ kind }, i) => `${nameOf(i)} ${types[kind]}`).join(', ')
  return {
    sql: sql`insert into ${insert.into} ${columnList(insert)} select ${sql.raw(insert.columns.map((_, i) => nameOf(i)).join(', '))}
      from json_to_recordset(${param('rows')}::text::json) as entry(${sql.raw(entry)})${from}${end}`,
  }
}
const hastily = sql` where ${lockTimeoutIsSet}`
const ending = (insert: RowsInsert, replaces: boolean) => sql` ${onConflict(insert, replaces)}`
const inserting = remembered((insert: RowsInsert) => insertOf(insert, { end: ending(insert, false) }))
const hurrying = remembered((insert: RowsInsert) => insertOf(insert, { from: hastily, end: ending(insert, false) }))
const replacing = remembered((insert: RowsInsert) => insertOf(insert, { end: ending(insert, true) }))
/** To look at each row first whether it is there costs a tenth of all. */
const insertingFresh = remembered((insert: RowsInsert) => insertOf(insert, { from: hastily, end: sql`` }))

/** All rows as one statement, which fails where one of them is there; it wants {@link Waits.hasty}, too. */
export const freshRows = (
  insert: RowsInsert,
  rows: readonly RowValues[],
): { statement: Statement; params: Params } => ({
  statement: insertingFresh(insert),
  params: { rows: writing(insert)(rows) },
})

const nameOf = (i: number) => `c${i}`

const writing = remembered((insert: RowsInsert) =>
  rowsWriter(insert, {
    before: (i) => `"${nameOf(i)}":`,
    around: ['{', '}'],
    write: { text: quoted, whole: String, json: String, money: quoted },
  }),
)

/** @param hasty what a short wait for locks is, where a transaction of ours may fail by it */
export const manyRowsOn = (tx: PgExecutor, hasty?: () => Params): ManyRows => ({
  insertNew: (insert, rows, isHasty) =>
    step(async () => {
      const list = { rows: writing(insert)(rows) }
      const statement =
        isHasty && hasty !== undefined
          ? bound(hurrying(insert), { ...list, ...hasty() })
          : bound(inserting(insert), list)
      return resultOf(await tx.execute(statement)).count
    }),
  *replace(insert, rows) {
    yield* step(() => tx.execute(bound(replacing(insert), { rows: writing(insert)(rows) })))
  },
})
