import type { SentStatement } from '@daybook/conformance'
import type { AgentEvent } from '@daybook/core'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openPatched } from './patched-store.ts'
import { backend, key, needsServer, newPlace, openedStore } from './places.ts'

beforeEach(needsServer)

/** A store whose trips to the server are counted, with a session that has been used in every scope. */
async function countedStore() {
  const { url } = await newPlace()
  const sent: SentStatement[] = []
  const store = await openPatched({ url, connectionLimit: 1, onStatement: (statement) => sent.push(statement) })
  onTestFinished(() => store.close())
  await store.migrate()
  await store.sessions.create(key)
  await store.events.append(key, { id: 'warm', actions: { stateDelta: { a: 0, 'user:a': 0, 'app:a': 0 } } })
  const trips = async (work: () => Promise<unknown>) => {
    sent.length = 0
    await work()
    return sent.filter(({ sameTrip }) => sameTrip !== true).length
  }
  return { store, trips }
}

/** MariaDB takes the whole transaction at once; MySQL wants BEGIN, the documents, the events and COMMIT. */
const shortest = backend === 'mariadb' ? 1 : 4

describe('the hot path', () => {
  const everyScope = { stateDelta: { a: 1, 'user:b': 2, 'app:c': 3 }, stateUnset: ['d', 'user:e', 'app:f'] }
  const appends: Record<string, AgentEvent[]> = {
    'one event': [{ id: 'e1' }],
    'many events': Array.from({ length: 50 }, (_, i) => ({ id: `e${i}`, author: i % 2 === 0 ? 'ann' : 'a"\\b' })),
    'state of the session': [{ id: 'e1', actions: { stateDelta: { a: 1 } } }],
    'state of every scope': [{ id: 'e1', actions: everyScope }],
  }
  test.for(Object.entries(appends))('an append of %s takes the fewest trips', async ([, events]) => {
    const { store, trips } = await countedStore()
    expect(await trips(() => store.events.append(key, events, { expectedRevision: 2 }))).toBe(shortest)
    const loaded = await store.sessions.get(key, { events: 'all' })
    expect(loaded).toMatchObject({ lastSeq: 1 + events.length, revision: 3 })
    expect(loaded?.events.slice(1).map(({ seq, event }) => ({ seq, ...event }))).toMatchObject(
      events.map((event, i) => ({ seq: i + 2, ...event })),
    )
  })

  test.for(Object.entries(appends))('an append of %s brings the state in the fewest trips', async ([, events]) => {
    const { store, trips } = await countedStore()
    const asked = { onDuplicate: 'replace', eventsAfterSeq: 1 } as const
    const answers: unknown[] = []
    const append = async () => answers.push(await store.events.append(key, events, asked))
    expect(await trips(append)).toBe(backend === 'mariadb' ? 1 : 5)
    const { state } = (await store.sessions.get(key)) ?? {}
    expect(answers).toMatchObject([{ newEvents: [], state }])
  })

  test('what others appended takes another trip', async () => {
    const { store, trips } = await countedStore()
    await store.events.append(key, { id: 'other', actions: { stateDelta: { 'app:o': 1 } } })
    const append = async () =>
      expect(await store.events.append(key, { id: 'own' }, { eventsAfterSeq: 1 })).toMatchObject({
        newEvents: [{ seq: 2, event: { id: 'other' } }],
        state: { 'app:o': 1 },
      })
    expect(await trips(append)).toBe(shortest + 1)
  })

  test('what is not the common case writes nothing at once, and the script finds out why', async () => {
    const { store, trips } = await countedStore()
    const append = (event: AgentEvent, expectedRevision?: number) =>
      store.events.append(key, event, expectedRevision === undefined ? {} : { expectedRevision })
    const changing = { author: 'ann', actions: { stateDelta: { a: 9, 'user:a': 9, 'app:a': 9 } } }
    await expect(append({ id: 'warm', ...changing })).rejects.toMatchObject({ code: 'conflict' })
    await expect(append({ id: 'e1', ...changing }, 7)).rejects.toMatchObject({ code: 'conflict' })
    await expect(store.events.append({ ...key, sessionId: 'none' }, { id: 'e1', ...changing })).rejects.toMatchObject({
      code: 'not_found',
    })
    expect(await store.sessions.get(key)).toMatchObject({
      revision: 2,
      lastSeq: 1,
      state: { a: 0, 'user:a': 0, 'app:a': 0 },
    })
    expect(await trips(() => append({ id: 'e1', ...changing }))).toBe(shortest)
  })

  test('a document at its limit takes the change that fits, and refuses the one that does not, in every scope', async () => {
    const { url } = await newPlace()
    const store = await openPatched({ url, limits: { stateBytes: 1000 } })
    onTestFinished(() => store.close())
    await store.migrate()
    await store.sessions.create(key)
    for (const prefix of ['', 'user:', 'app:']) {
      const set = (id: string, name: string, value: string) =>
        store.events.append(key, { id: prefix + id, actions: { stateDelta: { [`${prefix}${name}`]: value } } })
      await set('warm', 'a', 'é'.repeat(400))
      const room = 1000 - 800 - '{"a":"","b":""}'.length
      await set('most', 'b', 'x'.repeat(room))
      await expect(set('more', 'b', 'x'.repeat(room + 1))).rejects.toMatchObject({ code: 'limit_exceeded' })
    }
    expect((await store.sessions.get(key))?.lastSeq).toBe(6)
  })
})

