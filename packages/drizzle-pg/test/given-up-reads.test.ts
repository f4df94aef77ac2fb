import { drizzle } from 'drizzle-orm/node-postgres'
import { beforeEach, expect, test } from 'vitest'
import { createPgStore } from '../src/index.ts'
import { client, key, migratedStore, nodePool } from './places.ts'
import { needsServer } from './server.ts'

beforeEach(needsServer)

test('a read that nobody waits for any more gives its connection back, though the server is still at it', async () => {
  const { schema, ...owned } = await migratedStore()
  await owned.sessions.create(key)
  const pool = nodePool({ max: 1 })
  pool.on('error', () => {}) // the pool reports the connection that is ended
  const store = await createPgStore(drizzle({ client: pool }), { schema })
  expect((await store.sessions.list({ appName: 'shop' })).items).toHaveLength(1)
  const other = client({ max: 1 })
  await other.begin(async (sql) => {
    await sql`lock table ${sql(schema)}.daybook_sessions in access exclusive mode`
    await expect(store.sessions.list({ appName: 'shop', timeout: 200 })).rejects.toMatchObject({ code: 'timeout' })
    const { rows } = await pool.query('select 1 as one') // the only connection, while the lock is still held
    expect(rows).toEqual([{ one: 1 }])
  })
  await store.close()
}, 20_000)
