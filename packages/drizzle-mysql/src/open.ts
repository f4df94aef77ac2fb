import { checkedRecord, StoreError } from '@daybook/core'
import type { MySql2Database } from 'drizzle-orm/mysql2'
import type { Pool } from 'mysql2/promise'
import { connectionsOf } from './connections.ts'
import { poolOf } from './driver.ts'
import { mysqlStore, type MysqlStoreOptions } from './create.ts'
import type { MysqlStore } from './store.ts'

export interface OpenMysqlOptions extends MysqlStoreOptions {
  /** `mysql://user:password@host:3306/database` or `mariadb://…`, with percent-escapes where a part needs them. */
  readonly url: string
  /** Connections of the pool. Default 10. */
  readonly connectionLimit?: number
  /** Milliseconds to wait for a connection to be made. Default 10,000. */
  readonly connectTimeout?: number
}

/**
 * Opens a pool with mysql2 and a store over it; the store closes it. Works before `migrate()`.
 *
 * @throws `unavailable` when the server cannot be reached · `invalid_argument` for a URL that is none of MySQL's
 */
export async function openMysqlStore(
  options: OpenMysqlOptions,
): Promise<MysqlStore<MySql2Database & { $client: Pool }>> {
  checkedRecord(options, 'options')
  const { url, connectionLimit = 10, connectTimeout = 10_000, ...rest } = options
  if (typeof url !== 'string' || !/^(?:mysql|mariadb):\/\//i.test(url)) {
    throw new StoreError('invalid_argument', 'url must begin with mysql:// or mariadb://', { field: 'url' })
  }
  const [mysql, { drizzle }] = await Promise.all([import('mysql2/promise'), import('drizzle-orm/mysql2')])
  const pool = mysql.createPool({
    uri: url.replace(/^mariadb:/i, 'mysql:'),
    connectionLimit,
    connectTimeout,
    charset: 'utf8mb4',
    timezone: 'Z',
    flags: ['-LOCAL_FILES'],
    supportBigNumbers: true,
    jsonStrings: true,
  })
  try {
    const db = drizzle({ client: pool })
    return await mysqlStore(db, rest, connectionsOf(poolOf(db)), () => pool.end())
  } catch (error) {
    await pool.end()
    throw error
  }
}
