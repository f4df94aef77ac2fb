import { defineStoreUnderTest, type Place, type StoreUnderTest } from '@daybook/conformance'
import type { Capabilities, Store } from '@daybook/core'
import { mysqlTable, varchar } from 'drizzle-orm/mysql-core'
import { drizzle } from 'drizzle-orm/mysql2'
import { createPool, type RowDataPacket } from 'mysql2/promise'
import { createMysqlStore, openMysqlStore } from '../src/index.ts'
import { serverUrl, urlOf } from './server.ts'

const expects: Capabilities = {
  memories: 'no',
  artifacts: 'no',
  metrics: 'no',
  lease: 'no',
  jsonPathFilter: 'no',
  jsonPathIndex: 'no',
  fullTextSearch: 'no',
  vectorSearch: 'no',
  callerTransaction: 'yes',
  persistent: 'yes',
  concurrentWriters: 'yes',
  foreignKeys: 'yes',
  skipLocked: 'yes',
  windowFunctions: 'yes',
  transactionalDdl: 'no',
  liveNotify: 'no',
  isolation: 'read committed',
}

const areas = {
  sessions: 'daybook_sessions',
  events: 'daybook_events',
  appStates: 'daybook_app_states',
  userStates: 'daybook_user_states',
}

/** A database of its own for each place. */
async function provision({ id: database }: { id: string }): Promise<Place> {
  const admin = createPool({ uri: serverUrl.href, connectionLimit: 2 })
  await admin.query('create database ??', [database])
  const url = urlOf(database)
  const pool = createPool({ uri: url, connectionLimit: 4, charset: 'utf8mb4', jsonStrings: true })
  await pool.query('create table orders (id varchar(191) primary key)')
  const own = drizzle({ client: pool })
  const orders = mysqlTable('orders', { id: varchar({ length: 191 }).primaryKey() })
  return {
    open({ poolMax, via: _via, role: _role, ...options } = {}): Promise<Store> {
      return openMysqlStore({ url, connectionLimit: poolMax ?? 5, ...options })
    },
    worker: { module: new URL('worker.ts', import.meta.url).href, args: { url, connectionLimit: 3 } },
    oracle: {
      async count(area, appName) {
        const where =
          area === 'events' ? 'sid in (select sid from daybook_sessions where app_name = ?)' : 'app_name = ?'
        const [rows] = await pool.query<RowDataPacket[]>(`select count(*) as n from ${areas[area]} where ${where}`, [
          appName,
        ])
        return Number(rows[0]?.['n'])
      },
    },
    transaction: {
      async run(_store, body) {
        const store = await createMysqlStore(own)
        return own.transaction((tx) =>
          body(store.using(tx) as Store, {
            async insert(id) {
              await tx.insert(orders).values({ id })
            },
          }),
        )
      },
      rows: async () => (await own.select().from(orders).orderBy(orders.id)).map(({ id }) => id),
    },
    async destroy() {
      await pool.end()
      await admin.query('drop database ??', [database])
      await admin.end()
    },
  }
}

export const subjects: Record<'mariadb', StoreUnderTest> = {
  mariadb: defineStoreUnderTest({
    subject: { name: '@daybook/drizzle-mysql', version: '0.1.0', driver: 'mysql2@3' },
    contract: '1.0',
    expects,
    provision,
  }),
}
