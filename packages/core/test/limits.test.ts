import { describe, expect, test } from 'vitest'
import {
  appendRequest,
  createInMemoryStore,
  defaultLimits,
  eventListRequest,
  isStoreError,
  sessionListRequest,
  type AppendRequest,
  type Limits,
} from '@daybook/core'

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }
const nested = (levels: number): unknown => Array.from({ length: levels }).reduce((inner) => [inner], 1)

function refusal(read: () => unknown): unknown {
  try {
    read()
  } catch (error) {
    return isStoreError(error) ? { code: error.code, ...error.facts } : error
  }
  return 'taken'
}

const request = (events: unknown, limits: Partial<Limits> = {}, options: object = {}): AppendRequest =>
  appendRequest(key, events, options, { limits: { ...defaultLimits, ...limits }, now: () => 5 })
const appending = (events: unknown, limits?: Partial<Limits>, options?: object) =>
  refusal(() => request(events, limits, options))

const delta = (stateDelta: object) => ({ id: 'e1', actions: { stateDelta } })

describe('at the limit an append is taken, one more is over it', () => {
  const event = { id: 'e1', timestamp: 1, text: 'é' }
  const bytes = Buffer.byteLength(JSON.stringify(event))

  test('bytes of an event', () => {
    expect(appending(event, { eventBytes: bytes })).toBe('taken')
    expect(appending(event, { eventBytes: bytes - 1 })).toEqual({
      code: 'limit_exceeded',
      field: 'event',
      limit: bytes - 1,
      actual: bytes,
    })
    expect(appending([event], { eventBytes: bytes - 1 })).toMatchObject({ field: 'events[0]' })
  })

  test('bytes of an event are those that are stored: without temp: keys', () => {
    const withTemp = { ...event, actions: { stateDelta: { 'temp:x': 'y'.repeat(20) } } }
    const stored = Buffer.byteLength(JSON.stringify({ ...event, actions: { stateDelta: {} } }))
    expect(appending(withTemp, { eventBytes: stored })).toBe('taken')
  })

  test('levels of an event', () => {
    expect(appending({ ...event, content: nested(99) })).toBe('taken')
    expect(appending({ ...event, content: nested(100) })).toMatchObject({
      code: 'limit_exceeded',
      limit: 100,
      actual: 101,
    })
  })

  test('bytes and levels of a delta, temp: keys aside', () => {
    const set = { a: 'x' }
    expect(appending(delta(set), { stateBytes: 9 })).toBe('taken')
    expect(appending(delta(set), { stateBytes: 8 })).toEqual({
      code: 'limit_exceeded',
      field: 'event.actions.stateDelta',
      limit: 8,
      actual: 9,
    })
    expect(appending(delta({ a: nested(29) }))).toBe('taken')
    expect(appending(delta({ a: nested(30) }))).toMatchObject({ code: 'limit_exceeded', limit: 30, actual: 31 })
    expect(appending(delta({ 'temp:a': nested(90), 'temp:b': 'x'.repeat(99) }), { stateBytes: 9 })).toBe('taken')
  })

  test('events of a batch', () => {
    expect(appending([{}, {}], { batchEvents: 2 })).toBe('taken')
    expect(appending([{}, {}, {}], { batchEvents: 2 })).toEqual({
      code: 'limit_exceeded',
      field: 'events',
      limit: 2,
      actual: 3,
    })
    expect(appending(Object.assign([], { length: 2 ** 32 - 1 }))).toMatchObject({
      code: 'limit_exceeded',
      actual: 2 ** 32 - 1,
    })
    expect(request([]).events).toEqual([])
  })

  test('bytes of a batch', () => {
    const batch = [event, { ...event, id: 'e2' }]
    expect(appending(batch, { batchBytes: 2 * bytes })).toBe('taken')
    expect(appending(batch, { batchBytes: 2 * bytes - 1 })).toEqual({
      code: 'limit_exceeded',
      field: 'events',
      limit: 2 * bytes - 1,
      actual: 2 * bytes,
    })
  })
})

describe('an event is checked before anything is sent', () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['no event', undefined, 'event'],
    ['a hole in a batch', [{}, , {}], 'events[1]'], // oxlint-disable-line no-sparse-arrays -- a hole is the case
    ['an empty id', { id: '' }, 'event.id'],
    ['null as an id', { id: null }, 'event.id'],
    ['a negative time', { timestamp: -1 }, 'event.timestamp'],
    ['a time as text', { timestamp: '2020' }, 'event.timestamp'],
    ['actions that are a list', { actions: [] }, 'event.actions'],
    ['a delta that is a list', { actions: { stateDelta: [] } }, 'event.actions.stateDelta'],
    ['keys that are text', { actions: { stateUnset: 'a' } }, 'event.actions.stateUnset'],
    ['a key that is a number', { actions: { stateUnset: ['a', 1] } }, 'event.actions.stateUnset[1]'],
    [
      'a key that is set and unset',
      { actions: { stateDelta: { a: 1 }, stateUnset: ['a'] } },
      'event.actions.stateDelta.a',
    ],
    ['an author that is a number', { author: 5 }, 'event.author'],
  ]
  test.each(cases)('%s is refused', (_, event, field) => {
    expect(appending(event)).toEqual({ code: 'invalid_argument', field })
  })

  test('options that do not exist or do not fit are refused', () => {
    for (const options of [
      { expectedRevison: 1 },
      { expectedRevision: 1.5 },
      { expectedRevision: -1 },
      { onDuplicate: 'ignore' },
      { deltas: 'skip' },
      { state: 1 },
      { eventsAfterSeq: '1' },
    ]) {
      expect(appending({}, {}, options)).toMatchObject({ code: 'invalid_argument', field: Object.keys(options)[0] })
    }
  })

  test('what the store fills in is known, and everything else is as it was given', () => {
    const [filled, given] = request([
      { partial: false, custom: { a: [] } },
      { id: 'e', timestamp: 1.0000001, author: 'ann' },
    ]).events
    expect(filled).toMatchObject({
      timestamp: 5,
      isTimestampGiven: false,
      author: null,
      payload: { timestamp: 5, partial: false, custom: { a: [] } },
    })
    expect(given).toMatchObject({
      timestamp: 1,
      isTimestampGiven: true,
      author: 'ann',
      payload: { id: 'e', timestamp: 1.0000001, author: 'ann' },
    })
  })
})

