import { openSqliteStore, type SqliteStoreOptions } from '@daybook/drizzle-sqlite'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { key, newPath } from './places.ts'

const times = [0, 951_782_400_000.001, 1_700_000_000_123.456, 7_258_118_400_000.999, 253_402_300_799_999] as const

const iso = [
  '1970-01-01T00:00:00.000000Z',
  '2000-02-29T00:00:00.000001Z',
  '2023-11-14T22:13:20.123456Z',
  '2200-01-01T00:00:00.000999Z',
  '9999-12-31T23:59:59.999000Z',
]

async function openStore(path: string, options: SqliteStoreOptions = {}) {
  const store = await openSqliteStore({ url: `file:${path}`, now: () => times[2], ...options })
  await store.migrate()
  return store
}

test('the views show full keys, and times as ISO 8601 in UTC to the microsecond', async () => {
  await using store = await openStore(newPath())
  await store.sessions.create({ ...key, state: { region: 'EMEA' } })
  await store.events.append(
    key,
    times.map((timestamp, i) => ({ id: `e${i}`, author: 'user', timestamp, content: i })),
  )
  const events = store.db.all<Record<string, unknown>>(sql`select * from daybook_events_v1 order by seq`)
  expect(events.map((event) => event['timestamp'])).toEqual(iso)
  expect(events[0]).toMatchObject({ app_name: 'shop', user_id: 'ann', session_id: 's1', seq: 1, event_id: 'e0' })
  const [session] = store.db.all<Record<string, unknown>>(
    sql`select *, json_extract(state, '$.region') as region from daybook_sessions_v1`,
  )
  expect(session).toMatchObject({ session_id: 's1', revision: 2, last_seq: 5, region: 'EMEA' })
  expect([session?.['created_at'], session?.['updated_at'], session?.['last_event_at']]).toEqual([
    iso[2],
    iso[2],
    iso[4],
  ])
})

test('the columns of the views are a contract of their own', async () => {
  await using store = await openStore(newPath(), { prefix: 'my_', tables: { events: 'turns' } })
  const columns = (view: string) =>
    store.db.all<{ name: string }>(sql`select name from pragma_table_info(${view})`).map(({ name }) => name)
  expect(columns('my_sessions_v1')).toEqual(
    'app_name user_id session_id state revision last_seq created_at updated_at last_event_at'.split(' '),
  )
  expect(columns('turns_v1')).toEqual(
    'app_name user_id session_id seq event_id invocation_id author branch error_code timestamp payload'.split(' '),
  )
})

test('the view of artifacts shows versions by their full keys', async () => {
  await using store = await openStore(newPath())
  await store.sessions.create(key)
  await store.artifacts.save({ ...key, name: 'a' }, Buffer.from('x'), { mimeType: 'text/plain', metadata: { n: 1 } })
  await store.artifacts.save({ ...key, name: 'user:a' }, Buffer.from('yy'))
  const rows = store.db.all<Record<string, unknown>>(sql`select * from daybook_artifacts_v1 order by name`)
  expect(rows).toMatchObject([
    { app_name: 'shop', user_id: 'ann', session_id: 's1', name: 'a', version: 0, mime_type: 'text/plain', size: 1 },
    { session_id: null, name: 'user:a', mime_type: null, size: 2, created_at: iso[2] },
  ])
  expect(Object.keys(rows[0] ?? {}).join(' ')).toBe(
    'app_name user_id session_id name version mime_type size sha256 metadata save_id created_at',
  )
})

/** What the first migration by itself leaves. */
const older = [
  sql`drop view daybook_artifacts_v1`,
  sql`drop table daybook_artifact_versions`,
  sql`drop table daybook_artifact_chunks`,
  sql`drop table daybook_artifacts`,
  sql`drop view daybook_events_v1`,
  sql`drop view daybook_sessions_v1`,
  sql`alter table daybook_sessions drop column lease_owner`,
  sql`alter table daybook_sessions drop column lease_fence`,
  sql`alter table daybook_sessions drop column lease_until`,
  sql`drop view daybook_memories_v1`,
  sql`drop table daybook_memories`,
  sql`drop table daybook_metrics`,
  sql`drop table daybook_memory_words`,
  sql`delete from daybook_migrations where id > '0001'`,
]

test('a database of the first migration gets the views, and keeps its rows', async () => {
  const path = newPath()
  await using store = await openStore(path)
  await store.events.append(await store.sessions.create(key), { id: 'e1' })
  for (const statement of older) store.db.run(statement)
  await using next = await openSqliteStore({ url: `file:${path}` })
  await expect(next.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
  expect((await next.migrate()).applied).toEqual(['0002', '0003', '0004', '0005', '0006', '0007', '0008', '0009'])
  expect(next.db.all(sql`select session_id, event_id from daybook_events_v1`)).toEqual([
    { session_id: 's1', event_id: 'e1' },
  ])
})

test('a view of that name that somebody else made is not taken for ours', async () => {
  const path = newPath()
  await using store = await openStore(path)
  for (const statement of older) store.db.run(statement)
  store.db.run(sql`create view daybook_events_v1 as select 1 as theirs`)
  await using next = await openSqliteStore({ url: `file:${path}` })
  await expect(next.migrate()).rejects.toMatchObject({
    code: 'schema_mismatch',
    message: expect.stringContaining('daybook_events_v1 is there') as string,
  })
  expect(next.db.all(sql`select * from daybook_events_v1`)).toEqual([{ theirs: 1 }])
})
