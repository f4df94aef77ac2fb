import { StoreError } from '@daybook/core'
import type { CheckedServer, TlsOptions } from '@daybook/drizzle'
import type { Pool, PoolOptions } from 'mysql2/promise'
import { connect, isIP } from 'node:net'
import { authPlugins } from './auth-plugins.ts'

// The pool that a store opens for itself. mysql2 lends connections; what it lacks is added where it lends them, so that
// Drizzle gets them like this too.

interface PoolSettings {
  readonly server: CheckedServer
  readonly tls: TlsOptions
  readonly connectionLimit: number
  readonly maxIdle: number
}

/** The parts of mysql2's inner pool that are changed. */
interface Core {
  getConnection(done: (error: unknown, connection?: CoreConnection) => void): void
  readonly config: { readonly connectionConfig: { password?: string | undefined } }
  on(event: 'connection' | 'acquire' | 'release', listener: (connection: CoreConnection) => void): unknown
}

interface CoreConnection {
  query(text: string, done: (error: unknown) => void): unknown
  /** Says goodbye to the server. */
  end(): void
  destroy(): void
  on(event: 'error' | 'end', listener: () => void): unknown
}

export async function openPool(settings: PoolSettings): Promise<Pool> {
  const { createPool } = await import('mysql2/promise')
  const pool = createPool(poolOptions(settings))
  const core = pool.pool as unknown as Core // what mysql2 keeps under its promises
  const { server } = settings
  retireIdle(core, server.idleTimeout)
  prepareEach(core, server)
  return pool
}

function poolOptions({ server, tls, connectionLimit, maxIdle }: PoolSettings): PoolOptions {
  return {
    ...addressOf(server, tls),
    ...(server.user !== undefined && { user: server.user }),
    ...(server.database !== undefined && { database: server.database }),
    connectionLimit,
    maxIdle,
    ...(server.idleTimeout > 0 && { idleTimeout: server.idleTimeout }),
    connectTimeout: server.connectTimeout,
    enableKeepAlive: server.keepAlive > 0,
    keepAliveInitialDelay: server.keepAlive,
    gracefulEnd: true,
    charset: 'utf8mb4',
    timezone: 'Z',
    flags: ['-LOCAL_FILES'], // no server may ask for a file of this machine
    supportBigNumbers: true,
    jsonStrings: true,
    trace: false,
    maxPreparedStatements: 256, // a store has about fifty, and a server 16,382 for all of its clients
    connectAttributes: { program_name: server.applicationName },
    authPlugins,
  }
}

/** mysql2 verifies the host that it was given, and nothing where that is an address in numbers. */
function addressOf(server: CheckedServer, tls: TlsOptions): PoolOptions {
  const { host = 'localhost', port = 3306, socketPath, keepAlive } = server
  if (tls === false) return socketPath === undefined ? { host, port } : { socketPath }
  if (socketPath !== undefined) throw invalid('tls', 'is for a host, and socketPath is none')
  const { servername = host, rejectUnauthorized, ...rest } = tls
  if (rejectUnauthorized && isIP(servername) !== 0) {
    throw invalid(
      'tls.servername',
      'is missing: mysql2 verifies names only, and the host is an address in numbers; give the name in its certificate',
    )
  }
  const ssl = { ...rest, rejectUnauthorized, verifyIdentity: rejectUnauthorized }
  if (servername === host) return { host, port, ssl: ssl as NonNullable<PoolOptions['ssl']> } // of Node's wider type
  const stream = () => connect({ host, port, noDelay: true, ...(keepAlive > 0 && { keepAlive: true }) })
  return { host: servername, port, stream, ssl: ssl as NonNullable<PoolOptions['ssl']> } // as above
}

/** The driver closes idle connections only beyond `maxIdle`. */
function retireIdle(core: Core, idleTimeout: number): void {
  if (idleTimeout === 0) return
  const timers = new WeakMap<CoreConnection, NodeJS.Timeout>()
  // One that died while it was idle is to say no goodbye: it would report that with an error that ends the process.
  core.on('connection', (connection) => {
    for (const event of ['error', 'end'] as const) connection.on(event, () => clearTimeout(timers.get(connection)))
  })
  core.on('acquire', (connection) => clearTimeout(timers.get(connection)))
  core.on('release', (connection) => {
    clearTimeout(timers.get(connection))
    timers.set(connection, setTimeout(() => connection.end(), idleTimeout).unref())
  })
}

