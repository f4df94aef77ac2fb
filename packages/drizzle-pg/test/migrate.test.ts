import { randomBytes } from 'node:crypto'
import { drizzle } from 'drizzle-orm/postgres-js'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createPgStore } from '../src/index.ts'
import { introspected } from './introspection.ts'
import { client, key, migratedStore, newSchema, openStore } from './places.ts'
import { child } from './processes.ts'
import { createAppRole, dropAppRole } from './roles.ts'
import { connect, needsServer, urlWith } from './server.ts'

beforeEach(needsServer)

/** What store and server have between them after some change by somebody else. */
async function changed(change: string) {
  const { schema } = await migratedStore()
  const sql = client()
  await sql.unsafe(`set search_path to ${schema}; ${change}`)
  return { store: await openStore({ schema }), sql, schema }
}

test(
  'four processes that migrate a new schema at once all succeed, and one of them applied it',
  { timeout: 40_000 },
  async () => {
    const schema = newSchema()
    const startAt = Date.now() + 4_000 // all of them are loaded by then
    const reports = await Promise.all(Array.from({ length: 4 }, () => child({ schema, startAt })))
    expect(reports.toSorted((a, b) => (a.applied?.length ?? -1) - (b.applied?.length ?? -1))).toEqual([
      { applied: [] },
      { applied: [] },
      { applied: [] },
      { applied: ['0001', '0002', '0003', '0004', '0005', '0006', '0007', '0008', '0009'] },
    ])
    const store = await openStore({ schema })
    expect([await store.health(), await store.sessions.count({ appName: 'child' })]).toEqual([
      expect.objectContaining({ ok: true, schemaVersion: '0009' }),
      4,
    ])
  },
)

test('a process ends by itself once its store is closed', { timeout: 40_000 }, async () => {
  expect(await child({ schema: newSchema(), startAt: 0 })).toEqual({
    applied: ['0001', '0002', '0003', '0004', '0005', '0006', '0007', '0008', '0009'],
  })
})

test('many stores of one process that migrate a new schema at once all succeed', async () => {
  const schema = newSchema()
  const stores = await Promise.all(Array.from({ length: 6 }, () => openStore({ schema, max: 1 })))
  const reports = await Promise.all(stores.map((store) => store.migrate()))
  expect(reports.flatMap(({ applied }) => applied)).toEqual([
    '0001',
    '0002',
    '0003',
    '0004',
    '0005',
    '0006',
    '0007',
    '0008',
    '0009',
  ])
})

test('the lock comes before anything that two could make at once', async () => {
  const sent: string[] = []
  const store = await createPgStore(
    drizzle({ client: client({ max: 1, debug: (_connection, text) => void sent.push(text) }) }),
    { schema: newSchema() },
  )
  await store.migrate()
  const first = (what: string) => sent.findIndex((text) => text.includes(what))
  expect([
    first('pg_advisory_xact_lock') > 0,
    first('pg_advisory_xact_lock') < first('create schema'),
    first('create schema') < first('CREATE TABLE'),
  ]).toEqual([true, true, true])
})

test('dryRun makes nothing, and its SQL makes the same tables', async () => {
  const [schema, byHand] = [newSchema(), newSchema()]
  const store = await openStore({ schema })
  const { applied, sql: statements = [] } = await store.migrate({ dryRun: true })
  const sql = client()
  expect([applied, await sql`select from pg_namespace where nspname = ${schema}`]).toEqual([
    ['0001', '0002', '0003', '0004', '0005', '0006', '0007', '0008', '0009'],
    expect.objectContaining({ count: 0 }),
  ])
  await sql`create schema ${sql(byHand)}`
  for (const statement of statements) await sql.unsafe(statement.replaceAll(`"${schema}".`, `"${byHand}".`))
  await store.migrate()
  expect(await introspected(sql, byHand)).toEqual(await introspected(sql, schema))
  expect(await store.migrate({ dryRun: true })).toEqual({ applied: [], current: '0009', sql: [] })
})

describe('a schema that is not ours is refused, and left as it is', () => {
  const cases: Record<string, { change: string; says: string }> = {
    'a changed checksum': { change: `update daybook_migrations set checksum = 'x'`, says: 'checksum differs' },
    'a newer migration': {
      change: `insert into daybook_migrations select '9999', 'later', checksum, applied_at, version from daybook_migrations where id = '0001'`,
      says: 'newer than this version',
    },
    'another first migration': {
      change: `update daybook_migrations set id = '0000' where id = '0001'`,
      says: 'has migration 0000 where this version has 0001',
    },
    'a lost history': { change: 'delete from daybook_migrations', says: 'no migration made it' },
  }
  test.for(Object.entries(cases))('%s', async ([, { change, says }]) => {
    const { store, sql, schema } = await changed(change)
    const before = await introspected(sql, schema)
    const refused = { code: 'schema_mismatch', message: expect.stringContaining(says) as string, retryable: false }
    await expect(store.migrate()).rejects.toMatchObject(refused)
    await expect(store.migrate({ dryRun: true })).rejects.toMatchObject(refused)
    await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
    expect(await introspected(sql, schema)).toEqual(before)
  })
})