test('a key is that key, whatever is in it, set directly or in a script', async () => {
  const { store } = await countedStore()
  const parts = [
    '"',
    '\\',
    '.',
    '-',
    '$',
    '*',
    '[0]',
    ' ',
    '',
    '\0',
    '\u0001',
    '\n',
    "'",
    '😀',
    '\ud83d',
    'é',
    '?',
    '%',
  ]
  const keys = [...new Set(parts.flatMap((part) => [part, `a${part}`, `${part}a`, `${part}${part}`]))]
  const inScopes = (value: number) =>
    Object.fromEntries(keys.flatMap((name) => ['', 'user:', 'app:'].map((prefix) => [`${prefix}k${name}`, value])))
  for (const name of keys) {
    for (const prefix of ['', 'user:', 'app:']) {
      // The first one makes the key, the second one finds it.
      for (const value of [1, 2])
        await store.events.append(key, { actions: { stateDelta: { [`${prefix}k${name}`]: value } } })
    }
  }
  expect((await store.sessions.get(key))?.state).toMatchObject(inScopes(2))
  for (const name of keys) await store.events.append(key, { actions: { stateUnset: [`k${name}`, `user:k${name}`] } })
  for (const name of keys) await store.events.append(key, { actions: { stateUnset: [`app:k${name}`] } })
  expect((await store.sessions.get(key))?.state).toEqual({ a: 0, 'user:a': 0, 'app:a': 0 })
}, 60_000)

test.for(['update on daybook_sessions', 'update on daybook_user_states', 'insert on daybook_events'])(
  'a trigger of the application that writes rows after %s changes no answer',
  async (moment) => {
    const { url, pool } = await newPlace()
    const store = await openedStore(url)
    await store.migrate()
    await store.sessions.create({ ...key, state: { 'user:a': 0 } })
    await pool.query('create table audit (id bigint auto_increment primary key, at text)')
    await pool.query('insert into audit (id) values (41)')
    await pool.query(`create trigger audited after ${moment} for each row insert into audit (at) values ('now')`)
    const deltas = [{}, { a: 1 }, { 'user:a': 1 }, { a: 2, 'user:a': 2 }]
    for (const [i, stateDelta] of deltas.entries()) {
      expect(await store.events.append(key, { id: `e${i}`, actions: { stateDelta } })).toEqual({
        events: [{ id: `e${i}`, seq: i + 1, duplicate: false }],
        revision: i + 2,
      })
    }
    const { items } = await store.events.list(key)
    expect(items.map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
  },
)
