import { whenAborted } from '@daybook/core'
import { createClient } from '@libsql/client'
import { drizzle } from 'drizzle-orm/libsql'
import { expect, onTestFinished, test } from 'vitest'
import { createSqliteStore, openSqliteStore } from '../src/index.ts'

// What the engine promises on every database and a dialect has to be there to show it; a database in memory is quick.

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }

async function overClient(options = {}) {
  const client = createClient({ url: ':memory:' })
  const store = await createSqliteStore(drizzle({ client }), options)
  onTestFinished(() => store.close().then(() => client.close()))
  await store.migrate()
  return store
}

async function overNative(options = {}) {
  const store = await openSqliteStore({ url: ':memory:', ...options })
  onTestFinished(() => store.close())
  await store.migrate()
  return store
}

const tooMuch = { author: 'a', actions: { stateDelta: { 'user:big': 'x'.repeat(200) } } }

test('a call that fails in a transaction leaves nothing of itself when the rest is committed', async () => {
  const store = await overClient({ limits: { stateBytes: 100, batchBytes: 10_000 } })
  await store.sessions.create(key)
  await store.state.update({ appName: 'shop', userId: 'ann' }, { set: { small: 'y'.repeat(60) } })
  const codes: unknown[] = []
  const note = (error: { code: unknown }) => void codes.push(error.code)
  await store.transaction(async (_tx, joined) => {
    await joined.events
      .append(key, { author: 'a', actions: { stateDelta: { 'user:more': 'x'.repeat(60) } } })
      .catch(note)
    await joined.sessions.create({ ...key, sessionId: 's2', state: { 'user:more': 'x'.repeat(60) } }).catch(note)
    await joined.state.update({ appName: 'shop' }, { set: { a: 1 } }, { expectedRevision: 7 }).catch(note)
    await joined.events.append(key, { id: 'kept', author: 'b' })
  })
  expect(codes).toEqual(['limit_exceeded', 'limit_exceeded', 'conflict'])
  expect((await store.events.list(key)).items.map(({ seq, event }) => [seq, event.id])).toEqual([[1, 'kept']])
  expect(await store.sessions.get({ ...key, sessionId: 's2' })).toBeUndefined()
  expect(await store.state.get({ appName: 'shop' })).toBeUndefined()
  expect((await store.events.append(key, { author: 'c' })).events[0]?.seq).toBe(2)
})

test('so it is in a script', async () => {
  const store = await overNative({ limits: { stateBytes: 100 } })
  await store.sessions.create(key)
  await store.transaction(function* (_tx, joined) {
    try {
      yield* joined.events.append(key, tooMuch)
    } catch {
      yield* joined.events.append(key, { id: 'kept' })
    }
  })
  expect((await store.events.list(key)).items.map(({ seq, event }) => [seq, event.id])).toEqual([[1, 'kept']])
})

test('a call aborted between two of its statements leaves nothing of itself', async () => {
  const store = await overClient()
  await store.sessions.create(key)
  for (const steps of [1, 2, 3, 4, 5, 6, 7]) {
    const abort = new AbortController()
    await store.transaction(async (_tx, joined) => {
      const appending = joined.events.append(
        key,
        { author: 'a', actions: { stateDelta: { 'user:n': steps } } },
        { signal: abort.signal },
      )
      for (let i = 0; i < steps; i++) await Promise.resolve()
      abort.abort()
      await appending.catch(() => {})
    })
    const loaded = await store.sessions.get(key, { events: 'all' })
    expect(loaded?.lastSeq).toBe(loaded?.events.length)
    await store.events.append(key, { author: 'b' })
  }
})

test('a call in a script that was not run refuses the commit, and names itself', async () => {
  const store = await overNative()
  await store.sessions.create(key)
  const forgetful = store.transaction(function* (_tx, joined) {
    yield* joined.events.append(key, { id: 'e1' })
    joined.events.append(key, { id: 'e2' }) // yield* is missing
  })
  await expect(forgetful).rejects.toMatchObject({ code: 'invalid_argument', facts: { field: 'events.append' } })
  expect((await store.events.list(key)).items).toEqual([])
})

