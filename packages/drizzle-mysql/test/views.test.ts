import { beforeEach, expect, test } from 'vitest'
import { key, needsServer, newPlace, openedStore, type Place } from './places.ts'

beforeEach(needsServer)

const times = [0, 951_782_400_000.001, 1_700_000_000_123.456, 7_258_118_400_000.999, 253_402_300_799_999] as const

const shown = [
  '1970-01-01 00:00:00.000000',
  '2000-02-29 00:00:00.000001',
  '2023-11-14 22:13:20.123456',
  '2200-01-01 00:00:00.000999',
  '9999-12-31 23:59:59.999000',
]

test('the views show full keys, and times as datetime(6) in UTC', async () => {
  const { url, rows } = await newPlace()
  const store = await openedStore(url, { now: () => times[2] })
  await store.migrate()
  await store.sessions.create({ ...key, state: { region: 'EMEA' } })
  await store.events.append(
    key,
    times.map((timestamp, i) => ({ id: `e${i}`, author: 'user', timestamp, content: i })),
  )
  const events = await rows('select *, cast(timestamp as char) as time from daybook_events_v1 order by seq')
  expect(events.map((event) => String(event['time']))).toEqual(shown)
  expect(events[0]).toMatchObject({ app_name: 'shop', user_id: 'ann', session_id: 's1', seq: 1, event_id: 'e0' })
  const [session] = await rows(
    `select *, cast(created_at as char) as created, cast(last_event_at as char) as last, json_extract(state, '$.region') as region from daybook_sessions_v1`,
  )
  expect(session).toMatchObject({ revision: 2, last_seq: 5, created: shown[2], last: shown[4], region: '"EMEA"' })
})

test('the columns of the views are a contract of their own', async () => {
  const { url, rows } = await newPlace()
  await (await openedStore(url, { prefix: 'my_', tables: { events: 'turns' } })).migrate()
  const columns = await rows(
    `select table_name as view, group_concat(concat(column_name, if(data_type = 'datetime', ' datetime(6)', '')) order by ordinal_position separator ' ') as columns
     from information_schema.columns where table_schema = database() and table_name like '%\\_v1'
     and (data_type <> 'datetime' or datetime_precision = 6) group by table_name order by table_name`,
  )
  expect(columns).toEqual([
    {
      view: 'my_artifacts_v1',
      columns: 'app_name user_id session_id name version mime_type size sha256 metadata save_id created_at datetime(6)',
    },
    {
      view: 'my_memories_v1',
      columns:
        'app_name user_id memory_id session_id event_id author timestamp datetime(6) payload created_at datetime(6) updated_at datetime(6)',
    },
    {
      view: 'my_sessions_v1',
      columns:
        'app_name user_id session_id state revision last_seq created_at datetime(6) updated_at datetime(6) last_event_at datetime(6)',
    },
    {
      view: 'turns_v1',
      columns:
        'app_name user_id session_id seq event_id invocation_id author branch error_code timestamp datetime(6) payload',
    },
  ])
})

/** Leaves what the first migration by itself does. */
async function toOlder({ pool }: Place): Promise<void> {
  await pool.query('drop view daybook_artifacts_v1, daybook_memories_v1, daybook_events_v1, daybook_sessions_v1')
  await pool.query(
    'drop table daybook_artifact_versions, daybook_artifact_chunks, daybook_artifacts, daybook_memories, daybook_memory_words, daybook_metrics',
  )
  await pool.query(
    'alter table daybook_sessions drop column lease_owner, drop column lease_fence, drop column lease_until',
  )
  await pool.query("delete from daybook_migrations where id > '0001'")
}

test('a database of the first migration gets the views, and keeps its rows', async () => {
  const place = await newPlace()
  const store = await openedStore(place.url)
  await store.migrate()
  await store.events.append(await store.sessions.create(key), { id: 'e1' })
  await toOlder(place)
  const next = await openedStore(place.url)
  await expect(next.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
  expect((await next.migrate()).applied).toEqual(['0002', '0003', '0004', '0005', '0006', '0007', '0008', '0009'])
  expect(await place.rows('select session_id, event_id from daybook_events_v1')).toEqual([
    { session_id: 's1', event_id: 'e1' },
  ])
})

test('a view of that name that somebody else made is not taken for ours', async () => {
  const place = await newPlace()
  await (await openedStore(place.url)).migrate()
  await toOlder(place)
  await place.pool.query('create view daybook_events_v1 as select 1 as theirs')
  await expect((await openedStore(place.url)).migrate()).rejects.toMatchObject({
    code: 'schema_mismatch',
    message: expect.stringContaining('daybook_events_v1 is there') as string,
  })
  expect(await place.rows('select * from daybook_events_v1')).toEqual([{ theirs: 1 }])
})

test('the views have the rights of whoever reads them', async () => {
  const { url, rows } = await newPlace()
  await (await openedStore(url)).migrate()
  const security = await rows(
    'select distinct security_type as security from information_schema.views where table_schema = database()',
  )
  expect(security).toEqual([{ security: 'INVOKER' }])
})
