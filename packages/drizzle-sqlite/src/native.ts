import { createRequire } from 'node:module'
import type { DriverDatabase } from './connection.ts'
import type { Value } from '@daybook/drizzle'
import { BetterSQLiteSession } from 'drizzle-orm/better-sqlite3/session'
import { noRelations, SyncDatabase, SyncDialect } from './drizzle-names.ts'

// `@libsql/client` speaks to local files through the `libsql` binding. We take the binding itself: one connection on which
// every PRAGMA holds, statements that stay prepared, and no write that is acknowledged and then lost after SQLITE_BUSY.

type NativeConstructor = new (path: string, options?: { timeout?: number }) => NativeDatabase

interface NativeStatement {
  readonly reader: boolean
  raw(on?: boolean): NativeStatement
  columns(): readonly { readonly name: string }[]
  all(values: readonly NativeValue[]): unknown[]
  run(values: readonly NativeValue[]): NativeResult
}

export interface NativeDatabase extends DriverDatabase {
  prepare(text: string): NativeStatement
}

type NativeValue = Value | Uint8Array

export interface NativeResult {
  readonly changes: number
  readonly lastInsertRowid: number | bigint
}

/** Opens a local database with the binding that `@libsql/client` brings. */
export function openNative(path: string): NativeDatabase {
  const ours = createRequire(import.meta.url)
  const theirs = createRequire(ours.resolve('@libsql/client'))
  const Native = theirs('libsql') as NativeConstructor // its declared type is better-sqlite3's; these members were tried
  return new Native(path, { timeout: 0 })
}

/** A boolean, a Date or an object as a parameter aborts the process, and a number would be stored as REAL. */
export function nativeValue(value: unknown): NativeValue {
  switch (typeof value) {
    case 'string':
    case 'bigint':
      return value
    case 'number':
      return Number.isSafeInteger(value) ? BigInt(value) : value
    case 'boolean':
      return value ? 1n : 0n
    default:
      if (value === null || value === undefined) return null
      if (value instanceof Uint8Array) return value
      throw new TypeError('SQLite takes strings, numbers, booleans, null and bytes')
  }
}

/** The Drizzle database over a native one, for the application's own rows. */
export class NativeDrizzle extends SyncDatabase<'sync', NativeResult> {}

export function drizzleOver(database: NativeDatabase): NativeDrizzle {
  const dialect = new SyncDialect()
  const client = new BetterSqliteFace(database) as unknown as ConstructorParameters<typeof BetterSQLiteSession>[0] // the members that the session calls
  return new NativeDrizzle(
    'sync',
    dialect,
    new BetterSQLiteSession<Record<string, never>, Record<string, never>>(client, dialect, noRelations),
    noRelations,
  )
}

/** What Drizzle's session calls of better-sqlite3, over the binding. */
class BetterSqliteFace {
  readonly #database: NativeDatabase

  constructor(database: NativeDatabase) {
    this.#database = database
  }

  prepare(text: string): BetterSqliteFaceStatement {
    return new BetterSqliteFaceStatement(this.#database.prepare(text))
  }

  transaction<Given, Answer>(
    body: (given: Given) => Answer,
  ): Record<'deferred' | 'immediate' | 'exclusive', (given: Given) => Answer> {
    const inMode = (mode: string) => (given: Given) => {
      this.#database.exec(`BEGIN ${mode}`)
      try {
        const answer = body(given)
        this.#database.exec('COMMIT')
        return answer
      } catch (error) {
        if (this.#database.open && this.#database.inTransaction) this.#database.exec('ROLLBACK')
        throw error
      }
    }
    return { deferred: inMode('DEFERRED'), immediate: inMode('IMMEDIATE'), exclusive: inMode('EXCLUSIVE') }
  }
}

class BetterSqliteFaceStatement {
  readonly #statement: NativeStatement

  constructor(statement: NativeStatement) {
    this.#statement = statement
  }

  raw(): this {
    this.#statement.raw(true)
    return this
  }

  all(...values: readonly unknown[]): unknown[] {
    return this.#statement.all(values.map(nativeValue))
  }

  /** Not the binding's own `get`: it adds a member to the row. */
  get(...values: readonly unknown[]): unknown {
    return this.all(...values)[0]
  }

  /** The binding's `run` leaves a statement with RETURNING open, and no COMMIT succeeds after that. */
  run(...values: readonly unknown[]): NativeResult {
    if (!this.#statement.reader) return this.#statement.run(values.map(nativeValue))
    return { changes: this.all(...values).length, lastInsertRowid: 0 }
  }
}