/** Before a connection is lent: the password of the moment, the settings of a new one, and no one that is too old. */
function prepareEach(core: Core, server: CheckedServer): void {
  const { password, maxAge } = server
  const take = core.getConnection.bind(core)
  const settings = settingsOf(server)
  const made = new WeakMap<CoreConnection, number>()

  const taken = () =>
    new Promise<CoreConnection>((resolve, reject) => {
      take((error, connection) => (connection === undefined ? reject(errorOf(error)) : resolve(connection)))
    })
  const idle = idleIn(core)
  async function prepared(): Promise<CoreConnection> {
    for (;;) {
      if (password !== undefined && idle.size === 0) core.config.connectionConfig.password = await asked(password)
      const connection = await taken()
      const since = made.get(connection)
      if (since === undefined) {
        await set(connection, settings)
        made.set(connection, performance.now())
        return connection
      }
      if (maxAge === 0 || performance.now() - since < maxAge) return connection
      connection.destroy()
    }
  }
  async function lend(done: Parameters<Core['getConnection']>[0]): Promise<void> {
    let connection: CoreConnection
    try {
      connection = await prepared()
    } catch (error) {
      return done(error)
    }
    done(null, connection)
  }
  core.getConnection = (done) => void lend(done)
  core.on('release', (connection) => {
    const since = made.get(connection)
    if (maxAge > 0 && since !== undefined && performance.now() - since >= maxAge) connection.end()
  })
}

/** Those that are lent without a new one being made. */
function idleIn(core: Core): ReadonlySet<CoreConnection> {
  const idle = new Set<CoreConnection>()
  core.on('connection', (connection) => {
    for (const event of ['error', 'end'] as const) connection.on(event, () => idle.delete(connection))
  })
  core.on('acquire', (connection) => idle.delete(connection))
  core.on('release', (connection) => idle.add(connection))
  return idle
}

const set = (connection: CoreConnection, settings: string) =>
  new Promise<void>((resolve, reject) => {
    connection.query(settings, (error) => {
      if (error === null || error === undefined) return resolve()
      connection.destroy()
      reject(errorOf(error))
    })
  })

/**
 * What each connection gets, in one statement for both servers: a comment that begins with `!` is read by MySQL, one with
 * `M!` by MariaDB. Literals do not bring another collation in, values are escaped as the driver does it, and no lock is
 * waited for longer than a call would be tried again.
 */
function settingsOf({ lockTimeout = 5_000, statementTimeout }: CheckedServer): string {
  const seconds = lockTimeout === 0 ? longestLockWait : Math.max(1, Math.ceil(lockTimeout / 1000))
  const statement =
    statementTimeout === undefined
      ? ''
      : `/*!80019 , max_execution_time = ${statementTimeout} *//*M! , max_statement_time = ${statementTimeout / 1000} */`
  return `set names utf8mb4 collate /*!80019 utf8mb4_0900_bin *//*M! utf8mb4_nopad_bin */,
    time_zone = '+00:00', autocommit = 1, sql_mode = replace(@@sql_mode, 'NO_BACKSLASH_ESCAPES', ''),
    innodb_lock_wait_timeout = ${seconds}, lock_wait_timeout = ${Math.min(seconds, longestMetadataWait)} ${statement}`
}

const longestLockWait = 100_000_000 // of MariaDB, in seconds
const longestMetadataWait = 31_536_000

async function asked(password: () => Promise<string>): Promise<string> {
  try {
    return await password()
  } catch (cause) {
    throw new StoreError('unavailable', 'the function that answers the password failed', { cause })
  }
}

const errorOf = (error: unknown): Error =>
  error instanceof Error ? error : new Error('mysql2 said no more', { cause: error })

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })
