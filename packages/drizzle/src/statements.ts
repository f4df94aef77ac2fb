import {
  getTableColumns,
  is,
  Param,
  Placeholder,
  sql,
  SQL,
  type Column,
  type Query,
  type SQLChunk,
  type SQLWrapper,
  type Table,
} from 'drizzle-orm'
import type { InsertAll, Params, Part, Statement, Value } from './dialect.ts'

/** `:name` of a statement, bound when it runs. */
export const param = (name: string): SQLWrapper => sql`${sql.placeholder(name)}`

/** A column without its table, as INSERT and SET want it. */
export const bare = (column: Column): SQL => sql`${sql.identifier(column.name)}`

/** `expression as "alias", …` */
export const selected = (columns: Readonly<Record<string, SQLWrapper>>): SQL =>
  sql.join(
    Object.entries(columns).map(([alias, expression]) => sql`${expression} as ${sql.identifier(alias)}`),
    sql`, `,
  )

/** A SELECT that is kept in its parts, too. */
export const selecting = (columns: Readonly<Record<string, SQLWrapper>>, from: SQL): Part => ({
  sql: sql`select ${selected(columns)} ${from}`,
  columns,
  from,
})

/** `column = value, …` */
export const assigned = (columns: readonly (readonly [Column, SQLWrapper])[]): SQL =>
  sql.join(
    columns.map(([column, value]) => sql`${bare(column)} = ${value}`),
    sql`, `,
  )

/** `INSERT INTO table (columns) VALUES (values)` without its end. */
export function insertInto(table: Table, values: Readonly<Record<string, SQLWrapper>>): SQL {
  const columns = getTableColumns(table)
  const names = Object.keys(values).map((name) => {
    const column = columns[name]
    if (column === undefined) throw new TypeError(`the table has no column ${name}`)
    return bare(column)
  })
  return sql`insert into ${table} (${sql.join(names, sql`, `)}) values (${sql.join(Object.values(values), sql`, `)})`
}

/** An INSERT of the rows of a SELECT, without its end. */
export const insertSelect = ({ into, columns, rows }: InsertAll): SQL =>
  sql`insert into ${into} (${sql.join(
    columns.map((column) => bare(column)),
    sql`, `,
  )}) ${rows}`

/** Remembers what `build` made for a key: statements are built once for each shape of a filter. */
export function variants<Made>(build: (key: string) => Made): (key: string) => Made {
  const made = new Map<string, Made>()
  return (key) => {
    const known = made.get(key)
    if (known !== undefined) return known
    const fresh = build(key)
    made.set(key, fresh)
    return fresh
  }
}

/** The statement with its values in place, for drivers that are reached through Drizzle alone. */
export function bound({ sql: statement }: Statement, params: Params): SQL {
  const fill = (chunk: SQLChunk): SQLChunk => {
    if (is(chunk, Placeholder)) return new Param(valueOf(params, chunk.name))
    return is(chunk, SQL) ? new SQL(chunk.queryChunks.map(fill)) : chunk
  }
  return new SQL(statement.queryChunks.map(fill))
}

/** A statement as the text that the database gets, and the values to send with it. */
export interface Compiled {
  readonly text: string
  readonly values: (params: Params) => Value[]
}

/** Compiles each statement once, and remembers it as long as the statement lives. */
export function compiler(toQuery: (statement: SQL) => Query): (statement: Statement) => Compiled {
  return remembered((statement: Statement) => {
    const { sql: text, params: slots } = toQuery(statement.sql)
    const names = slots.map((slot) => {
      if (!is(slot, Placeholder)) throw new TypeError('a statement carries a value of its own; make it a placeholder')
      return slot.name
    })
    return { text, values: (params: Params) => names.map((name) => valueOf(params, name)) }
  })
}

/** Builds once for each object, and remembers as long as the object lives. */
export function remembered<Key extends object, Made>(build: (key: Key) => Made): (key: Key) => Made {
  const made = new WeakMap<Key, Made>()
  return (key) => {
    const known = made.get(key)
    if (known !== undefined) return known
    const fresh = build(key)
    made.set(key, fresh)
    return fresh
  }
}

function valueOf(params: Params, name: string): Value {
  const value = params[name]
  if (value === undefined) throw new TypeError(`the statement wants a value for ${name}`)
  return value
}
