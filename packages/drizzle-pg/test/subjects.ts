import {
  defineStoreUnderTest,
  type Deviation,
  type Handle,
  type OpenOptions,
  type Place,
  type PlaceRequest,
  type StoreUnderTest,
} from '@daybook/conformance'
import { postgresWire } from '@daybook/conformance/wires'
import type { Capabilities, Store } from '@daybook/core'
import { sql, type SQL } from 'drizzle-orm'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres'
import { drizzle } from 'drizzle-orm/postgres-js'
import { Pool } from 'pg'
import { asItIs, knowing, patches, type DialectPatch } from '../../drizzle/test/dialect-patch.ts'
import { impossibleHere, mutantsOf } from '../../drizzle/test/sql-mutants.ts'
import { fixedAes } from '../../drizzle/test/codecs.ts'
import { createPgStore, openPgStore, type OpenPgOptions, type PgStoreOptions } from '../src/index.ts'
import { accessBy, holdSession, oracleOf, refuseEvents } from './oracle.ts'
import { openPatched } from './patched-store.ts'
import { pgliteSubject } from './pglite-subject.ts'
import { startServer } from '../../../tools/servers/throwaway.ts'
import { createAppRole, createHostileRole, dropAppRole, hostileSettings } from './roles.ts'
import { connect, hasVectors, serverEndpoint, serverUrl, urlWith } from './server.ts'

const expected: Capabilities = {
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
  transactionalDdl: 'yes',
  liveNotify: 'no',
  nativeVectors: await hasVectors(),
  isolation: 'read committed',
}

interface Variant {
  readonly driver: Driver
  readonly isEncoded?: boolean
}

type Driver = NonNullable<OpenPgOptions['driver']>

const orders = pgTable('orders', { id: text().primaryKey() })

/** An application with a database of its own over a driver. */
interface Application {
  /** Begins a transaction, and joins a store to it. */
  run: NonNullable<Place['transaction']>['run']
  end(): Promise<void>
}

const applications: Record<Driver, (schema: string, options: PgStoreOptions) => Application> = {
  pg(schema, options) {
    const pool = new Pool({ connectionString: serverUrl, max: 4, options: `-c search_path=${schema}` })
    const db = drizzleNode({ client: pool })
    return {
      async run(_store, body) {
        const store = await createPgStore(db, { schema, ...options })
        return db.transaction((tx) =>
          body(store.using(tx), { insert: async (id) => void (await tx.insert(orders).values({ id })) }),
        )
      },
      end: () => pool.end(),
    }
  },
  postgres(schema, options) {
    const client = connect({ max: 4, connection: { search_path: schema } })
    const db = drizzle({ client })
    return {
      async run(_store, body) {
        const store = await createPgStore(db, { schema, ...options })
        return db.transaction((tx) =>
          body(store.using(tx), { insert: async (id) => void (await tx.insert(orders).values({ id })) }),
        )
      },
      end: () => client.end({ timeout: 5 }),
    }
  },
}

const handles: Record<Driver, (options: PgStoreOptions) => Promise<Handle>> = {
  async pg(options) {
    const client = new Pool({ connectionString: serverUrl, max: 3 })
    const db = drizzleNode({ client })
    return {
      store: await createPgStore(db, options),
      works: async () => (await db.execute(sql`select 1 as one`)).rows.length === 1,
      close: () => client.end(),
    }
  },
  async postgres(options) {
    const client = connect({ max: 3 })
    const db = drizzle({ client })
    return {
      store: await createPgStore(db, options),
      works: async () => (await db.execute(sql`select 1 as one`)).length === 1,
      close: () => client.end({ timeout: 5 }),
    }
  },
}

/** What a server says about itself, with an older version in it. */
function asOlder<R extends { readonly rows: Record<string, unknown>[] }>(result: R): R {
  const older = { server_version: '13.5', server_version_num: '130005' }
  return { ...result, rows: result.rows.map((row) => ('server_version_num' in row ? { ...row, ...older } : row)) }
}

const collated = 'a collation of the language tells every two ids apart here, and only orders them'
const impossible = { S8: collated, 'S8@case': collated } as const

/** A server of the place's own, which may be killed. */
async function ownServerPlace({ driver, isEncoded = false }: Variant): Promise<Place> {
  const server = await startServer('pg15', { download: false })
  const withCodec = isEncoded ? { codec: fixedAes } : {}
  return {
    open: ({ via: _via, role: _role, poolMax, onStatement: _heard, migrations: _known, ...options } = {}) =>
      openPgStore({ driver, url: server.url, max: poolMax ?? 5, ...withCodec, ...options }),
    server,
    destroy: () => server.remove(),
  }
}

