import { openPgStore } from '@daybook/drizzle-pg'
import type { Entry } from '../contender.ts'
import { adkItself, adkOverDaybook } from './adk.ts'
import { langgraphOnPg } from './langgraph.ts'
import { mastraOnPg } from './mastra.ts'
import { pgDaybooks } from './pg-daybook.ts'
import { pgLimits } from './pg-limit.ts'
import { pgNaive } from './pg-naive.ts'
import { pgBulk } from './pg-tables.ts'

export const pgContenders: readonly Entry[] = [
  ...pgLimits,
  ...pgDaybooks,
  pgNaive,
  adkItself('node-postgres', ({ url }) => url),
  adkOverDaybook(
    'node-postgres',
    ({ url, pool }) => openPgStore({ url, max: pool }),
    ({ url }) => pgBulk(url),
  ),
  ...mastraOnPg,
  langgraphOnPg,
]
