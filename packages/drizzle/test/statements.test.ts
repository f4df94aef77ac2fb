import { integer, sqliteTable, SQLiteSyncDialect, text } from 'drizzle-orm/sqlite-core'
import { PgDialect } from 'drizzle-orm/pg-core'
import { sql } from 'drizzle-orm'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bound, compiler, insertInto, param, remembered, selected } from '../src/index.ts'

const items = sqliteTable('it"ems', { id: integer('the_id').primaryKey(), note: text() })
const question = new SQLiteSyncDialect()
const dollar = new PgDialect()
const statement = {
  sql: sql`select ${selected({ id: items.id })} from ${items} where ${items.note} = ${param('note')} and ${items.id} > ${param('id')} limit ${param('id')}`,
}

test('a statement is compiled once, and takes its values by name', () => {
  let compiled = 0
  const compile = compiler((statementSql) => {
    compiled++
    return question.sqlToQuery(statementSql)
  })
  const { text: sqlText, values } = compile(statement)
  expect(compile(statement).text).toBe(sqlText)
  expect(compiled).toBe(1)
  expect(values({ id: 3, note: 'x', unused: 1 })).toEqual(['x', 3, 3])
  expect(() => values({ id: 3 })).toThrow('note')
})

test('a statement with its values in place says the same as the compiled one', () =>
  fc.assert(
    fc.property(fc.string(), fc.integer(), (note, id) => {
      for (const dialect of [question, dollar]) {
        const compiled = compiler((statementSql) => dialect.sqlToQuery(statementSql))(statement)
        const filled = dialect.sqlToQuery(bound(statement, { note, id }))
        expect(filled.sql).toBe(compiled.text)
        expect(filled.params).toEqual(compiled.values({ note, id }))
      }
    }),
  ))

test('a statement that carries a value of its own is refused: it could not be kept', () => {
  const compile = compiler((statementSql) => question.sqlToQuery(statementSql))
  expect(() => compile({ sql: sql`select ${'x'}` })).toThrow(TypeError)
})

test('an insert names columns as the table does', () => {
  const { sql: sqlText } = question.sqlToQuery(insertInto(items, { id: param('id'), note: sql`null` }))
  expect(sqlText).toContain('("the_id", "note") values (?, null)')
  expect(() => insertInto(items, { no: param('no') })).toThrow('no')
})

test('what is built for an object is built once', () => {
  const build = remembered((key: { n: number }) => ({ n: key.n }))
  const key = { n: 1 }
  expect(build(key)).toBe(build(key))
  expect(build({ n: 1 })).not.toBe(build(key))
})
