import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createInMemoryStore,
  decodeCursor,
  encodeCursor,
  eventListRequest,
  defaultLimits,
  isStoreError,
  sessionListRequest,
  type JsonValue,
  type Position,
} from '@daybook/core'
import { anyJson, anyText } from './arbitraries.ts'

const anyPosition: fc.Arbitrary<Position> = fc.array(fc.oneof(anyText, fc.integer()), { minLength: 1, maxLength: 3 })
const anyQuery = anyJson.map((query) => query as JsonValue) // parsed from JSON

function decoded(query: JsonValue, cursor: unknown): unknown {
  try {
    return decodeCursor(query, cursor)
  } catch (error) {
    return isStoreError(error) ? error.code : error
  }
}

test('a cursor brings its position back, and is URL-safe', () => {
  fc.assert(
    fc.property(anyQuery, anyPosition, (query, position) => {
      const cursor = encodeCursor(query, position)
      expect(cursor).toMatch(/^[\w.-]+$/)
      expect(decodeCursor(query, cursor)).toEqual(position)
    }),
  )
})

test('a cursor with any character changed, left out or added is an invalid cursor', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.='
  fc.assert(
    fc.property(
      anyQuery,
      anyPosition,
      fc.nat(),
      fc.constantFrom(...alphabet.split('')),
      (query, position, at, char) => {
        const cursor = encodeCursor(query, position)
        const i = at % cursor.length
        const others = [cursor.slice(0, i) + cursor.slice(i + 1), cursor.slice(0, i) + char + cursor.slice(i)]
        others.push(cursor.slice(0, i) + char + cursor.slice(i + 1))
        for (const other of others.filter((one) => one !== cursor)) expect(decoded(query, other)).toBe('invalid_cursor')
      },
    ),
    { numRuns: 500 },
  )
})

test('a cursor of another query is an invalid cursor', () => {
  fc.assert(
    fc.property(anyQuery, anyQuery, anyPosition, (query, other, position) => {
      fc.pre(JSON.stringify(query) !== JSON.stringify(other))
      expect(decoded(other, encodeCursor(query, position))).toBe('invalid_cursor')
    }),
  )
})

test('what is no cursor at all is an invalid cursor', () => {
  for (const cursor of ['', '.', 'a.b', 'a.b.c', null, 5, {}, ['a']]) expect(decoded({}, cursor)).toBe('invalid_cursor')
})

const refused = (position: unknown, list: 'sessions' | 'events') => {
  try {
    const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }
    const request = (cursor?: string) =>
      list === 'sessions'
        ? sessionListRequest({ appName: 'shop', ...(cursor !== undefined && { cursor }) }, defaultLimits)
        : eventListRequest(key, cursor === undefined ? {} : { cursor }, defaultLimits)
    return request(encodeCursor(request().binding, position as Position)).position // a forger keeps to no type
  } catch (error) {
    return isStoreError(error) ? error.code : error
  }
}

test('a position that no list gives is an invalid cursor, even with a right seal', () => {
  expect(refused(['1700000000000000', 's1', 'ann'], 'sessions')).toEqual(['1700000000000000', 's1', 'ann'])
  expect(refused([3], 'events')).toEqual([3])
  for (const position of [
    [],
    ['x', 's1', 'ann'],
    ['1', 's1'],
    ['1', 's1', 5],
    ['1', 's\0', 'ann'],
    ['1', 's1', '\ud800'],
    ['-1', 's1', 'ann'],
    ['1', 's1', { a: 1 }],
    'text',
    null,
    { length: 3 },
  ]) {
    expect(refused(position, 'sessions')).toBe('invalid_cursor')
  }
  for (const position of [[-1], [1.5], ['x'], [1, 2], [null], [1e21], [[1]]])
    expect(refused(position, 'events')).toBe('invalid_cursor')
})

test('a cursor is bound to key, filter and order of its list', async () => {
  await using store = createInMemoryStore()
  const session = await store.sessions.create({ appName: 'shop', userId: 'ann', sessionId: 's1' })
  await store.sessions.create({ appName: 'shop', userId: 'ann', sessionId: 's2' })
  await store.events.append(session, [{ author: 'user' }, { author: 'user' }])
  const { nextCursor: sessions = '' } = await store.sessions.list({ appName: 'shop', limit: 1 })
  const { nextCursor: events = '' } = await store.events.list(session, { limit: 1 })
  expect((await store.sessions.list({ appName: 'shop', limit: 5, state: true, cursor: sessions })).items).toHaveLength(
    1,
  )
  expect((await store.events.list(session, { cursor: events })).items).toHaveLength(1)
  const foreign = [
    store.sessions.list({ appName: 'shop', userId: 'ann', cursor: sessions }),
    store.sessions.list({ appName: 'other', cursor: sessions }),
    store.sessions.list({ appName: 'shop', orderBy: 'createdAt', cursor: sessions }),
    store.sessions.list({ appName: 'shop', direction: 'asc', cursor: sessions }),
    store.sessions.list({ appName: 'shop', cursor: events }),
    store.events.list(session, { author: 'user', cursor: events }),
    store.events.list(session, { afterSeq: 0, cursor: events }),
    store.events.list(session, { direction: 'desc', cursor: events }),
    store.events.list({ ...session, userId: 'bob' }, { cursor: events }),
  ]
  for (const page of foreign)
    await expect(page).rejects.toMatchObject({ code: 'invalid_cursor', facts: { field: 'cursor' } })
})