test('a table that is missing is named, before the first use and in the middle of it', async () => {
  const gone = await changed('drop table daybook_user_states')
  await expect(gone.store.sessions.create(key)).rejects.toMatchObject({
    code: 'schema_mismatch',
    message: expect.stringContaining('daybook_user_states') as string,
  })
  const { store, sql, schema } = await changed('select 1')
  await store.sessions.create(key)
  await sql`drop table ${sql(schema)}.daybook_events cascade`
  await expect(store.events.append(key, { id: 'e1' })).rejects.toMatchObject({
    code: 'schema_mismatch',
    facts: { driverCode: '42P01' },
  })
  await expect(store.events.list(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
})

test('a migration that fails half-way leaves nothing behind', async () => {
  const schema = newSchema()
  const sql = client()
  await sql.unsafe(`create schema ${schema}; create table ${schema}.daybook_user_states_pk (id int)`) // the name that an index will want
  const store = await openStore({ schema })
  await expect(store.migrate()).rejects.toMatchObject({ code: 'internal', facts: { driverCode: '42P07' } })
  expect(
    new Set((await introspected(sql, schema)).columns.map((column) => Reflect.get(column, 'table') as unknown)),
  ).toEqual(new Set(['daybook_user_states_pk']))
})

test('foreign objects beside the tables are left alone', async () => {
  const schema = newSchema()
  const sql = client()
  await sql.unsafe(`create schema ${schema}; set search_path to ${schema};
    create table events (id int primary key); insert into events values (1);
    create table daybook_notes (id int); create view daybook_view as select 1 as one; create sequence daybook_numbers`)
  const before = await introspected(sql, schema)
  const store = await openStore({ schema })
  await store.migrate()
  await store.sessions.create(key)
  await store.erase(key)
  const after = await introspected(sql, schema)
  expect(after.columns).toEqual(expect.arrayContaining(before.columns))
  expect(
    await sql`select (select count(*)::int from ${sql(schema)}.events) as rows, to_regclass(${`${schema}.daybook_view`}) is not null as view, to_regclass(${`${schema}.daybook_numbers`}) is not null as numbers`,
  ).toEqual([{ rows: 1, view: true, numbers: true }])
})

/** The schema first, and with it the grants. */
async function forget(schema: string, username: string): Promise<void> {
  const admin = connect({ max: 1 })
  await admin`drop schema if exists ${admin(schema)} cascade`
  await dropAppRole(admin, username)
  await admin.end({ timeout: 1 })
}

/** A role as LIFE-08 has it, in a schema that it does not own. */
async function roleIn(schema: string) {
  const admin = client()
  await admin`create schema ${admin(schema)}`
  const role = await createAppRole(admin, schema)
  onTestFinished(() => forget(schema, role.username))
  return urlWith(role)
}

/** A role that may nothing at all, not even make a schema. */
async function lone() {
  const admin = client()
  const username = `daybook_${randomBytes(4).toString('hex')}`
  await admin.unsafe(`create role ${username} login password 'x'`)
  onTestFinished(() => forget(username, username))
  return { username, password: 'x' }
}

describe('a role without rights to change the schema', () => {
  test('runs everything after the migration', async () => {
    const schema = newSchema()
    const url = await roleIn(schema)
    await (await openStore({ schema })).migrate()
    const store = await openStore({ url, schema })
    expect(await store.migrate()).toEqual({ applied: [], current: '0009' })
    await store.sessions.create({ ...key, state: { 'user:a': 1, 'app:b': 2 } })
    await store.events.append(key, [
      { id: 'e1', actions: { stateDelta: { c: 3, 'user:a': 4, 'app:b': 5 } } },
      { id: 'e2' },
    ])
    await store.events.append(key, { id: 'e1', author: 'new' }, { onDuplicate: 'replace' })
    await store.sessions.fork(key, { sessionId: 'fork', throughSeq: 1 })
    await store.sessions.update(key, { set: { d: 6 } })
    await store.state.update({ appName: 'shop' }, { replace: {} })
    await store.transaction(async (_tx, joined) => void (await joined.events.append(key, { id: 'e3' })))
    expect((await store.sessions.get(key, { events: 'all' }))?.events).toHaveLength(3)
    expect((await store.sessions.list({ appName: 'shop', state: true })).items).toHaveLength(2)
    expect((await store.health({ deep: true })).ok).toBe(true)
    expect(await store.sessions.delete(key)).toBe(true)
    expect((await store.sessions.prune({ appName: 'shop', before: Date.now() + 1000 })).sessions).toBe(1)
    expect(await store.erase(key)).toMatchObject({ userStates: 1 })
  })

  test('is told so by migrate(), and by a store without its tables', async () => {
    const schema = newSchema()
    const store = await openStore({ url: await roleIn(schema), schema })
    const refused = {
      code: 'unavailable',
      retryable: false,
      message: expect.stringContaining('lacks a right') as string,
      facts: { driverCode: '42501' },
    }
    await expect(store.migrate()).rejects.toMatchObject(refused)
    await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
    const elsewhere = await openStore({ url: urlWith(await lone()), schema: newSchema() })
    await expect(elsewhere.migrate()).rejects.toMatchObject(refused)
  })
})
