import { createHash } from 'node:crypto'
import {
  StoreError,
  toMicros,
  toStorableText,
  type IndexedType,
  type MigrationReport,
  type StatePath,
  type StatePathIndexRequest,
} from '@daybook/core'
import { getTableName, sql } from 'drizzle-orm'
import type { Dialect, Tx } from './dialect.ts'
import type { StatePathIndex } from './json-path.ts'
import { begun, isPathIndexId, underMigrationLock, type Schema } from './migrate.ts'
import type { Script } from './script.ts'
import { assigned, insertInto, param, selected } from './statements.ts'
import { version } from './version.ts'

/** Indexes on paths of state. Each is recorded beside the migrations. */
export interface PathIndexes {
  make(tx: Tx, request: StatePathIndexRequest, now: number): Script<MigrationReport>
  drop(tx: Tx, request: StatePathIndexRequest): Script<boolean>
}

interface PathIndexRecord {
  readonly id: string
  readonly checksum: string
  readonly isBegun: boolean
}

/** The path as the documents have it. */
export const storablePath = (path: StatePath): StatePath =>
  path.map((segment) => (typeof segment === 'string' ? toStorableText(segment) : segment))

const hashOf = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length)
const textOf = (path: StatePath, type: IndexedType) => JSON.stringify([type, ...path])
const idOf = (path: StatePath, type: IndexedType) => `path-${hashOf(textOf(path, type), 40)}`

function indexOf({ tables }: Dialect, path: StatePath, type: IndexedType): StatePathIndex {
  return { name: `${getTableName(tables.sessions)}_p_${hashOf(textOf(path, type), 10)}`, path, type }
}

/** A record of an index that was defined otherwise is of no use: what it holds may not be what a filter would look for. */
const checksumOf = (create: string) => hashOf(create, 64)

const recordsOf = ({ tables: { migrations: table }, expressions }: Dialect) => ({
  sql: sql`select ${selected({
    id: table.id,
    name: table.name,
    checksum: table.checksum,
    appliedAt: expressions.wholeText(table.appliedAt),
  })} from ${table} where ${table.id} like 'path-%'`,
})

/**
 * The indexes that a filter may name, read in the filter's own transaction: another process may drop one at any time. None
 * where the planner finds an index by itself.
 */
export function knownPathIndexes(dialect: Dialect): (tx: Tx) => Script<readonly StatePathIndex[]> {
  const recorded = recordedPathIndexes(dialect)
  return function* known(tx) {
    return dialect.jsonPaths?.indexed === undefined ? [] : yield* recorded(tx)
  }
}

/** Those that were made, whether they are still there or not. */
export function recordedPathIndexes(dialect: Dialect): (tx: Tx) => Script<readonly StatePathIndex[]> {
  const records = recordsOf(dialect)
  return function* recorded(tx) {
    const { pathIndexing } = dialect
    if (pathIndexing === undefined) return []
    const rows = yield* tx.rows(records)
    return rows.flatMap((row) => {
      const [type, ...path] = JSON.parse(String(row['name'])) as [IndexedType, ...StatePath] // as it was recorded
      const index = indexOf(dialect, path, type)
      const create = pathIndexing.create(index)
      const isOurs = create !== undefined && row['checksum'] === checksumOf(create)
      return isOurs && String(row['appliedAt']) !== String(begun) ? [index] : []
    })
  }
}

export function createPathIndexes(dialect: Dialect, schema: Schema): PathIndexes {
  const { migrations: table } = dialect.tables
  const isTransactional = dialect.capabilities.transactionalDdl === 'yes'
  const records = recordsOf(dialect)
  const insert = {
    sql: insertInto(table, {
      id: param('id'),
      name: param('name'),
      checksum: param('checksum'),
      appliedAt: param('appliedAt'),
      version: param('version'),
    }),
  }
  const ofId = sql`${table.id} = ${param('id')}`
  const mark = { sql: sql`update ${table} set ${assigned([[table.appliedAt, param('appliedAt')]])} where ${ofId}` }
  const forget = { sql: sql`delete from ${table} where ${ofId}` }

  function* recordOf(tx: Tx, id: string): Script<PathIndexRecord | undefined> {
    const rows = yield* tx.rows(records)
    const row = rows.find((one) => one['id'] === id && isPathIndexId(id))
    return row && { id, checksum: String(row['checksum']), isBegun: String(row['appliedAt']) === String(begun) }
  }

  function* locked<T>(tx: Tx, body: () => Script<T>): Script<T> {
    yield* schema.check(tx)
    return yield* underMigrationLock(dialect, tx, body)
  }

  function indexing(index: StatePathIndex) {
    const create = dialect.pathIndexing?.create(index)
    if (dialect.pathIndexing === undefined || create === undefined)
      throw new StoreError('invalid_argument', 'path has a key that this database cannot index', { field: 'path' })
    return { create, drop: dialect.pathIndexing.drop(index), exists: dialect.pathIndexing.exists(index) }
  }

  /** What is still to be done, and whether it has to be recorded. */
  function* remaining(tx: Tx, index: StatePathIndex, id: string) {
    const { create, drop, exists } = indexing(index)
    const record = yield* recordOf(tx, id)
    const isThere = (yield* tx.rows(exists)).length > 0
    const checksum = checksumOf(create)
    // What it holds may not be what a filter would look for.
    if (isThere && record === undefined) throw strangeIndex(index)
    const isStale = record !== undefined && record.checksum !== checksum
    const statements = isThere && !isStale ? [] : [...(isThere ? [drop] : []), create]
    const isRecorded = record !== undefined && !isStale && !record.isBegun
    return { statements, checksum, isDone: statements.length === 0 && isRecorded }
  }

  return {
    *make(tx, { path: given, type, dryRun }, now) {
      const path = storablePath(given)
      const [index, id] = [indexOf(dialect, path, type), idOf(path, type)]
      const current = dialect.migrations.at(-1)?.id
      if (dryRun) {
        const { statements, isDone } = yield* remaining(tx, index, id)
        return { applied: isDone ? [] : [id], current, sql: statements }
      }
      return yield* locked(tx, function* make() {
        const { statements, checksum, isDone } = yield* remaining(tx, index, id)
        if (isDone) return { applied: [], current }
        const appliedAt = toMicros(now)
        const record = { id, name: textOf(path, type), checksum, version }
        yield* tx.change(forget, { id })
        yield* tx.change(insert, { ...record, appliedAt: isTransactional ? appliedAt : begun })
        for (const statement of statements) yield* tx.change({ sql: sql.raw(statement) })
        if (!isTransactional) yield* tx.change(mark, { id, appliedAt })
        return { applied: [id], current }
      })
    },
    *drop(tx, { path: given, type }) {
      const path = storablePath(given)
      const [index, id] = [indexOf(dialect, path, type), idOf(path, type)]
      return yield* locked(tx, function* drop() {
        const { drop: statement, exists } = indexing(index)
        const record = yield* recordOf(tx, id)
        // No filter names it any more when it goes.
        if (!isTransactional) yield* tx.change(mark, { id, appliedAt: begun })
        const isThere = (yield* tx.rows(exists)).length > 0
        if (isThere) yield* tx.change({ sql: sql.raw(statement) })
        yield* tx.change(forget, { id })
        return isThere || record !== undefined
      })
    },
  }
}

const strangeIndex = ({ name }: StatePathIndex) =>
  new StoreError(
    'schema_mismatch',
    `there is an index or a column of the name ${name} that the store has no record of making; dropStatePathIndex() removes it`,
  )
