import { isStoreError, StoreError } from '@daybook/core'
import { drizzle } from 'drizzle-orm/node-postgres'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { createPgStore } from '../src/index.ts'
import { client, migratedStore, newSchema, nodePool, openStore } from './places.ts'
import { createAppRole, dropAppRole } from './roles.ts'
import { connect, needsServer, urlWith } from './server.ts'

// Appends to different sessions go together. That nobody can tell by the answers is CON-17; here is what can be counted, and what
// one of them has that the others have not.

beforeEach(needsServer)

const keyOf = (i: number) => ({ appName: 'shop', userId: `u${i}`, sessionId: `s${i}` })
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)
const codeOf = (error: unknown) => (isStoreError(error) ? error.code : error)

/** Twelve sessions, and how many statements the store sends. */
async function crowdedStore(options: { limits?: { stateBytes: number } } = {}) {
  const { schema } = await migratedStore()
  const pool = nodePool({ max: 10 })
  const store = await createPgStore(drizzle({ client: pool }), { schema, ...options })
  for (const i of numbers(12)) await store.sessions.create(keyOf(i))
  const sent = { statements: 0 }
  pool.on('acquire', () => sent.statements++)
  return { store, schema, sent }
}

/** The same as a role that policies hold for. */
async function underPolicies() {
  const schema = newSchema()
  const admin = client({ max: 1 })
  await admin`create schema ${admin(schema)}`
  const role = await createAppRole(admin, schema)
  onTestFinished(async () => {
    const last = connect({ max: 1 })
    await last`drop schema if exists ${last(schema)} cascade`
    await last`drop owned by ${last(role.username)}`
    await dropAppRole(last, role.username)
    await last.end({ timeout: 1 })
  })
  const owner = await openStore({ schema })
  await owner.migrate()
  for (const i of numbers(12)) await owner.sessions.create(keyOf(i))
  return { schema, admin, pool: nodePool({ connectionString: urlWith(role), max: 10 }) }
}

const event = (i: number, id = `e${i}`) => ({
  id,
  timestamp: 1,
  ...(i % 2 === 0 && { author: 'ann', branch: '', errorCode: 'a"b\\c' }),
  text: String.raw`{"\ud800 ${'"'}`,
  actions: {
    stateDelta: i % 3 === 0 ? {} : { [`k${i}`]: { i, s: '\u0000,"' }, ...(i % 3 === 1 && { [`user:k`]: i }) },
  },
})

test('appends that come at once to many sessions are a few statements, and each is what it would be alone', async () => {
  const { store, sent } = await crowdedStore()
  const alone = await crowdedStore()
  const one = await Promise.all(numbers(12).map((i) => store.events.append(keyOf(i), event(i))))
  expect(sent.statements).toBeLessThanOrEqual(4)
  expect(one).toEqual(numbers(12).map((i) => ({ events: [{ id: `e${i}`, seq: 1, duplicate: false }], revision: 2 })))
  await store.events.append(keyOf(3), event(3, 'more'))
  for (const i of numbers(12)) await alone.store.events.append(keyOf(i), event(i))
  for (const i of numbers(12).filter((n) => n !== 3)) {
    const [here, there] = [store, alone.store].map((some) => some.sessions.get(keyOf(i), { events: 'all' }))
    const { state, events, revision, lastSeq } = (await here) ?? {}
    expect({ state, revision, lastSeq }).toMatchObject({ revision: 2, lastSeq: 1 })
    const other = await there
    expect(state).toEqual(other?.state)
    expect(events).toEqual(other?.events)
    const user = { appName: 'shop', userId: `u${i}` }
    expect((await store.state.get(user))?.revision).toBe((await alone.store.state.get(user))?.revision)
  }
})

test('of many at once, those that fail do so alone', async () => {
  const { store } = await crowdedStore({ limits: { stateBytes: 2000 } })
  await store.events.append(keyOf(4), { id: 'known', text: 'other' })
  await store.sessions.delete(keyOf(5))
  const lease = await store.sessions.lease(keyOf(6), { owner: 'somebody', ttl: 60_000 })
  await store.events.append(keyOf(7), { id: 'fills', actions: { stateDelta: { text: 'x'.repeat(1900) } } })
  const large = { id: 'large', actions: { stateDelta: { more: 'x'.repeat(200) } } }
  const outcomes = await Promise.all(
    numbers(12).map((i) =>
      store.events
        .append(keyOf(i), i === 7 ? large : event(i, i === 4 ? 'known' : `e${i}`))
        .then(({ events: [{ seq } = { seq: 0 }] }) => seq, codeOf),
    ),
  )
  await lease.release()
  expect(outcomes).toEqual([1, 1, 1, 1, 'conflict', 'not_found', 'conflict', 'limit_exceeded', 1, 1, 1, 1])
})

test('one that a policy of row-level security refuses fails alone, and one that it hides is not there', async () => {
  const { schema, admin, pool } = await underPolicies()
  for (const [table, policy, told] of [
    ['events', `using (true) with check (event_id <> 'e5')`, 'unavailable'],
    ['user_states', `using (user_id <> 'u5')`, 'unavailable'],
    ['sessions', `using (user_id <> 'u5')`, 'not_found'],
  ] as const) {
    const store = await createPgStore(drizzle({ client: pool }), { schema })
    await admin.unsafe(`alter table ${schema}.daybook_${table} enable row level security;
      create policy own on ${schema}.daybook_${table} ${policy}`)
    const own = (i: number) => ({ id: `${i === 5 ? '' : table}e${i}`, actions: { stateDelta: { 'user:k': i } } })
    const appends = numbers(12).map((i) => store.events.append(keyOf(i), own(i)))
    const outcomes = await Promise.all(appends.map((one) => one.then(({ events: [first] }) => first?.id, codeOf)))
    expect(outcomes).toEqual(numbers(12).map((i) => (i === 5 ? told : own(i).id)))
    await admin.unsafe(`drop policy own on ${schema}.daybook_${table};
      alter table ${schema}.daybook_${table} disable row level security`)
  }
})

test('one whose row somebody holds waits for it alone', async () => {
  const { store, schema } = await crowdedStore()
  const holder = await nodePool().connect()
  await holder.query('begin')
  await holder.query(`select from ${schema}.daybook_sessions where session_id = 's7' for update`)
  const appends = numbers(12).map((i) => store.events.append(keyOf(i), event(i)))
  await Promise.all(appends.filter((_, i) => i !== 7))
  await holder.query('commit')
  holder.release()
  expect(await appends[7]).toMatchObject({ revision: 2 })
})

test('who tails a session hears of an append that goes with others', async () => {
  const { store } = await crowdedStore()
  const heard = numbers(12).map(async (i) => {
    for await (const { event: one } of store.events.tail(keyOf(i))) return one.id
    throw new StoreError('internal', 'it ended')
  })
  await Promise.all(numbers(12).map((i) => store.events.append(keyOf(i), event(i))))
  expect(await Promise.all(heard)).toEqual(numbers(12).map((i) => `e${i}`))
})
