import { tableNamesOf, withNames, type Dialect, type Migration } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { sessions } from './migrations/0001-sessions.ts'
import { views } from './migrations/0002-views.ts'
import { leases } from './migrations/0003-leases.ts'
import { artifacts } from './migrations/0004-artifacts.ts'
import { memories } from './migrations/0005-memories.ts'
import { artifactAge } from './migrations/0006-artifact-age.ts'
import { vectors } from './migrations/0007-vectors.ts'
import { memorySource } from './migrations/0008-memory-source.ts'
import { metrics } from './migrations/0009-metrics.ts'
import { schemaNameOf, type PgTableOptions } from './schema.ts'

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
  options: PgTableOptions,
): Pick<Dialect, 'migrations' | 'migrationStart' | 'migrationEnd' | 'existingTables' | 'named'> {
  const names = tableNamesOf(options)
  const schema = schemaNameOf(options)
  const place = schema === undefined ? 'current_schema()' : `'${schema}'`
  return {
    migrations: allMigrations,
    migrationStart: [
      // The lock first: of two that make a schema at once, one fails.
      { sql: sql.raw(`select pg_advisory_xact_lock(hashtextextended(${place} || '.${names.migrations}', 0))`) },
      ...(schema === undefined ? [] : [{ sql: sql.raw(createSchema(schema)) }]),
    ],
    migrationEnd: [], // the lock ends with the transaction
    existingTables: {
      sql: sql.raw(`select c.relname::text as "name" from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = ${place} and c.relkind in ('r', 'p', 'v', 'm')`),
    },
    named: ({ statements }) =>
      statements.map((statement) => withNames(statement, { ...names, in: schema === undefined ? '' : `"${schema}".` })),
  }
}

/** Not CREATE SCHEMA IF NOT EXISTS: it asks for a right that a role which owns its schema may not have. */
const createSchema = (schema: string) =>
  `do $$ begin if not exists (select from pg_catalog.pg_namespace where nspname = '${schema}') then create schema "${schema}"; end if; end $$`
