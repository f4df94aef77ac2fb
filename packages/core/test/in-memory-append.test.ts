import { expect, test } from 'vitest'
import { createInMemoryStore, isStoreError, type InMemoryStore } from '@daybook/core'

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }
const at = (timestamp: number, id: string, more: object = {}) => ({ id, timestamp, ...more })
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (isStoreError(error) ? [error.code, error.facts.revision] : error),
  )
const revisions = async (store: InMemoryStore) => [
  (await store.sessions.get(key))?.revision,
  (await store.state.get({ appName: 'shop', userId: 'ann' }))?.revision,
  (await store.state.get({ appName: 'shop' }))?.revision,
]

async function opened(): Promise<InMemoryStore> {
  const store = createInMemoryStore({ limits: { stateBytes: 100 } })
  await store.sessions.create(key)
  return store
}

test('a batch is one revision of each scope that it changes', async () => {
  await using store = await opened()
  const first = await store.events.append(key, [
    at(1, 'a', { actions: { stateDelta: { x: 1, 'user:y': 1 } } }),
    at(2, 'b', { actions: { stateDelta: { 'user:z': 2 }, stateUnset: ['x'] } }),
  ])
  expect(first).toEqual({
    events: [
      { id: 'a', seq: 1, duplicate: false },
      { id: 'b', seq: 2, duplicate: false },
    ],
    revision: 2,
  })
  expect(await revisions(store)).toEqual([2, 1, undefined])
  expect((await store.sessions.get(key))?.state).toEqual({ 'user:y': 1, 'user:z': 2 })
})

test('known events are answered, before the expected revision is looked at, and new ones appended', async () => {
  await using store = await opened()
  await store.events.append(key, { id: 'a', actions: { stateDelta: { n: 1, 'temp:t': 1 } } })
  const again = { id: 'a', actions: { stateDelta: { n: 1, 'temp:t': 2 } } }
  expect(await store.events.append(key, again, { expectedRevision: 1 })).toEqual({
    events: [{ id: 'a', seq: 1, duplicate: true }],
    revision: 2,
  })
  expect(await failure(store.events.append(key, [again, { id: 'b' }], { expectedRevision: 1 }))).toEqual([
    'conflict',
    2,
  ])
  expect(await store.events.append(key, [again, { id: 'b' }, { id: 'b' }], { expectedRevision: 2 })).toEqual({
    events: [
      { id: 'a', seq: 1, duplicate: true },
      { id: 'b', seq: 2, duplicate: false },
      { id: 'b', seq: 2, duplicate: true },
    ],
    revision: 3,
  })
})

test('another payload under a known id is a conflict, and nothing of its batch is written', async () => {
  await using store = await opened()
  await store.events.append(key, at(1, 'a'))
  expect(await failure(store.events.append(key, [at(2, 'b'), at(2, 'a')]))).toEqual(['conflict', 2])
  expect(await failure(store.events.append(key, [at(2, 'b'), at(3, 'b')], { onDuplicate: 'replace' }))).toEqual([
    'conflict',
    2,
  ])
  expect(await store.sessions.get(key, { events: 'all' })).toMatchObject({
    revision: 2,
    lastSeq: 1,
    events: [{ seq: 1 }],
  })
})

test('replacing keeps seq and lastEventAt, applies the new delta, and is one revision', async () => {
  await using store = await opened()
  await store.events.append(key, [at(1, 'a', { actions: { stateDelta: { old: 1 } } }), at(2, 'b')])
  const replaced = await store.events.append(key, [at(9, 'a', { actions: { stateDelta: { new: 1 } } }), at(5, 'c')], {
    onDuplicate: 'replace',
    eventsAfterSeq: 0,
  })
  expect(replaced).toMatchObject({
    events: [
      { seq: 1, duplicate: true },
      { seq: 3, duplicate: false },
    ],
    revision: 3,
    state: { old: 1, new: 1 },
    newEvents: [{ seq: 2 }],
  })
  expect(await store.sessions.get(key)).toMatchObject({ lastEventAt: 5, lastSeq: 3 })
  expect(await store.sessions.stateAt(key, 1)).toEqual({ new: 1 })
  expect((await store.events.get(key, 'a'))?.event.timestamp).toBe(9)
})

test('a state that would be too large is refused, with nothing written in any scope', async () => {
  await using store = await opened()
  const half = 'x'.repeat(60)
  await store.events.append(key, { actions: { stateDelta: { 'app:a': half } } })
  const much = { actions: { stateDelta: { n: 1, 'user:n': 1, 'app:b': half } } }
  await expect(store.events.append(key, much)).rejects.toMatchObject({
    code: 'limit_exceeded',
    facts: { field: 'app state', limit: 100 },
  })
  expect(await failure(store.sessions.update(key, { set: much.actions.stateDelta }))).toEqual([
    'limit_exceeded',
    undefined,
  ])
  expect(await failure(store.sessions.create({ ...key, sessionId: 's2', state: much.actions.stateDelta }))).toEqual([
    'limit_exceeded',
    undefined,
  ])
  expect(await revisions(store)).toEqual([2, undefined, 1])
  expect(await store.sessions.count({ appName: 'shop' })).toBe(1)
})

test('an empty list writes nothing, and a missing session is not found', async () => {
  await using store = await opened()
  expect(await store.events.append(key, [], { state: true })).toEqual({ events: [], revision: 1, state: {} })
  expect(await failure(store.events.append({ ...key, sessionId: 's2' }, []))).toEqual(['not_found', undefined])
})

