import { setTimeout as wait } from 'node:timers/promises'
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { Store } from '@daybook/core'
import { openProxy as openFaults } from '../../conformance/src/faults.ts'
import { createPgStore, openPgStore } from '../src/index.ts'
import { topicOf } from '../src/announcement.ts'
import { client, key, migratedStore, nodePool, openStore } from './places.ts'
import { freshName, needsServer, serverEndpoint, urlWith } from './server.ts'

beforeEach(needsServer)

/** A tail that looks by itself only after a minute, and what it has seen. */
function tailing(store: Store, sessionKey = key) {
  const left = new AbortController()
  const seen: string[] = []
  const listen = async () => {
    const options = { pollInterval: 60_000, signal: left.signal }
    for await (const { event } of store.events.tail(sessionKey, options)) seen.push(event.id)
  }
  const ended = listen()
  const end = async () => {
    left.abort()
    await ended
  }
  onTestFinished(end)
  return { seen, end, ended }
}

/** Two stores over one schema, and who is connected for the first. */
async function pair() {
  const applicationName = freshName()
  const store = await migratedStore({ applicationName, idleTimeout: 1 })
  await store.sessions.create(key)
  const other = await openStore({ schema: store.schema })
  const admin = client()
  const listeners = async () =>
    (
      await admin`
        select pid from pg_stat_activity where application_name = ${applicationName}
        and pid in (select pid from pg_locks where locktype = 'advisory' and mode = 'ShareLock')`
    ).map((row) => Number(row['pid']))
  const connections = async () =>
    Number(
      (await admin`select count(*) as n from pg_stat_activity where application_name = ${applicationName}`)[0]?.['n'],
    )
  return { store, other, admin, listeners, connections }
}

const soon = { timeout: 8_000 }

test('a tail is woken by an append of somebody else, over one connection that is there while somebody tails', async () => {
  const { store, other, listeners, connections } = await pair()
  expect(store.capabilities.liveNotify).toBe('yes')
  expect(await listeners()).toEqual([])
  await store.sessions.create({ ...key, sessionId: 's2' })
  const [first, second] = [tailing(store), tailing(store, { ...key, sessionId: 's2' })]
  await expect.poll(listeners, soon).toHaveLength(1)
  await wait(300) // polling would be slower than that now
  await other.events.append(key, { id: 'e1' })
  await expect.poll(() => first.seen, { timeout: 2_000, interval: 10 }).toEqual(['e1'])
  await other.events.append({ ...key, sessionId: 's2' }, [{ id: 'e1' }, { id: 'e2' }])
  await expect.poll(() => second.seen, { timeout: 2_000, interval: 10 }).toEqual(['e1', 'e2'])
  expect(first.seen).toEqual(['e1'])
  await first.end()
  await second.end()
  await expect.poll(listeners, soon).toEqual([])
  tailing(store)
  await expect.poll(listeners, soon).toHaveLength(1)
  await store.close()
  await expect.poll(connections, soon).toBe(0)
})

test('a tail survives the death of its listener, again and again, and misses nothing', async () => {
  const { store, other, admin, listeners } = await pair()
  const { seen } = tailing(store)
  const appended: string[] = []
  for (let i = 0; i < 4; i++) {
    await expect.poll(listeners, soon).toHaveLength(1)
    const [pid = 0] = await listeners()
    await admin`select pg_terminate_backend(${pid})`
    for (const id of [`a${i}`, `b${i}`]) {
      await other.events.append(key, { id })
      appended.push(id)
    }
    await expect.poll(() => seen, soon).toEqual(appended)
  }
})

test('connections that listened leave nothing behind in the store', async () => {
  const warnings: string[] = []
  const hear = ({ message }: Error) => warnings.push(message)
  process.on('warning', hear)
  onTestFinished(() => void process.off('warning', hear))
  const { store, listeners } = await pair()
  for (let turn = 0; turn < 12; turn += 1) {
    const { end } = tailing(store)
    await expect.poll(listeners, { ...soon, interval: 10 }).toHaveLength(1)
    await end()
    await expect.poll(listeners, { ...soon, interval: 10 }).toEqual([])
  }
  expect(warnings, 'such as of more than ten listeners for one signal').toEqual([])
})

test('a tail ends when somebody else deletes the session', async () => {
  const { store, other, listeners } = await pair()
  const { ended } = tailing(store)
  await expect.poll(listeners, soon).toHaveLength(1)
  await wait(200)
  await other.sessions.delete(key)
  const isOver = await Promise.race([ended.then(() => true), wait(2_500).then(() => false)])
  expect(isOver).toBe(true)
})

