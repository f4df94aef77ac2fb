import { once } from 'node:events'
import type { AgentEvent, JsonObject } from '@daybook/core'
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres'
import { drizzle } from 'drizzle-orm/postgres-js'
import { beforeEach, describe, expect, test, vi, type MockInstance } from 'vitest'
import { createPgStore } from '../src/index.ts'
import { driverNames, place } from './drivers.ts'
import { client, key, migratedStore, nodePool } from './places.ts'
import { needsServer } from './server.ts'

beforeEach(needsServer)

const slow = { timeout: 40_000 } // PGlite takes seconds to start

/** A store whose every statement is written down, with a session that has been used. */
async function listenedStore() {
  const { schema } = await migratedStore()
  const sent: { text: string; values: unknown[] }[] = []
  const db = drizzle({
    client: client({ max: 1, debug: (_connection, text, values) => void sent.push({ text, values }) }),
  })
  const store = await createPgStore(db, { schema })
  await store.sessions.create(key)
  await store.events.append(key, { id: 'warm' })
  /** What is sent while `work` runs. */
  const during = async (work: () => Promise<unknown>) => {
    sent.length = 0
    await work()
    return [...sent]
  }
  return { store, schema, during }
}

describe('the hot path', () => {
  const everyScope = { stateDelta: { a: 1, 'user:b': 2, 'app:c': 3 }, stateUnset: ['d', 'user:e', 'app:f'] }
  const appends: Record<string, AgentEvent[]> = {
    'one event': [{ id: 'e1' }],
    'many events': Array.from({ length: 50 }, (_, i) => ({ id: `e${i}`, author: 'ann' })),
    'state of the session': [{ id: 'e1', actions: { stateDelta: { a: 1 } } }],
    'state of every scope': [{ id: 'e1', actions: everyScope }],
  }
  test.for(Object.entries(appends))('an append of %s is one statement', async ([, events]) => {
    const { store, during } = await listenedStore()
    expect(await during(() => store.events.append(key, events))).toHaveLength(1)
    expect((await store.sessions.get(key))?.lastSeq).toBe(1 + events.length)
  })

  test('an append that expects a revision is one statement', async () => {
    const { store, during } = await listenedStore()
    expect(await during(() => store.events.append(key, { id: 'e1' }, { expectedRevision: 2 }))).toHaveLength(1)
  })

  test.for(Object.entries(appends))('an append of %s brings the state in the same statement', async ([, events]) => {
    const { store, during } = await listenedStore()
    const next = () => events.map((event) => ({ ...event, id: `next-${event.id}` }))
    const [all, known] = [{ onDuplicate: 'replace', eventsAfterSeq: 1 } as const, { eventsAfterSeq: 1 + events.length }]
    expect(
      await during(async () => expect(await store.events.append(key, events, all)).toMatchObject({ newEvents: [] })),
    ).toHaveLength(1)
    const answer = await store.events.append(key, next(), known)
    const { state } = (await store.sessions.get(key)) ?? {}
    expect(answer).toMatchObject({ newEvents: [], state })
    expect(await during(() => store.events.append(key, { id: 'after' }, { state: true }))).toHaveLength(1)
  })

  test('what others appended takes a second one', async () => {
    const { store, during } = await listenedStore()
    await store.events.append(key, { id: 'other', actions: { stateDelta: { 'app:o': 1 } } })
    const append = async () =>
      expect(await store.events.append(key, { id: 'own' }, { eventsAfterSeq: 1 })).toMatchObject({
        newEvents: [{ seq: 2, event: { id: 'other' } }],
        state: { 'app:o': 1 },
      })
    expect(await during(append)).toHaveLength(2)
  })

  test.for(['session', 'user', 'app'] as const)(
    'a state that comes with an append is of one moment, though the append waited for the row of the %s',
    async (scope) => {
      const { schema, ...store } = await migratedStore()
      const admin = client({ max: 1 })
      const prefix = { session: '', user: 'user:', app: 'app:' }[scope]
      const beside = scope === 'app' ? 'user:' : 'app:'
      await store.sessions.create(key)
      await store.sessions.create({ ...key, sessionId: 's2' })
      await store.events.append(key, { id: 'e1', actions: { stateDelta: { [`${prefix}n`]: 1, [`${beside}n`]: 1 } } })
      const own = { id: 'own', actions: { stateDelta: { [`${prefix}own`]: 1 } } }
      let answer: ReturnType<typeof store.events.append> | undefined
      const other = scope === 'session' ? key : { ...key, sessionId: 's2' }
      await store.transaction(async (_tx, { events }) => {
        await events.append(other, { id: 'e2', actions: { stateDelta: { [`${prefix}n`]: 2, [`${beside}n`]: 2 } } })
        answer = store.events.append(key, own, { state: true })
        await vi.waitFor(async () => {
          const waiting =
            await admin`select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like ${`%${schema}%`}`
          expect(waiting).toHaveLength(1)
        }, 5_000)
      })
      expect((await answer)?.state).toEqual({ [`${prefix}n`]: 2, [`${beside}n`]: 2, [`${prefix}own`]: 1 })
    },
  )

  test('a session with its states and its newest events is read in one statement', async () => {
    const { store, during } = await listenedStore()
    expect(await during(() => store.sessions.get(key))).toHaveLength(1)
    expect(await during(() => store.sessions.get(key, { events: { last: 50 } }))).toHaveLength(1)
    expect(await during(() => store.sessions.get(key, { events: 'all' }))).toHaveLength(1)
    expect(await during(() => store.sessions.list({ appName: 'shop', userId: 'ann', state: true }))).toHaveLength(1)
    expect(await during(() => store.events.list(key))).toHaveLength(1)
  })

  test('an id that is there takes the script: nothing is written twice, and the answer is the stored one', async () => {
    const { store, during } = await listenedStore()
    const first = await store.events.append(key, {
      id: 'e1',
      author: 'ann',
      actions: { stateDelta: { n: 1, 'user:n': 1 } },
    })
    const batch = [
      { id: 'e1', author: 'ann', actions: { stateDelta: { n: 1, 'user:n': 1 } } },
      { id: 'e2', actions: { stateDelta: { 'app:n': 1 } } },
    ]
    expect(await store.events.append(key, batch)).toMatchObject({
      revision: first.revision + 1,
      events: [
        { id: 'e1', seq: 2, duplicate: true },
        { id: 'e2', seq: 3, duplicate: false },
      ],
    })
    expect(await store.state.get({ appName: 'shop', userId: 'ann' })).toMatchObject({ revision: 1, state: { n: 1 } })
    expect((await during(() => store.events.append(key, batch))).length).toBeGreaterThan(1)
    await expect(store.events.append(key, { id: 'e1', author: 'bob' })).rejects.toMatchObject({
      code: 'conflict',
      facts: { revision: 4 },
    })
    const within = await store.events.append(key, [{ id: 'e3' }, { id: 'e3' }])
    expect(within.events).toEqual([
      { id: 'e3', seq: 4, duplicate: false },
      { id: 'e3', seq: 4, duplicate: true },
    ])
  })
})

