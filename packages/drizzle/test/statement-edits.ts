import { remembered, type Dialect, type Statement } from '@daybook/drizzle'
import { is, Placeholder, SQL, StringChunk, type SQLChunk } from 'drizzle-orm'
import { overVerbs, textOf, type DialectPatch } from './dialect-patch.ts'

/** Everything in a statement, however deep. */
export const chunksOf = (text: SQL): SQLChunk[] =>
  text.queryChunks.flatMap((chunk) => (is(chunk, SQL) ? chunksOf(chunk) : [chunk]))

export const binds = (text: SQL, name: string): boolean =>
  chunksOf(text).some((chunk) => is(chunk, Placeholder) && chunk.name === name)

/** `:name`, as `param` writes it. */
export const isParam = (chunk: SQLChunk, name: string): boolean => {
  if (!is(chunk, SQL)) return false
  const parts = chunk.queryChunks.filter((part) => !is(part, StringChunk) || part.value.join('') !== '')
  return parts.length === 1 && parts.every((part) => is(part, Placeholder) && part.name === name)
}

export const replaced = (text: SQL, change: (chunk: SQLChunk) => SQLChunk): SQL =>
  new SQL(text.queryChunks.map((chunk) => change(is(chunk, SQL) ? replaced(chunk, change) : chunk)))

/** Other SELECTs of a table, of those that bind something under a name. */
export const inSelects =
  (
    tableOf: (tables: Dialect['tables']) => SQLChunk,
    name: string,
    change: (text: SQL, dialect: Dialect) => SQL,
  ): DialectPatch =>
  (dialect) => {
    const isMeant = ({ sql: text }: Statement) =>
      /^\s*select/i.test(textOf(text)) && binds(text, name) && chunksOf(text).includes(tableOf(dialect.tables))
    const changed = remembered((statement: Statement): Statement =>
      isMeant(statement) ? { ...statement, sql: change(statement.sql, dialect) } : statement,
    )
    return overVerbs((tx) => ({ ...tx, rows: (statement, params) => tx.rows(changed(statement), params) }))(dialect)
  }
