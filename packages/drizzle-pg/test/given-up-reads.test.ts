import { drizzle } from 'drizzle-orm/node-postgres'
import type { Pool } from 'pg'
import { beforeEach, expect, test } from 'vitest'
import { createPgStore } from '../src/index.ts'
import { client, key, migratedStore, nodePool } from './places.ts'
import { needsServer } from './server.ts'

beforeEach(needsServer)

/** What the server is at on tables of ours, for anybody else. */
const running = async (pool: Pool) =>
  (
    await pool.query(`select pid, state, query from pg_stat_activity
      where datname = current_database() and state = 'active' and pid <> pg_backend_pid() and query like '%daybook_%' and wait_event_type = 'Lock'`)
  ).rows

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
    await expect.poll(() => running(pool), { timeout: 2_000 }).toEqual([])
  })
  await store.close()
}, 20_000)

test('a write that was aborted while it waited for a lock ends on the server, and keeps none', async () => {
  const { schema, ...owned } = await migratedStore()
  await owned.sessions.create(key)
  await owned.state.update({ appName: 'shop' }, { set: { a: 1 } })
  const pool = nodePool({ max: 2 })
  pool.on('error', () => {}) // the pool reports the connection that is ended
  const store = await createPgStore(drizzle({ client: pool }), { schema })
  const other = client({ max: 1 })
  await other.begin(async (sql) => {
    await sql`select * from ${sql(schema)}.daybook_app_states for update`
    const giveUp = new AbortController()
    const write = store.transaction(
      async (_tx, joined) => {
        await joined.sessions.update(key, { set: { mine: 1 } })
        await joined.state.update({ appName: 'shop' }, { set: { a: 2 } })
      },
      { signal: giveUp.signal },
    )
    await expect.poll(() => running(pool)).toHaveLength(1)
    giveUp.abort()
    await expect(write).rejects.toMatchObject({ code: 'aborted' })
    await expect.poll(() => running(pool), { timeout: 2_000 }).toEqual([])
    await owned.sessions.update(key, { set: { free: true } }, { timeout: 1_000 })
  })
  expect((await owned.sessions.get(key))?.state).toEqual({ free: true, 'app:a': 1 })
  await store.close()
}, 20_000)

test('a body that never ends gives its connection back with its call, and what it does later is refused', async () => {
  const { schema, ...owned } = await migratedStore()
  await owned.sessions.create(key)
  const pool = nodePool({ max: 1 })
  const store = await createPgStore(drizzle({ client: pool }), { schema })
  let answer: (() => void) | undefined
  const answered = new Promise<void>((resolve) => (answer = resolve))
  let late: Promise<unknown> | undefined
  const hanging = store.transaction(
    async (_tx, joined) => {
      await joined.events.append(key, { id: 'undone' })
      await answered
      late = joined.events.append(key, { id: 'late' })
      await late
    },
    { timeout: 300 },
  )
  await expect(hanging).rejects.toMatchObject({ code: 'timeout' })
  await store.events.append(key, { id: 'next' }, { timeout: 5_000 }) // over the only connection, while the body still waits
  answer?.()
  await expect.poll(() => late !== undefined).toBe(true)
  await expect(late).rejects.toMatchObject({ code: 'unavailable' })
  await store.events.append(key, { id: 'last' })
  const { events } = (await owned.sessions.get(key, { events: 'all' })) ?? {}
  expect(events?.map(({ event }) => event.id)).toEqual(['next', 'last'])
  expect((await store.health()).pool).toMatchObject({ size: 1, inUse: 0 })
  await store.close()
}, 20_000)