/** An event with a text wherever one can be. */
const eventOf = (text: string) => ({
  author: text,
  invocationId: text,
  branch: text,
  errorCode: text,
  content: { parts: [{ text }], [text]: [text, null] },
  actions: { stateDelta: { [`k${text}`]: { [text]: text }, [`user:${text}`]: text, [`app:${text}`]: [text] } },
})

describe('what text can do', () => {
  const texts: Record<string, string> = {
    NUL: 'a\0b',
    'the marks of our own escapes': '\u0001\u0002\ud7ff\ue000\u0001',
    'a lone high surrogate': 'a\ud83d',
    'a lone low surrogate': '\ude00b',
    quotes: `"'"'`,
    backslashes: String.raw`\ \\ \" \u0000 \n`,
    braces: '{a,"b",{}}',
    'the word NULL': 'NULL',
    'the word null': 'null',
    commas: ',,',
    'blanks alone': '  \t\n ',
    nothing: '',
    JSON: '{"a":1}',
    'a number': '123',
    'dollars and percents': '$1 %s $$ :a ?',
    emoji: '😀👩‍👩‍👧 é é',
  }

  test.for(Object.entries(texts))('%s comes back as it was, from every column and every state', async ([, text]) => {
    const store = await migratedStore()
    await store.sessions.create(key)
    await store.events.append(key, [{ id: 'direct', ...eventOf(text) }, { id: 'plain' }])
    await store.transaction(
      async (_tx, joined) => void (await joined.events.append(key, { id: 'script', ...eventOf(text) })),
    )
    const loaded = await store.sessions.get(key, { events: 'all' })
    expect(loaded?.events.map(({ event }) => event)).toMatchObject([
      { id: 'direct', ...eventOf(text) },
      { id: 'plain' },
      { id: 'script', ...eventOf(text) },
    ])
    expect(loaded?.state).toEqual(eventOf(text).actions.stateDelta)
    const ids = async (filter: object) => (await store.events.list(key, filter)).items.map(({ event }) => event.id)
    expect(await ids({ author: text })).toEqual(['direct', 'script'])
    expect(await ids({ invocationId: text, branch: text })).toEqual(['direct', 'script'])
    await store.events.append(key, {
      id: 'unset',
      actions: { stateUnset: [`k${text}`, `user:${text}`, `app:${text}`] },
    })
    expect((await store.sessions.get(key))?.state).toEqual({})
  })

  test('ids are the same texts, where they are ids', async () => {
    const store = await migratedStore()
    await store.sessions.create(key)
    const ids = Object.values(texts).filter(
      (text) => text !== '' && Buffer.from(text).toString() === text && !text.includes('\0'),
    )
    const { events } = await store.events.append(
      key,
      ids.map((id) => ({ id })),
    )
    expect(events).toEqual(ids.map((id, i) => ({ id, seq: i + 1, duplicate: false })))
    expect((await store.events.get(key, 'NULL'))?.seq).toBe(ids.indexOf('NULL') + 1)
  })
})

