import { bare, tableNamesOf, type PathIndexing, type StatePathIndex } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { MySqlDialect } from 'drizzle-orm/mysql-core'
import { indexedCharacters, jsonPathsFor } from './json-path.ts'
import { collations, daybookTables, type Flavour, type MysqlTableOptions } from './schema.ts'

const dialect = new MySqlDialect()

/** Under the sql_mode that a store insists on, in which a backslash escapes. */
const literal = (value: unknown) => sql.raw(`'${String(value).replaceAll('\\', '\\\\').replaceAll("'", "''")}'`)

/**
 * MariaDB 10.11 was seen to miss a row that it had just written when it looked for it by an index on a virtual column, so the
 * column is stored there.
 */
const kept = { mysql: 'VIRTUAL', mariadb: 'STORED' } as const satisfies Record<Flavour, string>

/** A generated column and an index on it, in one ALTER TABLE, which is done as a whole or not at all. Filters name the column. */
export function pathIndexing(options: MysqlTableOptions, flavour: Flavour): PathIndexing {
  const { sessions } = daybookTables(options)
  const table = tableNamesOf(options).sessions
  const paths = jsonPathsFor(flavour)
  const types = {
    string: `varchar(${indexedCharacters}) CHARACTER SET utf8mb4 COLLATE ${collations[flavour]}`,
    number: 'double',
    boolean: 'tinyint',
  }

  function expressionOf({ path, type }: StatePathIndex) {
    const at = paths.at(bare(sessions.state), path, literal)
    return type === 'string' ? paths.indexKey(at.string) : at[type]
  }

  return {
    create(index) {
      const [name, type] = [`\`${index.name}\``, types[index.type]]
      const column = sql`ADD COLUMN ${sql.raw(`${name} ${type}`)} GENERATED ALWAYS AS (${expressionOf(index)}) ${sql.raw(kept[flavour])}`
      const key = sql`ADD INDEX ${sql.raw(name)} (${bare(sessions.appName)}, ${sql.raw(name)})`
      return dialect.sqlToQuery(sql`ALTER TABLE ${sql.raw(`\`${table}\``)} ${column}, ${key}`).sql
    },
    column: ({ type }) => `${types[type]} generated`.toLowerCase(),
    drop: ({ name }) => `ALTER TABLE \`${table}\` DROP INDEX \`${name}\`, DROP COLUMN \`${name}\``,
    exists: ({ name }) => ({
      sql: sql.raw(
        `select 1 from information_schema.columns where table_schema = database() and table_name = '${table}' and column_name = '${name}'`,
      ),
    }),
  }
}