test('what was not announced comes with the next look, in order', async () => {
  const { store, listeners } = await pair()
  const silent = await openStore({ schema: store.schema, notify: false })
  expect(silent.capabilities.liveNotify).toBe('no')
  const { seen } = tailing(store)
  await expect.poll(listeners, soon).toHaveLength(1)
  await wait(200)
  await silent.events.append(key, { id: 'e1' })
  await wait(200)
  expect(seen).toEqual([])
  await store.events.append(key, { id: 'e2' })
  await expect.poll(() => seen, soon).toEqual(['e1', 'e2'])
})

/** What a stranger hears on the channel. */
async function heard(): Promise<string[]> {
  const sql = client({ max: 1 })
  const payloads: string[] = []
  await sql.listen('daybook', (payload) => payloads.push(payload))
  return payloads
}

/** A session of a user of its own, for others listen on the same channel. */
async function own() {
  const places = await pair()
  const mine = { ...key, userId: freshName() }
  await places.store.sessions.create(mine)
  const payloads = await heard()
  return { ...places, mine, count: () => payloads.filter((payload) => payload === topicOf(mine)).length }
}

describe('an append', () => {
  test('is announced only while somebody listens, by a number that says nothing', async () => {
    const { store, other, mine, count, listeners } = await own()
    await other.events.append(mine, { id: 'e1' })
    await other.events.append({ ...mine, sessionId: 's1' }, { id: 'e1' }) // the script's way: it is there already
    await wait(100)
    expect(count()).toBe(0)
    const { seen } = tailing(store, mine)
    await expect.poll(listeners, soon).toHaveLength(1)
    await other.events.append(mine, { id: 'e2' })
    await expect.poll(count, soon).toBe(1)
    await expect.poll(() => seen, soon).toEqual(['e1', 'e2'])
    expect(topicOf(mine)).toMatch(/^-?\d+$/)
  })

  test('of a transaction is announced when that commits, and not when it is rolled back', async () => {
    const { store, other, mine, count, listeners } = await own()
    const { seen } = tailing(store, mine)
    await expect.poll(listeners, soon).toHaveLength(1)
    const undone = other.transaction(async (_tx, inside) => {
      await inside.events.append(mine, { id: 'undone' })
      throw new RangeError('back')
    })
    await expect(undone).rejects.toThrow(RangeError)
    await other.transaction(async (_tx, inside) => {
      await inside.events.append(mine, { id: 'e1' })
      await wait(100)
      expect([count(), seen]).toEqual([0, []])
    })
    await expect.poll(() => seen, soon).toEqual(['e1'])
    expect(count()).toBe(1)
  })
})

test('over a pool that was handed over a tail has a connection of its own, and closing the store ends that only', async () => {
  const { store: migrated, other } = await pair()
  const applicationName = freshName()
  const pool = nodePool({ max: 1, application_name: applicationName })
  const store = await createPgStore(drizzleNode({ client: pool }), { schema: migrated.schema })
  expect(store.capabilities.liveNotify).toBe('yes')
  const { seen } = tailing(store)
  const admin = client()
  const connections = async () =>
    Number(
      (await admin`select count(*) as n from pg_stat_activity where application_name = ${applicationName}`)[0]?.['n'],
    )
  await expect.poll(connections, soon).toBe(2)
  await other.events.append(key, { id: 'e1' })
  await expect.poll(() => seen, soon).toEqual(['e1'])
  await store.close()
  await expect.poll(connections, soon).toBe(1)
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('close() does not wait for a connection that has gone silent, idle or in the midst of a question', async () => {
  const { schema } = await migratedStore()
  const proxy = await openFaults(serverEndpoint, undefined)
  onTestFinished(() => proxy.close())
  const store = await openPgStore({ url: urlWith({ host: `${proxy.endpoint.host}:${proxy.endpoint.port}` }), schema })
  await store.sessions.create(key)
  const listens = proxy.connections
  const first = tailing(store)
  await expect.poll(() => proxy.connections, soon).toBeGreaterThan(listens)
  await wait(500)
  proxy.mute()
  const second = tailing(store, { ...key, sessionId: 's2' }) // asks for its lock, and hears nothing
  await wait(200)
  const begun = performance.now()
  const closing = store.close()
  await Promise.allSettled([first.end(), second.end()])
  await closing
  expect(performance.now() - begun).toBeLessThan(9_000) // the pool has 5 s for its own
}, 30_000)