test('a thousand events go in one append, in their order', async () => {
  const store = await migratedStore()
  await store.sessions.create(key)
  const events = Array.from({ length: 1000 }, (_, i) => ({
    id: `e${i}`,
    content: { i },
    actions: { stateDelta: { last: i, [`k${i}`]: i } },
  }))
  expect((await store.events.append(key, events)).revision).toBe(2)
  const loaded = await store.sessions.get(key, { events: 'all' })
  expect(loaded?.events.map(({ seq, event }) => [seq, event.id])).toEqual(events.map(({ id }, i) => [i + 1, id]))
  expect([loaded?.state['last'], Object.keys(loaded?.state ?? {}).length]).toEqual([999, 1001])
})

describe('a state over its limit', () => {
  const limits = { stateBytes: 1000 }
  const scopes = { session: '', user: 'user:', app: 'app:' }

  test.for(Object.entries(scopes))(
    'of the %s: at the limit it is kept, one byte more is refused and nothing is written',
    async ([, prefix]) => {
      const store = await migratedStore({ limits })
      await store.sessions.create(key)
      /** Appends events that change every scope, and one of them more than the others. */
      const append = (id: string, ...deltas: JsonObject[]) =>
        store.events.append(key, [
          { id, actions: { stateDelta: { o: 1, 'user:o': 1, 'app:o': 1 } } },
          ...deltas.map((stateDelta, i) => ({ id: `${id}${i}`, actions: { stateDelta } })),
        ])
      const everything = async () => [
        await store.sessions.get(key, { events: 'all' }),
        await store.state.get({ appName: 'shop' }),
        await store.state.get({ appName: 'shop', userId: 'ann' }),
      ]
      const refused = {
        code: 'limit_exceeded',
        facts: { limit: 1000, actual: 1001, field: expect.stringContaining('state') as string },
      }
      const large = { [`${prefix}k`]: 'x'.repeat(892) }
      const rest = (bytes: number) => ({ [`${prefix}l`]: 'x'.repeat(bytes) })

      const before = await everything()
      await expect(append('first', large, rest(88))).rejects.toMatchObject(refused)
      expect(await everything()).toEqual(before)

      await append('full', large, rest(87))
      const full = await everything()
      await expect(append('longer', rest(88))).rejects.toMatchObject(refused)
      expect(await everything()).toEqual(full)
    },
  )

  test('is measured as JSON text, however PostgreSQL lays it out', async () => {
    const store = await migratedStore({ limits })
    await store.sessions.create(key)
    const numbers = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`user:k${i}`, Number(`1e${280 + i}`)]))
    const members = Object.fromEntries(Array.from({ length: 105 }, (_, i) => [`k${i}`, i]))
    await store.events.append(key, { id: 'numbers', actions: { stateDelta: numbers } })
    await store.events.append(key, { id: 'blanks', actions: { stateDelta: members } })
    const half = { 'app:k': '\0'.repeat(80) }
    await store.events.append(key, [
      { id: 'nul', actions: { stateDelta: half } },
      { actions: { stateDelta: { 'app:l': '\ud800'.repeat(80) } } },
    ])
    expect((await store.sessions.get(key))?.state).toEqual({
      ...numbers,
      ...members,
      ...half,
      'app:l': '\ud800'.repeat(80),
    })
    await expect(
      store.events.append(key, { actions: { stateDelta: { 'app:m': '\ud800'.repeat(5) } } }),
    ).rejects.toMatchObject({ code: 'limit_exceeded' })
  })
})

