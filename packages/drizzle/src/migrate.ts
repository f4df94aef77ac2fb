import { createHash } from 'node:crypto'
import { StoreError, toMicros, type MigrationReport } from '@daybook/core'
import { getTableName, sql } from 'drizzle-orm'
import type { Dialect, Migration, Tx } from './dialect.ts'
import { tableNames } from './rows.ts'
import type { Script } from './script.ts'
import { assigned, insertInto, param, selected } from './statements.ts'
import { withNames } from './table-names.ts'
import { version } from './version.ts'

export interface Schema {
  /** Throws `schema_mismatch` unless the database has exactly the migrations that this version needs. */
  readonly check: (tx: Tx) => Script<void>
  migrate(tx: Tx, now: number): Script<MigrationReport>
  /** What `migrate` would do. */
  readonly preview: (tx: Tx) => Script<MigrationReport>
  readonly missingTables: (tx: Tx) => Script<readonly string[]>
  /** The newest migration in the database. */
  readonly current: (tx: Tx) => Script<string | undefined>
}

interface Applied {
  readonly id: string
  readonly checksum: string
  /** Begun, and not known to be complete: only where the database commits each statement of a schema by itself. */
  readonly isBegun: boolean
}

/** When a migration that has only begun was applied. */
export const begun = 0n

/** Indexes on paths of state are recorded beside the migrations, and are no part of their history. */
export const isPathIndexId = (id: string): boolean => id.startsWith('path-')

/** Frozen with the release that brings it: taken over the text before names are filled in. */
export const checksumOf = ({ statements }: Migration): string =>
  createHash('sha256').update(statements.join(';\n')).digest('hex')

