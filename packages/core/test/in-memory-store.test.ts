import { setImmediate } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import {
  abilities,
  createInMemoryDatabase,
  createInMemoryStore,
  facts,
  isStoreError,
  type StoredEvent,
} from '@daybook/core'

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (isStoreError(error) ? error.code : error),
  )

test('two stores over one database see the same at once, and data stay when a store is closed', async () => {
  const database = createInMemoryDatabase()
  await using other = createInMemoryStore({ database })
  {
    await using store = createInMemoryStore({ database })
    await store.sessions.create({ ...key, state: { a: 1, 'user:b': 2, 'app:c': 3, 'temp:d': 4 } })
    await store.events.append(key, { id: 'e1', actions: { stateDelta: { a: 5 } } })
    expect(await other.events.get(key, 'e1')).toMatchObject({ seq: 1, event: { id: 'e1' } })
  }
  expect(await other.sessions.get(key)).toMatchObject({
    state: { a: 5, 'user:b': 2, 'app:c': 3 },
    revision: 2,
    lastSeq: 1,
  })
  expect(await createInMemoryStore().sessions.get(key)).toBeUndefined()
})

test('a tail is woken at once by an append through another store, in order and without gaps', async () => {
  const database = createInMemoryDatabase()
  await using reader = createInMemoryStore({ database })
  await using writer = createInMemoryStore({ database })
  await writer.sessions.create(key)
  await writer.events.append(key, [{ id: 'e1' }, { id: 'e2' }])
  const tail = reader.events.tail(key, { afterSeq: 1 })[Symbol.asyncIterator]()
  expect(await tail.next()).toMatchObject({ value: { seq: 2 } })
  const next = tail.next()
  await writer.events.append(key, [{ id: 'e3' }, { id: 'e4' }])
  const turn = setImmediate('not woken')
  expect(await Promise.race([next, turn])).toMatchObject({ value: { seq: 3 } })
  expect(await tail.next()).toMatchObject({ value: { seq: 4 } })
})

test('a tail ends quietly on abort, on close, on deletion and when nobody reads on', async () => {
  const database = createInMemoryDatabase()
  await using store = createInMemoryStore({ database })
  const closing = createInMemoryStore({ database })
  await store.sessions.create(key)
  const abort = new AbortController()
  const ends = [store.events.tail(key, { signal: abort.signal }), closing.events.tail(key), store.events.tail(key)].map(
    (tail) => tail[Symbol.asyncIterator]().next(),
  )
  const left = store.events.tail(key)[Symbol.asyncIterator]()
  const unread = left.next()
  await setImmediate()
  abort.abort()
  await closing.close()
  await store.sessions.delete(key)
  await store.sessions.create(key)
  await store.events.append(key, { id: 'of another session' })
  await left.return?.()
  expect(await Promise.all([...ends, unread])).toEqual(
    Array.from({ length: 4 }, () => ({ done: true, value: undefined })),
  )
})

async function read(tail: AsyncIterable<StoredEvent>): Promise<void> {
  for await (const _ of tail) return
}

test('a tail reports bad arguments and a closed store where it is read', async () => {
  const store = createInMemoryStore()
  expect(await codeOf(read(store.events.tail({ ...key, sessionId: '' })))).toBe('invalid_argument')
  expect(await codeOf(read(store.events.tail(key, { afterSeq: -1 })))).toBe('invalid_argument')
  expect(await codeOf(read(store.events.tail(key)))).toBe('none')
  expect(await codeOf(read(store.events.tail(key, { signal: AbortSignal.abort() })))).toBe('none')
  await store.close()
  expect(await codeOf(read(store.events.tail(key)))).toBe('closed')
})

test('without a clock of its own a store follows the clock of the process, also a replaced one', async () => {
  await using store = createInMemoryStore()
  vi.useFakeTimers({ now: 1_000, toFake: ['Date'] })
  expect(await store.sessions.create(key)).toMatchObject({ createdAt: 1_000 })
  vi.setSystemTime(500)
  expect(await store.sessions.update(key, { set: { a: 1 } })).toMatchObject({ updatedAt: 1_000, lastEventAt: 1_000 })
  vi.useRealTimers()
})

test('every capability is present, and what is absent is unsupported', async () => {
  await using store = createInMemoryStore()
  expect(Object.keys(store.capabilities).toSorted()).toEqual([...abilities, ...facts, 'isolation'].toSorted())
  expect(await codeOf(store.indexStatePath(['a'], 'string'))).toBe('unsupported')
  expect(await store.migrate()).toEqual({ applied: [], current: undefined })
  expect(await store.migrate({ dryRun: true })).toEqual({ applied: [], current: undefined, sql: [] })
  expect(await store.health({ deep: true })).toMatchObject({ ok: true, flavour: 'memory', warnings: [], settings: {} })
})

