import { isStoreError, type Logger } from '@daybook/core'
import { openSqliteStore, type OpenWorkerOptions, type WorkerSqliteStore } from '@daybook/drizzle-sqlite'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate, setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { deflate } from '../../drizzle/test/codecs.ts'
import { startThread, type Thread } from '../src/worker-link.ts'
import { openWorkerStore } from '../src/worker-store.ts'
import { askClient } from './drivers.ts'
import { key, newPath } from './places.ts'
import { startChild } from './processes.ts'

// Threads take their time to start on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 })

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

async function opened(options: Partial<OpenWorkerOptions> = {}): Promise<WorkerSqliteStore> {
  const store = await openSqliteStore({ url: `file:${newPath()}`, worker: true, ...options })
  onTestFinished(() => store.close())
  await store.migrate()
  await store.sessions.create(key)
  return store
}

/** A store whose threads a test can end. */
async function mortal(path: string = newPath(), isMemory = false) {
  const threads: Thread[] = []
  const place = {
    path,
    isMemory,
    pragmas: ['PRAGMA journal_mode = WAL', 'PRAGMA synchronous = OFF'],
    busyTimeout: 5_000,
  }
  const store = await openWorkerStore(place, {}, (...args) => {
    const thread = startThread(...args)
    threads.push(thread)
    return thread
  })
  onTestFinished(() => store.close())
  await store.migrate()
  await store.sessions.create(key)
  /** By an error that nobody catches: the thread does not expect such a message. */
  const end = async () => {
    const worker = threads.at(-1)?.worker
    // oxlint-disable-next-line require-post-message-target-origin -- a thread is no window
    worker?.postMessage('nonsense')
    await new Promise((resolve) => worker?.once('exit', resolve))
  }
  return { store, threads, end }
}

/** How often the event loop of this thread goes round until the work is done. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  const over = new AbortController()
  const done = work().finally(() => over.abort())
  while (!over.signal.aborted) {
    await setImmediate()
    turns++
  }
  await done
  return turns
}

/** Runs a program of its own over a new store in a worker, and answers what it printed and how it ended. */
async function run(body: string) {
  const path = newPath()
  const program = join(dirname(path), 'program.mjs')
  await writeFile(
    program,
    `import { openSqliteStore } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
    const path = ${JSON.stringify(path)}
    const store = await openSqliteStore({ url: 'file:' + path, worker: true })
    await store.migrate()
    const session = await store.sessions.create({ appName: 'shop', userId: 'ann' })
    ${body}`,
  )
  const ended = await promisify(execFile)(process.execPath, [...process.execArgv, program]).catch(
    (error: unknown) => error as { stdout: string; stderr: string; code: number; signal: string | null }, // what execFile rejects with
  )
  return { code: 0, signal: null, ...ended, path }
}

describe('the event loop goes on', () => {
  test('while the database works on what holds the thread elsewhere', { timeout: 60_000 }, async () => {
    await using plain = await openSqliteStore({ url: `file:${newPath()}` })
    await plain.migrate()
    await plain.sessions.create(key)
    const turns = { worker: 0, plain: 0 }
    for (const [name, store] of [
      ['worker', await opened()],
      ['plain', plain],
    ] as const) {
      for (const batch of numbers(3)) {
        const events = numbers(1_000).map((i) => ({ id: `${batch}-${i}`, content: 'x'.repeat(2_000) }))
        turns[name] += await turnsDuring(() => store.events.append(key, events))
      }
      expect((await store.sessions.get(key))?.lastSeq).toBe(3_000)
    }
    // There an append is one stretch of work, and the loop goes round only before and after it.
    expect(turns.plain).toBeLessThan(30)
    expect(turns.worker).toBeGreaterThan(10 * turns.plain)
  })

  test('while another process writes, and a busy lock is told in time', async () => {
    const path = newPath()
    const store = await opened({ url: `file:${path}`, busyTimeout: 400 })
    await using holder = startChild()
    await holder.call('hold', path)
    let outcome: unknown
    const turns = await turnsDuring(() =>
      store.events.append(key, { id: 'refused' }).catch((error: unknown) => (outcome = error)),
    )
    expect(turns).toBeGreaterThan(100)
    expect(isStoreError(outcome)).toBe(true)
    expect(outcome).toMatchObject({
      code: 'busy',
      retryable: true,
      facts: { driverCode: 'SQLITE_BUSY' },
      cause: { code: 'SQLITE_BUSY', message: expect.any(String) },
    })
    const waits = store.events.append(key, { id: 'waited' })
    await holder.call('release')
    expect(await waits).toMatchObject({ events: [{ seq: 1 }] })
  })
})

