import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Client } from 'pg'
import { find, wanted } from '../tools/servers/find.ts'
import type { Instance } from '../tools/servers/instance.ts'
import type { Entry, Place } from './contender.ts'

export const backendNames = ['pg', 'sqlite'] as const
export type BackendName = (typeof backendNames)[number]

/** Where the contenders of one database work. */
export interface Backend {
  /** Such as `PostgreSQL 15.20`. */
  readonly product: string
  /** What makes a commit durable, as the server says it. */
  readonly durability: Readonly<Record<string, string>>
  /** A fresh database for one contender. */
  place(contender: string): Promise<Place>
  /** Removes what was made. */
  close(): Promise<void>
}

/** Loaded only when asked for, since each brings its packages. */
export const contendersOf: Readonly<Record<BackendName, () => Promise<readonly Entry[]>>> = {
  pg: async () => {
    const [{ pgLimits }, { pgDaybooks }] = await Promise.all([
      import('./contenders/pg-limit.ts'),
      import('./contenders/pg-daybook.ts'),
    ])
    return [...pgLimits, ...pgDaybooks]
  },
  sqlite: async () => {
    const [{ sqliteLimits }, { sqliteDaybooks }] = await Promise.all([
      import('./contenders/sqlite-limit.ts'),
      import('./contenders/sqlite-daybook.ts'),
    ])
    return [...sqliteLimits, ...sqliteDaybooks]
  },
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
      place: async (contender) => ({ url: join(folder, `${contender}.db`), pool }),
      close: () => rm(folder, { recursive: true, force: true }),
    }
  },
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
