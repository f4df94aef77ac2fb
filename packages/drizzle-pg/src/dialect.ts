import { defaultLimits } from '@daybook/core'
import type { Dialect } from '@daybook/drizzle'
import { announce, topicOf } from './announcement.ts'
import { catalogOf } from './catalog.ts'
import { capabilitiesOf } from './capabilities.ts'
import type { Database } from './database.ts'
import type { Driver } from './driver.ts'
import { failureOf } from './errors.ts'
import { expressions } from './expressions.ts'
import { hotPath } from './hot-path.ts'
import { jsonPaths } from './json-path.ts'
import type { Listener } from './listener.ts'
import { manyRowsFacts } from './many-rows.ts'
import { metricFeed } from './metric-feed.ts'
import { migrating } from './migrate.ts'
import { pathIndexing } from './path-index.ts'
import { probe } from './probe.ts'
import { daybookTables, type PgTableOptions } from './schema.ts'
import { searchWith } from './search.ts'
import { transactions } from './transactions.ts'
import type { Vectors } from './vectors.ts'
import type { Waits } from './waits.ts'

interface Parts {
  readonly database: Database
  readonly driver: Driver
  readonly waits: Waits
  readonly vectors: Vectors
  /** Absent where nobody is to be told of appends. */
  readonly listener: Listener | undefined
  readonly announces: boolean
  readonly options: PgTableOptions
  readonly close: () => Promise<void>
}

/** The verbs over Drizzle on PostgreSQL. */
export function pgDialect({ database, driver, waits, vectors, listener, announces, options, close }: Parts): Dialect {
  const tables = daybookTables(options)
  return {
    tables,
    capabilities: capabilitiesOf(driver, {
      isHeard: listener !== undefined,
      hasVectors: vectors.distance !== undefined,
    }),
    limits: defaultLimits,
    expressions,
    search: searchWith(vectors),
    manyRows: manyRowsFacts,
    feed: metricFeed(tables),
    jsonPaths,
    pathIndexing: pathIndexing(options),
    lockWait: 5_000,
    failureOf,
    ...migrating(options),
    catalog: catalogOf(options),
    ...transactions(database, driver, waits),
    ...hotPath(tables, driver, waits, announces),
    server: (call) => probe(database.executor(call)),
    ...(driver.pool !== undefined && { pool: driver.pool }),
    ...(listener !== undefined && { listen: (key) => listener.listen(key) }),
    ...(announces && {
      *announce(tx, key) {
        yield* tx.rows(announce, { topic: topicOf(key) })
      },
    }),
    async close() {
      await listener?.close()
      await close()
    },
  }
}
