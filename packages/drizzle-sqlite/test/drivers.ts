import { createSqliteStore, openSqliteStore, type SqliteStoreOptions } from '@daybook/drizzle-sqlite'
import type { Store } from '@daybook/core'
import { createClient } from '@libsql/client'
import type { Value } from '@daybook/drizzle'
import type { Database } from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/libsql'
import { fixedAes } from '../../drizzle/test/codecs.ts'
import { openFileInBundledThread } from './bundled-thread.ts'

/** The ways in which a local file is reached. */
export const driverNames = ['sqlite', 'libsql-client', 'better-sqlite3'] as const
/** The same with options that change what a store does inside, and nothing of what it promises. */
const variantNames = ['sqlite-codec', 'sqlite-worker'] as const
export type PlainDriverName = (typeof driverNames)[number]
export type DriverName = PlainDriverName | (typeof variantNames)[number]
export const isPlainDriver = (name: DriverName): name is PlainDriverName => driverNames.some((one) => one === name)

/** How another process opens the same file. Goes through structured clone. */
export interface OpenArgs {
  readonly driver: DriverName
  readonly path: string
}

/** Opens a file with a driver; the store closes what was opened for it. */
export const openFile: Record<DriverName, (path: string, options?: SqliteStoreOptions) => Promise<Store>> = {
  sqlite: (path, options) => openSqliteStore({ url: `file:${path}`, ...options }),
  'sqlite-codec': (path, options) => openSqliteStore({ url: `file:${path}`, codec: fixedAes, ...options }),
  'sqlite-worker': (path, options) => openFileInBundledThread(path, plain(options)),
  'libsql-client': async (path, options) => {
    const client = createClient({ url: `file:${path}` })
    return owning(await createSqliteStore(drizzle({ client }), options), client)
  },
  'better-sqlite3': async (path, options) => {
    const { drizzle: drizzleBetter } = await import('drizzle-orm/better-sqlite3')
    const client = await betterDatabase(path)
    return owning(await createSqliteStore(drizzleBetter({ client }), options), client)
  },
}

/** Without what cannot cross to a thread. */
const plain = ({ codec: _codec, ...rest }: SqliteStoreOptions = {}) => rest

/** An application closes what it handed over, after the store. */
function owning<S extends Store>(store: S, client: { close(): unknown }): S {
  const close = async () => {
    await store.close()
    client.close()
  }
  return { ...store, close, [Symbol.asyncDispose]: close }
}

export async function betterDatabase(path: string): Promise<Database> {
  const { default: BetterSqlite } = await import('better-sqlite3')
  return new BetterSqlite(path)
}

/** Why better-sqlite3 cannot be used here, as a sentence; `undefined`: it can. Its binding is compiled at installation. */
export const betterSqliteProblem: string | undefined = await betterDatabase(':memory:').then(
  (database) => void database.close(),
  (error: unknown) => `better-sqlite3 is not installed/compiled: ${String(error).split('\n', 1)[0]}`,
)

/** Why a driver cannot be used here. */
export const missingDrivers: Readonly<Partial<Record<DriverName, string>>> =
  betterSqliteProblem === undefined ? {} : { 'better-sqlite3': betterSqliteProblem }

/**
 * Runs a statement on a connection of its own, beside every store. By the library that the driver brings: two copies of
 * SQLite in one process undo each other's locks, for POSIX drops all of a process when it closes a file.
 */
export async function ask(
  driver: DriverName,
  path: string,
  text: string,
  values: readonly Value[] = [],
): Promise<readonly Row[]> {
  if (driver === 'better-sqlite3') {
    const database = await betterDatabase(path)
    try {
      const statement = database.prepare(text)
      if (statement.reader) return statement.all(...values) as Row[] // objects by alias
      statement.run(...values)
      return []
    } finally {
      database.close()
    }
  }
  return askClient(`file:${path}`, text, values)
}

/** The same by `@libsql/client`, of a server too. */
export async function askClient(url: string, text: string, values: readonly Value[] = []): Promise<readonly Row[]> {
  const client = createClient({ url, timeout: 5_000 })
  try {
    return (await client.execute({ sql: text, args: [...values] })).rows
  } finally {
    client.close()
  }
}

export type Row = Readonly<Record<string, unknown>>

/**
 * A new file in WAL, as an application would set it: a store leaves the settings of a client that it is given alone. Texts can
 * be kept in another encoding.
 */
export async function createFile(driver: DriverName, path: string, encoding = 'UTF-8'): Promise<void> {
  const other = driver === 'better-sqlite3' ? driver : 'libsql-client' // one connection for both, since an empty file forgets
  if (encoding !== 'UTF-8') await script(other, path, `PRAGMA encoding = '${encoding}'; create table encoded (a text)`)
  await ask(driver, path, 'PRAGMA journal_mode = WAL')
}

async function script(driver: DriverName, path: string, text: string): Promise<void> {
  if (driver === 'better-sqlite3') {
    const database = await betterDatabase(path)
    database.exec(text)
    database.close()
    return
  }
  const client = createClient({ url: `file:${path}` })
  await client.executeMultiple(text)
  client.close()
}
