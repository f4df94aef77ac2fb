import { randomBytes } from 'node:crypto'
import { defineStoreUnderTest, type Place, type StoreUnderTest } from '@daybook/conformance'
import type { Capabilities, Store } from '@daybook/core'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/postgres-js'
import type { Sql } from 'postgres'
import { createPgStore, openPgStore } from '../src/index.ts'
import { connect, serverUrl, urlWith } from './server.ts'

const expects: Capabilities = {
  memories: 'no',
  artifacts: 'no',
  metrics: 'no',
  lease: 'no',
  jsonPathFilter: 'no',
  jsonPathIndex: 'no',
  fullTextSearch: 'no',
  vectorSearch: 'no',
  callerTransaction: 'yes',
  persistent: 'yes',
  concurrentWriters: 'yes',
  foreignKeys: 'yes',
  skipLocked: 'yes',
  windowFunctions: 'yes',
  transactionalDdl: 'yes',
  liveNotify: 'no',
  isolation: 'read committed',
}

const areas = { sessions: 'daybook_sessions', events: 'daybook_events', appStates: 'daybook_app_states', userStates: 'daybook_user_states' }

/** A role without rights to change the schema, which may use what the migrating role will make in it. */
export async function createAppRole(admin: Sql, schema: string): Promise<{ username: string; password: string }> {
  const [username, password] = [`${schema}_app`, randomBytes(12).toString('hex')]
  const role = admin(username)
  await admin.unsafe(`create role "${username}" login nosuperuser nocreatedb nocreaterole password '${password}'`)
  await admin`grant usage on schema ${admin(schema)} to ${role}`
  await admin`alter default privileges in schema ${admin(schema)} grant select, insert, update, delete on tables to ${role}`
  await admin`alter default privileges in schema ${admin(schema)} grant usage, select on sequences to ${role}`
  return { username, password }
}

/** After its schema is gone, and with it the default privileges. */
export async function dropAppRole(admin: Sql, username: string): Promise<void> {
  await admin`drop role ${admin(username)}`
}

/** A schema of its own for each place, in the one database. */
async function provision({ id: schema }: { id: string }): Promise<Place> {
  const admin = connect()
  await admin`create schema ${admin(schema)}`
  const role = await createAppRole(admin, schema)
  await admin`create table ${admin(schema)}.orders (id text primary key)`
  const own = drizzle({ client: connect({ max: 4, connection: { search_path: schema } }) })
  const orders = pgTable('orders', { id: text().primaryKey() })
  const open = ({ poolMax, ...options }: Parameters<Place['open']>[0] = {}): Promise<Store> => {
    const { via: _via, role: as, ...rest } = options
    return openPgStore({ url: as === 'app' ? urlWith(role) : serverUrl, schema, max: poolMax ?? 5, ...rest })
  }
  return {
    open,
    worker: { module: new URL('worker.ts', import.meta.url).href, args: { url: serverUrl, schema, max: 3 } },
    oracle: {
      async count(area, appName) {
        const sessions = admin`select sid from ${admin(schema)}.${admin(areas.sessions)} where app_name = ${appName}`
        const where = area === 'events' ? admin`sid in (${sessions})` : admin`app_name = ${appName}`
        const [row] = await admin`select count(*)::int as n from ${admin(schema)}.${admin(areas[area])} where ${where}`
        return Number(row?.['n'])
      },
    },
    transaction: {
      async run(_store, body) {
        const store = await createPgStore(own, { schema })
        return own.transaction((tx) =>
          body(store.using(tx) as Store, {
            async insert(id) {
              await tx.insert(orders).values({ id })
            },
          }),
        )
      },
      rows: async () => (await admin`select id from ${admin(schema)}.orders order by id`).map((row) => String(row['id'])),
    },
    async destroy() {
      await own.$client.end({ timeout: 5 })
      await admin`drop schema ${admin(schema)} cascade`
      await dropAppRole(admin, role.username)
      await admin.end({ timeout: 5 })
    },
  }
}

export const subjects: Record<'pg', StoreUnderTest> = {
  pg: defineStoreUnderTest({
    subject: { name: '@daybook/drizzle-pg', version: '0.1.0', driver: 'postgres@3' },
    contract: '1.0',
    expects,
    provision,
  }),
}
