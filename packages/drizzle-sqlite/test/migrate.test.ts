import { openSqliteStore } from '@daybook/drizzle-sqlite'
import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { driverNames, missingDrivers } from './drivers.ts'
import { key, newPath } from './places.ts'
import { startChild } from './processes.ts'

const drivers = driverNames.map((driver) => ({ driver, missing: missingDrivers[driver] }))

type Opened = Awaited<ReturnType<typeof openFileStore>>
const openFileStore = (path: string) => openSqliteStore({ url: `file:${path}` })

/** Everything that is in the file: the schema, and the rows that say how it came about. */
const dump = ({ db }: Opened) => [
  db.all(sql`select type, name, sql from sqlite_master order by name`),
  db.all(sql`select * from daybook_migrations order by id`),
]

test.for(drivers)(
  '$driver: four processes that open and migrate a new file at once all succeed, and one of them applied it',
  { timeout: 30_000 },
  async ({ driver, missing }, { skip }) => {
    skip(missing !== undefined, missing)
    const path = newPath()
    const children = Array.from({ length: 4 }, () => startChild())
    const opened = await Promise.allSettled(children.map((child) => child.call('open', { driver, path })))
    expect(opened.map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'))
    const reports = await Promise.all(children.map((child) => child.call('migrate')))
    await Promise.all(children.map((child) => child.kill()))
    expect(reports.toSorted((a, b) => a.length - b.length)).toEqual([
      [],
      [],
      [],
      ['0001', '0002', '0003', '0004', '0005', '0006', '0007', '0008', '0009'],
    ])
    await using store = await openFileStore(path)
    expect(await store.health()).toMatchObject({ ok: true, schemaVersion: '0009' })
  },
)

test('before migrate() every method says what to do, and health answers', async () => {
  await using store = await openFileStore(newPath())
  const refused = { code: 'schema_mismatch', message: expect.stringContaining('store.migrate()'), retryable: false }
  await expect(store.sessions.get(key)).rejects.toMatchObject(refused)
  await expect(store.sessions.create(key)).rejects.toMatchObject(refused)
  await expect(store.events.append(key, { id: 'e1' })).rejects.toMatchObject(refused)
  expect(await store.health()).toMatchObject({ ok: false, schemaVersion: undefined })
})

test('dryRun changes nothing and answers the SQL that makes the same schema', async () => {
  const [path, byHand] = [newPath(), newPath()]
  await using store = await openFileStore(path)
  const { applied, sql: statements = [] } = await store.migrate({ dryRun: true })
  expect(applied).toEqual(['0001', '0002', '0003', '0004', '0005', '0006', '0007', '0008', '0009'])
  expect(store.db.all(sql`select name from sqlite_master`)).toEqual([])
  await using other = await openFileStore(byHand)
  for (const statement of statements) other.db.run(sql.raw(statement))
  await store.migrate()
  expect(dump(other)[0]).toEqual(dump(store)[0])
  expect(await store.migrate({ dryRun: true })).toEqual({ applied: [], current: '0009', sql: [] })
})

describe('a schema that is not ours is refused, and left as it is', () => {
  const cases: Record<string, { change: ReturnType<typeof sql>; says: string }> = {
    'a changed checksum': {
      change: sql`update daybook_migrations set checksum = 'x'`,
      says: 'migration 0001 is not the one that was applied',
    },
    'a newer migration': {
      change: sql`insert into daybook_migrations select '9999', name, checksum, applied_at, version from daybook_migrations where id = '0001'`,
      says: 'newer than this version',
    },
    'another first migration': {
      change: sql`update daybook_migrations set id = '0000' where id = '0001'`,
      says: 'has migration 0000 where this version has 0001',
    },
    'a lost history': {
      change: sql`delete from daybook_migrations`,
      says: 'daybook_events, daybook_app_states, daybook_user_states, daybook_sessions_v1, daybook_events_v1, daybook_artifacts, daybook_artifact_versions, daybook_artifact_chunks, daybook_artifacts_v1, daybook_memories, daybook_memory_words, daybook_memories_v1, daybook_metrics is there',
    },
  }

  test.for(Object.entries(cases))('%s', async ([, { change, says }]) => {
    const path = newPath()
    await using before = await openFileStore(path)
    await before.migrate()
    await before.sessions.create(key)
    before.db.run(change)
    const whole = dump(before)
    await using store = await openFileStore(path)
    const refused = { code: 'schema_mismatch', message: expect.stringContaining(says) }
    await expect(store.migrate()).rejects.toMatchObject(refused)
    await expect(store.migrate({ dryRun: true })).rejects.toMatchObject(refused)
    await expect(store.events.append(key, { id: 'e1' })).rejects.toMatchObject({ code: 'schema_mismatch' })
    expect(dump(store)).toEqual(whole)
    expect(store.db.all(sql`select last_seq from daybook_sessions`)).toEqual([{ last_seq: 0 }])
  })

  test('a table that is missing after its migration is named', async () => {
    const path = newPath()
    await using before = await openFileStore(path)
    await before.migrate()
    before.db.run(sql`drop table daybook_app_states`)
    await using store = await openFileStore(path)
    await expect(store.sessions.get(key)).rejects.toMatchObject({
      code: 'schema_mismatch',
      message: expect.stringContaining('daybook_app_states'),
    })
    // The store that was open already finds out from its statement.
    await expect(before.state.get({ appName: 'shop' })).rejects.toMatchObject({ code: 'schema_mismatch' })
  })

  test('a table of somebody else under one of our names', async () => {
    await using store = await openFileStore(newPath())
    store.db.run(sql`create table daybook_sessions (id text)`)
    await expect(store.migrate()).rejects.toMatchObject({
      code: 'schema_mismatch',
      message: expect.stringContaining('the table daybook_sessions is there, but no migration made it'),
    })
    expect(store.db.all(sql`select name from sqlite_master`)).toEqual([{ name: 'daybook_sessions' }])
  })
})

test('tables of the application are not touched, whatever their names', async () => {
  await using store = await openFileStore(newPath())
  const { db } = store
  db.run(sql`create table daybook_notes (id integer primary key, text)`)
  db.run(sql`create table sessions (id text)`)
  db.run(sql`insert into daybook_notes values (1, 'mine')`)
  const theirs = () => db.all(sql`select name, sql from sqlite_master where name in ('daybook_notes', 'sessions')`)
  const before = theirs()
  await store.migrate()
  await store.sessions.create(key)
  await store.erase(key)
  expect(theirs()).toEqual(before)
  expect(db.all(sql`select * from daybook_notes`)).toEqual([{ id: 1, text: 'mine' }])
})

test('two stores with different prefixes live in one file', async () => {
  const path = newPath()
  await using one = await openSqliteStore({ url: `file:${path}`, prefix: 'one_' })
  await using two = await openSqliteStore({ url: `file:${path}`, prefix: 'two_', tables: { events: 'two_log' } })
  await one.migrate()
  await two.migrate()
  await one.sessions.create({ ...key, state: { of: 'one' } })
  await two.sessions.create({ ...key, state: { of: 'two' } })
  await two.events.append(key, { id: 'e1' })
  expect(await one.sessions.get(key, { events: 'all' })).toMatchObject({ state: { of: 'one' }, events: [] })
  expect(await two.sessions.get(key, { events: 'all' })).toMatchObject({ state: { of: 'two' }, events: [{ seq: 1 }] })
  expect(one.db.all(sql`select event_id from two_log`)).toEqual([{ event_id: 'e1' }])
})

describe('options that cannot be are refused by field, before anything is sent', () => {
  const hostile: readonly (readonly [field: string, options: object])[] = [
    ['prefix', { prefix: 'x"; drop table notes; --' }],
    ['prefix', { prefix: '1st_' }],
    ['prefix', { prefix: 'ä_' }],
    ['prefix', { prefix: 'p'.repeat(60) }],
    ['prefix', { prefix: 7 }],
    ['tables.events', { tables: { events: 'a b' } }],
    ['tables.events', { tables: { events: '' } }],
    ['tables.notes', { tables: { notes: 'notes' } }],
    ['tables', { tables: { events: 'daybook_SESSIONS' } }],
    ['tables', { tables: 'events' }],
    ['busyTimout', { busyTimout: 5 }],
    ['busyTimeout', { busyTimeout: -1 }],
    ['busyTimeout', { busyTimeout: '5' }],
    ['pragmas', { pragmas: 'full' }],
    ['url', { url: '' }],
  ]

  test.for(hostile)('%s in %o', async ([field, options]) => {
    await expect(openSqliteStore({ url: ':memory:', ...options })).rejects.toMatchObject({
      code: 'invalid_argument',
      facts: { field },
    })
  })
})

test('an index of the name of one of ours that no record tells of is not taken for it', async () => {
  await using store = await openFileStore(newPath())
  await store.migrate()
  const { sql: [create = ''] = [] } = await store.indexStatePath(['region'], 'string', { dryRun: true })
  const name = /"(daybook_sessions_p_\w+)"/.exec(create)?.[1] ?? ''
  store.db.run(sql.raw(`create index "${name}" on daybook_sessions (session_id)`))
  const refused = { code: 'schema_mismatch', message: expect.stringContaining(name) }
  await expect(store.indexStatePath(['region'], 'string')).rejects.toMatchObject(refused)
  expect(await store.dropStatePathIndex(['region'], 'string')).toBe(true)
  expect((await store.indexStatePath(['region'], 'string')).applied).toHaveLength(1)
})
