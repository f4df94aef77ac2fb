import { createConnection, type Connection } from 'mysql2/promise'
import { randomBytes } from 'node:crypto'
import postgres, { type Sql } from 'postgres'
import { afterAll, onTestFinished } from 'vitest'
import { serverUrl } from './server-url.ts'

/** What the app opens for a database that ends with it. */
export const memory = ':memory:'

/** Databases of one server, for the tests of one file. */
interface Databases {
  urlOf(name: string): string
  create(name: string): Promise<void>
  /** Takes all rows out of it, which is many times quicker than a new one. */
  empty(name: string): Promise<void>
  drop(name: string): Promise<void>
  end(): Promise<void>
}

const databases = serverUrl === undefined ? undefined : databasesOn(serverUrl)
const made: string[] = []
const free: string[] = []

if (databases !== undefined) {
  afterAll(async () => {
    for (const name of made) await databases.drop(name)
    await databases.end()
  })
}

/** The address of a database without rows, which nobody else has until the test (or what `whenOver` says) is over. */
export async function freshDatabase(whenOver: (free: () => Promise<void>) => void = onTestFinished): Promise<string> {
  if (databases === undefined) return memory
  const name = free.pop() ?? (await create(databases))
  whenOver(async () => {
    await databases.empty(name)
    free.push(name)
  })
  return databases.urlOf(name)
}

async function create(on: Databases): Promise<string> {
  const name = `daybook_app_${randomBytes(6).toString('hex')}`
  await on.create(name)
  made.push(name)
  return name
}

function databasesOn(url: string): Databases {
  const urlOf = (name: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href
  return url.startsWith('postgres') ? postgresOn(url, urlOf) : mysqlOn(url, urlOf)
}

const stateless = (table: string) => !table.endsWith('migrations')

function postgresOn(url: string, urlOf: Databases['urlOf']): Databases {
  const admin = postgres(url, { max: 1, onnotice: () => {} })
  const clients = new Map<string, Sql>()
  return {
    urlOf,
    async create(name) {
      await admin`create database ${admin(name)}`
      clients.set(name, postgres(urlOf(name), { max: 1, onnotice: () => {} }))
    },
    async empty(name) {
      const sql = clients.get(name)
      if (sql === undefined) return
      const tables = await sql<{ name: string }[]>`select tablename as name from pg_tables where schemaname = 'public'`
      for (const table of tables) if (stateless(table.name)) await sql`delete from ${sql(table.name)}`
    },
    async drop(name) {
      await clients.get(name)?.end()
      await admin`drop database ${admin(name)} with (force)`
    },
    end: () => admin.end(),
  }
}

function mysqlOn(url: string, urlOf: Databases['urlOf']): Databases {
  let opened: Promise<Connection> | undefined
  const admin = () => (opened ??= createConnection({ uri: url.replace(/^mariadb:/, 'mysql:') }))
  const query = async (text: string, values: readonly string[]) => {
    const [rows] = await (await admin()).query(text, [...values])
    return rows
  }
  return {
    urlOf,
    async create(name) {
      await query('create database ??', [name])
    },
    async empty(name) {
      const base = `select table_name as name from information_schema.tables where table_schema = ? and table_type = 'BASE TABLE'`
      const tables = (await query(base, [name])) as { name: string }[] // rows of what the text selects
      for (const table of tables) if (stateless(table.name)) await query('delete from ??.??', [name, table.name])
    },
    async drop(name) {
      await query('drop database ??', [name])
    },
    end: async () => (await opened)?.end(),
  }
}
