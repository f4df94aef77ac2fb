import { openMysqlStore } from '@daybook/drizzle-mysql'
import type { Entry } from '../contender.ts'
import { adkItself, adkOverDaybook } from './adk.ts'
import { mysqlDaybooks } from './mysql-daybook.ts'
import { mysqlLimits } from './mysql-limit.ts'
import { mysqlNaive } from './mysql-naive.ts'
import { mysqlBulk } from './mysql-tables.ts'

export const mysqlContenders = (flavour: 'mariadb' | 'mysql'): readonly Entry[] => [
  ...mysqlLimits(flavour),
  ...mysqlDaybooks,
  mysqlNaive,
  // Its `mariadb://` did not work with the drivers of this version, and its `mysql://` does on MariaDB.
  adkItself('mysql2', ({ url }) => url),
  adkOverDaybook(
    'mysql2',
    ({ url, pool }) => openMysqlStore({ url, connectionLimit: pool }),
    ({ url }) => mysqlBulk(url),
  ),
]