export function createSchema(dialect: Dialect): Schema {
  const { migrations: table } = dialect.tables
  const ownNames = Object.fromEntries(tableNames.map((name) => [name, getTableName(dialect.tables[name])]))
  const names = Object.values(ownNames)
  const applied = {
    sql: sql`select ${selected({
      id: table.id,
      checksum: table.checksum,
      appliedAt: dialect.expressions.wholeText(table.appliedAt),
    })} from ${table} order by ${table.id}`,
  }
  const recordValues = {
    id: param('id'),
    name: param('name'),
    checksum: param('checksum'),
    appliedAt: param('appliedAt'),
    version: param('version'),
  }
  const record = { sql: insertInto(table, recordValues) }

  const complete = {
    sql: sql`update ${table} set ${assigned([[table.appliedAt, param('appliedAt')]])} where ${table.id} = ${param('id')}`,
  }
  const isTransactional = dialect.capabilities.transactionalDdl === 'yes'

  function* existingNames(tx: Tx): Script<ReadonlySet<string>> {
    const rows = yield* tx.rows(dialect.existingTables)
    return new Set(rows.map((row) => String(row['name'])))
  }

  function* missingTables(tx: Tx): Script<readonly string[]> {
    const existing = yield* existingNames(tx)
    return names.filter((name) => !existing.has(name))
  }

  function* appliedMigrations(tx: Tx): Script<readonly Applied[]> {
    if ((yield* missingTables(tx)).includes(getTableName(table))) return []
    const rows = yield* tx.rows(applied)
    const records = rows.map((row) => ({
      id: String(row['id']),
      checksum: String(row['checksum']),
      isBegun: String(row['appliedAt']) === String(begun),
    }))
    return records.filter(({ id }) => !isPathIndexId(id))
  }

  function* pending(tx: Tx): Script<readonly Migration[]> {
    const before = yield* appliedMigrations(tx)
    checkHistory(before, dialect.migrations)
    yield* checkRoom(tx, dialect.migrations.slice(before.length))
    return dialect.migrations.slice(before.filter(({ isBegun }) => !isBegun).length)
  }

  /** A table or view that somebody else made is not taken for ours. */
  function* checkRoom(tx: Tx, next: readonly Migration[]): Script<void> {
    const existing = yield* existingNames(tx)
    const made = next.flatMap(({ makes }) => makes.map((name) => withNames(name, ownNames)))
    const stray = made.filter((name) => existing.has(name))
    if (stray.length > 0)
      throw mismatch(`the table ${stray.join(', ')} is there, but no migration made it; give the store another prefix`)
  }

  /**
   * A transaction records what it did with it. Where each statement commits by itself, the record comes first: who finds it
   * begun knows that the tables are ours, and does all of it again.
   */
  function* apply(tx: Tx, migration: Migration, now: number): Script<void> {
    const { id, name } = migration
    const values = { id, name, checksum: checksumOf(migration), version }
    if (!isTransactional)
      yield* tx.insertNew({ into: table, target: [table.id], values: recordValues }, { ...values, appliedAt: begun })
    for (const statement of dialect.named(migration)) yield* tx.change({ sql: sql.raw(statement) })
    if (isTransactional) yield* tx.change(record, { ...values, appliedAt: toMicros(now) })
    else yield* tx.change(complete, { id, appliedAt: toMicros(now) })
  }

  return {
    missingTables,
    *check(tx) {
      const before = yield* appliedMigrations(tx)
      checkHistory(before, dialect.migrations)
      const [next] = dialect.migrations.slice(before.filter(({ isBegun }) => !isBegun).length)
      if (next !== undefined)
        throw mismatch(`migration ${next.id} (${next.name}) has not been applied; run store.migrate()`)
      const missing = yield* missingTables(tx)
      if (missing.length > 0)
        throw mismatch(`the migrations were applied, but the table ${missing.join(', ')} is missing`)
      if (dialect.schemaDifferences === undefined) return
      const [found] = yield* tx.rows(dialect.schemaDifferences)
      if (found !== undefined) throw mismatch(String(found['difference']))
    },
    *current(tx) {
      return (yield* appliedMigrations(tx)).findLast(({ isBegun }) => !isBegun)?.id
    },
    *preview(tx) {
      const next = yield* pending(tx)
      const sqlTexts = next.flatMap((migration) => dialect.named(migration))
      return { applied: next.map(({ id }) => id), current: dialect.migrations.at(-1)?.id, sql: sqlTexts }
    },
    *migrate(tx, now) {
      return yield* underMigrationLock(dialect, tx, function* migrate() {
        const next = yield* pending(tx)
        // A role that may not make tables finds that there is nothing to do, and is not refused.
        if (next.length > 0 && dialect.historyTable !== undefined) yield* tx.rows(dialect.historyTable)
        for (const migration of next) yield* apply(tx, migration, now)
        return { applied: next.map(({ id }) => id), current: dialect.migrations.at(-1)?.id }
      })
    },
  }
}

/** Runs a change of the schema under the lock of migrations, so that of many that want the same one makes it. */
export function* underMigrationLock<T>(
  { migrationStart, migrationEnd }: Pick<Dialect, 'migrationStart' | 'migrationEnd'>,
  tx: Tx,
  body: () => Script<T>,
): Script<T> {
  const end = function* end() {
    for (const statement of migrationEnd) yield* tx.rows(statement)
  }
  let answer: T
  try {
    for (const statement of migrationStart) yield* tx.rows(statement)
    answer = yield* body()
  } catch (error) {
    try {
      yield* end()
    } catch {
      // What led here is thrown: where the lock cannot be given back, the connection that has it is gone, or goes.
    }
    throw error
  }
  yield* end()
  return answer
}

/** The database's history has to be a beginning of ours, unchanged. */
function checkHistory(applied: readonly Applied[], known: readonly Migration[]): void {
  for (const [i, { id, checksum }] of applied.entries()) {
    const ours = known[i]
    if (ours === undefined)
      throw mismatch(`the schema is newer than this version: it has migration ${id}; upgrade the package`)
    if (ours.id !== id) throw mismatch(`the schema has migration ${id} where this version has ${ours.id}`)
    if (checksumOf(ours) !== checksum)
      throw mismatch(`migration ${id} is not the one that was applied: its checksum differs`)
  }
}

const mismatch = (message: string) => new StoreError('schema_mismatch', message)
