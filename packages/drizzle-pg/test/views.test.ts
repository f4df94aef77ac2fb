import { beforeEach, expect, test } from 'vitest'
import { client, key, migratedStore, newSchema, openStore } from './places.ts'
import { createAppRole, dropAppRole } from './roles.ts'
import { needsServer, urlWith } from './server.ts'

beforeEach(needsServer)

const times = [0, 951_782_400_000.001, 1_700_000_000_123.456, 7_258_118_400_000.999, 253_402_300_799_999] as const

const shown = [
  '1970-01-01 00:00:00.000000',
  '2000-02-29 00:00:00.000001',
  '2023-11-14 22:13:20.123456',
  '2200-01-01 00:00:00.000999',
  '9999-12-31 23:59:59.999000',
]

test('the views show full keys, and times as timestamptz to the microsecond', async () => {
  const store = await migratedStore({ now: () => times[2] })
  const sql = client()
  await store.sessions.create({ ...key, state: { region: 'EMEA' } })
  await store.events.append(
    key,
    times.map((timestamp, i) => ({ id: `e${i}`, author: 'user', timestamp, content: i })),
  )
  const text = 'YYYY-MM-DD HH24:MI:SS.US'
  const events = await sql`
    select app_name, user_id, session_id, event_id, to_char(timestamp at time zone 'UTC', ${text}) as time, pg_typeof(timestamp)::text as type
    from ${sql(store.schema)}.daybook_events_v1 order by seq`
  expect(events.map(({ time }) => String(time))).toEqual(shown)
  expect(events[0]).toMatchObject({ app_name: 'shop', user_id: 'ann', session_id: 's1', event_id: 'e0' })
  expect(events[0]).toMatchObject({ type: 'timestamp with time zone' })
  const sessions = await sql`
    select to_char(created_at at time zone 'UTC', ${text}) as created, to_char(last_event_at at time zone 'UTC', ${text}) as last
    from ${sql(store.schema)}.daybook_sessions_v1 where state ->> 'region' = 'EMEA' and updated_at = created_at`
  expect([...sessions]).toEqual([{ created: shown[2], last: shown[4] }])
})

test('the columns of the views are a contract of their own', async () => {
  const store = await migratedStore({ prefix: 'my_', tables: { events: 'turns' } })
  const sql = client()
  const columns = await sql`
    select table_name as view, string_agg(column_name || ' ' || udt_name, ', ' order by ordinal_position) as columns
    from information_schema.columns where table_schema = ${store.schema} and table_name like '%\\_v1' group by table_name order by 1`
  expect([...columns]).toEqual([
    {
      view: 'my_artifacts_v1',
      columns:
        'app_name varchar, user_id varchar, session_id text, name varchar, version int8, mime_type varchar, size int8, sha256 varchar, metadata json, save_id varchar, created_at timestamptz',
    },
    {
      view: 'my_memories_v1',
      columns:
        'app_name varchar, user_id text, memory_id varchar, session_id varchar, event_id varchar, author text, timestamp timestamptz, payload json, created_at timestamptz, updated_at timestamptz',
    },
    {
      view: 'my_sessions_v1',
      columns:
        'app_name varchar, user_id varchar, session_id varchar, state jsonb, revision int8, last_seq int8, created_at timestamptz, updated_at timestamptz, last_event_at timestamptz',
    },
    {
      view: 'turns_v1',
      columns:
        'app_name varchar, user_id varchar, session_id varchar, seq int8, event_id varchar, invocation_id text, author text, branch text, error_code text, timestamp timestamptz, payload json',
    },
  ])
})

/** What the first migration by itself leaves. */
const older = (
  schema: string,
) => `drop view ${schema}.daybook_memories_v1, ${schema}.daybook_artifacts_v1, ${schema}.daybook_events_v1, ${schema}.daybook_sessions_v1;
  drop table ${schema}.daybook_artifact_versions, ${schema}.daybook_artifact_chunks, ${schema}.daybook_artifacts, ${schema}.daybook_memories,
    ${schema}.daybook_memory_words, ${schema}.daybook_metrics;
  alter table ${schema}.daybook_sessions drop column lease_owner, drop column lease_fence, drop column lease_until;
  delete from ${schema}.daybook_migrations where id > '0001'`

test('a database of the first migration gets the views, and keeps its rows', async () => {
  const { schema, ...store } = await migratedStore()
  const sql = client()
  await store.events.append(await store.sessions.create(key), { id: 'e1' })
  await sql.unsafe(older(schema))
  const next = await openStore({ schema })
  await expect(next.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
  expect((await next.migrate()).applied).toEqual(['0002', '0003', '0004', '0005', '0006', '0007', '0008', '0009'])
  const rows = await sql`select session_id, event_id from ${sql(schema)}.daybook_events_v1`
  expect([...rows]).toEqual([{ session_id: 's1', event_id: 'e1' }])
})

test('a view of that name that somebody else made is not taken for ours', async () => {
  const { schema } = await migratedStore()
  const sql = client()
  await sql.unsafe(`${older(schema)}; create view ${schema}.daybook_events_v1 as select 1 as theirs`)
  const next = await openStore({ schema })
  await expect(next.migrate()).rejects.toMatchObject({
    code: 'schema_mismatch',
    message: expect.stringContaining('daybook_events_v1 is there') as string,
  })
  expect([...(await sql`select * from ${sql(schema)}.daybook_events_v1`)]).toEqual([{ theirs: 1 }])
})

test('a role that may read the tables may read the views', async () => {
  const schema = newSchema()
  const admin = client({ max: 1 })
  await admin`create schema ${admin(schema)}`
  const { username, password } = await createAppRole(admin, schema)
  try {
    const store = await openStore({ schema })
    await store.migrate()
    await store.sessions.create(key)
    const app = await openStore({ schema, url: urlWith({ username, password }) })
    expect((await app.sessions.list({ appName: 'shop' })).items).toHaveLength(1)
    await app.close()
    const rows = await admin.begin(async (tx) => {
      await tx`set local role ${tx(username)}`
      return tx`select session_id from ${tx(schema)}.daybook_sessions_v1`
    })
    expect([...rows]).toEqual([{ session_id: 's1' }])
  } finally {
    await admin`drop schema ${admin(schema)} cascade`
    await dropAppRole(admin, username)
  }
})
