import { sql } from 'drizzle-orm'
import { createPool } from 'mysql2/promise'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createMysqlStore } from '../src/index.ts'
import { drizzleOver, key, needsServer, newPlace, openedStore, type Place } from './places.ts'

beforeEach(needsServer)

/** What others than this pool run on the database. */
const running = (place: Place) =>
  place.rows(`select id, command, state, info from information_schema.processlist
    where db = database() and command <> 'Sleep' and id <> connection_id()`)

async function handedOver(place: Place) {
  const pool = createPool({ uri: place.url, connectionLimit: 1, charset: 'utf8mb4', jsonStrings: true })
  onTestFinished(() => pool.end())
  return createMysqlStore(drizzleOver(pool))
}

/** Holds locks in a transaction of its own until the test has ended. */
async function holding(place: Place, ...statements: readonly string[]) {
  const connection = await place.pool.getConnection()
  for (const statement of statements) await connection.query(statement)
  onTestFinished(async () => {
    await connection.query('unlock tables')
    await connection.query('rollback')
    connection.release()
  })
}

describe.each([
  ['opened', (place: Place) => openedStore(place.url, { connectionLimit: 1, lockTimeout: 60_000 })],
  ['handed over', handedOver],
] as const)('on a pool that was %s', (_name, storeOn) => {
  async function prepared() {
    const place = await newPlace()
    const store = await storeOn(place)
    await store.migrate()
    await store.sessions.create(key)
    return { place, store }
  }

  test('a read that nobody waits for any more ends on the server', async () => {
    const { place, store } = await prepared()
    await holding(place, 'lock tables daybook_sessions write, daybook_events write, daybook_migrations write')
    const read = store.sessions.get(key, { timeout: 300 })
    await expect.poll(() => running(place)).toMatchObject([{ state: /metadata lock/ }])
    await expect(read).rejects.toMatchObject({ code: 'timeout' })
    await expect.poll(() => running(place), { timeout: 2_000 }).toEqual([])
  })

  test('a write that was aborted while it waited for a lock ends, and keeps none', async () => {
    const { place, store } = await prepared()
    await store.state.update({ appName: 'shop' }, { set: { a: 1 } })
    await holding(place, 'start transaction', 'select * from daybook_app_states for update')
    const giveUp = new AbortController()
    // It has the session's lock already when it waits for the app's; a key that no path has takes the script.
    const actions = { stateDelta: { 'app:-a': 2 } }
    const write = store.events.append(key, { id: 'e1', author: 'a', actions }, { signal: giveUp.signal })
    const locked = async () => (await running(place)).length
    await expect.poll(locked).toBe(1)
    giveUp.abort()
    await expect(write).rejects.toMatchObject({ code: 'aborted' })
    await expect.poll(locked, { timeout: 2_000 }).toBe(0)
    await store.sessions.update(key, { set: { free: true } }, { timeout: 1_000 })
  })

  test('a statement of the application in a transaction of the store ends with the call', async () => {
    const { place, store } = await prepared()
    const late = store.transaction((tx) => tx.execute(sql`select sleep(30)`), { timeout: 300 })
    await expect(late).rejects.toMatchObject({ code: 'timeout' })
    await expect.poll(() => running(place), { timeout: 2_000 }).toEqual([])
    expect((await store.sessions.get(key))?.revision).toBe(1)
  })
})