const events = (query: object) =>
  refusal(() => eventListRequest(key, query, { ...defaultLimits, pageMax: 5, pageDefault: 3 }))
const sessions = (query: object) => refusal(() => sessionListRequest({ appName: 'shop', ...query }, defaultLimits))

describe('pages', () => {
  test('a limit of 0 to the maximum is taken, any other is refused', () => {
    for (const limit of [0, 1, 5]) expect(events({ limit })).toBe('taken')
    for (const limit of [6, -1, 1.5, Number.NaN, Infinity, '5', null])
      expect(events({ limit })).toEqual({ code: 'invalid_argument', field: 'limit' })
    expect(events({ last: 5 })).toBe('taken')
    expect(events({ last: 6 })).toEqual({ code: 'invalid_argument', field: 'last' })
  })

  test('options that do not go together or do not exist are refused', () => {
    expect(events({ last: 1, limit: 1 })).toMatchObject({ field: 'last' })
    expect(events({ offset: 1, cursor: 'x' })).toMatchObject({ field: 'offset' })
    expect(events({ ofset: 1 })).toMatchObject({ field: 'ofset' })
    expect(sessions({ orderBy: 'revision' })).toMatchObject({ field: 'orderBy' })
    expect(sessions({ direction: 'up' })).toMatchObject({ field: 'direction' })
    expect(sessions({ userId: '' })).toMatchObject({ field: 'userId' })
  })
})

test('arguments that cannot be read are refused, with nothing written', async () => {
  await using store = createInMemoryStore()
  const thrower = {
    get appName(): string {
      throw new Error('secret')
    },
    userId: 'ann',
    sessionId: 's1',
  }
  const revoked = Proxy.revocable<typeof key>(key, {})
  revoked.revoke()
  for (const bad of [thrower, revoked.proxy]) {
    const outcomes = [
      store.sessions.create(bad),
      store.sessions.get(bad),
      store.sessions.list(bad),
      store.sessions.update(bad, { set: { a: 1 } }),
      store.sessions.fork(bad),
      store.sessions.delete(bad),
      store.events.append(bad, {}),
      store.events.append(key, bad),
      store.events.list(key, bad as object),
      store.state.get(bad),
      store.state.update(key, bad as object),
      store.erase(bad),
    ]
    for (const outcome of outcomes) await expect(outcome).rejects.toMatchObject({ code: 'invalid_argument' })
  }
  expect(await store.sessions.count({ appName: 'shop' })).toBe(0)
})

test('a list is as long as it says, and is refused by that before it is read', async () => {
  await using store = createInMemoryStore({ embeddingDimensions: 3 })
  await store.sessions.create(key)
  const endless = Object.assign<never[], object>([], { length: 2 ** 32 - 1 })
  const calls: readonly (readonly [Promise<unknown>, string])[] = [
    [store.sessions.update(key, { unset: endless }), 'limit_exceeded'],
    [store.state.update({ appName: 'shop' }, { unset: endless }), 'limit_exceeded'],
    [store.memories.add({ appName: 'shop' }, endless), 'limit_exceeded'],
    [store.memories.add({ appName: 'shop' }, { events: endless }), 'limit_exceeded'],
    [store.memories.add({ appName: 'shop' }, { text: 'tea', embedding: endless }), 'invalid_argument'],
    [store.memories.search({ appName: 'shop', embedding: endless }), 'invalid_argument'],
  ]
  for (const [call, code] of calls) await expect(call).rejects.toMatchObject({ code })
})

test('limits of ids and names can be less than they are, and not more', () => {
  for (const name of ['idCodePoints', 'idBytes', 'eventNameBytes'] as const) {
    const most = defaultLimits[name]
    expect(createInMemoryStore({ limits: { [name]: most - 1 } }).limits[name]).toBe(most - 1)
    expect(() => createInMemoryStore({ limits: { [name]: most + 1 } })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', facts: { field: `limits.${name}` } }),
    )
  }
})

const nothing = () => {}

test('a large state is warned of, without what is in it', async () => {
  const warnings: unknown[] = []
  await using store = createInMemoryStore({
    logger: { debug: nothing, info: nothing, error: nothing, warn: (facts) => warnings.push(facts) },
  })
  await store.sessions.create({ ...key, state: { a: 'x'.repeat(99_000) } })
  expect(warnings).toEqual([])
  await store.events.append(key, { actions: { stateDelta: { b: 'x'.repeat(1_000) } } })
  expect(warnings).toEqual([{ field: 'session state', bytes: 100_015 }])
})
