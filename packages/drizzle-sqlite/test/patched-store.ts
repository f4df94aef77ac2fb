import type { SentStatement } from '@daybook/conformance'
import type { Store } from '@daybook/core'
import { createEngine } from '@daybook/drizzle'
import { createClient, type Client, type InStatement, type Transaction } from '@libsql/client'
import { drizzle } from 'drizzle-orm/libsql'
import type { DialectPatch } from '../../drizzle/test/dialect-patch.ts'
import { clientDialect, probeClient } from '../src/client-dialect.ts'
import { connectionDialect, probeConnection } from '../src/connection-dialect.ts'
import { createConnection, type DriverDatabase } from '../src/connection.ts'
import { commonDialect, serverLimits } from '../src/dialect.ts'
import { openNative } from '../src/native.ts'
import { createSqliteStore, type SqliteStoreOptions } from '../src/index.ts'
import { daybookTables } from '../src/schema.ts'
import { betterDatabase, type PlainDriverName } from './drivers.ts'

type Listener = (statement: SentStatement) => void

interface Patched {
  readonly onStatement: Listener | undefined
  readonly patch: DialectPatch
  readonly options: SqliteStoreOptions
}

/** A store of the package's own parts, whose statements are heard and whose dialect may be changed between them. */
export const openPatched: Record<PlainDriverName, (path: string, patched: Patched) => Promise<Store>> = {
  sqlite: async (path, patched) => {
    const database = openNative(path)
    for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'])
      database.exec(`PRAGMA ${pragma}`)
    return syncStore(database, patched)
  },
  'better-sqlite3': async (path, patched) => syncStore(await betterDatabase(path), patched, 5_000),
  'libsql-client': (path, patched) => openPatchedUrl(`file:${path}`, patched),
}

/** The same by `@libsql/client`, of a server too. */
export async function openPatchedUrl(url: string, { onStatement, patch, options }: Patched): Promise<Store> {
  const client = listened(createClient({ url }), onStatement)
  const probe = await probeClient(client, false)
  const common = commonDialect(options, probe, client.protocol === 'file' ? {} : serverLimits)
  const dialect = clientDialect({ common, tables: daybookTables(options), client, probe, isOwned: true })
  return createEngine(patch(dialect), options, ['busyTimeout']).store
}

function syncStore(database: DriverDatabase, { onStatement, patch, options }: Patched, busyTimeout?: number): Store {
  const connection = createConnection(heard(database, onStatement), {
    lockTimeout: busyTimeout,
    hasSlowRows: busyTimeout === undefined, // the binding's
  })
  const probe = probeConnection(connection, { isSynchronous: true, isMemory: false })
  const dialect = connectionDialect({
    common: commonDialect(options, probe),
    tables: daybookTables(options),
    connection,
    probe,
    close: () => connection.close(),
  })
  return createEngine(patch(dialect), options, ['busyTimeout']).store
}

/** The library says that it is older than it is. */
export const openOlder: Record<PlainDriverName, (path: string) => Promise<Store>> = {
  sqlite: async (path) => olderStore(openNative(path)),
  'better-sqlite3': async (path) => olderStore(await betterDatabase(path)),
  'libsql-client': async (path) => {
    const client = createClient({ url: `file:${path}` })
    const batch = client.batch.bind(client)
    client.batch = async (...given) =>
      (await batch(...given)).map((result) => ({ ...result, rows: result.rows.map((row) => older(row) as typeof row) })) // with another version
    return createSqliteStore(drizzle({ client })).finally(() => client.close())
  },
}

const older = (row: unknown): unknown =>
  typeof row === 'object' && row !== null && 'version' in row ? { ...row, version: '3.31.1' } : row

/** The same of a row as an array. */
const olderIn = (columns: readonly string[], row: unknown): unknown =>
  Array.isArray(row) ? row.map((value: unknown, i) => (columns[i] === 'version' ? '3.31.1' : value)) : row

/** What of a statement is not heard. */
const passedOn = (statement: ReturnType<DriverDatabase['prepare']>) => ({
  raw: (on: boolean) => statement.raw(on),
  columns: () => statement.columns(),
})

function olderStore(database: DriverDatabase): Store {
  const doctored: DriverDatabase = {
    ...heard(database),
    prepare: (text) => {
      const statement = database.prepare(text)
      const columns = () => statement.columns().map(({ name }) => name)
      return {
        ...passedOn(statement),
        all: (values) => statement.all(values).map((row) => olderIn(columns(), row)),
        run: (values) => statement.run(values),
      }
    },
    open: true,
    inTransaction: false,
  }
  try {
    return syncStore(doctored, { onStatement: undefined, patch: (dialect) => dialect, options: {} })
  } finally {
    database.close()
  }
}

/** A database whose statements say so when they run. */
function heard(database: DriverDatabase, onStatement: Listener = () => {}): DriverDatabase {
  return {
    prepare(text) {
      const statement = database.prepare(text)
      return {
        ...passedOn(statement),
        all(values) {
          onStatement({ text, values })
          return statement.all(values)
        },
        run(values) {
          onStatement({ text, values })
          return statement.run(values)
        },
      }
    },
    exec(text) {
      onStatement({ text, values: [] })
      return database.exec(text)
    },
    close: () => database.close(),
    get open() {
      return database.open
    },
    get inTransaction() {
      return database.inTransaction
    },
  }
}

/** A client, or a transaction of one, that says what is sent through it. */
function listened<T extends Client | Transaction>(target: T, onStatement: Listener = () => {}): T {
  const say = (statement: InStatement, i = 0) => {
    const { sql: text, args = [] } = typeof statement === 'string' ? { sql: statement } : statement
    onStatement({ text, values: Array.isArray(args) ? args : Object.values(args), ...(i > 0 && { sameTrip: true }) })
  }
  return new Proxy(target, {
    get(_target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        if (name === 'execute' || name === 'executeMultiple') say(args[0] as InStatement) // the signature of both
        if (name === 'batch') for (const [i, one] of (args[0] as InStatement[]).entries()) say(one, i) // its signature
        const answer: unknown = value.apply(target, args)
        return name === 'transaction' ? begun(answer as Promise<Transaction>) : answer // its signature
      }
    },
  })
  async function begun(transaction: Promise<Transaction>): Promise<Transaction> {
    onStatement({ text: 'BEGIN', values: [] })
    return listened(await transaction, onStatement)
  }
}
