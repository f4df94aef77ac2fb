import { tableNamesOf, withNames, type Dialect, type Migration } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { createMigrations, sessions } from './migrations/0001-sessions.ts'
import { views } from './migrations/0002-views.ts'
import { collations, type Flavour, type MysqlTableOptions } from './schema.ts'

/** In the order in which they are applied. */
const allMigrations: readonly Migration[] = [sessions, views]

/** What a migration needs to know about the place of the tables. */
export function migrating(
  options: MysqlTableOptions,
  flavour: Flavour,
): Pick<Dialect, 'migrations' | 'migrationStart' | 'historyTable' | 'migrationEnd' | 'existingTables' | 'named'> {
  const names = tableNamesOf(options)
  const marks = { ...names, exact: collations[flavour] }
  // GET_LOCK ends with the connection, so a migration that crashed cannot block the next one. A name has 64 characters.
  const lock = `sha2(concat(database(), '.${names.migrations}'), 224)`
  return {
    migrations: allMigrations,
    migrationStart: [
      // A lock that was not to be had in time has to be an error, and a subquery of two rows is one.
      { sql: sql.raw(`select if(get_lock(${lock}, 10) = 1, 1, (select 1 union select 2))`) },
    ],
    historyTable: { sql: sql.raw(withNames(createMigrations, marks)) },
    migrationEnd: [{ sql: sql.raw(`select release_lock(${lock})`) }],
    existingTables: { sql: sql.raw(existing(Object.values(names))) },
    named: ({ statements }) => statements.map((statement) => withNames(statement, marks)),
  }
}

/** Our names as we write them: a server may store them in lower case, and compares them as its setting says. */
function existing(names: readonly string[]): string {
  const ours = names.map((name) => `select '${name}' as name`).join(' union all ')
  return `select ours.name as \`name\` from (${ours}) as ours where exists (
    select 1 from information_schema.tables as t where t.table_schema = database() and
      if(@@lower_case_table_names = 0, cast(t.table_name as binary) = cast(ours.name as binary), lower(t.table_name) = lower(ours.name)))`
}
