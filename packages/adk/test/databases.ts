import { createInMemoryStore, type Store } from '@daybook/core'
import { createConnection } from 'mysql2/promise'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { missingServer, urlOfServer, type ServerBackend } from '../../../tools/servers/found.ts'
import { needsServer } from '../../../tools/servers/needs-server.ts'
import { DaybookSessionService, type DaybookSessionServiceOptions } from '../src/index.ts'
import { openStore } from '../src/open-store.ts'

/** An empty database, and how it goes away. */
export interface Fresh {
  /** `undefined` for the store in memory. */
  readonly url: string | undefined
  readonly drop: () => Promise<void>
}

export interface Database {
  readonly name: string
  readonly server?: ServerBackend
  readonly fresh: () => Promise<Fresh>
}

/** What everything here is proven on. */
export const databases: readonly Database[] = [
  { name: 'memory', fresh: async () => ({ url: undefined, drop: async () => {} }) },
  { name: 'sqlite', fresh: freshFile },
  ...(['pg', 'mariadb', 'mysql'] as const).map((server) => ({ name: server, server, fresh: () => freshOn(server) })),
]

/** Those that have an address. */
export const addressed = databases.filter(({ name }) => name !== 'memory')

async function freshFile(): Promise<Fresh> {
  const folder = await mkdtemp(join(tmpdir(), 'daybook-adk-'))
  return { url: `sqlite://${join(folder, 'agent.db')}`, drop: () => rm(folder, { recursive: true, force: true }) }
}

async function freshOn(server: ServerBackend): Promise<Fresh> {
  const url = urlOfServer(server)
  if (url === undefined) throw new Error(missingServer(server))
  const name = `daybook_adk_${randomBytes(6).toString('hex')}`
  const send = server === 'pg' ? sendToPostgres : sendToMysql
  await send(url, `create database ${name}`)
  return {
    url: Object.assign(new URL(url), { pathname: `/${name}` }).href,
    drop: () => send(url, `drop database ${name}${server === 'pg' ? ' with (force)' : ''}`),
  }
}

async function sendToPostgres(connectionString: string, statement: string): Promise<void> {
  const client = new Client({ connectionString })
  await client.connect()
  await client.query(statement)
  await client.end()
}

async function sendToMysql(url: string, statement: string): Promise<void> {
  const connection = await createConnection({ uri: url.replace(/^mariadb:/, 'mysql:') })
  await connection.query(statement)
  await connection.end()
}

/** One database for the tests of a `describe`, which tell themselves apart by the names of their apps. */
export interface Bench {
  readonly service: DaybookSessionService
  /** Its address; throws for the store in memory. */
  readonly url: string
  /** Another service over the same data, as another process would have one. */
  readonly another: (options?: DaybookSessionServiceOptions) => DaybookSessionService
  /** A store over the same data, which knows nothing of ADK; closed with the bench. */
  readonly store: () => Promise<Store>
  /** A name that no other test has. */
  readonly app: () => string
}

const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('there is none before the tests run')
  return value
}

export function benchOn({ server, fresh }: Database): Bench {
  let database: Fresh | undefined
  let service: DaybookSessionService | undefined
  const others: DaybookSessionService[] = []
  const stores: Store[] = []
  const memory = createInMemoryStore()
  const open = (options?: DaybookSessionServiceOptions) => {
    const { url } = present(database)
    const store = url === undefined ? memory : () => openStore(url, {})
    const opened = new DaybookSessionService(store, options)
    others.push(opened)
    return opened
  }
  const isMissing = server !== undefined && missingServer(server) !== undefined
  if (server !== undefined) beforeEach(needsServer(server))
  beforeAll(async () => {
    if (isMissing) return
    database = await fresh()
    service = open()
    await service.init()
  })
  afterAll(async () => {
    for (const other of [...others, ...stores]) await other.close()
    await database?.drop()
  })
  return {
    get service() {
      return present(service)
    },
    get url() {
      return present(present(database).url)
    },
    another: open,
    async store() {
      const { url } = present(database)
      if (url === undefined) return memory
      const store = await openStore(url, {})
      stores.push(store)
      return store
    },
    app: () => `app_${randomBytes(6).toString('hex')}`,
  }
}
