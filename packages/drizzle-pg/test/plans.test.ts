import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres'
import { drizzle } from 'drizzle-orm/postgres-js'
import type { Sql } from 'postgres'
import { beforeEach, describe, expect, test } from 'vitest'
import { createPgStore, type PgStore } from '../src/index.ts'
import { client, key, migratedStore, nodePool } from './places.ts'
import { needsServer } from './server.ts'

beforeEach(needsServer)

interface Node {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly 'Relation Name'?: string
  readonly Plans?: readonly Node[]
}

/** What walks which index, and what reads or sorts without one. */
function waysOf({ Plans: below = [], ...node }: Node): string[] {
  const own =
    node['Index Name'] ??
    (/Seq Scan|Sort/.test(node['Node Type']) ? `${node['Node Type']} ${node['Relation Name'] ?? ''}`.trim() : undefined)
  return [...new Set([...(own === undefined ? [] : [own]), ...below.flatMap(waysOf)])].toSorted()
}

/** How PostgreSQL goes about the statements that `work` sends, for the values at hand and for any values. */
async function plansOf(
  sql: Sql,
  sent: { text: string; values: unknown[] }[],
  work: () => Promise<unknown>,
): Promise<string[][]> {
  sent.length = 0
  await work()
  const plans: string[][] = []
  for (const { text, values } of sent.splice(0)) {
    if (/^(begin|set|commit)\b/.test(text)) continue
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      plans.push(
        await sql.begin(async (tx) => {
          await tx.unsafe(`set local plan_cache_mode = ${mode}`)
          await tx.unsafe(`prepare planned as ${text}`)
          const literals = values.map((value) =>
            value === null ? 'null' : `'${(value as string).replaceAll("'", "''")}'`,
          ) // a store sends texts
          const [row] = await tx.unsafe<{ 'QUERY PLAN': readonly [{ Plan: Node }] }[]>(
            `explain (format json) execute planned${literals.length > 0 ? `(${literals.join(', ')})` : ''}`,
          )
          await tx.unsafe('deallocate planned')
          return row === undefined ? [] : waysOf(row['QUERY PLAN'][0].Plan)
        }),
      )
    }
  }
  return plans
}

/** 500 users with one session each, and ann with 500; every session with an event. */
async function filledStore() {
  const { schema } = await migratedStore()
  const sent: { text: string; values: unknown[] }[] = []
  const sql = client()
  await sql.unsafe(`set search_path to ${schema};
    insert into daybook_sessions (app_name, user_id, session_id, state, initial_state, revision, last_seq, created_at, updated_at, last_event_at)
      select 'shop', case when n <= 500 then 'ann' else 'u' || n end, 's' || n, '{}', '{}', 1, 1, n, n, n from generate_series(1, 1000) as n;
    insert into daybook_events (sid, seq, event_id, timestamp, payload) select sid, n, 'e' || n, n, json_build_object('id', 'e' || n, 'timestamp', n) from daybook_sessions, generate_series(1, 20) as n order by n, sid;
    update daybook_sessions set last_seq = 20;
    analyze daybook_sessions; analyze daybook_events;`)
  const db = drizzle({
    client: client({ max: 1, debug: (_connection, text, values) => void sent.push({ text, values }) }),
  })
  const store = await createPgStore(db, { schema })
  await store.sessions.get(key)
  return { store, plans: (work: () => Promise<unknown>) => plansOf(sql, sent, work) }
}

const both = (...ways: string[]) => [ways, ways]
const sessionKey = 'daybook_sessions_key'

