import type { Capabilities } from '@daybook/core'
import {
  defineStoreUnderTest,
  type CallerTransaction,
  type Endpoint,
  type Handle,
  type Lack,
  type OpenOptions,
  type Place,
  type PlaceRequest,
  type StoreUnderTest,
} from '@daybook/conformance'
import { libsqlWire } from '@daybook/conformance/wires'
import { createSqliteStore, openSqliteStore, type SqliteStoreOptions } from '@daybook/drizzle-sqlite'
import { createClient } from '@libsql/client'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/libsql'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asItIs, knowing, patches, type DialectPatch } from '../../drizzle/test/dialect-patch.ts'
import { impossibleHere, mutantsOf } from '../../drizzle/test/sql-mutants.ts'
import { askClient, createFile, isPlainDriver, openFile, type DriverName, type OpenArgs } from './drivers.ts'
import { besideFile, besideUrl, holdFile, holdServer, oracleOf } from './oracle.ts'
import { openOlder, openPatched, openPatchedUrl } from './patched-store.ts'
import { freePort, startServer } from './sqld.ts'
import { openDamagedFile, refusing, storageOf } from './trouble.ts'

const worker = new URL('worker.ts', import.meta.url).href

/** SQLite knows no rights, and a store is one connection. */
const lacks: readonly Lack[] = ['roles', 'pool']

/** A file is reached without a network, and a server has its disk to itself. */
const lacksOfFile: readonly Lack[] = [...lacks, 'network']
const lacksOfServer: readonly Lack[] = [...lacks, 'storage']

const synchronous: Capabilities = {
  memories: 'yes',
  artifacts: 'yes',
  metrics: 'yes',
  lease: 'yes',
  jsonPathFilter: 'yes',
  jsonPathIndex: 'yes',
  fullTextSearch: 'yes',
  vectorSearch: 'yes',
  callerTransaction: 'no',
  persistent: 'yes',
  concurrentWriters: 'no',
  foreignKeys: 'yes',
  skipLocked: 'no',
  windowFunctions: 'yes',
  transactionalDdl: 'yes',
  liveNotify: 'no',
  nativeVectors: 'yes',
  isolation: 'serializable',
}

const collated = 'nobody gets another collation than the one that compares byte for byte without asking for it'
const impossible = {
  S8: collated,
  'S8@case': collated,
  'S8@order': collated,
  S11: 'a store is one connection, and its next transaction would not begin',
  S13: 'whoever writes to the file has the one lock there is',
  'S13@processes': 'whoever writes to the file has the one lock there is',
} as const

export const subjects: Record<DriverName | 'libsql-server', StoreUnderTest> = {
  sqlite: subject('sqlite', 'libsql@0.5', synchronous),
  'sqlite-worker': subject('sqlite-worker', 'libsql@0.5, in a worker thread', synchronous),
  'sqlite-codec': subject('sqlite-codec', 'libsql@0.5, with a codec', {
    ...synchronous,
    jsonPathFilter: 'no',
    jsonPathIndex: 'no',
  }),
  'libsql-client': subject('libsql-client', '@libsql/client@0.18', { ...synchronous, callerTransaction: 'yes' }),
  'better-sqlite3': subject('better-sqlite3', 'better-sqlite3@12', { ...synchronous, nativeVectors: 'no' }),
  'libsql-server': defineStoreUnderTest({
    subject: { name: '@daybook/drizzle-sqlite', version: '0.1.0', driver: '@libsql/client@0.18, sqld@0.24' },
    contract: '1.0',
    expects: { ...synchronous, callerTransaction: 'yes' },
    broken: [
      {
        issue:
          'the client cannot give up a request, so one into silence keeps its connection for as long as that lasts',
        checks: ['FLT-05@network'],
      },
    ],
    provision: (request) => serverPlace(request),
    mutants: mutantsOf(serverPlace, impossible),
  }),
}

