import type { SentStatement } from '@daybook/conformance'
import type { Store } from '@daybook/core'
import { createEngine } from '@daybook/drizzle'
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres'
import { drizzle } from 'drizzle-orm/postgres-js'
import { Pool, type PoolClient } from 'pg'
import postgres from 'postgres'
import type { DialectPatch } from '../../drizzle/test/dialect-patch.ts'
import { pgOptionNames } from '../src/create.ts'
import { databaseOver } from '../src/database.ts'
import { pgDialect } from '../src/dialect.ts'
import { driverOf, type PgDatabase } from '../src/driver.ts'
import { createListener } from '../src/listener.ts'
import type { OpenPgOptions, PgStoreOptions } from '../src/index.ts'
import { probe } from '../src/probe.ts'
import { createVectors } from '../src/vectors.ts'
import { createWaits } from '../src/waits.ts'

type Heard = (statement: SentStatement) => void

interface PatchedOptions extends PgStoreOptions {
  readonly driver: NonNullable<OpenPgOptions['driver']>
  readonly url: string
  readonly max: number
  readonly onStatement?: Heard | undefined
}

/** A store of the package's own parts, whose statements are heard and whose dialect may be changed between them. */
export async function openPatched(
  { driver: name, url, max, onStatement = () => {}, ...options }: PatchedOptions,
  patch: DialectPatch = (dialect) => dialect,
): Promise<Store> {
  const { db, close } = openers[name](url, max, onStatement)
  const driver = driverOf(db, { prepare: true, acquireTimeout: undefined })
  const waits = createWaits()
  const vectors = createVectors()
  const database = databaseOver(db, driver, waits)
  vectors.learn(await probe(db))
  const listener = driver.connectToListen && createListener(driver.connectToListen)
  const dialect = pgDialect({ database, driver, waits, vectors, listener, announces: true, options, close })
  return createEngine(patch(dialect), options, pgOptionNames).store
}

interface Opened {
  readonly db: PgDatabase
  readonly close: () => Promise<void>
}

const openers: Record<PatchedOptions['driver'], (url: string, max: number, heard: Heard) => Opened> = {
  pg(url, max, heard) {
    const pool = new Pool({ connectionString: url, max })
    pool.on('connect', (client) => hear(client, heard))
    return { db: drizzleNode({ client: pool }), close: () => pool.end() }
  },
  postgres(url, max, heard) {
    const debug = (_connection: number, text: string, values: unknown[]) => heard({ text, values })
    const client = postgres(url, { max, onnotice: () => {}, debug })
    return { db: drizzle({ client }), close: () => client.end({ timeout: 5 }) }
  },
}

/** Both ways of the driver to say a statement: its text and values, or one object with them. */
function hear(client: PoolClient, heard: Heard): void {
  const query = client.query.bind(client) as (...given: unknown[]) => unknown
  const hearing = (...given: unknown[]) => {
    const [first, second] = given
    const { text, values }: { text: string; values?: unknown[] } =
      typeof first === 'string' ? { text: first } : (first as { text: string; values?: unknown[] }) // as the driver takes it
    heard({ text, values: values ?? (Array.isArray(second) ? second : []) })
    return query(...given)
  }
  client.query = hearing as typeof client.query
}