describe('signals and timeouts', () => {
  test('end a call that waits for the lock, and it is not done afterwards', async () => {
    const path = newPath()
    const store = await opened({ url: `file:${path}` })
    await using holder = startChild()
    await holder.call('hold', path)
    const controller = new AbortController()
    const [aborted, late] = [
      store.events.append(key, { id: 'aborted' }, { signal: controller.signal }).catch((error: unknown) => error),
      store.events.append(key, { id: 'late' }, { timeout: 150 }).catch((error: unknown) => error),
    ]
    await wait(50)
    controller.abort(new Error('enough'))
    expect(await aborted).toMatchObject({ code: 'aborted', cause: { message: 'enough' } })
    expect(await late).toMatchObject({ code: 'timeout' })
    await holder.call('release')
    await store.events.append(key, { id: 'next' })
    expect((await store.events.list(key)).items.map(({ event }) => event.id)).toEqual(['next'])
  })

  test('end a prune in the midst of its chunks, and it tells what it removed, though no message was read meanwhile', async () => {
    const store = await opened()
    const { appName } = key
    let most = 0
    for (const timeout of [20, 80, 320]) {
      await Promise.all(numbers(300).map((i) => store.sessions.create({ ...key, sessionId: `${timeout}-${i}` })))
      const all = await store.sessions.count({ appName })
      const ended = store.sessions
        .prune({ appName, before: Date.now() + 1_000, chunk: 1, timeout })
        .catch((error: unknown) => error)
      await setImmediate() // the thread has been asked
      const busyUntil = performance.now() + timeout
      while (performance.now() < busyUntil); // this thread hears nothing, and its timer is the first thing after that
      const error = await ended
      if (!isStoreError(error)) continue // it was done before
      await wait(100) // a commit that was on its way has arrived
      const gone = all - (await store.sessions.count({ appName }))
      const removed = error.facts.removed?.['sessions'] ?? 0
      // It is sure of all but the one that it was committing.
      const unsure = error.code === 'outcome_unknown' ? [0, 1] : [0]
      expect(unsure, `${error.code}: ${removed} of ${gone}`).toContain(gone - removed)
      most = Math.max(most, removed)
    }
    expect(most).toBeGreaterThan(0)
  })

  test('end a call that waits for a thread at work, while it is at work, and it is not done afterwards', async () => {
    const store = await opened()
    let isWorking = true
    const work = Promise.all(
      numbers(30).map((batch) =>
        store.events.append(
          key,
          numbers(1_000).map((i) => ({ id: `${batch}-${i}` })),
        ),
      ),
    ).then(() => (isWorking = false))
    const controller = new AbortController()
    const [aborted, late] = [
      store.sessions.update(key, { set: { aborted: true } }, { signal: controller.signal }),
      store.sessions.update(key, { set: { late: true } }, { timeout: 5 }),
    ].map((call) => call.catch((error: unknown) => ({ error, isWorking })))
    controller.abort()
    expect(await aborted).toMatchObject({ error: { code: 'aborted' }, isWorking: true })
    expect(await late).toMatchObject({ error: { code: 'timeout' }, isWorking: true })
    await work
    expect(await store.sessions.get(key)).toMatchObject({ lastSeq: 30_000, state: {} })
  })
})

