import { setTimeout as wait } from 'node:timers/promises'
import { checkedCount, checkedOptions, defaultTimeout, isStoreError, storeOptionNames } from '@daybook/core'
import {
  checkedServer,
  drizzleOptionNames,
  parseServerUrl,
  serverOptionNames,
  serverTls,
  storeErrorOf,
  type ServerOptions,
} from '@daybook/drizzle'
import type { MySql2Database } from 'drizzle-orm/mysql2'
import type { Pool } from 'mysql2/promise'
import { connectionsOf } from './connections.ts'
import { failureOf } from './errors.ts'
import { noDatabase } from './probe.ts'
import { checkedMysqlOptions, mysqlOptionNames, mysqlStore, type MysqlStoreOptions } from './create.ts'
import { poolOf } from './driver.ts'
import { openPool } from './pool.ts'
import type { MysqlStore } from './store.ts'
import { urlSettings } from './url-settings.ts'

export interface OpenMysqlOptions extends MysqlStoreOptions, ServerOptions {
  /** Connections of the pool at most. Default 10. */
  readonly connectionLimit?: number
  /** Connections that stay open without work, at most. Default: `connectionLimit`. */
  readonly maxIdle?: number
}

const schemes = ['mysql', 'mariadb']
const namesOfStore: readonly string[] = [...storeOptionNames, ...drizzleOptionNames, ...mysqlOptionNames]
const optionNames = [...serverOptionNames, ...namesOfStore, 'connectionLimit', 'maxIdle']

/**
 * Opens a pool with mysql2 and a store over it; the store closes it. Works before `migrate()`.
 *
 * @throws `invalid_argument` for an option or a URL that is none of ours, before any I/O · `unavailable` when the server
 * cannot be reached
 *
 * @example
 * ```ts
 * import { openMysqlStore } from '@daybook/drizzle-mysql'
 *
 * await using store = await openMysqlStore({
 *   url: process.env.DATABASE_URL ?? 'mysql://root@localhost/agent',
 *   connectionLimit: 5,
 *   acquireTimeout: 2_000,
 * })
 * await store.migrate()
 * console.log((await store.health()).ok) // true
 * ```
 */
export async function openMysqlStore(
  options: OpenMysqlOptions,
): Promise<MysqlStore<MySql2Database & { $client: Pool }>> {
  checkedOptions(options, optionNames)
  const { connectionLimit = 10, maxIdle = connectionLimit, url, timeout } = options
  checkedCount(connectionLimit, 'connectionLimit', { min: 1 })
  checkedCount(maxIdle, 'maxIdle', { max: connectionLimit })
  const whole = { ...(url !== undefined && urlSettings(parseServerUrl(url, schemes).parameters)), ...options }
  const { connectTimeout, ...checked } = checkedServer(whole, schemes, connectionLimit)
  if (checked.database === undefined) throw noDatabase()
  const server = { ...checked, connectTimeout: Math.min(connectTimeout, timeout ?? defaultTimeout) }
  checkedMysqlOptions(storeOptionsIn(options))
  const tls = await serverTls(whole)
  const pool = await openPool({ server, tls, connectionLimit, maxIdle })
  try {
    const { drizzle } = await import('drizzle-orm/mysql2')
    const db = drizzle({ client: pool })
    const connections = connectionsOf(poolOf(db), { acquireTimeout: server.acquireTimeout })
    const store = await mysqlStore(db, storeOptionsIn(options), connections, () => ended(pool), server)
    await warm(pool, server.warm)
    return store
  } catch (error) {
    pool.end().catch(() => {}) // it may wait for what cannot be reached
    throw isStoreError(error) ? error : storeErrorOf(failureOf(error), error, server)
  }
}

/** Milliseconds that statements of the application on our pool have to end. */
const longestClose = 5_000

async function ended(pool: Pool): Promise<void> {
  const closed = pool.end()
  closed.catch(() => {}) // nobody waits for it when it takes too long
  await Promise.race([closed, wait(longestClose, undefined, { ref: false })])
}

/** All at once, so that each is another one. */
async function warm(pool: Pool, count: number): Promise<void> {
  const made = await Promise.allSettled(Array.from({ length: count }, () => pool.getConnection()))
  for (const one of made) if (one.status === 'fulfilled') one.value.release()
  for (const one of made) if (one.status === 'rejected') throw one.reason
}

const storeOptionsIn = (options: OpenMysqlOptions): MysqlStoreOptions =>
  Object.fromEntries(Object.entries(options).filter(([name]) => namesOfStore.includes(name)))
