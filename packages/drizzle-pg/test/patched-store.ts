import type { SentStatement } from '@daybook/conformance'
import type { Store } from '@daybook/core'
import { createEngine } from '@daybook/drizzle'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import type { DialectPatch } from '../../drizzle/test/dialect-patch.ts'
import { databaseOver } from '../src/database.ts'
import { pgDialect } from '../src/dialect.ts'
import { driverOf } from '../src/driver.ts'
import type { PgStoreOptions } from '../src/index.ts'

interface PatchedOptions extends PgStoreOptions {
  readonly url: string
  readonly max: number
  readonly onStatement?: ((statement: SentStatement) => void) | undefined
}

/** A store of the package's own parts, whose statements are heard and whose dialect may be changed between them. */
export async function openPatched(
  { url, max, onStatement, ...options }: PatchedOptions,
  patch: DialectPatch = (dialect) => dialect,
): Promise<Store> {
  const client = postgres(url, {
    max,
    onnotice: () => {},
    ...(onStatement !== undefined && {
      debug: (_connection, text, values: unknown[]) => onStatement({ text, values }),
    }),
  })
  const db = drizzle({ client })
  const driver = driverOf(db, true)
  const database = databaseOver(db, driver)
  const dialect = pgDialect({ database, driver, options, close: () => client.end({ timeout: 5 }) })
  return createEngine(patch(dialect), options, ['schema', 'prepare']).store
}
