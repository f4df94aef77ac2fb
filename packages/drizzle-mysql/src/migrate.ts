import { tableNamesOf, withNames, type Dialect, type Migration } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { createMigrations, eventsSession, sessions } from './migrations/0001-sessions.ts'
import { views } from './migrations/0002-views.ts'
import { leases } from './migrations/0003-leases.ts'
import { artifacts, versionsName } from './migrations/0004-artifacts.ts'
import { memories } from './migrations/0005-memories.ts'
import { artifactAge } from './migrations/0006-artifact-age.ts'
import { vectors } from './migrations/0007-vectors.ts'
import { memorySource } from './migrations/0008-memory-source.ts'
import { metrics } from './migrations/0009-metrics.ts'
import { collations, type Flavour, type MysqlTableOptions } from './schema.ts'

/** In the order in which they are applied. */
const allMigrations: readonly Migration[] = [
  sessions,
  views,
  leases,
  artifacts,
  memories,
  artifactAge,
  vectors,
  memorySource,
  metrics,
]

/** What a migration needs to know about the place of the tables. */
export function migrating(
  options: MysqlTableOptions,
  flavour: Flavour,
): Pick<
  Dialect,
  'migrations' | 'migrationStart' | 'historyTable' | 'migrationEnd' | 'existingTables' | 'schemaDifferences' | 'named'
> {
  const names = tableNamesOf(options)
  const exact = collations[flavour]
  const hasForeignKeys = options.foreignKeys ?? true
  const made = allMigrations.flatMap(({ makes }) => makes.map((name) => withNames(name, names)))
  const reference = (text: string) => (hasForeignKeys ? withNames(text, names) : '')
  const marks = { ...names, exact, eventsSession: reference(eventsSession), versionsName: reference(versionsName) }
  // GET_LOCK ends with the connection, so a migration that crashed cannot block the next one. A name has 64 characters.
  const lock = `sha2(concat(database(), '.${names.migrations}'), 224)`
  return {
    migrations: allMigrations,
    migrationStart: [
      // The end of the call ends the wait: whoever has the lock may be at a large table. One that was not to be had all the same has
      // to be an error, and a subquery of two rows is one.
      { sql: sql.raw(`select if(get_lock(${lock}, ${longestWait}) = 1, 1, (select 1 union select 2))`) },
    ],
    historyTable: { sql: sql.raw(withNames(createMigrations, marks)) },
    migrationEnd: [{ sql: sql.raw(`select release_lock(${lock})`) }],
    existingTables: { sql: sql.raw(existing([...new Set([...Object.values(names), ...made])])) },
    schemaDifferences: { sql: sql.raw(differences(names, exact, hasForeignKeys)) },
    named: ({ statements }) => statements.map((statement) => withNames(statement, marks)),
  }
}

/** Seconds: longer than any call. */
const longestWait = 31_536_000

/** A server may store names in lower case, and compares them as its setting says. */
export const isNamed = (column: string, name: string) =>
  `if(@@lower_case_table_names = 0, cast(${column} as binary) = cast(${name} as binary), lower(${column}) = lower(${name}))`

/** Our names as we write them. */
const existing = (names: readonly string[]): string =>
  `select ours.name as \`name\` from (${listed(names)}) as ours where exists (
    select 1 from information_schema.tables as t where t.table_schema = database() and ${isNamed('t.table_name', 'ours.name')})`

const listed = (names: readonly string[]) => names.map((name) => `select '${name}' as name`).join(' union all ')

/** What ALTER TABLE, a dump that was read into another server, or another default of it may have done. */
function differences(names: ReturnType<typeof tableNamesOf>, exact: string, hasForeignKeys: boolean): string {
  const ours = listed(Object.values(names).filter((name) => name !== names.migrations))
  const inOurs = (column: string) => `exists (select 1 from (${ours}) as ours where ${isNamed(column, 'ours.name')})`
  const ids =
    "'app_name', 'user_id', 'session_id', 'event_id', 'invocation_id', 'author', 'branch', 'error_code', 'lease_owner', 'memory_id', 'name', 'save_id', 'upload_id', 'sha256', 'mime_type', 'codec'"
  const collation = `select concat('the column ', c.table_name, '.', c.column_name, ' has the collation ', c.collation_name,
      ', and the store needs ${exact}: other texts would pass for the same') as difference
    from information_schema.columns as c where c.table_schema = database() and c.column_name in (${ids})
      and c.collation_name <> '${exact}' and ${inOurs('c.table_name')}`
  const charset = `select concat('the column ', c.table_name, '.', c.column_name, ' has the character set ', c.character_set_name,
      ', which cannot hold every text; the store needs utf8mb4') as difference
    from information_schema.columns as c where c.table_schema = database() and c.character_set_name <> 'utf8mb4'
      and ${inOurs('c.table_name')}`
  const engine = `select concat('the table ', t.table_name, ' is in ', t.engine, ', which has no transactions; the store needs InnoDB') as difference
    from information_schema.tables as t where t.table_schema = database() and t.engine <> 'InnoDB' and ${inOurs('t.table_name')}`
  const foreignKeys = `select 'the tables have no foreign keys; open the store with foreignKeys: false' as difference
    from (select 1 as one) as once where not exists (select 1 from information_schema.key_column_usage as k
      where k.table_schema = database() and k.referenced_table_name is not null and ${isNamed('k.table_name', `'${names.events}'`)})`
  return `select d.difference as \`difference\` from (${[collation, charset, engine, ...(hasForeignKeys ? [foreignKeys] : [])].join(' union all ')}) as d limit 1`
}
