import { PGlite } from '@electric-sql/pglite'
import { sql } from 'drizzle-orm'
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { drizzle } from 'drizzle-orm/postgres-js'
import { afterAll } from 'vitest'
import { createPgStore, type PgDatabase, type PgExecutor, type PgStore, type PgStoreOptions } from '../src/index.ts'
import { resultOf } from '../src/driver.ts'
import { client, newSchema, nodePool } from './places.ts'
import { freshName } from './server.ts'

/** The drivers that a store knows, each as an application sets it up. */
export const driverNames = ['postgres.js', 'node-postgres', 'PGlite'] as const
export type DriverName = (typeof driverNames)[number]

let pglite: PGlite | undefined

/** One for the whole file, for it takes seconds to start. Ended with it. */
function onePglite(): PGlite {
  if (pglite === undefined) pglite = new PGlite()
  return pglite
}
afterAll(() => pglite?.close())

const openers: Record<DriverName, (max: number) => PgDatabase> = {
  'postgres.js': (max) => drizzle({ client: client({ max }) }),
  'node-postgres': (max) => drizzleNode({ client: nodePool({ max }) }),
  PGlite: () => drizzlePglite({ client: onePglite() }),
}

export interface Place {
  readonly db: PgDatabase
  readonly schema: string
  readonly store: PgStore
  /** Writes a row of the application. */
  order(executor: PgExecutor, id: string): Promise<void>
  /** The application's rows, and the ids of the events of a session. */
  written(key: Parameters<PgStore['events']['list']>[0]): Promise<{ orders: string[]; events: string[] }>
}

/** A new schema with our tables and one of the application's, over a driver. */
export async function place(
  driver: DriverName,
  { max = 4, ...options }: PgStoreOptions & { max?: number } = {},
): Promise<Place> {
  const schema = driver === 'PGlite' ? freshName() : newSchema()
  const db = openers[driver](max)
  const store = await createPgStore(db, { schema, ...options })
  await store.migrate()
  const orders = sql.raw(`"${schema}".orders`)
  await db.execute(sql`create table ${orders} (id text primary key deferrable initially deferred)`)
  return {
    db,
    schema,
    store,
    async order(executor, id) {
      await executor.execute(sql`insert into ${orders} values (${id})`)
    },
    async written(key) {
      const { rows } = resultOf(await db.execute(sql`select id from ${orders} order by id`))
      const { items } = await store.events.list(key)
      return { orders: rows.map((row) => String(row['id'])), events: items.map(({ event }) => event.id) }
    },
  }
}
