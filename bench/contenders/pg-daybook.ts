import { openPgStore } from '@daybook/drizzle-pg'
import type { Entry } from '../contender.ts'
import { daybookContender } from './daybook.ts'
import { pgBulk } from './pg-tables.ts'

export const pgDaybooks: readonly Entry[] = [
  {
    name: 'daybook',
    driver: 'node-postgres',
    async open({ url, pool }) {
      const store = await openPgStore({ url, max: pool })
      await store.migrate()
      return daybookContender(store, pgBulk(url))
    },
  },
  {
    name: 'daybook-postgres-js',
    driver: 'postgres.js',
    async open({ url, pool }) {
      const store = await openPgStore({ url, max: pool, driver: 'postgres' })
      await store.migrate()
      return daybookContender(store, pgBulk(url))
    },
  },
]