describe.for(driverNames.map((driver) => ({ driver })))(
  'an append that waits for a connection of $driver',
  slow,
  ({ driver }) => {
    /** A store whose only connection is taken until the answer is called. */
    async function busyStore() {
      const here = await place(driver, { max: 1 })
      await here.store.sessions.create(key)
      const gate = new AbortController()
      let holding: Promise<void> | undefined
      await new Promise<void>((held) => {
        const hold = async () => {
          held()
          await once(gate.signal, 'abort')
        }
        // Of what an application holds, postgres.js does not tell.
        holding = driver === 'postgres.js' ? here.store.transaction(hold) : here.db.transaction(hold)
      })
      const release = async () => {
        gate.abort()
        await holding
      }
      return { ...here, release }
    }

    test('was never sent when its time is over', async () => {
      const here = await busyStore()
      const { store, release } = here
      await expect(store.events.append(key, { id: 'e1' }, { timeout: 150 })).rejects.toMatchObject({ code: 'timeout' })
      await release()
      await store.events.append(key, { id: 'e2' })
      expect((await here.written(key)).events).toEqual(['e2'])
    })

    test('is aborted at once, and those behind it get their turn', async () => {
      const here = await busyStore()
      const { store, release } = here
      const stop = new AbortController()
      const first = store.events.append(key, { id: 'e1' }, { signal: stop.signal })
      const second = store.events.append(key, { id: 'e2' })
      setTimeout(() => stop.abort(), 20)
      const begun = performance.now()
      await expect(first).rejects.toMatchObject({ code: 'aborted' })
      expect(performance.now() - begun).toBeLessThan(1000)
      await release()
      await second
      expect((await here.written(key)).events).toEqual(['e2'])
    })
  },
)

test('more appends than connections all get there', async () => {
  const store = await migratedStore({ max: 2 })
  await store.sessions.create(key)
  await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      await store.events.append(key, { id: `e${i}` })
      await store.sessions.get(key)
    }),
  )
  expect((await store.sessions.get(key))?.revision).toBe(41)
})

test('over node-postgres an append is one statement too, on a connection that stays', async () => {
  const { schema } = await migratedStore()
  const pool = nodePool({ max: 1 })
  const connections: MockInstance[] = []
  pool.on('connect', (connection) => connections.push(vi.spyOn(connection, 'query')))
  const store = await createPgStore(drizzleNode({ client: pool }), { schema })
  await store.sessions.create(key)
  const sent = connections[0]?.mockClear()
  await store.events.append(key, { id: 'e1' })
  expect(sent).toHaveBeenCalledTimes(1)
  await store.sessions.get(key)
  expect(sent).toHaveBeenCalledTimes(2)
  await store.events.append(key, { id: 'e1' }) // breaks a unique key, and takes the script
  expect(connections).toHaveLength(1)
})
