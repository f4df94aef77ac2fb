import { createHash } from 'node:crypto'
import { defineStoreUnderTest, type Place, type PlaceRequest, type StoreUnderTest } from '@daybook/conformance'
import { mysqlWire } from '@daybook/conformance/wires'
import type { Capabilities, Store } from '@daybook/core'
import { mysqlTable, varchar } from 'drizzle-orm/mysql-core'
import { drizzle } from 'drizzle-orm/mysql2'
import { createPool, type Pool, type RowDataPacket } from 'mysql2/promise'
import { asItIs, knowing, patches, type DialectPatch } from '../../drizzle/test/dialect-patch.ts'
import { impossibleHere, mutantsOf } from '../../drizzle/test/sql-mutants.ts'
import { createMysqlStore, openMysqlStore } from '../src/index.ts'
import { startServer } from '../../../tools/servers/throwaway.ts'
import { confine, dropConfined } from './confined-role.ts'
import { holdSession, oracleOf, refuseEvents } from './oracle.ts'
import { openPatched } from './patched-store.ts'
import { byWayOf, endpointOf, hasVectors, urlOn, type MysqlBackend } from './server.ts'

const expects: Omit<Capabilities, 'nativeVectors'> = {
  memories: 'yes',
  artifacts: 'yes',
  metrics: 'yes',
  lease: 'yes',
  jsonPathFilter: 'yes',
  jsonPathIndex: 'yes',
  fullTextSearch: 'yes',
  vectorSearch: 'yes',
  callerTransaction: 'yes',
  persistent: 'yes',
  concurrentWriters: 'yes',
  foreignKeys: 'yes',
  skipLocked: 'yes',
  windowFunctions: 'yes',
  transactionalDdl: 'no',
  liveNotify: 'no',
  isolation: 'read committed',
}

/** Settings of a session that change how the server reads literals and operators and writes times. */
const hostileSettings = {
  sql_mode:
    'ANSI_QUOTES,PIPES_AS_CONCAT,IGNORE_SPACE,HIGH_NOT_PRECEDENCE,NO_AUTO_VALUE_ON_ZERO,PAD_CHAR_TO_FULL_LENGTH',
  time_zone: '+05:45',
  sql_safe_updates: '1',
  div_precision_increment: '0',
} as const

const impossible = { 'S8@order': 'ids that it orders as one are one to it, which UNI-07 sees' } as const

/** A server of the place's own, which may be killed. */
async function ownServerPlace(backend: MysqlBackend): Promise<Place> {
  const server = await startServer(backend === 'mysql' ? 'mysql9.7' : 'mariadb10.11', { download: false })
  const admin = createPool({ uri: server.url, connectionLimit: 1 })
  await admin.query('create database if not exists daybook')
  await admin.end()
  const url = Object.assign(new URL(server.url), { pathname: '/daybook' }).href
  return {
    open: ({ via: _via, role: _role, poolMax = 5, onStatement: _heard, migrations: _known, ...options } = {}) =>
      openMysqlStore({ url, connectionLimit: poolMax, ...options }),
    server,
    destroy: () => server.remove(),
  }
}

/** Its connections say that the server is older than it is. */
function olderPool(url: string): Pool {
  const pool = createPool({ uri: url, connectionLimit: 1 })
  const lend = pool.getConnection.bind(pool)
  pool.getConnection = async () => {
    const connection = await lend()
    const ask = connection.query.bind(connection) as (given: unknown) => Promise<[Record<string, unknown>[], unknown]> // how the store calls it
    const older = async (given: unknown) => {
      const [rows, fields] = await ask(given)
      const doctored = rows.map((row) => ('version' in row ? { ...row, version: '5.7.44' } : row))
      return [doctored, fields]
    }
    connection.query = older as typeof connection.query
    return connection
  }
  return pool
}

