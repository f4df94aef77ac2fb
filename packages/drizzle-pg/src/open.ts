import { checkedCount, checkedOptions, StoreError, storeOptionNames } from '@daybook/core'
import { checkedCodecs, drizzleOptionNames } from '@daybook/drizzle'
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type { Sql } from 'postgres'
import { pgStore, type PgStoreOptions } from './create.ts'
import type { PgStore } from './store.ts'

export interface OpenPgOptions extends PgStoreOptions {
  /** `postgres://user:password@host:5432/database`, with percent-escapes where a part needs them. */
  readonly url: string
  /** Connections of the pool. Default 10. */
  readonly max?: number
  /** Milliseconds to wait for a connection to be made. Default 10,000. */
  readonly connectTimeout?: number
}

const optionNames = ['url', 'max', 'connectTimeout', 'schema', 'prepare', ...drizzleOptionNames, ...storeOptionNames]

/**
 * Opens a pool with postgres.js and a store over it; the store closes it. Works before `migrate()`.
 *
 * @throws `unavailable` when the server cannot be reached · `invalid_argument` for a URL that is none of PostgreSQL's
 */
export async function openPgStore(options: OpenPgOptions): Promise<PgStore<PostgresJsDatabase & { $client: Sql }>> {
  const { url, max = 10, connectTimeout = 10_000, ...rest } = options
  checkedOptions(options, optionNames)
  checkedCodecs(rest.codec)
  if (typeof url !== 'string' || !/^postgres(?:ql)?:\/\//i.test(url)) {
    throw new StoreError('invalid_argument', 'url must begin with postgres:// or postgresql://', { field: 'url' })
  }
  checkedCount(max, 'max', { min: 1 })
  checkedCount(connectTimeout, 'connectTimeout', { min: 1 })
  const [{ default: postgres }, { drizzle }] = await Promise.all([
    import('postgres'),
    import('drizzle-orm/postgres-js'),
  ])
  const client = connected(() =>
    postgres(url, {
      max,
      prepare: rest.prepare ?? true,
      connect_timeout: connectTimeout / 1000,
      onnotice: () => {},
      connection: { application_name: 'daybook' },
    }),
  )
  try {
    return await pgStore(drizzle({ client }), rest, () => client.end({ timeout: 5 }))
  } catch (error) {
    await client.end({ timeout: 0 })
    throw error
  }
}

/** The URL may hold a password, so the driver's own words about it do not go on. */
function connected(connect: () => Sql): Sql {
  try {
    return connect()
  } catch {
    throw new StoreError('invalid_argument', 'url cannot be read: is each part percent-encoded?', { field: 'url' })
  }
}
