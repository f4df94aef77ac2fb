import {
  checkedChoice,
  checkedCount,
  checkedFlag,
  checkedOptions,
  defaultTimeout,
  isStoreError,
  storeOptionNames,
} from '@daybook/core'
import {
  checkedCodecs,
  checkedStorage,
  checkedServer,
  drizzleOptionNames,
  parseServerUrl,
  serverOptionNames,
  serverTls,
  storeErrorOf,
  type CheckedServer,
  type ServerOptions,
} from '@daybook/drizzle'
import { pgOptionNames, pgStore, type PgStoreOptions } from './create.ts'
import type { PgDatabase } from './driver.ts'
import { failureOf } from './errors.ts'
import { openNodePostgres, type NodePostgresDb } from './open-node-postgres.ts'
import { openPostgresJs, type PostgresJsDb } from './open-postgres-js.ts'
import type { OpenedPool } from './opened-pool.ts'
import type { PgStore } from './store.ts'
import { urlSettings } from './url-settings.ts'

export interface OpenPgOptions extends PgStoreOptions, ServerOptions {
  /**
   * `pg` is node-postgres, the default. `postgres` is postgres.js, which is faster; but a backend that dies can end your
   * process, or leave its pool silent (see the README).
   */
  readonly driver?: 'pg' | 'postgres'
  /** Connections of the pool at most. Default 10. */
  readonly max?: number
  /**
   * A pooler in transaction mode is between: no setting is sent with a connection that it may not know, `prepare` is
   * `false` unless you say otherwise, and `statementTimeout` and `lockTimeout` hold in the store's own transactions only.
   */
  readonly transactionPooler?: boolean
}

const schemes = ['postgres', 'postgresql']
const drivers = ['pg', 'postgres'] as const
const namesOfStore: readonly string[] = [...storeOptionNames, ...drizzleOptionNames, ...pgOptionNames]
const optionNames = [...serverOptionNames, ...namesOfStore, 'driver', 'max', 'transactionPooler']

/**
 * Opens a pool and a store over it; the store closes it. Works before `migrate()`.
 *
 * @throws `invalid_argument` for an option or a URL that is none of ours, before any I/O · `unavailable` when the server
 * cannot be reached: it says who refused what, and never a password
 *
 * @example
 * ```ts
 * import { openPgStore } from '@daybook/drizzle-pg'
 *
 * await using store = await openPgStore({
 *   url: process.env.DATABASE_URL ?? 'postgres://localhost/agent',
 *   max: 5,
 *   acquireTimeout: 2_000,
 * })
 * await store.migrate()
 * console.log((await store.health()).pool?.size) // 5
 * ```
 */
export function openPgStore(options: OpenPgOptions & { readonly driver: 'postgres' }): Promise<PgStore<PostgresJsDb>>
export function openPgStore(options: OpenPgOptions & { readonly driver?: 'pg' }): Promise<PgStore<NodePostgresDb>>
export function openPgStore(options: OpenPgOptions): Promise<PgStore<NodePostgresDb> | PgStore<PostgresJsDb>>
export async function openPgStore(options: OpenPgOptions): Promise<PgStore<NodePostgresDb> | PgStore<PostgresJsDb>> {
  checkedOptions(options, optionNames)
  const { driver = 'pg', max = 10, transactionPooler, url } = options
  checkedChoice(driver, 'driver', drivers)
  checkedCodecs(options.codec)
  checkedStorage(options.artifacts)
  checkedCount(max, 'max', { min: 1 })
  const whole = { ...(url !== undefined && urlSettings(parseServerUrl(url, schemes).parameters)), ...options }
  const { connectTimeout, ...checked } = checkedServer(whole, schemes, max)
  const server = { ...checked, connectTimeout: Math.min(connectTimeout, options.timeout ?? defaultTimeout) }
  const tls = await serverTls(whole)
  const isPooled = checkedFlag(transactionPooler, 'transactionPooler')
  const storeOptions: PgStoreOptions = {
    ...(isPooled && { prepare: false }),
    ...storeOptionsIn(options),
  }
  const place = { server, tls, max, isPooled, prepare: storeOptions.prepare ?? true }
  return driver === 'pg'
    ? storeOver(await openNodePostgres(place), storeOptions, server)
    : storeOver(await openPostgresJs(place), storeOptions, server)
}

async function storeOver<Db extends PgDatabase>(
  { db, close, giveUp, warm }: OpenedPool<Db>,
  options: PgStoreOptions,
  server: CheckedServer,
): Promise<PgStore<Db>> {
  try {
    const store = await pgStore(db, options, close, server)
    await warm(server.warm)
    return store
  } catch (error) {
    await giveUp()
    throw isStoreError(error) ? error : storeErrorOf(failureOf(error), error, server)
  }
}

/** What the store takes besides what was needed to open its pool. */
const storeOptionsIn = (options: OpenPgOptions): PgStoreOptions =>
  Object.fromEntries(Object.entries(options).filter(([name]) => namesOfStore.includes(name)))