/** A database of its own for each place. */
async function provision(
  backend: MysqlBackend,
  { id: database, settings }: PlaceRequest,
  patch?: DialectPatch,
): Promise<Place> {
  const admin = createPool({ uri: urlOn(backend), connectionLimit: 2 })
  const isHostile = settings !== undefined
  await admin.query(`create database ??${isHostile ? ' character set latin1' : ''}`, [database])
  const url = urlOn(backend, database)
  // A role of the application's: it may do what a store does once the schema is there, and not change the schema.
  const user = createHash('md5').update(database).digest('hex') // a user's name has 32 characters at most
  await admin.query("create user ?@'%' identified by ?", [user, 'app'])
  await admin.query("grant select, insert, update, delete on ??.* to ?@'%'", [database, user])
  const appUrl = Object.assign(new URL(url), { username: user, password: 'app' }).href
  let ofApp: { readonly url: string; readonly foreignKeys?: false } = { url: appUrl }
  const pool = createPool({ uri: url, connectionLimit: 4, charset: 'utf8mb4', jsonStrings: true })
  await pool.query('create table orders (id varchar(191) primary key)')
  const own = drizzle({ client: pool })
  const orders = mysqlTable('orders', { id: varchar({ length: 191 }).primaryKey() })
  return {
    open({ poolMax = 5, via, role, onStatement, migrations, ...options } = {}): Promise<Store> {
      const place = role === 'app' ? ofApp : { url }
      const given = { ...place, url: byWayOf(via, place.url), connectionLimit: poolMax, ...options }
      if (patch === undefined && onStatement === undefined && migrations === undefined && !isHostile)
        return openMysqlStore(given)
      return openPatched(
        { ...given, onStatement, ...(isHostile && { session: hostileSettings }) },
        patches(patch ?? asItIs, knowing(migrations)),
      )
    },
    worker: { module: new URL('worker.ts', import.meta.url).href, args: { url, connectionLimit: 3 } },
    oracle: {
      ...oracleOf(pool),
      async confine(appName) {
        const views = await confine(admin, database, user, appName)
        // Views have no foreign keys; the tables under them do.
        ofApp = { url: Object.assign(new URL(appUrl), { pathname: `/${views}` }).href, foreignKeys: false }
      },
    },
    honours: ['role', 'poolMax', 'onStatement', 'prefix', 'migrations'],
    ...(isHostile && { settings: hostileSettings }),
    endpoint: endpointOf(url),
    wire: mysqlWire,
    lock: (session) => holdSession(url, session),
    openAbsent: ({ timeout } = {}) =>
      openMysqlStore({ url: urlOn(backend, 'daybook_no_such_database'), ...(timeout !== undefined && { timeout }) }),
    refuse: () => refuseEvents(pool),
    lacks: ['storage'], // the server's disk is its own
    async handle() {
      const client = createPool({ uri: url, connectionLimit: 3, charset: 'utf8mb4', jsonStrings: true })
      const store = await createMysqlStore(drizzle({ client }))
      return {
        store,
        works: async () => (await client.query<RowDataPacket[]>('select 1 as one'))[0].length === 1,
        close: () => client.end(),
      }
    },
    openBelowFloor: async () => {
      const client = olderPool(url)
      return createMysqlStore(drizzle({ client })).finally(() => client.end())
    },
    transaction: {
      async run(_store, body) {
        const store = await createMysqlStore(own)
        return own.transaction((tx) =>
          body(store.using(tx), {
            async insert(id) {
              await tx.insert(orders).values({ id })
            },
          }),
        )
      },
      rows: async () => (await own.select().from(orders).orderBy(orders.id)).map(({ id }) => id),
    },
    async destroy() {
      await pool.end()
      await dropConfined(admin, database)
      await admin.query('drop database ??', [database])
      await admin.query("drop user ?@'%'", [user])
      await admin.end()
    },
  }
}

const subjectOn = async (backend: MysqlBackend): Promise<StoreUnderTest> =>
  defineStoreUnderTest({
    subject: { name: '@daybook/drizzle-mysql', version: '0.1.0', driver: 'mysql2@3' },
    contract: '1.0',
    expects: { ...expects, nativeVectors: await hasVectors(backend) },
    provision: (request) => (request.ownServer === true ? ownServerPlace(backend) : provision(backend, request)),
    mutants: mutantsOf((request, patch) => provision(backend, request, patch), {
      ...impossible,
      ...impossibleHere({ nativeVectors: await hasVectors(backend) }),
    }),
  })

export const subjects: Record<MysqlBackend, StoreUnderTest> = {
  mariadb: await subjectOn('mariadb'),
  mysql: await subjectOn('mysql'),
}
