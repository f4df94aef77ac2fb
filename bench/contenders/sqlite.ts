import { openSqliteStore } from '@daybook/drizzle-sqlite'
import Database from 'better-sqlite3'
import type { Entry, Place } from '../contender.ts'
import { adkItself, adkOverDaybook } from './adk.ts'
import { langgraphOnSqlite } from './langgraph.ts'
import { mastraOnLibsql } from './mastra.ts'
import { sqliteDaybooks } from './sqlite-daybook.ts'
import { sqliteLimits } from './sqlite-limit.ts'
import { sqliteNaive } from './sqlite-naive.ts'

/** WAL stays in the file, so one who has no setting for it finds it there. */
function withWal({ url }: Place): string {
  const file = new Database(url)
  file.pragma('journal_mode = WAL')
  file.close()
  return url
}

export const sqliteContenders: readonly Entry[] = [
  ...sqliteLimits,
  ...sqliteDaybooks,
  sqliteNaive,
  adkItself('sqlite3', (place) => `sqlite://${withWal(place)}`),
  adkOverDaybook(
    'libsql',
    ({ url }) => openSqliteStore({ url: `file:${url}` }),
    () => ({}),
  ),
  ...mastraOnLibsql,
  langgraphOnSqlite,
]
