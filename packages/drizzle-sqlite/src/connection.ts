import type { Row, Value } from '@daybook/drizzle'

/** The part of a synchronous SQLite driver that a store uses: one connection, its statements kept prepared. */
export interface Connection {
  rows(text: string, values: readonly Value[]): readonly Row[]
  /** How many rows changed. Not for statements with RETURNING. */
  change(text: string, values: readonly Value[]): number
  /** The same for each list of values, which are bound as they are: numbers only where the types of the columns make them whole. */
  changeEach(text: string, lists: readonly (readonly Value[])[]): number
  /** Fails at once with SQLITE_BUSY when somebody else writes: waiting here would stop the event loop. */
  begin(mode: 'IMMEDIATE' | 'DEFERRED'): void
  commit(): void
  rollback(): void
  /** Somebody has a transaction open. */
  readonly inTransaction: boolean
  readonly isOpen: boolean
  /** A text of many rows is faster to read than they are. */
  readonly hasSlowRows: boolean
  close(): void
}

/** A statement of better-sqlite3, or of the libSQL binding. */
interface DriverStatement {
  raw(on: boolean): DriverStatement
  columns(): readonly { readonly name: string }[]
  all(values: readonly Value[]): unknown[]
  run(values: readonly Value[]): { readonly changes: number }
}

/** A database of better-sqlite3, or of the libSQL binding. */
export interface DriverDatabase {
  prepare(text: string): DriverStatement
  exec(text: string): unknown
  close(): unknown
  readonly open: boolean
  readonly inTransaction: boolean
}

/** A JavaScript number would be stored as REAL where the column's type does not decide. */
export const boundValue = (value: Value): Value =>
  typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value

/** Looked through first: almost no list has anything to be changed in it. */
const boundValues = (values: readonly Value[]): readonly Value[] =>
  values.some(isNumber) ? values.map(boundValue) : values
const isNumber = (value: Value) => typeof value === 'number'

const keptStatements = 200

interface ConnectionOptions {
  /** What PRAGMA busy_timeout is to be after a transaction has begun; absent: it is 0 already. */
  readonly lockTimeout?: number | undefined
  readonly hasSlowRows: boolean
}

export function createConnection(
  database: DriverDatabase,
  { lockTimeout, hasSlowRows }: ConnectionOptions,
): Connection {
  const statements = new Map<string, DriverStatement>()
  const patient = `PRAGMA busy_timeout = ${lockTimeout ?? 0}`
  const atOnce = lockTimeout === undefined ? undefined : `PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ${patient}`
  /** The statements that answer rows, as arrays: the drivers take half as long for those as for objects. */
  const aliases = new WeakMap<DriverStatement, readonly string[]>()

  function prepared(text: string): DriverStatement {
    const known = statements.get(text)
    if (known !== undefined) return known
    const fresh = database.prepare(text)
    const [oldest] = statements.size < keptStatements ? [] : statements.keys()
    if (oldest !== undefined) statements.delete(oldest)
    statements.set(text, fresh)
    return fresh
  }

  function asArrays(statement: DriverStatement): readonly string[] {
    statement.raw(true)
    const names = statement.columns().map(({ name }) => name)
    aliases.set(statement, names)
    return names
  }

  return {
    hasSlowRows,
    rows(text, values) {
      const statement = prepared(text)
      const names = aliases.get(statement) ?? asArrays(statement)
      const found = statement.all(boundValues(values)) as (readonly unknown[])[] // in the order of the columns
      return found.map((row) => rowOf(names, row))
    },
    change: (text, values) => prepared(text).run(boundValues(values)).changes,
    changeEach(text, lists) {
      const statement = prepared(text)
      let count = 0
      for (const values of lists) count += statement.run(values).changes
      return count
    },
    // By exec and not by a kept statement: one that got BUSY stays unreset on libSQL, and what is written after it is lost.
    begin(mode) {
      const isPatient = mode === 'DEFERRED' // it waits for nothing
      try {
        database.exec(isPatient || atOnce === undefined ? `BEGIN ${mode}` : atOnce)
      } catch (error) {
        if (!isPatient && atOnce !== undefined) database.exec(patient)
        throw error
      }
    },
    commit: () => void database.exec('COMMIT'),
    rollback: () => void database.exec('ROLLBACK'),
    get inTransaction() {
      return database.open && database.inTransaction // libSQL's binding aborts the process when a closed database is asked
    },
    get isOpen() {
      return database.open
    },
    close() {
      statements.clear()
      database.close()
    },
  }
}

export function rowOf(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let i = 0; i < names.length; i++) row[names[i] ?? ''] = values[i]
  return row
}