/** A schema of its own for each place, in the one database. */
async function provision(
  { id: schema, settings }: PlaceRequest,
  { driver, isEncoded = false }: Variant,
  patch?: DialectPatch,
): Promise<Place> {
  const admin = connect()
  await admin`create schema ${admin(schema)}`
  const role = await createAppRole(admin, schema)
  const owner = settings === undefined ? undefined : await createHostileRole(admin, schema)
  await admin`create table ${admin(schema)}.orders (id text primary key)`
  const withCodec = isEncoded ? { codec: fixedAes } : {}
  const application = applications[driver](schema, withCodec)
  const open = ({ poolMax, ...options }: OpenOptions = {}, pathname?: string): Promise<Store> => {
    const { via, role: as, onStatement, migrations, ...rest } = options
    const host = via === undefined ? {} : { host: `${via.host}:${via.port}` }
    const url = urlWith({ ...owner, ...(as === 'app' && role), ...host, ...(pathname !== undefined && { pathname }) })
    const given = { driver, url, schema, max: poolMax ?? 5, ...withCodec, ...rest }
    if (patch === undefined && onStatement === undefined && migrations === undefined) return openPgStore(given)
    return openPatched({ ...given, onStatement }, patches(patch ?? asItIs, knowing(migrations)))
  }
  return {
    open: (options) => open(options),
    worker: {
      module: new URL('worker.ts', import.meta.url).href,
      args: { driver, url: serverUrl, schema, max: 3, isEncoded },
    },
    oracle: oracleOf(accessBy(admin), schema),
    honours: ['role', 'poolMax', 'onStatement', 'prefix', 'migrations'],
    ...(owner !== undefined && { settings: hostileSettings }),
    endpoint: serverEndpoint,
    wire: postgresWire,
    lock: (key) => holdSession(schema, key),
    openAbsent: (options) => open({ ...options }, '/daybook_no_such_database'),
    refuse: () => refuseEvents(admin, schema),
    lacks: ['storage'], // the server's disk is its own
    handle: () => handles[driver]({ schema, ...withCodec }),
    openBelowFloor: async () => {
      const client = new Pool({ connectionString: serverUrl, max: 1 })
      const db = drizzleNode({ client })
      const older = new Proxy(db, {
        get(target, name) {
          if (name === 'execute') return async (query: SQL) => asOlder(await target.execute(query))
          return Reflect.get(target, name, target) as unknown // get answers any
        },
      })
      return createPgStore(older, { schema }).finally(() => client.end())
    },
    transaction: {
      run: (store, body) => application.run(store, body),
      rows: async () =>
        (await admin`select id from ${admin(schema)}.orders order by id`).map((row) => String(row['id'])),
    },
    async destroy() {
      await application.end()
      await admin`drop schema ${admin(schema)} cascade`
      await dropAppRole(admin, role.username)
      if (owner !== undefined) await dropAppRole(admin, owner.username)
      await admin.end({ timeout: 5 })
    },
  }
}

/** After a connection that was lost under a transaction the driver's pool may never settle again, and it rejects where nobody can catch it. */
const losesConnections: Deviation = {
  issue: 'https://github.com/porsager/postgres/issues/1208',
  checks: ['LIFE-07@unreachable', 'FLT-01', 'FLT-03', 'FLT-05', 'FLT-06', 'FLT-07', 'RES-04'],
}

export const subjects: Record<'pg' | 'pg-codec' | 'pg-postgres-js' | 'pg-pglite', StoreUnderTest> = {
  pg: subject('pg@8', { driver: 'pg' }),
  'pg-codec': subject('pg@8, with a codec', { driver: 'pg', isEncoded: true }),
  'pg-postgres-js': subject('postgres@3', { driver: 'postgres' }),
  'pg-pglite': pgliteSubject(expected),
}

function subject(driver: string, variant: Variant): StoreUnderTest {
  return defineStoreUnderTest({
    subject: { name: '@daybook/drizzle-pg', version: '0.1.0', driver },
    contract: '1.0',
    expects: {
      ...expected,
      liveNotify: variant.driver === 'pg' ? 'yes' : 'no', // postgres.js has no connection to keep apart
      ...(variant.isEncoded === true && { jsonPathFilter: 'no', jsonPathIndex: 'no' }), // nobody looks into what a codec wrote
    },
    ...(variant.driver === 'postgres' && { broken: [losesConnections] }),
    provision: (request) => (request.ownServer === true ? ownServerPlace(variant) : provision(request, variant)),
    ...(variant.isEncoded !== true && {
      mutants: mutantsOf((request, patch) => provision(request, variant, patch), {
        ...impossible,
        ...impossibleHere(expected),
      }),
    }),
  })
}
