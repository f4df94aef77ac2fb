import { openMysqlStore } from '@daybook/drizzle-mysql'
import type { Entry } from '../contender.ts'
import { daybookContender } from './daybook.ts'
import { mysqlBulk } from './mysql-tables.ts'

export const mysqlDaybooks: readonly Entry[] = [
  {
    name: 'daybook',
    driver: 'mysql2',
    async open({ url, pool }) {
      const store = await openMysqlStore({ url, connectionLimit: pool })
      await store.migrate()
      return daybookContender(store, mysqlBulk(url))
    },
  },
]
