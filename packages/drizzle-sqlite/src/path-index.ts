import { bare, tableNamesOf, type PathIndexing, type StatePathIndex, type TableNameOptions } from '@daybook/drizzle'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import { SyncDialect } from './drizzle-names.ts'
import { isPlain, jsonPaths } from './json-path.ts'
import { daybookTables } from './schema.ts'

const sqlite = new SyncDialect()

const literal = (value: unknown) => sql.raw(`'${String(value).replaceAll("'", "''")}'`)

/** What an index holds. SQLite knows it again in a filter by its text, so nothing in it is bound. */
export const indexedBy =
  (column: SQLWrapper) =>
  ({ path, type }: StatePathIndex): SQL =>
    jsonPaths.at(column, path, literal)[type]

/** Indexes on expressions. */
export function pathIndexing(options: TableNameOptions): PathIndexing {
  const { sessions } = daybookTables(options)
  const table = tableNamesOf(options).sessions
  return {
    create(index) {
      // A key that no path can name is found by a subquery, and an index has none.
      if (!index.path.every((segment) => typeof segment === 'number' || isPlain(segment))) return undefined
      const expression = indexedBy(bare(sessions.state))(index)
      return sqlite.sqlToQuery(
        sql`CREATE INDEX ${sql.raw(`"${index.name}" ON "${table}"`)} (${bare(sessions.appName)}, ${expression})`,
      ).sql
    },
    drop: ({ name }) => `DROP INDEX "${name}"`,
    exists: ({ name }) => ({ sql: sql.raw(`select 1 from sqlite_master where type = 'index' and name = '${name}'`) }),
  }
}