test('fork and stateAt follow creation and events, and at the head the present state', async () => {
  await using store = createInMemoryStore()
  await store.sessions.create({ ...key, state: { made: 1, 'user:u': 1 } })
  for (const n of [1, 2, 3])
    await store.events.append(key, at(n, `e${n}`, { actions: { stateDelta: { n, [`k${n}`]: n, 'app:n': n } } }))
  await store.sessions.update(key, { set: { direct: 1 }, unset: ['made'] })
  expect(await store.sessions.stateAt(key, 0)).toEqual({ made: 1 })
  expect(await store.sessions.stateAt(key, 2)).toEqual({ made: 1, n: 2, k1: 1, k2: 2 })
  expect(await store.sessions.stateAt(key, 3)).toEqual({ direct: 1, n: 3, k1: 1, k2: 2, k3: 3 })
  const fork = await store.sessions.fork(key, { sessionId: 's2', throughSeq: 2 })
  expect(fork).toMatchObject({
    sessionId: 's2',
    revision: 1,
    lastSeq: 2,
    lastEventAt: 2,
    state: { made: 1, n: 2, 'user:u': 1, 'app:n': 3 },
  })
  expect(await store.sessions.stateAt(fork, 1)).toEqual({ made: 1, n: 1, k1: 1 })
  await store.events.append(fork, { id: 'e3' })
  expect((await store.events.list(key)).items).toHaveLength(3)
  expect(await failure(store.sessions.fork(key, { sessionId: 's2' }))).toEqual(['already_exists', undefined])
  expect(await failure(store.sessions.fork(key, { throughSeq: 4 }))).toEqual(['invalid_argument', undefined])
})

test('lists are a total order in either direction, page by page', async () => {
  await using store = createInMemoryStore({ now: () => 5 })
  for (const sessionId of ['b', 'a', '\u{1f600}', '\ufffd'])
    for (const userId of ['v', 'u']) await store.sessions.create({ appName: 'shop', userId, sessionId })
  await store.events.append({ appName: 'shop', userId: 'u', sessionId: 'b' }, at(9, 'e'))
  const walk = async (direction: 'asc' | 'desc', limit: number) => {
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await store.sessions.list({
        appName: 'shop',
        direction,
        limit,
        ...(cursor !== undefined && { cursor }),
      })
      found.push(...page.items.map(({ sessionId, userId }) => sessionId + userId))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    return found
  }
  const ties = ['au', 'av', 'bv', '\ufffdu', '\ufffdv', '\u{1f600}u', '\u{1f600}v']
  for (const limit of [1, 2, 3, 7, 8, 9]) {
    expect(await walk('desc', limit)).toEqual(['bu', ...ties])
    expect(await walk('asc', limit)).toEqual([...ties, 'bu'])
  }
})

test('events page by seq either way, and filters are exact at their boundary', async () => {
  await using store = await opened()
  await store.events.append(
    key,
    Array.from({ length: 10 }, (_, i) => at(i * 10, `e${i + 1}`, { author: i % 2 === 0 ? 'even' : 'odd' })),
  )
  const seqs = async (query: object) => (await store.events.list(key, query)).items.map(({ seq }) => seq)
  const first = await store.events.list(key, { direction: 'desc', limit: 4, author: 'odd' })
  expect(first.items.map(({ seq }) => seq)).toEqual([10, 8, 6, 4])
  expect(await seqs({ direction: 'desc', limit: 4, author: 'odd', cursor: first.nextCursor })).toEqual([2])
  expect(await seqs({ since: 80 })).toEqual([9, 10])
  expect(await seqs({ after: 80 })).toEqual([10])
  expect(await seqs({ afterSeq: 8 })).toEqual([9, 10])
  expect(await seqs({ last: 2, author: 'even' })).toEqual([7, 9])
  expect(await seqs({ last: 0 })).toEqual([])
  expect(await seqs({ limit: 0 })).toEqual([])
  expect(await seqs({ offset: 8 })).toEqual([9, 10])
})

test('prune and erase take what they name and count it', async () => {
  let time = 0
  await using store = createInMemoryStore({ now: () => time })
  for (const userId of ['ann', 'bob']) {
    for (time = 0; time < 5; time++) {
      const session = await store.sessions.create({ appName: 'shop', userId, state: { 'user:u': 1, 'app:a': 1 } })
      await store.events.append(session, [{}, {}])
    }
  }
  expect(await store.sessions.prune({ appName: 'shop', userId: 'ann', before: 3, dryRun: true })).toEqual({
    sessions: 3,
    events: 6,
    dryRun: true,
  })
  expect(await store.sessions.prune({ appName: 'shop', userId: 'ann', before: 3, chunk: 2 })).toEqual({
    sessions: 3,
    events: 6,
    dryRun: false,
  })
  expect(await store.erase({ appName: 'shop', userId: 'ann' })).toEqual({
    sessions: 2,
    events: 4,
    userStates: 1,
    memories: 0,
    artifacts: 0,
    metrics: 0,
  })
  expect(await store.erase({ appName: 'shop', userId: 'ann' })).toEqual({
    sessions: 0,
    events: 0,
    userStates: 0,
    memories: 0,
    artifacts: 0,
    metrics: 0,
  })
  expect(await store.sessions.count({ appName: 'shop' })).toBe(5)
  expect(await store.state.get({ appName: 'shop', userId: 'bob' })).toMatchObject({ state: { u: 1 } })
  expect(await store.state.get({ appName: 'shop' })).toMatchObject({ state: { a: 1 } })
})
