import { expect, test } from 'vitest'
import { createInMemoryDatabase, createInMemoryStore, databaseText } from '../src/index.ts'

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }
const awkward = JSON.parse(
  '{"__proto__":{"x":1},"nul":"a\\u0000b","lone":"\\ud800","emoji":"😀","list":[null,{}]}',
) as Record<string, unknown> // an object with awkward members

test('a database begins anew from its text: nothing is lost, and it goes on where the other was', async () => {
  const database = createInMemoryDatabase()
  const store = createInMemoryStore({ database })
  await store.sessions.create({ ...key, state: { ...awkward, 'user:size': 39, 'app:open': true } })
  await store.events.append(key, [{ id: 'e1', content: awkward, actions: { stateDelta: { seen: 1 } } }, { id: 'e2' }])
  await store.sessions.fork(key, { sessionId: 's2', throughSeq: 1 })
  await store.artifacts.save({ ...key, name: 'f' }, new Uint8Array([1, 2]), { metadata: { a: 1 } })
  await store.memories.add({ appName: 'shop' }, { id: 'm1', text: 'tea', metadata: awkward })
  const before = [await store.sessions.get(key, { events: 'all' }), await store.state.get({ appName: 'shop' })]

  const restored = createInMemoryDatabase(databaseText(database))
  expect(databaseText(restored)).toBe(databaseText(database))
  const copy = createInMemoryStore({ database: restored })
  expect([await copy.sessions.get(key, { events: 'all' }), await copy.state.get({ appName: 'shop' })]).toEqual(before)
  expect(await copy.sessions.count({ appName: 'shop' })).toBe(2)
  expect(await copy.sessions.stateAt(key, 0)).toEqual(awkward)
  const { events } = await copy.events.append(key, [{ id: 'e2' }, { id: 'e3' }])
  expect(events.map(({ seq, duplicate }) => [seq, duplicate])).toEqual([
    [2, true],
    [3, false],
  ])
  expect((await store.sessions.get(key))?.lastSeq).toBe(2)
})

test.each(['', '{', '[]', '{"format":"daybook-memory/1"}', '{"format":"other","sessions":[],"states":[]}'])(
  'a text that is none of a database is corrupt: %j',
  (text) => {
    expect(() => createInMemoryDatabase(text)).toThrow(expect.objectContaining({ code: 'corrupt' }))
  },
)

test('a text with a row that is none is corrupt at once, and not an error of some later call', async () => {
  const database = createInMemoryDatabase()
  const store = createInMemoryStore({ database })
  await store.sessions.create({ ...key, state: { 'app:open': true } })
  await store.events.append(key, { id: 'e1', content: 'c1' })
  type Saved = { sessions: Record<string, unknown>[]; states: unknown[] }
  const damage: readonly ((saved: Saved) => void)[] = [
    ({ sessions }) => Object.assign(sessions[0] ?? {}, { events: [{ id: 'e1', seq: 1, text: '{"id":' }] }),
    ({ sessions }) => Object.assign(sessions[0] ?? {}, { events: [{ id: 'e1', seq: 1, text: '7' }] }),
    ({ sessions }) => Object.assign(sessions[0] ?? {}, { events: null }),
    ({ sessions }) => Object.assign(sessions[0] ?? {}, { state: null }),
    ({ sessions }) => void sessions.splice(0, 1, null as never),
    ({ states }) => void states.splice(0, 1, 'none'),
    ({ states }) => void states.splice(0, 1, ['["shop"]', null]),
  ]
  for (const damaging of damage) {
    const saved = JSON.parse(databaseText(database)) as Saved // as databaseText wrote it
    damaging(saved)
    expect(() => createInMemoryDatabase(JSON.stringify(saved))).toThrow(expect.objectContaining({ code: 'corrupt' }))
  }
})