test('a tail that is left while it waits ends at once', async () => {
  const store = await overNative()
  await store.sessions.create(key)
  const events = store.events.tail(key, { pollInterval: 60_000 })[Symbol.asyncIterator]()
  const waiting = events.next()
  await events.return?.()
  expect(await waiting).toEqual({ done: true, value: undefined })
})

test('health answers within its time when the database does not', async () => {
  const store = await overClient()
  const end = new AbortController()
  const holder = store.db.transaction(() => new Promise<void>((resolve) => whenAborted(end.signal, resolve)))
  const health = await store.health({ timeout: 500 })
  expect(health).toMatchObject({ ok: false, latency: undefined })
  expect(health.warnings).toHaveLength(1)
  end.abort()
  await holder
  expect(await store.health()).toMatchObject({ ok: true })
})

test('a joined call takes the time that the store’s own take', async () => {
  const store = await overClient({ timeout: 1000 }) // the migration too takes no longer
  const begun = performance.now()
  const outer = store.transaction(async (_tx, joined) => {
    await new Promise((resolve) => setTimeout(resolve, 1200))
    return joined.sessions.count({ appName: 'shop' })
  })
  await expect(outer).rejects.toMatchObject({ code: 'timeout' })
  expect(performance.now() - begun).toBeLessThan(5000)
})

test('a flag that is no flag is refused before anything is done', async () => {
  const store = await openSqliteStore({ url: ':memory:' })
  onTestFinished(() => store.close())
  const options = JSON.parse('{"dryRun":"yes"}') as { dryRun: boolean } // what JavaScript may pass
  await expect(store.migrate(options)).rejects.toMatchObject({ code: 'invalid_argument', facts: { field: 'dryRun' } })
  await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
})

const fail = () => {
  throw new Error('the log is full')
}

test('a logger that throws fails no call', async () => {
  const store = await overNative({ logger: { debug: fail, info: fail, warn: fail, error: fail } })
  await store.sessions.create(key)
  expect(await store.sessions.count({ appName: 'shop' })).toBe(1)
})

test('what is removed in chunks lets others come between two of them, and hears its signal', async () => {
  const store = await overNative()
  for (let i = 0; i < 20; i++) await store.sessions.create({ ...key, sessionId: `s${i}` })
  const giveUp = new AbortController()
  setImmediate(() => giveUp.abort())
  const pruning = store.sessions.prune({ appName: 'shop', before: Date.now() + 1000, chunk: 1, signal: giveUp.signal })
  await expect(pruning).rejects.toMatchObject({ code: 'aborted', facts: { removed: { sessions: 1 } } })
  expect(await store.sessions.count({ appName: 'shop' })).toBe(19)
})

test('a prune of metrics deletes so many rows at once as it was told, though many traces begin with so few', async () => {
  const store = await overNative()
  const row = { appName: 'shop', operationName: 'answer' }
  // Their beginnings come one after the other.
  for (let i = 0; i < 60; i++)
    await store.metrics.record([{ ...row, traceId: `t${i % 10}`, spanId: `s${i}`, startedAt: i }])
  const prune = (options: object) => store.metrics.prune({ appName: 'shop', before: 1000, ...options })
  const giveUp = new AbortController()
  setImmediate(() => giveUp.abort())
  const removed = { metrics: 12, traces: 2 }
  await expect(prune({ chunk: 15, signal: giveUp.signal })).rejects.toMatchObject({ facts: { removed } })
  const largeOnes = new AbortController()
  setImmediate(() => largeOnes.abort())
  await expect(prune({ chunk: 3, signal: largeOnes.signal })).rejects.toMatchObject({
    facts: { removed: { metrics: 6, traces: 1 } },
  })
  expect(await prune({ chunk: 15 })).toEqual({ metrics: 42, traces: 7, dryRun: false })
})
