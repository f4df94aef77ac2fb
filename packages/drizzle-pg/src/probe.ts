import { StoreError } from '@daybook/core'
import type { Server } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { resultOf, type PgExecutor } from './driver.ts'
import { vectorSchema } from './vectors.ts'

const floor = 140_000

const settings = [
  'server_version',
  'server_version_num',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'server_encoding',
  'TimeZone',
  'default_transaction_isolation',
  'lock_timeout',
  'statement_timeout',
  'idle_in_transaction_session_timeout',
  'max_connections',
  'autovacuum',
]

/** What the server says about itself; refuses one below the floor. */
export async function probe(db: PgExecutor): Promise<Server> {
  const list = settings.map((name) => `current_setting('${name}') as "${name}"`).join(', ')
  const more = `(select datcollate from pg_catalog.pg_database where datname = current_database()) as "collation", pg_is_in_recovery()::text as "standby",
    coalesce(${vectorSchema} || '.cosine_distance', 'none') as "vector_distance"`
  const [row] = resultOf(await db.execute(sql.raw(`select ${list}, ${more}`))).rows
  const { server_version: version, server_version_num: number, ...rest } = row as Readonly<Record<string, string>> // settings are text
  if (Number(number) < floor) {
    throw new StoreError(
      'unsupported',
      `this is PostgreSQL ${version}, and the store needs ${floor / 10_000} or newer`,
      {
        capability: 'version',
      },
    )
  }
  const warnings: string[] = []
  if (rest['server_encoding'] !== 'UTF8')
    warnings.push(`server_encoding is ${rest['server_encoding']}; texts outside of it are refused`)
  for (const name of ['fsync', 'full_page_writes', 'synchronous_commit']) {
    if (rest[name] === 'off') warnings.push(`${name} is off; commits can be lost when the power fails`)
  }
  if (rest['autovacuum'] === 'off') warnings.push('autovacuum is off; tables that are written will grow and slow down')
  if (rest['standby'] === 'true') warnings.push('this is a standby, where nothing can be written')
  return {
    flavour: 'postgresql',
    version: version ?? 'unknown',
    settings: { floor: String(floor / 10_000), ...rest },
    warnings,
  }
}