describe('the store', () => {
  test('says of itself what it is, and refuses what cannot cross to a thread', async () => {
    const path = newPath()
    const store = await opened({ url: `file:${path}` })
    expect(store.kind).toBe('worker')
    expect(store.capabilities).toMatchObject({ callerTransaction: 'no', persistent: 'yes' })
    const untyped = store as unknown as { transaction(body: unknown): Promise<unknown>; using(tx: unknown): unknown } // as JavaScript may call it
    const refusal = { code: 'unsupported', facts: { capability: 'callerTransaction' } }
    await expect(untyped.transaction(() => {})).rejects.toMatchObject(refusal)
    expect(() => untyped.using({})).toThrow(expect.objectContaining(refusal))
    const open = (options: object) => openSqliteStore({ url: `file:${path}`, worker: true, ...options })
    await expect(open({ codec: deflate })).rejects.toMatchObject({
      code: 'unsupported',
      facts: { capability: 'codec' },
    })
    await expect(open({ worker: 'yes' })).rejects.toMatchObject({
      code: 'invalid_argument',
      facts: { field: 'worker' },
    })
    await expect(open({ url: 'http://127.0.0.1:1' })).rejects.toMatchObject({ facts: { field: 'worker' } })
    await expect(open({ url: `file:${path}/no/folder` })).rejects.toMatchObject({
      code: 'unavailable',
      retryable: false,
    })
    await expect(open({ prefix: 'a b' })).rejects.toMatchObject({
      code: 'invalid_argument',
      facts: { field: 'prefix' },
    })
  })

  test('reads its clock and calls its logger in this thread', async () => {
    const entries: { readonly level: string; readonly facts: object }[] = []
    const log = (level: string) => (facts: object) => void entries.push({ level, facts })
    const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
    const now = vi.fn<() => number>(() => 1_700_000_000_000.125)
    const store = await opened({ now, logger, prefix: 'own_', limits: { pageMax: 7 } })
    expect(store.limits.pageMax).toBe(7)
    const session = await store.sessions.get(key)
    expect(session).toMatchObject({ createdAt: 1_700_000_000_000.125, updatedAt: 1_700_000_000_000.125 })
    now.mockReturnValue(1_700_000_001_000)
    await store.events.append(key, { id: 'e1', actions: { stateDelta: { large: 'x'.repeat(100_001) } } })
    expect(await store.sessions.get(key)).toMatchObject({
      updatedAt: 1_700_000_001_000,
      lastEventAt: 1_700_000_001_000,
    })
    expect(entries).toContainEqual({ level: 'warn', facts: { field: 'session state', bytes: expect.any(Number) } })
    expect(entries).toContainEqual({ level: 'debug', facts: { operation: 'events.append', ms: expect.any(Number) } })
    now.mockReturnValue(Number.NaN)
    await expect(store.events.append(key, { id: 'e2' })).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  test('follows a session, whoever writes to it, and stops when it is closed', async () => {
    const path = newPath()
    const store = await opened({ url: `file:${path}` })
    await using other = await openSqliteStore({ url: `file:${path}` })
    const seen: string[] = []
    const following = (async () => {
      for await (const { event } of store.events.tail(key, { pollInterval: 20 })) seen.push(event.id)
    })()
    await store.events.append(key, { id: 'own' })
    await other.events.append(key, { id: 'other' })
    await vi.waitFor(() => expect(seen).toEqual(['own', 'other']))
    await store.close()
    await following
  })

  test('keeps odd values and refuses bad ones as every store does', async () => {
    const store = await opened()
    const state: object = JSON.parse('{"__proto__":{"a":1},"nul":"a\\u0000b","lone":"\\ud800"}') as object // an object
    await store.sessions.update(key, { replace: state as Record<string, unknown> })
    const found = await store.sessions.get(key)
    expect(JSON.stringify(found?.state)).toBe(JSON.stringify(state))
    const bad = { id: 'e1', content: { call: () => {} } }
    await expect(store.events.append(key, bad)).rejects.toMatchObject({
      code: 'invalid_argument',
      facts: { field: 'event.content.call' },
    })
    await expect(store.events.append(key, { id: 'e1' }, { expectedRevision: 7 })).rejects.toMatchObject({
      code: 'conflict',
      facts: { revision: 2 },
    })
  })
})

describe('the end of the thread', () => {
  test('comes with close(), after the calls that run, and leaves everything in the main file', async () => {
    const path = newPath()
    const { store, threads } = await mortal(path)
    const append = store.events.append(key, { id: 'last' })
    await store.close()
    expect((await append).events).toMatchObject([{ seq: 1 }])
    expect(threads.map(({ worker }) => worker.threadId)).toEqual([-1])
    await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'closed' })
    await store.close()
    expect(await askClient(`file:${path}`, 'select count(*) as n from daybook_events')).toMatchObject([{ n: 1 }])
  })

  test('unasked for is healed at the next call', async () => {
    const { store, threads, end } = await mortal()
    await end()
    await store.events.append(key, { id: 'after' })
    expect((await store.events.list(key)).items).toMatchObject([{ event: { id: 'after' } }])
    expect(threads).toHaveLength(2)
  })

  test('takes a database in memory with it, and the store says so', async () => {
    const { store, end } = await mortal(':memory:', true)
    await end()
    await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'unavailable', retryable: false })
    expect(await store.health()).toMatchObject({ ok: false, warnings: [expect.stringContaining('in memory')] })
  })

  test('is unavailable for what waits for the lock, and outcome_unknown, with the ids, for what is committing', async () => {
    const path = newPath()
    const { store, threads, end } = await mortal(path)
    await using holder = startChild()
    await holder.call('hold', path)
    const cells: Int32Array[] = []
    for (const thread of threads) {
      const { ask } = thread
      vi.spyOn(thread, 'ask').mockImplementation((message, call) => {
        cells.push(message.cell)
        return ask(message, call)
      })
    }
    const outcomes = [
      store.events.append(key, { author: 'waits' }).catch((error: unknown) => error),
      store.events.append(key, { author: 'commits' }).catch((error: unknown) => error),
    ]
    await vi.waitFor(() => expect(cells).toHaveLength(2))
    await wait(30)
    for (const cell of cells.slice(1)) Atomics.store(cell, 0, 1) // as the thread does before its COMMIT
    await end()
    expect(await outcomes[0]).toMatchObject({ code: 'unavailable', retryable: true })
    expect(await outcomes[1]).toMatchObject({ code: 'outcome_unknown', facts: { eventIds: [expect.any(String)] } })
    await holder.call('release')
    await store.events.append(key, { id: 'after' })
    expect((await store.events.list(key)).items).toMatchObject([{ event: { id: 'after' } }])
  })

  test(
    'at any moment loses nothing that was acknowledged, and nothing is there that was told not to be',
    { timeout: 60_000 },
    async () => {
      const { store, threads, end } = await mortal()
      const told = { done: new Set<string>(), not: new Set<string>(), unknown: new Set<string>() }
      for (const round of numbers(12)) {
        await store.sessions.get(key) // by a thread that lives
        const append = async (i: number) => {
          const id = `${round}-${i}`
          await store.events.append(key, { id, content: 'x'.repeat(5_000), actions: { stateDelta: { [id]: 1 } } }).then(
            () => told.done.add(id),
            (error: unknown) => {
              expect(isStoreError(error) && error.code).toMatch(/^(?:unavailable|outcome_unknown)$/)
              told[isStoreError(error) && error.code === 'unavailable' ? 'not' : 'unknown'].add(id)
            },
          )
        }
        const before = numbers(3 * round).map(append)
        await setImmediate()
        const ended = end()
        await Promise.all([...before, ...numbers(10).map((i) => append(100 + i)), ended])
      }
      const session = await store.sessions.get(key, { events: 'all' })
      const there = new Set(session?.events?.map(({ event }) => event.id))
      expect([...told.done].filter((id) => !there.has(id))).toEqual([])
      expect([...told.not].filter((id) => there.has(id))).toEqual([])
      expect(session?.events?.map(({ seq }) => seq)).toEqual(numbers(there.size).map((i) => i + 1))
      expect(new Set(Object.keys(session?.state ?? {}))).toEqual(there)
      expect(threads.length).toBeGreaterThan(6)
      expect(told.done.size).toBeGreaterThan(0)
      expect(told.not.size).toBeGreaterThan(0)
    },
  )
})

