import { defineStoreUnderTest, type OpenOptions, type Place, type StoreUnderTest } from '@daybook/conformance'
import type { Capabilities, Store } from '@daybook/core'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/postgres-js'
import { knowing } from '../../drizzle/test/dialect-patch.ts'
import { fixedAes } from '../../drizzle/test/codecs.ts'
import { createPgStore, openPgStore, type PayloadCodec } from '../src/index.ts'
import { holdSession, oracleOf } from './oracle.ts'
import { openPatched } from './patched-store.ts'
import { createAppRole, dropAppRole } from './roles.ts'
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

/** A schema of its own for each place, in the one database. */
async function provision({ id: schema }: { id: string }, codec?: PayloadCodec): Promise<Place> {
  const admin = connect()
  await admin`create schema ${admin(schema)}`
  const role = await createAppRole(admin, schema)
  await admin`create table ${admin(schema)}.orders (id text primary key)`
  const own = drizzle({ client: connect({ max: 4, connection: { search_path: schema } }) })
  const orders = pgTable('orders', { id: text().primaryKey() })
  const withCodec = codec === undefined ? {} : { codec }
  const open = ({ poolMax, ...options }: OpenOptions = {}): Promise<Store> => {
    const { via: _via, role: as, onStatement, migrations, ...rest } = options
    const given = { url: as === 'app' ? urlWith(role) : serverUrl, schema, max: poolMax ?? 5, ...withCodec, ...rest }
    if (onStatement === undefined && migrations === undefined) return openPgStore(given)
    return openPatched({ ...given, onStatement }, migrations === undefined ? undefined : knowing(migrations))
  }
  return {
    open,
    worker: {
      module: new URL('worker.ts', import.meta.url).href,
      args: { url: serverUrl, schema, max: 3, isEncoded: codec !== undefined },
    },
    oracle: oracleOf(admin, schema),
    honours: ['role', 'poolMax', 'onStatement', 'prefix', 'migrations'],
    lock: (key) => holdSession(schema, key),
    transaction: {
      async run(_store, body) {
        const store = await createPgStore(own, { schema, ...withCodec })
        return own.transaction((tx) =>
          body(store.using(tx) as Store, {
            async insert(id) {
              await tx.insert(orders).values({ id })
            },
          }),
        )
      },
      rows: async () =>
        (await admin`select id from ${admin(schema)}.orders order by id`).map((row) => String(row['id'])),
    },
    async destroy() {
      await own.$client.end({ timeout: 5 })
      await admin`drop schema ${admin(schema)} cascade`
      await dropAppRole(admin, role.username)
      await admin.end({ timeout: 5 })
    },
  }
}

export const subjects: Record<'pg' | 'pg-codec', StoreUnderTest> = {
  pg: defineStoreUnderTest({
    subject: { name: '@daybook/drizzle-pg', version: '0.1.0', driver: 'postgres@3' },
    contract: '1.0',
    expects,
    provision: (request) => provision(request),
  }),
  'pg-codec': defineStoreUnderTest({
    subject: { name: '@daybook/drizzle-pg', version: '0.1.0', driver: 'postgres@3, with a codec' },
    contract: '1.0',
    expects,
    provision: (request) => provision(request, fixedAes),
  }),
}
