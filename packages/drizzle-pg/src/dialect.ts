import { defaultLimits } from '@daybook/core'
import type { Dialect } from '@daybook/drizzle'
import { capabilitiesOf } from './capabilities.ts'
import type { Database } from './database.ts'
import type { Driver } from './driver.ts'
import { failureOf } from './errors.ts'
import { expressions } from './expressions.ts'
import { hotPath } from './hot-path.ts'
import { jsonPaths } from './json-path.ts'
import { migrating } from './migrate.ts'
import { probe } from './probe.ts'
import { daybookTables, type PgTableOptions } from './schema.ts'
import { transactions } from './transactions.ts'
import type { Waits } from './waits.ts'

interface Parts {
  readonly database: Database
  readonly driver: Driver
  readonly waits: Waits
  readonly options: PgTableOptions
  readonly close: () => Promise<void>
}

/** The verbs over Drizzle on PostgreSQL. */
export function pgDialect({ database, driver, waits, options, close }: Parts): Dialect {
  const tables = daybookTables(options)
  return {
    tables,
    capabilities: capabilitiesOf(driver),
    limits: defaultLimits,
    expressions,
    jsonPaths,
    lockWait: 5_000,
    failureOf,
    ...migrating(options),
    ...transactions(database),
    ...hotPath(tables, driver, waits),
    server: (call) => probe(database.executor(call)),
    ...(driver.pool !== undefined && { pool: driver.pool }),
    close,
  }
}
