import { beforeEach, expect, test } from 'vitest'
import { client, key, migratedStore, openStore } from './places.ts'
import { needsServer } from './server.ts'

beforeEach(needsServer)

test('a deep look finds nothing wrong with what the migrations made, and shows what matters', async () => {
  const store = await migratedStore({ max: 3, prefix: 'log_' })
  const health = await store.health({ deep: true })
  const drift = health.warnings.filter((warning) => /column|index/.test(warning))
  expect([health.ok, drift]).toEqual([true, []])
  expect(health.settings).toMatchObject({
    floor: '14',
    TimeZone: 'UTC',
    server_encoding: 'UTF8',
    default_transaction_isolation: expect.any(String) as string,
    collation: expect.any(String) as string,
    fsync: expect.any(String) as string,
    max_connections: expect.any(String) as string,
    standby: 'false',
  })
  expect(health.pool).toEqual({ size: 3, inUse: 0, idle: 1, waiting: 0 })
  expect((await store.health()).settings).toBeUndefined()
})

test('the pool is told as it is: who is in it, and who waits', async () => {
  const store = await migratedStore({ max: 1 })
  await store.sessions.create(key)
  await store.transaction(async () => {
    const waiting = store.sessions.get(key)
    expect((await store.health({ timeout: 200 })).pool).toEqual({ size: 1, inUse: 1, idle: 0, waiting: 1 })
    waiting.catch(() => {}) // it comes after the transaction
  })
})

test('a deep look names what was changed: columns, types, collations, rights to be empty, and indexes', async () => {
  const store = await migratedStore()
  const admin = client({ max: 1, connection: { search_path: store.schema } })
  await admin.unsafe(`
    alter table daybook_events drop column branch cascade;
    alter table daybook_events alter column author type text collate "default";
    alter table daybook_sessions alter column revision drop not null;
    alter table daybook_user_states add column mine text;
    alter table daybook_user_states add column theirs int not null;
    alter table daybook_sessions drop column lease_until;
    alter table daybook_sessions add column lease_until bigint generated always as (lease_fence + 1) stored;
    alter table daybook_events drop constraint daybook_events_id;
    create index daybook_events_id on daybook_events (event_id collate "default", sid desc) where seq > 1;
    drop index daybook_sessions_recent`)
  await admin.unsafe(
    `update pg_index set indisvalid = false where indexrelid = '${store.schema}.daybook_sessions_created'::regclass`,
  )
  const { ok, warnings } = await store.health({ deep: true })
  expect(ok).toBe(false)
  expect(
    warnings.filter((warning) => /column|index/.test(warning)).map((warning) => warning.replace(/;.*/, '')),
  ).toEqual([
    'the column daybook_sessions.revision is bigint, and the migrations made it bigint not null',
    'the column daybook_sessions.lease_until is bigint generated, and the migrations made it bigint',
    'the column daybook_events.author is text, and the migrations made it text collate "c"',
    'the column daybook_events.branch is missing',
    'the index daybook_events_id of daybook_events is (event_id collate "default", sid desc) where (seq > 1), and the migrations made it unique (sid, event_id)',
    "the column daybook_user_states.theirs is not the store's and has to have a value, which the store cannot give it",
    'the index daybook_sessions_recent of daybook_sessions is missing',
    'the index daybook_sessions_created of daybook_sessions is invalid, and no query uses it',
  ])
})

test('a deep look names an index of a path that is gone', async () => {
  const store = await migratedStore()
  await store.indexStatePath(['region'], 'string')
  await store.indexStatePath(['size'], 'number')
  const drift = async () => (await store.health({ deep: true })).warnings.filter((one) => one.includes('the path'))
  expect(await drift()).toEqual([])
  const admin = client({ max: 1, connection: { search_path: store.schema } })
  const [found] = await admin<{ name: string }[]>`
    select indexname as name from pg_indexes where schemaname = ${store.schema} and indexdef like '%region%'`
  await admin.unsafe(`drop index ${found?.name}`)
  expect(await drift()).toEqual([
    `the index of the path ["region"] for values of type string, ${found?.name}, is missing; drop it with dropStatePathIndex() and make it again with indexStatePath()`,
  ])
})

test('before the migrations there is nothing to compare', async () => {
  const store = await openStore({ schema: 'daybook_never_made' })
  expect(await store.health({ deep: true })).toMatchObject({ ok: false, schemaVersion: undefined })
})
