import { StoreError } from '@daybook/core'
import type { Server } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { resultOf, type PgExecutor } from './driver.ts'

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
]

/** What the server says about itself; refuses one below the floor. */
export async function probe(db: PgExecutor): Promise<Server> {
  const list = settings.map((name) => `current_setting('${name}') as "${name}"`).join(', ')
  const [row] = resultOf(await db.execute(sql.raw(`select ${list}`))).rows
  const { server_version: version, server_version_num: number, ...rest } = row as Readonly<Record<string, string>> // settings are text
  if (Number(number) < floor) {
    throw new StoreError('unsupported', `this is PostgreSQL ${version}, and the store needs 14 or newer`, {
      capability: 'version',
    })
  }
  const warnings: string[] = []
  if (rest['server_encoding'] !== 'UTF8')
    warnings.push(`server_encoding is ${rest['server_encoding']}; texts outside of it are refused`)
  for (const name of ['fsync', 'full_page_writes', 'synchronous_commit']) {
    if (rest[name] === 'off') warnings.push(`${name} is off; commits can be lost when the power fails`)
  }
  return { flavour: 'postgresql', version: version ?? 'unknown', settings: rest, warnings }
}