describe('the process', () => {
  test('ends by itself though the store is open, and not before its calls are answered', async () => {
    const { stdout, code } = await run(`console.log((await store.events.append(session, { author: 'user' })).revision)`)
    expect({ stdout: stdout.trim(), code }).toEqual({ stdout: '2', code: 0 })
  })

  // Without that the binding would be torn out of the middle of a call, and take the process down with it.
  test('exits only when the thread has come out of the transaction that it is in', async () => {
    const { stderr, code, signal, path } = await run(`
      const { statSync } = await import('node:fs')
      const written = () => statSync(path + '-wal').size
      const before = written()
      for (let n = 0; n < 3; n++) {
        const events = Array.from({ length: 1000 }, (_, i) => ({ id: n + '-' + i, content: 'x'.repeat(10_000) }))
        void store.events.append(session, events)
      }
      await new Promise((resolve) => setImmediate(resolve)) // until they are sent
      while (written() === before); // SQLite writes what does not fit its cache before it commits
      process.exit(3)`)
    expect({ stderr, code, signal }).toEqual({ stderr: '', code: 3, signal: null })
    const [row] = await askClient(`file:${path}`, 'select count(*) as n from daybook_events')
    expect([1_000, 2_000, 3_000]).toContain(row?.['n'])
  })
})
