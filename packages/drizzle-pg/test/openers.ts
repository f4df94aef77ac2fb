import type { Store } from '@daybook/core'
import { drizzle } from 'drizzle-orm/node-postgres'
import { Pool } from 'pg'
import { createPgStore, openPgStore, type OpenPgOptions } from '../src/index.ts'

/** The drivers by which the suite opens a store at a URL. */
export type DriverOfUrl = 'postgres.js' | 'node-postgres'

export const openWith: Record<DriverOfUrl, (options: OpenPgOptions) => Promise<Store>> = {
  'postgres.js': openPgStore,
  'node-postgres': openOverPool,
}

/** A pool of the application's, which ends it after the store. */
async function openOverPool({ url, max = 10, connectTimeout = 10_000, ...options }: OpenPgOptions): Promise<Store> {
  const pool = new Pool({ connectionString: url, max, connectionTimeoutMillis: connectTimeout })
  pool.on('error', () => {}) // an idle connection was lost, and the pool has let it go
  const store = await createPgStore(drizzle({ client: pool }), options).catch(async (error: unknown) => {
    await pool.end()
    throw error
  })
  const close = async () => {
    await store.close()
    if (!pool.ended) await pool.end()
  }
  return { ...store, close, [Symbol.asyncDispose]: close }
}
