import { drizzle } from 'drizzle-orm/mysql2'
import { createPool, type Pool, type RowDataPacket } from 'mysql2/promise'
import { randomBytes } from 'node:crypto'
import { inject, onTestFinished } from 'vitest'
import { needsServer as needsBackend } from '../../../tools/servers/needs-server.ts'
import { openMysqlStore, type OpenMysqlOptions } from '../src/index.ts'
import { urlOn } from './server.ts'

const given = inject('backend')

/** The server that this project of vitest is for. */
export const backend = given === 'mysql' ? given : 'mariadb'

export const needsServer = needsBackend(backend)

export interface Place {
  readonly url: string
  readonly pool: Pool
  readonly rows: (query: string) => Promise<readonly RowDataPacket[]>
}

/** A database of its own, with the collation that folds the most, dropped when the test has ended. */
export async function newPlace(): Promise<Place> {
  const database = `daybook_${randomBytes(6).toString('hex')}`
  const admin = createPool({ uri: urlOn(backend), connectionLimit: 1 })
  await admin.query('create database ?? character set utf8mb4 collate utf8mb4_general_ci', [database])
  const url = urlOn(backend, database)
  const pool = createPool({ uri: url, connectionLimit: 2, charset: 'utf8mb4', jsonStrings: true })
  onTestFinished(async () => {
    await pool.end()
    await admin.query('drop database ??', [database])
    await admin.end()
  })
  return { url, pool, rows: async (query) => (await pool.query<RowDataPacket[]>(query))[0] }
}

export async function openedStore(url: string, options: Partial<OpenMysqlOptions> = {}) {
  const store = await openMysqlStore({ url, connectionLimit: 4, ...options })
  onTestFinished(() => store.close())
  return store
}

export const drizzleOver = (pool: Pool) => drizzle({ client: pool })

export const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }
