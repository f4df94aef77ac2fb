import { onTestFinished } from 'vitest'
import { Pool, type PoolConfig } from 'pg'
import type { Sql } from 'postgres'
import { openPgStore, type OpenPgOptions } from '../src/index.ts'
import { connect, freshName, serverUrl } from './server.ts'

export const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }

/** A client of the test's own, closed after it. */
export function client(options: Parameters<typeof connect>[0] = {}): Sql {
  const sql = connect(options)
  onTestFinished(() => sql.end({ timeout: 1 }))
  return sql
}

/** A pool of node-postgres, ended after the test. */
export function nodePool(options: PoolConfig = {}): Pool {
  const pool = new Pool({ connectionString: serverUrl, max: 2, ...options })
  onTestFinished(() => pool.end())
  return pool
}

/** The name of a schema that nobody has, dropped after the test. */
export function newSchema(): string {
  const schema = freshName()
  onTestFinished(async () => {
    const admin = connect({ max: 1 })
    await admin`drop schema if exists ${admin(schema)} cascade`
    await admin.end({ timeout: 1 })
  })
  return schema
}

/** A store with a pool of its own, closed after the test. */
export async function openStore(options: Partial<OpenPgOptions> = {}) {
  const store = await openPgStore({ url: serverUrl, max: 3, ...options })
  onTestFinished(() => store.close())
  return store
}

/** A store over a new schema with our tables. */
export async function migratedStore(options: Partial<OpenPgOptions> = {}) {
  const schema = newSchema()
  const store = await openStore({ schema, ...options })
  await store.migrate()
  return Object.assign(store, { schema })
}
