import { isStoreError } from '@daybook/core'
import { createClient } from '@libsql/client'
import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { drizzle as overClient } from 'drizzle-orm/libsql'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { describe, expect, onTestFinished, test, type TestContext } from 'vitest'
import { createSqliteStore, openSqliteStore } from '../src/index.ts'
import { betterSqliteProblem } from './drivers.ts'

// Appends that come at once share a commit. That nobody can tell by the answers is CON-17; here is what can be counted.

const keyOf = (i: number) => ({ appName: 'shop', userId: `u${i % 3}`, sessionId: `s${i}` })
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)
const codeOf = (error: unknown) => (isStoreError(error) ? error.code : error)

async function newPath() {
  const folder = await mkdtemp(join(tmpdir(), 'group-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'store.db')
}

/** Skips a test where the driver is not built. */
const needsBetterSqlite = ({ skip }: Pick<TestContext, 'skip'>) =>
  skip(betterSqliteProblem !== undefined, betterSqliteProblem)

/** A store over better-sqlite3, and how often it committed; `failing` commits fail. */
async function counted(context: TestContext, options = {}) {
  needsBetterSqlite(context)
  const client = new Database(await newPath())
  client.pragma('journal_mode = WAL')
  const counts = { commits: 0, failing: 0 }
  const exec = client.exec.bind(client)
  client.exec = (text) => {
    if (text !== 'COMMIT') return exec(text)
    if (counts.failing-- > 0) throw Object.assign(new Error('disk'), { code: 'SQLITE_FULL' })
    counts.commits += 1
    return exec(text)
  }
  const store = await createSqliteStore(drizzle({ client }), options)
  onTestFinished(() => store.close().then(() => void client.close()))
  await store.migrate()
  for (const i of numbers(12)) await store.sessions.create(keyOf(i))
  counts.commits = 0
  counts.failing = 0
  return { store, counts }
}

const event = (i: number) => ({ id: `e${i}`, actions: { stateDelta: { [`k${i}`]: i, [`user:k${i}`]: i } } })

test('appends that come at once to many sessions share a commit, and the first one waits for nobody', async (context) => {
  const { store, counts } = await counted(context)
  const first = store.events.append(keyOf(0), event(0))
  expect(counts.commits).toBe(1)
  const others = numbers(23).map((i) => store.events.append(keyOf(i % 12), event(i + 1)))
  expect((await Promise.all([first, ...others])).map(({ events }) => events[0]?.id)).toEqual(
    numbers(24).map((i) => `e${i}`),
  )
  expect(counts.commits).toBe(2)
  for (const i of numbers(12))
    expect((await store.events.list(keyOf(i))).items).toHaveLength(i === 11 ? 1 : i === 0 ? 3 : 2)
})

test('they do so however they come in one turn of the event loop', async (context) => {
  const { store, counts } = await counted(context)
  const append = (i: number) =>
    new Promise((resolve) => {
      setImmediate(() => resolve(store.events.append(keyOf(i), event(i))))
    })
  await Promise.all(numbers(12).map(append))
  expect(counts.commits).toBe(2)
})

test('one after the other, each has its commit', async (context) => {
  const { store, counts } = await counted(context)
  for (const i of numbers(5)) await store.events.append(keyOf(i), event(i))
  expect(counts.commits).toBe(5)
})

test('with groupCommit: false each has its commit', async (context) => {
  const { store, counts } = await counted(context, { groupCommit: false })
  await Promise.all(numbers(12).map((i) => store.events.append(keyOf(i), event(i))))
  expect(counts.commits).toBe(12)
})

test('the bounds hold over sessions', async (context) => {
  const { store, counts } = await counted(context, { groupCommit: { appends: 4 } })
  await Promise.all(numbers(12).map((i) => store.events.append(keyOf(i), event(i))))
  expect(counts.commits).toBe(4) // one, and 11 in three
})

test('a commit that fails is tried again for each, and one that goes on failing is the error of each', async (context) => {
  const { store, counts } = await counted(context)
  const all = () => Promise.all(numbers(4).map((i) => store.events.append(keyOf(i), event(i)).then(() => 'ok', codeOf)))
  counts.failing = 5
  expect(await all()).toEqual(['unavailable', 'unavailable', 'unavailable', 'unavailable'])
  expect((await store.events.list(keyOf(1))).items).toEqual([])
  expect(await all()).toEqual(['ok', 'ok', 'ok', 'ok'])
})

describe('an append that the database refuses in the middle of a group fails alone', () => {
  const refusing = `create trigger refused before insert on daybook_events when new.event_id = 'bad'
    begin select raise(abort, 'no'); end`
  const stores = {
    libsql: async () => {
      const store = await openSqliteStore({ url: `file:${await newPath()}` })
      return { store, run: async (text: string) => void store.db.$client.exec(text) }
    },
    'better-sqlite3': async () => {
      const client = new Database(await newPath())
      client.pragma('journal_mode = WAL')
      onTestFinished(() => void client.close())
      return {
        store: await createSqliteStore(drizzle({ client })),
        run: async (text: string) => void client.exec(text),
      }
    },
    '@libsql/client': async () => {
      const client = createClient({ url: `file:${await newPath()}` })
      onTestFinished(() => client.close())
      await client.execute('pragma journal_mode = wal')
      return {
        store: await createSqliteStore(overClient({ client })),
        run: (text: string) => client.executeMultiple(text),
      }
    },
  }
  for (const [driver, open] of Object.entries(stores)) {
    test(`over ${driver}`, async (context) => {
      if (driver === 'better-sqlite3') needsBetterSqlite(context)
      const { store, run } = await open()
      onTestFinished(() => store.close())
      await store.migrate()
      for (const i of numbers(6)) await store.sessions.create(keyOf(i))
      await run(refusing)
      const outcomes = await Promise.all([
        ...numbers(6).map((i) => store.events.append(keyOf(i), event(i)).then(() => 'ok', codeOf)),
        store.events
          .append(keyOf(2), { id: 'bad', actions: { stateDelta: { bad: 1, 'user:bad': 1 } } })
          .then(() => 'ok', codeOf),
        ...numbers(6).map((i) => store.events.append(keyOf(i), event(i + 6)).then(() => 'ok', codeOf)),
      ])
      expect(outcomes.filter((outcome) => outcome !== 'ok')).toHaveLength(1)
      expect(outcomes[6]).not.toBe('ok')
      for (const i of numbers(6)) {
        const session = await store.sessions.get(keyOf(i), { events: {} })
        expect(session?.events.map(({ seq, event: { id } }) => [seq, id])).toEqual([
          [1, `e${i}`],
          [2, `e${i + 6}`],
        ])
        expect(session?.revision).toBe(3)
        expect(Object.keys(session?.state ?? {})).not.toContain('bad')
        expect(Object.keys(session?.state ?? {})).not.toContain('user:bad')
      }
    })
  }
})