function made(options: object): unknown {
  try {
    createInMemoryStore(options)
  } catch (error) {
    return isStoreError(error) ? [error.code, error.facts.field] : error
  }
  return 'made'
}

test('an option that no store has, or has otherwise, is refused when the store is made', () => {
  expect(made({ colour: 'blue' })).toEqual(['invalid_argument', 'options.colour'])
  expect(made({ timeout: 0 })).toEqual(['invalid_argument', 'timeout'])
  expect(made({ now: 5 })).toEqual(['invalid_argument', 'now'])
  expect(made({ logger: {} })).toEqual(['invalid_argument', 'logger.debug'])
  expect(made({ limits: { eventBytes: 0 } })).toEqual(['invalid_argument', 'limits.eventBytes'])
  expect(made({ limits: { eventDepth: 501 } })).toEqual(['invalid_argument', 'limits.eventDepth'])
  expect(made({ limits: { size: 1 } })).toEqual(['invalid_argument', 'limits.size'])
  expect(made({ limits: { pageDefault: 5, pageMax: 4 } })).toEqual(['invalid_argument', 'limits.pageDefault'])
  expect(made({ database: new Map() })).toEqual(['invalid_argument', 'database'])
  expect(createInMemoryStore({ limits: { pageMax: 4 } }).limits).toMatchObject({
    pageDefault: 4,
    pageMax: 4,
    batchEvents: 1000,
  })
})

test('answers are fresh, and arguments are neither changed nor kept', async () => {
  await using store = createInMemoryStore()
  const state = { list: [1] }
  const event = { id: 'e1', timestamp: 5, actions: { stateDelta: { x: { y: [1] }, 'temp:z': 1 } } }
  const given = structuredClone(event)
  const created = await store.sessions.create({ ...key, state })
  await store.events.append(key, event)
  expect(event).toEqual(given)
  state.list.push(2)
  event.actions.stateDelta.x.y.push(2)
  Object.assign(created.state, { list: 'poison' })
  const loaded = await store.sessions.get(key, { events: 'all' })
  expect(loaded).toMatchObject({
    state: { list: [1], x: { y: [1] } },
    events: [{ event: { actions: { stateDelta: { x: { y: [1] } } } } }],
  })
  Object.assign(loaded?.state['x'] ?? {}, { y: 'poison' })
  Object.assign(loaded?.events[0]?.event.actions ?? {}, { stateDelta: 'poison' })
  expect(await store.sessions.get(key, { events: 'all' })).toMatchObject({
    state: { x: { y: [1] } },
    events: [{ event: { actions: { stateDelta: { x: { y: [1] } } } } }],
  })
})

test('ids that only look like others are others', async () => {
  await using store = createInMemoryStore()
  const ids = [
    'a',
    'A',
    'a ',
    'é',
    'e\u0301',
    '😀',
    '😁',
    '["a"]',
    'a","b',
    '__proto__',
    'constructor',
    '\\',
    '\ufffd',
    '\uffff',
  ]
  for (const userId of ids)
    for (const sessionId of ids)
      await store.sessions.create({ appName: 'shop', userId, sessionId, state: { at: [userId, sessionId] } })
  for (const userId of ids)
    for (const sessionId of ids)
      expect((await store.sessions.get({ appName: 'shop', userId, sessionId }))?.state).toEqual({
        at: [userId, sessionId],
      })
  expect(await store.sessions.count({ appName: 'shop', userId: 'a' })).toBe(ids.length)
})

test('a search by likeness compares 10,000 embeddings, and refuses more', async () => {
  await using store = createInMemoryStore({ embeddingDimensions: 1 })
  const ann = { appName: 'shop', userId: 'ann' }
  const some = (count: number, from: number) =>
    store.memories.add(
      ann,
      Array.from({ length: count }, (_, i) => ({ id: `m${from + i}`, text: '', embedding: [1] })),
    )
  for (let from = 0; from < 10_000; from += 1000) await some(1000, from)
  expect((await store.memories.search({ ...ann, embedding: [1], limit: 3 })).items).toHaveLength(3)
  await some(1, 10_000)
  await expect(store.memories.search({ ...ann, embedding: [1] })).rejects.toMatchObject({
    code: 'limit_exceeded',
    facts: { field: 'embedding', limit: 10_000, actual: 10_001 },
  })
})
