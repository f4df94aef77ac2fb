import {
  checkedFlag,
  checkedOptions,
  isStoreError,
  storeContext,
  StoreError,
  storeOptionNames,
  unsupported,
} from '@daybook/core'
import {
  checkedCodecs,
  checkedStorage,
  drizzleOptionNames,
  storeErrorOf,
  tableNamesOf,
  type ServerPlace,
} from '@daybook/drizzle'
import type { Client } from '@libsql/client'
import type { LibSQLDatabase } from 'drizzle-orm/libsql'
import { asyncStore } from './async-store.ts'
import { checkedWait } from './dialect.ts'
import { failureOf } from './errors.ts'
import { openLocalFile } from './local-file.ts'
import { drizzleOver, type NativeDatabase, type NativeDrizzle } from './native.ts'
import type { SqliteStoreOptions } from './options.ts'
import { pragmaStatements, type Pragmas } from './pragmas.ts'
import type { AsyncSqliteStore, SyncSqliteStore, WorkerSqliteStore } from './store.ts'
import { syncStore } from './sync-store.ts'
import { parseUrl } from './url.ts'
import { openWorkerStore } from './worker-store.ts'

export interface OpenSqliteOptions extends SqliteStoreOptions {
  /** `file:agent.db`, `:memory:`, or the address of a libSQL server: `libsql://…`, `https://…`, `http://…`, `wss://…`. */
  readonly url: string
  /** For a libSQL server. */
  readonly authToken?: string
  /** For a local database. */
  readonly pragmas?: Pragmas
  /** See {@link OpenWorkerOptions}. */
  readonly worker?: false
}

/** A local database whose work is done in a thread of its own, so that the event loop of this one stays free. */
export interface OpenWorkerOptions extends Omit<OpenSqliteOptions, 'url' | 'authToken' | 'codec' | 'worker'> {
  readonly url: ':memory:' | `file:${string}`
  readonly worker: true
}

/** The Drizzle database over a local file or memory that the store opened. */
export type LocalDatabase = NativeDrizzle & { $client: NativeDatabase }

/** The Drizzle database over a libSQL server that the store opened. */
export type ServerDatabase = LibSQLDatabase & { $client: Client }

/** What a URL that is known only at run time opens: `store.kind` tells which. */
export type OpenedSqliteStore = SyncSqliteStore<LocalDatabase> | AsyncSqliteStore<ServerDatabase>

const optionNames = ['url', 'authToken', 'pragmas', 'worker', 'busyTimeout', ...drizzleOptionNames, ...storeOptionNames]

/**
 * Opens a database and a store over it; the store closes it. A local file gets one connection through the binding that
 * `@libsql/client` brings: WAL, `synchronous=FULL`, foreign keys. Works before `migrate()`.
 *
 * @throws `unavailable` when the file or the server cannot be reached · `invalid_argument` for a URL that is none of ours
 *
 * @example
 * ```ts
 * import { openSqliteStore } from '@daybook/drizzle-sqlite'
 *
 * await using store = await openSqliteStore({ url: ':memory:' })
 * await store.migrate()
 * const session = await store.sessions.create({ appName: 'shop', userId: 'ann' })
 * const { revision } = await store.events.append(session, { author: 'user', content: { parts: [{ text: 'Hello' }] } })
 * console.log(revision) // 2
 * ```
 */
export async function openSqliteStore(options: OpenWorkerOptions): Promise<WorkerSqliteStore>
export async function openSqliteStore(
  options: OpenSqliteOptions & { readonly url: ':memory:' | `file:${string}` },
): Promise<SyncSqliteStore<LocalDatabase>>
export async function openSqliteStore(
  options: OpenSqliteOptions & { readonly url: `${'libsql' | 'https' | 'http' | 'wss' | 'ws'}://${string}` },
): Promise<AsyncSqliteStore<ServerDatabase>>
export async function openSqliteStore(options: OpenSqliteOptions): Promise<OpenedSqliteStore>
export async function openSqliteStore(
  options: OpenSqliteOptions | OpenWorkerOptions = { url: '' },
): Promise<OpenedSqliteStore | WorkerSqliteStore> {
  checkedOptions(options, optionNames)
  const { url, authToken, pragmas, worker, ...rest }: Omit<OpenSqliteOptions, 'worker'> & { worker?: boolean } = options
  const address = parseUrl(url)
  storeContext(rest, [...drizzleOptionNames, 'busyTimeout'])
  checkedCodecs(rest.codec)
  checkedStorage(rest.artifacts)
  tableNamesOf(rest)
  const busyTimeout = checkedWait(rest.busyTimeout)
  if (address.kind === 'remote') {
    if (checkedFlag(worker, 'worker')) throw refused('worker', 'is for a local database; a server holds no thread')
    if (pragmas !== undefined) throw refused('pragmas', 'are for a local database; a server has its own settings')
    return openRemote(address.url, checkedToken(authToken), rest)
  }
  if (authToken !== undefined) throw refused('authToken', 'is for a libSQL server; a local database has none')
  const { isMemory, path } = address
  const statements = pragmaStatements(pragmas, isMemory)
  if (checkedFlag(worker, 'worker')) {
    if (rest.codec !== undefined)
      throw unsupported('codec', 'a codec in a worker: functions cannot cross to its thread')
    return openWorkerStore({ path, isMemory, pragmas: statements, busyTimeout }, rest)
  }
  const { database, connection, close } = await openLocalFile(path, statements, busyTimeout)
  try {
    const db = Object.assign(drizzleOver(database), { $client: database })
    return syncStore(db, connection, rest, { isMemory, busyTimeout: undefined, close })
  } catch (error) {
    connection.close()
    throw mapped(error)
  }
}

const mapped = (error: unknown) => (isStoreError(error) ? error : storeErrorOf(failureOf(error), error))

const refused = (field: string, why: string) => new StoreError('invalid_argument', `${field} ${why}`, { field })

function checkedToken(authToken: unknown): string | undefined {
  if (authToken === undefined || typeof authToken === 'string') return authToken
  throw refused('authToken', 'must be a string')
}

async function openRemote(
  url: string,
  authToken: string | undefined,
  options: SqliteStoreOptions,
): Promise<AsyncSqliteStore<ServerDatabase>> {
  const [{ createClient }, { drizzle }] = await Promise.all([import('@libsql/client'), import('drizzle-orm/libsql')])
  const client = connected(() => createClient({ url, ...(authToken !== undefined && { authToken }) }))
  const db = drizzle({ client })
  try {
    return await asyncStore(db, options, { isMemory: false, isOwned: true, place: placeOf(url) })
  } catch (error) {
    client.close()
    throw mapped(error)
  }
}

/** What of the address may be named in an error. */
function placeOf(url: string): ServerPlace {
  const { hostname, port } = new URL(url) // parseUrl has read it
  return {
    host: hostname,
    port: port === '' ? undefined : Number(port),
    socketPath: undefined,
    user: undefined,
    database: undefined,
  }
}

/** The URL may hold a token, so the client's own words about it do not go on. */
function connected(connect: () => Client): Client {
  try {
    return connect()
  } catch {
    throw refused('url', 'cannot be read as the address of a libSQL server')
  }
}
