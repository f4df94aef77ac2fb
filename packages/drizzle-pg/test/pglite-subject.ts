import {
  defineStoreUnderTest,
  type CallerTransaction,
  type Place,
  type PlaceRequest,
  type StoreUnderTest,
} from '@daybook/conformance'
import type { Capabilities } from '@daybook/core'
import { PGlite } from '@electric-sql/pglite'
import { drizzle, type PgliteDatabase } from 'drizzle-orm/pglite'
import { sql } from 'drizzle-orm'
import { createPgStore } from '../src/index.ts'
import { oracleOf, type Access } from './oracle.ts'

/** PostgreSQL in the process: what is left of it on a machine without a server. */
export const pgliteSubject = (onServers: Capabilities): StoreUnderTest =>
  defineStoreUnderTest({
    subject: { name: '@daybook/drizzle-pg', version: '0.1.0', driver: '@electric-sql/pglite@0.5' },
    contract: '1.0',
    expects: { ...onServers, concurrentWriters: 'no', nativeVectors: 'no' },
    provision,
    // A statement of its own stops the event loop, a large one for a while; and it has one connection.
    lanes: 1,
  })

let pglite: PGlite | undefined

/** One for all places, for it takes seconds to start. It is one connection, and no other process can come in. */
async function provision({ id: schema }: PlaceRequest): Promise<Place> {
  const client = (pglite ??= new PGlite())
  const db = drizzle({ client })
  await client.query(`create schema "${schema}"`)
  return {
    open: ({ poolMax: _max, via: _via, role: _role, onStatement: _heard, migrations: _known, ...options } = {}) =>
      createPgStore(db, { schema, ...options }),
    oracle: oracleOf(accessTo(client), schema),
    honours: ['prefix'],
    lacks: ['roles', 'pool', 'locks'],
    transaction: await application(db, schema),
    destroy: async () => void (await client.query(`drop schema "${schema}" cascade`)),
  }
}

const accessTo = (client: PGlite): Access => ({
  query: queryBy(client),
  begin: (body) => client.transaction((tx) => body(queryBy(tx))),
})

const queryBy =
  (asked: Pick<PGlite, 'query'>): Access['query'] =>
  async (text, values = []) =>
    (await asked.query<Record<string, unknown>>(text, [...values])).rows

/** It has a table of its own in the schema. */
async function application(db: PgliteDatabase & { $client: PGlite }, schema: string): Promise<CallerTransaction> {
  const orders = sql.raw(`"${schema}".orders`)
  await db.execute(sql`create table ${orders} (id text primary key)`)
  return {
    async run(_store, body) {
      const store = await createPgStore(db, { schema })
      return db.transaction((tx) =>
        body(store.using(tx), {
          insert: async (id) => void (await tx.execute(sql`insert into ${orders} values (${id})`)),
        }),
      )
    },
    rows: async () =>
      (await db.execute<{ id: string }>(sql`select id from ${orders} order by id`)).rows.map(({ id }) => id),
  }
}
