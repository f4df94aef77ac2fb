import { StoreError } from '@daybook/core'
import { beforeEach, expect, test } from 'vitest'
import { key, needsServer, newPlace, openedStore } from './places.ts'

beforeEach(needsServer)

test('of many that migrate at once one does it, and all are ready', async () => {
  const { url } = await newPlace()
  const stores = await Promise.all([1, 2, 3, 4, 5].map(() => openedStore(url)))
  const reports = await Promise.all(stores.map((store) => store.migrate()))
  expect(reports.flatMap(({ applied }) => applied)).toEqual(['0001', '0002'])
  const sessions = await Promise.all(stores.map((store, i) => store.sessions.create({ ...key, sessionId: `s${i}` })))
  expect(sessions).toHaveLength(5)
})

test('a migration that was interrupted between two of its tables is completed by the next', async () => {
  const { url, pool, rows } = await newPlace()
  const store = await openedStore(url)
  const { sql = [] } = await store.migrate({ dryRun: true })
  // What a process leaves that dies half-way: its record, and some of the tables, each of them committed.
  await pool.query(sql[0] ?? '')
  const { migrationRecord } = await recordOf()
  await pool.query('insert into daybook_migrations set ?', [migrationRecord])
  await pool.query(sql[1] ?? '')
  await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
  expect((await store.migrate()).applied).toEqual(['0001', '0002'])
  expect((await store.migrate()).applied).toEqual([])
  expect((await store.sessions.create(key)).revision).toBe(1)
  const [record] = await rows('select applied_at from daybook_migrations')
  expect(Number(record?.['applied_at'])).toBeGreaterThan(0)
})

/** What a migration records before it begins, taken from one that was complete. */
async function recordOf() {
  const { url, rows } = await newPlace()
  await (await openedStore(url)).migrate()
  const [record] = await rows('select * from daybook_migrations')
  return { migrationRecord: { ...record, applied_at: 0 } }
}

test('a table that somebody else made is not taken for ours', async () => {
  const { url, pool, rows } = await newPlace()
  await pool.query('create table daybook_events (id int primary key)')
  const store = await openedStore(url)
  await expect(store.migrate()).rejects.toMatchObject({ code: 'schema_mismatch' })
  expect(
    await rows(
      `select table_name from information_schema.tables where table_schema = database() and table_name = 'daybook_sessions'`,
    ),
  ).toEqual([])
})

test('a changed checksum and a newer schema are refused, and nothing is touched', async () => {
  const { url, pool } = await newPlace()
  await (await openedStore(url)).migrate()
  await pool.query(`insert into daybook_migrations values ('9999', 'later', 'x', 1, '9.0.0')`)
  const store = await openedStore(url)
  await expect(store.migrate()).rejects.toBeInstanceOf(StoreError)
  await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
  await pool.query(`delete from daybook_migrations where id = '9999'`)
  await pool.query(`update daybook_migrations set checksum = 'x'`)
  await expect((await openedStore(url)).migrate()).rejects.toMatchObject({ code: 'schema_mismatch' })
})

test('the lock of a migration is given back, also when it failed', async () => {
  const { url, pool, rows } = await newPlace()
  await pool.query('create table daybook_events (id int primary key)')
  const store = await openedStore(url, { connectionLimit: 1 })
  await expect(store.migrate()).rejects.toMatchObject({ code: 'schema_mismatch' })
  const [lock] = await rows(`select is_used_lock(sha2(concat(database(), '.daybook_migrations'), 224)) as holder`)
  expect(lock?.['holder']).toBeNull()
})
