import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { Client } from 'pg'
import { find, wanted } from '../tools/servers/find.ts'
import type { Instance } from '../tools/servers/instance.ts'
import type { Entry, Place, Tables } from './contender.ts'

export const backendNames = ['pg', 'mariadb', 'mysql', 'sqlite'] as const
export type BackendName = (typeof backendNames)[number]

/** Where the contenders of one database work. */
export interface Backend {
  /** Such as `PostgreSQL 15.20`. */
  readonly product: string
  /** What makes a commit durable, as the server says it. */
  readonly durability: Readonly<Record<string, string>>
  /** A fresh database for one contender. */
  place(contender: string): Promise<Place>
  /** What tells the planner of the tables, after the seed. */
  readonly analyze: Readonly<Record<Tables, string>>
  /** Removes what was made. */
  close(): Promise<void>
}

/** Loaded only when asked for, since each brings its packages. */
export const contendersOf: Readonly<Record<BackendName, () => Promise<readonly Entry[]>>> = {
  pg: async () => (await import('./contenders/pg.ts')).pgContenders,
  mariadb: async () => (await import('./contenders/mysql.ts')).mysqlContenders('mariadb'),
  mysql: async () => (await import('./contenders/mysql.ts')).mysqlContenders('mysql'),
  sqlite: async () => (await import('./contenders/sqlite.ts')).sqliteContenders,
}

const pool = 10
const databaseName = (contender: string) => `daybook_bench_${process.pid}_${contender.replaceAll('-', '_')}`

export const openBackend: Readonly<Record<BackendName, () => Promise<Backend>>> = {
  async pg() {
    const { url, product, stop } = await server('pg')
    const run = async (text: string) => {
      const client = new Client({ connectionString: url })
      await client.connect()
      try {
        return (await client.query<Record<string, string>>(text)).rows
      } finally {
        await client.end()
      }
    }
    const names: string[] = []
    const durability: Record<string, string> = {}
    for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes'])
      durability[setting] = (await run(`show ${setting}`))[0]?.[setting] ?? ''
    return {
      product,
      durability,
      analyze: { daybook: 'analyze', adk: 'analyze' },
      async place(contender) {
        const name = databaseName(contender)
        await run(`create database ${name}`)
        names.push(name)
        const place = new URL(url)
        place.pathname = `/${name}`
        return { url: place.href, pool }
      },
      async close() {
        for (const name of names) await run(`drop database ${name} with (force)`)
        await stop()
      },
    }
  },
  mariadb: () => openMysql('mariadb'),
  mysql: () => openMysql('mysql'),
  async sqlite() {
    // Not the folder for temporary files: that may be memory, where fsync costs nothing.
    const parent = join(import.meta.dirname, 'data')
    await mkdir(parent, { recursive: true })
    const folder = await mkdtemp(join(parent, 'sqlite-'))
    const versionOf = new Database(':memory:')
    const version = versionOf.prepare('select sqlite_version()').pluck().get()
    versionOf.close()
    return {
      product: `SQLite ${String(version)} in better-sqlite3`,
      durability: { journal_mode: 'wal', synchronous: 'full, but for contenders whose name ends in -normal' },
      analyze: { daybook: 'analyze', adk: 'analyze' },
      place: async (contender) => ({ url: join(folder, `${contender}.db`), pool }),
      close: () => rm(folder, { recursive: true, force: true }),
    }
  },
}

async function openMysql(flavour: 'mariadb' | 'mysql'): Promise<Backend> {
  const { url, product, stop } = await server(flavour)
  const run = async (text: string) => {
    const connection = await createConnection(url)
    try {
      return (await connection.query<RowDataPacket[]>(text))[0]
    } finally {
      await connection.end()
    }
  }
  const names: string[] = []
  const settings = await run(
    `show global variables where variable_name in ('innodb_flush_log_at_trx_commit', 'innodb_doublewrite', 'log_bin', 'sync_binlog')`,
  )
  return {
    product,
    durability: Object.fromEntries(settings.map((row) => [String(row['Variable_name']), String(row['Value'])])),
    analyze: {
      daybook: 'analyze table daybook_sessions, daybook_events, daybook_user_states, daybook_app_states',
      adk: 'analyze table sessions, events, user_states, app_states',
    },
    async place(contender) {
      const name = databaseName(contender)
      await run(`create database ${name}`)
      names.push(name)
      return { url: Object.assign(new URL(url), { pathname: `/${name}` }).href, pool }
    },
    async close() {
      for (const name of names) await run(`drop database ${name}`)
      await stop()
    },
  }
}

async function server(backend: 'pg' | 'mariadb' | 'mysql') {
  const started: Instance[] = []
  const found = await find(wanted[backend], (instance) => started.push(instance))
  if ('missing' in found) throw new Error(found.missing)
  const stop = async () => {
    for (const instance of started) await instance.remove()
  }
  return { url: found.url, product: found.product, stop }
}
