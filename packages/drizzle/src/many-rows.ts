import type { Call } from '@daybook/core'
import { sql, type Column, type SQL, type Table } from 'drizzle-orm'
import type { Value } from './dialect.ts'
import type { Script } from './script.ts'
import { bare } from './statements.ts'

/** Rows as values, for inserts of so many at once that a parameter for each value, or a statement for each row, is felt. */
export interface RowsInsert {
  readonly into: Table
  /** The unique key that may exist; any other one still fails. */
  readonly target: readonly Column[]
  readonly columns: readonly RowsColumn[]
}

export interface RowsColumn {
  readonly column: Column
  /** How its values are bound: JSON as its text, money as an exact decimal. */
  readonly kind: 'text' | 'whole' | 'json' | 'money'
  /** What is there stays when a row is replaced. */
  readonly isKept?: true
}

/** A value for each column. */
export type RowValues = readonly Value[]

/** Verbs for many rows, as steps of a script. */
export interface ManyRows {
  /**
   * Leaves existing rows alone: how many were new. `undefined`: some are there, and nothing was written.
   *
   * @param isHasty others hardly ever write the same rows: where they do, a transaction of the store's own may fail, to be tried
   *   again, rather than wait for them in a circle
   */
  insertNew(insert: RowsInsert, rows: readonly RowValues[], isHasty: boolean): Script<number | undefined>
  /** Writes over existing rows, which stay the same rows. */
  replace(insert: RowsInsert, rows: readonly RowValues[]): Script<void>
}

/** Many rows outside of a transaction. */
export interface FreshRows {
  /**
   * Inserts rows in one commit and the fewest round trips, taking for granted that all are new: `false` when one is there, or somebody
   * else is writing it, and nothing was written then. Absent where a script is already the shortest way.
   */
  readonly insertFresh?: (insert: RowsInsert, rows: readonly RowValues[], call: Call) => Promise<boolean>
}

/** How many rows are to be written at once. */
export interface ManyRowsFacts {
  /** By one transaction: it holds locks, or the thread, as long as it lasts. */
  readonly inTransaction: number
  /** By the next statement, of so many that are left: at least one. */
  inStatement(left: number): number
  /** Bytes that a statement carries at most, but for one row that is longer. */
  readonly statementBytes: number
}

/** What is worth a statement of its own, where the database takes as much. */
export const usualStatementBytes: number = 1024 * 1024

/** `(column, …)` of an INSERT. */
export const columnList = ({ columns }: RowsInsert): SQL =>
  sql`(${sql.join(
    columns.map(({ column }) => bare(column)),
    sql`, `,
  )})`

/** The columns that a replaced row gets anew. */
export const replacedColumns = ({ columns, target }: RowsInsert): readonly Column[] =>
  columns.filter(({ column, isKept }) => isKept !== true && !target.includes(column)).map(({ column }) => column)

/** `on conflict (target) do …` as PostgreSQL and SQLite have it: nothing, or the row is replaced. */
export function onConflict(insert: RowsInsert, replaces: boolean): SQL {
  const target = sql.join(
    insert.target.map((column) => bare(column)),
    sql`, `,
  )
  if (!replaces) return sql`on conflict (${target}) do nothing`
  const values = replacedColumns(insert).map((column) => sql`${bare(column)} = excluded.${bare(column)}`)
  return sql`on conflict (${target}) do update set ${sql.join(values, sql`, `)}`
}

/** How the text of a list of rows is written. */
interface RowsForm {
  /** What stands before the value of a column. */
  before(i: number): string
  /** What stands for NULL. Absent: nothing does. */
  readonly nothing?: string
  /** What stands around a row. */
  readonly around: readonly [string, string]
  readonly write: Readonly<Record<RowsColumn['kind'], (value: Value) => string>>
}

/** Rows as a JSON array, by a writer that is made once for an insert: a thousand rows have fifty thousand values. */
export function rowsWriter({ columns }: RowsInsert, form: RowsForm): (rows: readonly RowValues[]) => string {
  const { nothing } = form
  const [open, close] = form.around
  const before = columns.map((_, i) => form.before(i))
  const write = columns.map(({ kind }) => form.write[kind])
  const cell = (value: Value, i: number) => `${before[i]}${value === null ? nothing : write[i]?.(value)}`
  return (rows) => {
    let text = ''
    for (const row of rows) {
      let members = ''
      for (let i = 0; i < columns.length; i++) {
        const value = row[i] ?? null
        if (value === null && nothing === undefined) continue
        members += members === '' ? cell(value, i) : `,${cell(value, i)}`
      }
      text += `${text === '' ? '' : ','}${open}${members}${close}`
    }
    return `[${text}]`
  }
}

/** What JSON writes otherwise. Lone surrogates are in no text that is stored. */
// oxlint-disable-next-line no-control-regex
const escaped = /["\\\u0000-\u001f]/

/** A text as JSON: most have nothing to escape. */
export const quoted = (value: Value): string => {
  const text = String(value)
  return escaped.test(text) ? JSON.stringify(text) : `"${text}"`
}