describe('every statement of the hot path walks the index that was made for it', () => {
  const lone = { appName: 'shop', userId: 'u501', sessionId: 's501' }

  test.for([
    ['with one session', lone],
    ['with many sessions', { ...key, sessionId: 's7' }],
  ] as const)('an append, for a user %s', async ([, session]) => {
    const { store, plans } = await filledStore()
    expect(await plans(() => store.events.append(session, { id: 'n1' }))).toEqual(both(sessionKey))
    const scoped = await plans(() =>
      store.events.append(session, { id: 'n2', actions: { stateDelta: { a: 1, 'user:a': 1, 'app:a': 1 } } }),
    )
    expect(scoped).toEqual(both(sessionKey))
  })

  test('appends to many sessions', async () => {
    const { store, plans } = await filledStore()
    const keys = ['u501', 'u502', 'u503', 'u504'].map((userId) => ({
      ...key,
      userId,
      sessionId: userId.replace('u', 's'),
    }))
    const delta = { stateDelta: { a: 1, 'user:a': 1 } }
    const found = await plans(() =>
      Promise.all(keys.map((session) => store.events.append(session, { id: 'n3', actions: delta }))),
    )
    // Two by themselves, and the others together, whose few users are sorted.
    expect(found.map((ways) => ways.filter((way) => way !== 'Sort'))).toEqual(
      Array.from({ length: 6 }, () => [sessionKey]),
    )
  })

  test.for([
    ['with one session', lone],
    ['with many sessions', { ...key, sessionId: 's7' }],
  ] as const)('a session and its events, for a user %s', async ([, session]) => {
    const { store, plans } = await filledStore()
    for (const found of await plans(() => store.sessions.get(session))) expect(found).toContain(sessionKey)
    for (const events of ['all', { last: 5 }, { afterSeq: 15 }] as const) {
      const found = await plans(() => store.sessions.get(session, { events }))
      expect(found).toHaveLength(2)
      for (const ways of found) {
        expect(ways).toEqual(expect.arrayContaining(['daybook_events_pk', sessionKey]))
        expect(ways).not.toContain('Seq Scan daybook_events')
      }
    }
  })

  test('an event by its id, and a page of events', async () => {
    const { store, plans } = await filledStore()
    expect(await plans(() => store.events.get(lone, 'e7'))).toEqual(both('daybook_events_id', sessionKey))
    for (const ways of await plans(() => store.events.list(lone, { limit: 5 })))
      expect(ways.filter((way) => way !== 'Sort')).toEqual(['daybook_events_pk', sessionKey])
  })

  test('a list of a user’s sessions, newest first or oldest first, without a sort', async () => {
    const { store, plans } = await filledStore()
    const user = { appName: 'shop', userId: 'ann', limit: 5 }
    const page = await store.sessions.list(user)
    expect(page.items.map(({ sessionId }) => sessionId)).toEqual(['s500', 's499', 's498', 's497', 's496'])
    expect(await plans(() => store.sessions.list(user))).toEqual(both('daybook_sessions_recent'))
    expect(await plans(() => store.sessions.list({ ...user, cursor: String(page.nextCursor) }))).toEqual(
      both('daybook_sessions_recent'),
    )
  })

  test('a list of a user’s sessions by a plan that is kept', async () => {
    const { schema } = await migratedStore()
    // Of few users, with thousands each: a page looks small beside a tenth of them.
    await client().unsafe(`set search_path to ${schema};
      insert into daybook_sessions (app_name, user_id, session_id, state, initial_state, revision, last_seq, created_at, updated_at, last_event_at)
        select 'shop', 'u' || n % 3, 's' || n, '{}', '{}', 1, 1, n, n, n from generate_series(1, 9000) as n;
      analyze daybook_sessions`)
    const db = drizzleNode({ client: nodePool({ max: 1 }) })
    const kept = await createPgStore(db, { schema })
    const user = { appName: 'shop', userId: 'u1', limit: 50 }
    for (let i = 0; i < 10; i++) {
      const { nextCursor } = await kept.sessions.list(user)
      await kept.sessions.list({ ...user, state: true })
      await kept.sessions.list({ ...user, cursor: String(nextCursor) })
    }
    const { rows } = await db.$client.query(
      `select generic_plans::int as kept, custom_plans::int as made from pg_prepared_statements where statement like '%limit%'`,
    )
    expect(rows).toEqual([1, 2, 3].map(() => ({ kept: 5, made: 5 })))
  })

  test('a list of an app’s sessions by creation', async () => {
    const { store, plans } = await filledStore()
    const found = await plans(() => store.sessions.list({ appName: 'shop', orderBy: 'createdAt', limit: 5 }))
    for (const ways of found) expect(ways).toContain('daybook_sessions_created')
  })
})