/** A server of its own for each place. */
async function serverPlace({ id }: PlaceRequest, patch?: DialectPatch): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), `${id}-`))
  const server = await startServer(folder)
  const { url } = server
  const { hostname, port } = new URL(url)
  return {
    open: (options) =>
      isPlain(options, patch)
        ? openSqliteStore({ url: byWayOf(options?.via, url), ...storeOptions(options) })
        : openPatchedUrl(url, patchedBy(options, patch)),
    endpoint: { host: hostname, port: Number(port) },
    wire: libsqlWire,
    keepsLost: 5_000, // its write transactions time out
    refuse: refusing(besideUrl(url), `json('{')`), // what RAISE says it reports like a key that exists
    openAbsent: async (options) =>
      openSqliteStore({ url: `http://127.0.0.1:${await freePort()}`, ...storeOptions(options) }),
    server: { kill: () => server.kill(), start: () => server.restart() },
    worker: { module: worker, args: { url } },
    oracle: oracleOf(besideUrl(url)),
    lacks: lacksOfServer,
    honours: ['onStatement', 'prefix', 'migrations'],
    lock: () => holdServer(url),
    transaction: await callerTransaction(url),
    destroy: async () => {
      await server.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A client of the application's, with a store over it. */
async function handleOf(url: string): Promise<Handle> {
  const client = createClient({ url })
  const db = drizzle({ client })
  return {
    store: await createSqliteStore(db),
    works: async () => (await db.all(sql`select 1 as one`)).length === 1,
    close: async () => client.close(),
  }
}

/** What a file keeps its texts in for good. */
const hostileSettings = { encoding: 'UTF-16le' } as const

function subject(driver: DriverName, version: string, expects: Capabilities): StoreUnderTest {
  async function provision({ id, settings }: PlaceRequest, patch?: DialectPatch): Promise<Place> {
    const folder = await mkdtemp(join(tmpdir(), `${id}-`))
    const path = join(folder, 'daybook.db')
    await createFile(driver, path, settings === undefined ? 'UTF-8' : hostileSettings.encoding)
    const args: OpenArgs = { driver, path }
    return {
      open: (options) =>
        isPlainDriver(driver) && !isPlain(options, patch)
          ? openPatched[driver](path, patchedBy(options, patch))
          : openFile[driver](path, storeOptions(options)),
      worker: { module: worker, args },
      oracle: oracleOf(besideFile(args)),
      lacks: opensItself(driver) ? lacksOfFile : [...lacksOfFile, 'opening'],
      ...(settings !== undefined && { settings: hostileSettings }),
      honours: isPlainDriver(driver) ? ['onStatement', 'prefix', 'migrations'] : ['prefix'],
      lock: () => holdFile(path),
      storage: storageOf(args),
      openDamaged: () => openDamagedFile(args),
      ...(opensItself(driver) && {
        openAbsent: (options: OpenOptions = {}) =>
          openFile[driver](join(folder, 'none', 'daybook.db'), storeOptions(options)),
      }),
      refuse: refusing(besideFile(args), `raise(abort, 'the application refuses it')`),
      ...(isPlainDriver(driver) && { openBelowFloor: () => openOlder[driver](path) }),
      ...(driver === 'libsql-client' && { handle: () => handleOf(`file:${path}`) }),
      ...(expects.callerTransaction === 'yes' && { transaction: await callerTransaction(`file:${path}`) }),
      destroy: () => rm(folder, { recursive: true, force: true }),
    }
  }
  return defineStoreUnderTest({
    subject: { name: '@daybook/drizzle-sqlite', version: '0.1.0', driver: version },
    contract: '1.0',
    expects,
    provision: (request) => provision(request),
    ...(isPlainDriver(driver) && { mutants: mutantsOf(provision, { ...impossible, ...impossibleHere(expects) }) }),
  })
}

/** The store opens the file; the others are handed a client. */
const opensItself = (driver: DriverName) =>
  driver === 'sqlite' || driver === 'sqlite-codec' || driver === 'sqlite-worker'

/** The same server by another way. */
const byWayOf = (via: Endpoint | undefined, url: string) => (via === undefined ? url : `http://${via.host}:${via.port}`)

/** What a store on a file knows of the options of an opening. */
const storeOptions = ({
  now,
  timeout,
  logger,
  limits,
  prefix,
  embeddingDimensions,
}: OpenOptions = {}): SqliteStoreOptions => ({
  ...(prefix !== undefined && { prefix }),
  ...(now !== undefined && { now }),
  ...(timeout !== undefined && { timeout }),
  ...(logger !== undefined && { logger }),
  ...(limits !== undefined && { limits }),
  ...(embeddingDimensions !== undefined && { embeddingDimensions }),
})

/** An opening by the front door; the others are put together from the package's parts. */
const isPlain = ({ onStatement, migrations }: OpenOptions = {}, patch?: DialectPatch) =>
  onStatement === undefined && migrations === undefined && patch === undefined

const patchedBy = (options: OpenOptions = {}, patch = asItIs): Parameters<typeof openPatchedUrl>[1] => ({
  onStatement: options.onStatement,
  patch: patches(patch, knowing(options.migrations)),
  options: storeOptions(options),
})

/** An application with a table of its own. It waits for others that write, since it begins the transaction. */
async function callerTransaction(url: string): Promise<CallerTransaction> {
  await askClient(url, 'create table application (id text primary key)')
  return {
    async run(_store, body) {
      const client = createClient({ url, timeout: 5_000 })
      try {
        const db = drizzle({ client })
        const own = await createSqliteStore(db)
        return await db.transaction((tx) =>
          body(own.using(tx), {
            insert: async (id) => void (await tx.run(sql`insert into application (id) values (${id})`)),
          }),
        )
      } finally {
        client.close()
      }
    },
    rows: async () => (await askClient(url, 'select id from application')).map((row) => String(row['id'])),
  }
}
