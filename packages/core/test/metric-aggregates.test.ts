import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bucketOf,
  countedRows,
  createInMemoryDatabase,
  createInMemoryStore,
  databaseText,
  type FoundGroup,
  groupPageOf,
  metricAggregateRequest,
} from '@daybook/core'

const row = (traceId: string, spanId: string, usageLevel: 0 | 1 | 2 | 3 | null, responseId: string | null = null) => ({
  traceId,
  spanId,
  usageLevel,
  responseId,
})

describe('usage', () => {
  test('counts once, in whatever order the rows of a trace come', () => {
    const rows = [
      row('t1', 'agent', 2),
      row('t1', 'call2', 0, 'r1'),
      row('t1', 'call1', 0, 'r1'),
      row('t1', 'call3', 0),
      row('t1', 'tool', null),
      row('t2', 'task', 3),
      row('t2', 'agent', 2, 'r1'),
      row('t2', 'agent2', 2, 'r1'),
    ]
    const names = (some: typeof rows) => [...countedRows(some)].map(({ traceId, spanId }) => `${traceId} ${spanId}`)
    const expected = ['t1 call1', 't1 call3', 't2 agent', 't2 agent2']
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (some) => {
        expect(names(some).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(expected)
      }),
    )
  })

  test('is told of a trace of any length', () => {
    const rows = Array.from({ length: 300_000 }, (_, i) => row('t1', `s${i}`, i % 2 === 0 ? 1 : 2))
    expect(countedRows(rows).size).toBe(150_000)
  })
})

describe('spans of time', () => {
  test('hold their time, are one after the other, and begin where their clock says', () => {
    const sizes = fc.constantFrom(60_000_000, 3_600_000_000, 86_400_000_000)
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 60n), sizes, fc.integer({ min: -1440, max: 1440 }), (time, size, minutes) => {
        const bucket = { size, offset: minutes * 60_000_000 }
        const begins = bucketOf(time, bucket)
        expect(begins <= time && time < begins + BigInt(size)).toBe(true)
        expect((begins + BigInt(bucket.offset)) % BigInt(size)).toBe(0n)
        expect(bucketOf(begins, bucket)).toBe(begins)
        expect(bucketOf(begins - 1n, bucket)).toBe(begins - BigInt(size))
      }),
    )
  })
})

describe('groups', () => {
  const store = createInMemoryStore()
  const { limits } = store
  const request = metricAggregateRequest(
    { appName: 'shop', groupBy: ['model'], measures: { n: 'count' }, limit: 2 },
    { limits, now: () => 0 },
  )
  const found = ['b', 'a', null, 'c'].map((model): FoundGroup => ({
    bucket: undefined,
    key: [model],
    parts: new Map([['rows', 1n]]),
  }))

  test('are in one order, whatever order a store found them in', () => {
    for (const some of [found, found.toReversed()])
      expect(groupPageOf(some, request, limits).items.map(({ key }) => key[0])).toEqual([null, 'a'])
  })

  test('a cursor that somebody made is refused', async () => {
    const { nextCursor } = groupPageOf(found, request, limits)
    for (const inside of ['x', '[]', '[null,"x",["a"]]', '[null,"0",[]]', '[{},"0",["a"]]'])
      expect(() => groupPageOf(found, { ...request, position: [inside] }, limits)).toThrow(
        expect.objectContaining({ code: 'invalid_cursor' }),
      )
    expect(nextCursor).toBeDefined()
    await store.close()
  })
})

test('metrics are in the text of a database, and damage in it is told at once', async () => {
  const database = createInMemoryDatabase()
  await using store = createInMemoryStore({ database, now: () => 5 })
  const given = { appName: 'shop', traceId: 't', spanId: 'p', operationName: 'answer', content: { a: ['\ud800\0'] } }
  await store.metrics.record([given])
  const text = databaseText(database)
  await using copy = createInMemoryStore({ database: createInMemoryDatabase(text) })
  const query = { appName: 'shop', order: 'recorded' } as const
  expect(await copy.metrics.query(query)).toEqual(await store.metrics.query(query))
  await copy.metrics.record([{ ...given, spanId: 'p2' }])
  expect((await copy.metrics.query(query)).items.map(({ spanId }) => spanId)).toEqual(['p', 'p2'])
  const damaged = text.replace(String.raw`{\"a\":`, String.raw`{\"a:`)
  expect(damaged).not.toBe(text)
  expect(() => createInMemoryDatabase(damaged)).toThrow(expect.objectContaining({ code: 'corrupt' }))
})