describe('memories, of which the planner was told that there are none', () => {
  const ann = { appName: 'shop', userId: 'ann' }

  async function rememberingStore() {
    const { schema } = await migratedStore()
    const sent: { text: string; values: unknown[] }[] = []
    const sql = client()
    await sql.unsafe(`set search_path to ${schema};
      alter table daybook_memories set (autovacuum_enabled = false); alter table daybook_memory_words set (autovacuum_enabled = false);
      analyze daybook_memories; analyze daybook_memory_words;`)
    const debug = (_connection: number, text: string, values: unknown[]) => void sent.push({ text, values })
    const store = await createPgStore(drizzle({ client: client({ max: 1, debug }) }), { schema })
    for (const batch of ['a', 'b', 'c', 'd'])
      await store.memories.add(
        ann,
        Array.from({ length: 1000 }, (_, i) => ({ id: `${batch}${i}`, text: `memory ${batch} ${i}` })),
      )
    return { store, plans: (work: () => Promise<unknown>) => plansOf(sql, sent, work) }
  }

  test('are found by their words, and not by walking all of a user', async () => {
    const { store, plans } = await rememberingStore()
    const found = await plans(() => store.memories.search({ ...ann, query: 'memory 7' }))
    expect(found).toHaveLength(2)
    for (const ways of found)
      expect(ways.filter((way) => way !== 'Sort')).toEqual(['daybook_memories_pkey', 'daybook_memory_words_pk'])
  })

  test('are deleted by their keys and those of their words', async () => {
    const { store, plans } = await rememberingStore()
    const found = await plans(() => store.memories.delete({ ...ann, before: Date.now() + 60_000, chunk: 2000 }))
    expect(found.length).toBeGreaterThan(12)
    expect(found.flat().filter((way) => /Seq|age/.test(way))).toEqual([])
  })

  test('are looked up by their ids, however many a user has of no session', async () => {
    const { schema } = await migratedStore()
    const sql = client()
    await sql.unsafe(`set search_path to ${schema}; alter table daybook_memories set (autovacuum_enabled = false);
      insert into daybook_memories (app_name, user_id, memory_id, timestamp, payload, digest, created_at, updated_at)
        select 'shop', 'ann', 'a memory of ' || n, n, '{"text":"x"}', '', 0, 0 from generate_series(1, 80000) as n`)
    const sent: { text: string; values: unknown[] }[] = []
    const debug = (_connection: number, text: string, values: unknown[]) => void sent.push({ text, values })
    const store = await createPgStore(drizzle({ client: client({ max: 1, debug }) }), { schema })
    await store.memories.get(ann, 'a memory of 1')
    const plans = (work: () => Promise<unknown>) => plansOf(sql, sent, work)
    expect(await plans(() => store.memories.get(ann, 'a memory of 7'))).toEqual(both('daybook_memories_key'))
    const added = await plans(() => store.memories.add(ann, [{ id: 'a memory of 7', text: 'x' }]))
    expect(added.flat().filter((way) => /recent|source|age|Seq/.test(way))).toEqual([])
    const ofSession = await plans(() => store.memories.delete({ ...ann, sessionId: 's1' }))
    expect(ofSession.flat().filter((way) => way !== 'Sort')).toEqual([
      'daybook_memories_source',
      'daybook_memories_source',
    ])
  })

  test('are looked up by their ids when they are added again', async () => {
    const { store, plans } = await rememberingStore()
    const found = await plans(() => store.memories.add(ann, [{ id: 'b7', text: 'memory b 7' }]))
    expect(found.filter((ways) => ways.length > 0)).toEqual(both('daybook_memories_key'))
  })
})

/** What a store prepares: an append without and with state, a session with and without events. */
async function use(store: PgStore, author: string): Promise<void> {
  await store.sessions.create(key)
  await store.events.append(key, { id: 'e1', author })
  await store.events.append(key, { id: 'e2', author, actions: { stateDelta: { author, 'user:author': author } } })
  const loaded = await store.sessions.get(key, { events: 'all' })
  expect(loaded?.events.map(({ event }) => event.author)).toEqual([author, author])
  expect((await store.sessions.get(key))?.state).toEqual({ author, 'user:author': author })
}

describe('prepared statements are named by their text', () => {
  test('so that stores with other schemas and prefixes share one connection of node-postgres', async () => {
    const [one, other] = [await migratedStore(), await migratedStore({ prefix: 'other_' })]
    const db = drizzleNode({ client: nodePool({ max: 1 }) })
    await use(await createPgStore(db, { schema: one.schema }), 'one')
    await use(await createPgStore(db, { schema: other.schema, prefix: 'other_' }), 'other')
    await use(await createPgStore(db, { schema: (await migratedStore()).schema }), 'third')
    const names = await db.$client.query<{ name: string }>(
      `select name from pg_prepared_statements where name like 'daybook_%'`,
    )
    expect(names.rows.length).toBeGreaterThanOrEqual(9)
    for (const { name } of names.rows) expect(name).toMatch(/^daybook_[0-9a-f]{32}$/)
  })

  test('and two stores over the same tables share them', async () => {
    const { schema } = await migratedStore()
    const db = drizzleNode({ client: nodePool({ max: 1 }) })
    await use(await createPgStore(db, { schema }), 'one')
    const second = await createPgStore(db, { schema })
    await second.events.append(key, { id: 'e3' })
    const { rows } = await db.$client.query<{ name: string }>(
      `select name from pg_prepared_statements where name like 'daybook_%'`,
    )
    expect(rows).toHaveLength(6)
  })

  test('and none is prepared with prepare: false', async () => {
    const { schema } = await migratedStore()
    const db = drizzleNode({ client: nodePool({ max: 1 }) })
    await use(await createPgStore(db, { schema, prepare: false }), 'one')
    expect((await db.$client.query('select name from pg_prepared_statements')).rows).toEqual([])
  })
})
