import { createSqliteStore, openSqliteStore } from '@daybook/drizzle-sqlite'
import { createClient } from '@libsql/client'
import Database from 'better-sqlite3'
import { drizzle as overBetterSqlite3 } from 'drizzle-orm/better-sqlite3'
import { drizzle as overClient } from 'drizzle-orm/libsql'
import { sql } from 'drizzle-orm'
import type { Entry } from '../contender.ts'
import { daybookContender } from './daybook.ts'
import { sqliteBulk } from './sqlite-tables.ts'

export const sqliteDaybooks: readonly Entry[] = [
  {
    name: 'daybook',
    driver: 'libsql',
    async open({ url }) {
      const store = await openSqliteStore({ url: `file:${url}` })
      await store.migrate()
      const bulk = sqliteBulk(
        (text, args) => void store.db.$client.prepare(text).run(args),
        (text) => store.db.$client.prepare(text).all([]),
      )
      return daybookContender(store, bulk)
    },
  },
  {
    name: 'daybook-better-sqlite3',
    driver: 'better-sqlite3',
    async open({ url }) {
      const client = new Database(url)
      client.pragma('journal_mode = WAL')
      client.pragma('synchronous = FULL')
      client.pragma('foreign_keys = ON')
      const store = await createSqliteStore(overBetterSqlite3({ client }))
      await store.migrate()
      const contender = daybookContender(
        store,
        sqliteBulk(
          (text, args) => void client.prepare(text).run(...args),
          (text) => client.prepare(text).all(),
        ),
      )
      return {
        ...contender,
        async close() {
          await contender.close()
          client.close()
        },
      }
    },
  },
  {
    name: 'daybook-libsql-client',
    driver: '@libsql/client',
    async open({ url }) {
      const client = createClient({ url: `file:${url}` })
      const db = overClient({ client })
      await db.run(sql`pragma journal_mode = wal`)
      const store = await createSqliteStore(db)
      await store.migrate()
      const bulk = sqliteBulk(
        async (text, args) => void (await client.execute({ sql: text, args })),
        async (text) => (await client.execute(text)).rows,
      )
      const contender = daybookContender(store, bulk)
      return {
        ...contender,
        async close() {
          await contender.close()
          client.close()
        },
      }
    },
  },
]
