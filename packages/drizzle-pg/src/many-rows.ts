import {
  bound,
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
  type RowsColumn,
  type RowsInsert,
} from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { lockTimeoutIsSet } from './append.ts'
import { resultOf, type PgExecutor } from './driver.ts'

/** One statement takes any number, and plans the same for all. */
export const manyRowsFacts: ManyRowsFacts = { inTransaction: 1000, inStatement: (left) => Math.min(left, 1000) }

const types: Readonly<Record<RowsColumn['kind'], string>> = {
  text: 'text',
  whole: 'bigint',
  json: 'jsonb',
  money: 'numeric',
}

/** One parameter: a list of objects with short names, in which what is NULL is left out. */
const insertOf = (insert: RowsInsert, replaces: boolean, from = sql``) => {
  const entry = insert.columns.map(({ kind }, i) => `${nameOf(i)} ${types[kind]}`).join(', ')
  return {
    sql: sql`insert into ${insert.into} ${columnList(insert)} select ${sql.raw(insert.columns.map((_, i) => nameOf(i)).join(', '))}
      from json_to_recordset(${param('rows')}::text::json) as entry(${sql.raw(entry)})${from} ${onConflict(insert, replaces)}`,
  }
}
const inserting = remembered((insert: RowsInsert) => insertOf(insert, false))
const hurrying = remembered((insert: RowsInsert) => insertOf(insert, false, sql` where ${lockTimeoutIsSet}`))
const replacing = remembered((insert: RowsInsert) => insertOf(insert, true))

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
