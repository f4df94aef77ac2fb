import { defaultLimits, StoreError, type Capabilities, type Limits } from '@daybook/core'
import {
  compiler,
  insertSelect,
  remembered,
  tableNamesOf,
  withNames,
  type Dialect,
  type Failure,
  type InsertAll,
  type InsertNew,
  type Compiled,
  type Server,
  type Statement,
  type TableNameOptions,
} from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { catalogOf } from './catalog.ts'
import { SyncDialect } from './drizzle-names.ts'
import { failureOf } from './errors.ts'
import { expressions, insertNewSql } from './expressions.ts'
import { jsonPaths } from './json-path.ts'
import { manyRowsFacts } from './many-rows.ts'
import { allMigrations } from './migrate.ts'
import { indexedBy, pathIndexing } from './path-index.ts'
import { searchFor } from './search.ts'
import { floor, type Probe } from './probe.ts'
import { daybookTables } from './schema.ts'

/** What is the same however SQLite is reached. */
export type Common = Pick<
  Dialect,
  | 'tables'
  | 'capabilities'
  | 'limits'
  | 'expressions'
  | 'search'
  | 'manyRows'
  | 'jsonPaths'
  | 'pathIndexing'
  | 'migrations'
  | 'lockWait'
  | 'migrationStart'
  | 'migrationEnd'
  | 'existingTables'
  | 'catalog'
  | 'named'
  | 'failureOf'
>

/**
 * A parameter as an expression: of one by itself SQLite looks at the value to plan with (of a LIMIT, and built with STAT4 of any that is
 * compared), and prepares the statement anew whenever another is bound, which takes longer than most of them.
 */
const kept = Object.assign(new SyncDialect(), { escapeParam: () => '+?' })
const compiledToKeep = compiler((statement) => kept.sqlToQuery(statement))

/** What is built for one call is planned for it anyway: without its limit a filter would rather walk an order than the index of its path. */
const planned = new SyncDialect()
const compiledToPlan = compiler((statement) => planned.sqlToQuery(statement))

/** Compiles a statement once. */
export const compiled = (statement: Statement): Compiled =>
  statement.isOneOff === true || statement.isPlannedByValues === true
    ? compiledToPlan(statement)
    : compiledToKeep(statement)

/** A writer has the whole database, so what is not there when it looks is not there when it writes. */
export const insertAllStatement = remembered((insert: InsertAll) => ({ sql: insertSelect(insert) }))

/** An INSERT that leaves an existing row alone, as a statement; built once. */
export const insertNewStatement = remembered((insert: InsertNew) => ({ sql: insertNewSql(insert) }))

export function commonDialect(
  options: TableNameOptions & { busyTimeout?: number },
  probe: Probe,
  limits: Partial<Limits> = {},
): Common {
  const names = tableNamesOf(options)
  const tables = daybookTables(options)
  return {
    tables,
    capabilities: capabilitiesOf(probe),
    limits: { ...defaultLimits, ...limits },
    expressions,
    search: searchFor(probe),
    manyRows: manyRowsFacts,
    jsonPaths: { ...jsonPaths, indexed: indexedBy(tables.sessions.state) },
    pathIndexing: pathIndexing(options),
    migrations: allMigrations,
    lockWait: checkedWait(options.busyTimeout),
    migrationStart: [], // BEGIN IMMEDIATE is the lock
    migrationEnd: [],
    existingTables: { sql: sql`select name as "name" from sqlite_master where type in ('table', 'view')` },
    catalog: catalogOf(options),
    named: ({ statements }) => statements.map((statement) => withNames(statement, names)),
    failureOf: (error): Failure => failureOf(error),
  }
}

/** What `busyTimeout` says, in milliseconds. */
export function checkedWait(busyTimeout: unknown = 5_000): number {
  if (typeof busyTimeout === 'number' && busyTimeout >= 0) return busyTimeout
  throw new StoreError('invalid_argument', 'busyTimeout must be a number of milliseconds from 0', {
    field: 'busyTimeout',
  })
}

/** A libSQL server takes values up to 5,000,000 bytes and sends answers up to 10 MB: a batch, or a session's three documents, fit. */
export const serverLimits: Partial<Limits> = {
  eventBytes: 4 * 1024 * 1024,
  stateBytes: 2.5 * 1024 * 1024,
  batchBytes: 8 * 1024 * 1024,
}

const capabilitiesOf = ({ foreignKeys, isSynchronous, isMemory, hasVectors }: Probe): Capabilities => ({
  memories: 'yes',
  artifacts: 'yes',
  metrics: 'yes',
  lease: 'yes',
  jsonPathFilter: 'yes',
  jsonPathIndex: 'yes',
  fullTextSearch: 'yes',
  vectorSearch: 'no',
  callerTransaction: isSynchronous ? 'no' : 'yes',
  persistent: isMemory ? 'no' : 'yes',
  concurrentWriters: 'no',
  foreignKeys: foreignKeys ? 'yes' : 'no',
  skipLocked: 'no',
  windowFunctions: 'yes', // the floor is above 3.25
  transactionalDdl: 'yes',
  liveNotify: 'no',
  nativeVectors: hasVectors ? 'yes' : 'no',
  isolation: 'serializable',
})

/** Settings of a connection that matter, and what to say about those that could lose data. */
export function serverOf(probe: Probe): Server {
  const { version, journalMode, synchronous, foreignKeys, busyTimeout, isMemory, hasVectors } = probe
  const warnings: string[] = []
  if (!isMemory && journalMode !== 'wal')
    warnings.push(`journal_mode is ${journalMode}; with wal readers and the writer do not block each other`)
  if (!isMemory && synchronous < 2)
    warnings.push('synchronous is below FULL; the last commits can vanish when the power fails')
  if (!foreignKeys) warnings.push('foreign_keys is off; the store does not need it, your own tables may')
  return {
    flavour: 'sqlite',
    version,
    settings: {
      floor: floor.join('.'),
      journal_mode: journalMode,
      synchronous: synchronousNames[synchronous] ?? String(synchronous),
      foreign_keys: foreignKeys ? 'on' : 'off',
      busy_timeout: String(busyTimeout),
      vector_distance: hasVectors ? 'vector_distance_cos' : 'none',
    },
    warnings,
  }
}

const synchronousNames = ['off', 'normal', 'full', 'extra']
