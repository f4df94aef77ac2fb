import { bare, type PathIndexing, type StatePathIndex } from '@daybook/drizzle'
import { getTableName, sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { jsonPaths } from './json-path.ts'
import { daybookTables, schemaNameOf, type PgTableOptions } from './schema.ts'

const dialect = new PgDialect()

/** Means the same whatever `standard_conforming_strings` is. */
const literal = (value: unknown) => sql.raw(`E'${String(value).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`)

/** Indexes on the expressions that filters are made of: what is bound there is a constant when PostgreSQL plans. */
export function pathIndexing(options: PgTableOptions): PathIndexing {
  const { sessions } = daybookTables(options)
  const schema = schemaNameOf(options)
  const place = schema === undefined ? 'current_schema()' : `'${schema}'`
  const named = (name: string) => (schema === undefined ? `"${name}"` : `"${schema}"."${name}"`)

  function expressionOf({ path, type }: StatePathIndex) {
    const at = jsonPaths.at(bare(sessions.state), path, literal)
    return type === 'string' ? jsonPaths.indexKey(at.string) : at[type]
  }

  return {
    create: (index) =>
      dialect.sqlToQuery(
        sql`CREATE INDEX ${sql.raw(`"${index.name}" ON ${named(getTableName(sessions))}`)} (${bare(sessions.appName)}, (${expressionOf(index)}))`,
      ).sql,
    drop: ({ name }) => `DROP INDEX ${named(name)}`,
    exists: ({ name }) => ({
      sql: sql.raw(`select 1 from pg_catalog.pg_indexes where schemaname = ${place} and indexname = '${name}'`),
    }),
  }
}
