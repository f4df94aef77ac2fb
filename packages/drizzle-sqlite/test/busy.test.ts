import { createSqliteStore, openSqliteStore } from '@daybook/drizzle-sqlite'
import { createClient } from '@libsql/client'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/libsql'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createClientLock } from '../src/client-lock.ts'
import { failureOf } from '../src/errors.ts'
import { createFile, driverNames, missingDrivers, openFile } from './drivers.ts'
import { key, newPath } from './places.ts'
import { startChild } from './processes.ts'

const drivers = driverNames.map((driver) => ({ driver, missing: missingDrivers[driver] }))
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

/** What another process sees. */
async function seenBy(path: string) {
  await using other = startChild()
  await other.call('open', { driver: 'sqlite', path })
  return await other.call('read', key)
}

/** A store on a client that the application keeps. */
async function over(path: string, busyTimeout: number) {
  await createFile('libsql-client', path)
  const client = createClient({ url: `file:${path}` })
  const db = drizzle({ client })
  const store = await createSqliteStore(db, { busyTimeout })
  await store.migrate()
  await store.sessions.create(key)
  return { client, db, store }
}

describe('several processes write', () => {
  test.for(drivers)(
    '$driver: a lock held for longer than busyTimeout is busy, in time, while the event loop goes on; nothing is lost after it',
    { timeout: 30_000 },
    async ({ driver, missing }, { skip }) => {
      skip(missing !== undefined, missing)
      const path = newPath()
      await createFile(driver, path)
      const store = await openFile[driver](path, { busyTimeout: 400 })
      await store.migrate()
      await store.sessions.create(key)
      await using holder = startChild()
      await holder.call('hold', path)

      let ticks = 0
      const timer = setInterval(() => ticks++, 10)
      const begun = performance.now()
      const outcomes = await Promise.allSettled([
        store.events.append(key, { id: 'refused' }),
        store.sessions.create({ ...key, sessionId: 'refused' }),
        store.state.update({ appName: 'shop' }, { set: { refused: true } }),
      ])
      const took = performance.now() - begun
      clearInterval(timer)
      expect(outcomes).toMatchObject(
        outcomes.map(() => ({ status: 'rejected', reason: { code: 'busy', retryable: true } })),
      )
      expect(took).toBeGreaterThan(350)
      expect(took).toBeLessThan(2_500)
      expect(ticks).toBeGreaterThan(took / 10 / 4)
      expect(await store.sessions.get(key), 'readers do not wait').toMatchObject({ lastSeq: 0 })

      const waits = store.events.append(key, { id: 'waited' })
      await holder.call('release')
      await waits
      for (const i of numbers(5)) await store.events.append(key, { id: `after${i}` })
      await store.sessions.update(key, { set: { after: true } })
      await store.close()
      expect(await seenBy(path)).toEqual(
        ['waited', ...numbers(5).map((i) => `after${i}`)].map((id, i) => ({ seq: i + 1, id })),
      )
    },
  )

  test.for(drivers)(
    '$driver: three processes append to one session at once: every append is there, seq without a gap',
    { timeout: 30_000 },
    async ({ driver, missing }, { skip }) => {
      skip(missing !== undefined, missing)
      const path = newPath()
      await createFile(driver, path)
      const store = await openFile[driver](path)
      await store.migrate()
      await store.sessions.create(key)
      const children = numbers(3).map(() => startChild())
      await Promise.all(children.map((child) => child.call('open', { driver, path })))
      await Promise.all(children.map((child, i) => child.call('append', key, `p${i}-`, 60)))
      await Promise.all(children.map((child) => child.kill()))
      const session = await store.sessions.get(key, { events: 'all' })
      expect(session).toMatchObject({ lastSeq: 180, revision: 181 })
      expect(session?.events?.map(({ seq }) => seq)).toEqual(numbers(180).map((i) => i + 1))
      expect(Object.keys(session?.state ?? {})).toHaveLength(180)
      await store.close()
    },
  )

  test.for(drivers)(
    '$driver: a process that is killed while it appends loses nothing that it had acknowledged',
    { timeout: 30_000 },
    async ({ driver, missing }, { skip }) => {
      skip(missing !== undefined, missing)
      const path = newPath()
      await createFile(driver, path)
      const store = await openFile[driver](path)
      await store.migrate()
      await store.sessions.create(key)
      const child = startChild()
      await child.call('open', { driver, path })
      const appends = child.call('append', key, 'e', 100_000).catch(() => {})
      while (child.acknowledged.length < 50) await wait(5)
      await child.kill()
      await appends
      const events = (await store.sessions.get(key, { events: 'all' }))?.events ?? []
      const known = child.acknowledged.length
      expect(known).toBeGreaterThanOrEqual(50)
      expect(events.slice(0, known)).toMatchObject(child.acknowledged.map((id, i) => ({ seq: i + 1, event: { id } })))
      expect(events.length - known, 'committed, but not yet acknowledged').toBeLessThan(events.length)
      await store.events.append(key, { id: 'next' })
      expect(await store.events.get(key, 'next')).toMatchObject({ seq: events.length + 1 })
      await store.close()
    },
  )
})

describe('what SQLITE_BUSY does to connections of @libsql/client', () => {
  test('store.transaction is busy in time, enters its body no time, and what is written afterwards is there', async () => {
    const path = newPath()
    const { client, store } = await over(path, 200)
    await using holder = startChild()
    await holder.call('hold', path)
    let entered = 0
    const body = async (_tx: unknown, inside: Pick<typeof store, 'events'>) => {
      entered++
      await inside.events.append(key, { id: `t${entered}` })
    }
    await expect(store.transaction(body)).rejects.toMatchObject({ code: 'busy' })
    expect(entered).toBe(0)
    await holder.call('release')
    await store.transaction(body)
    for (const i of numbers(3)) await store.events.append(key, { id: `a${i}` })
    expect(await seenBy(path)).toMatchObject([{ id: 't1' }, { id: 'a0' }, { id: 'a1' }, { id: 'a2' }])
    client.close()
  })

  test('a transaction of the application on the same client stays whole while the store waits for it', async () => {
    const path = newPath()
    const { client, db, store } = await over(path, 5_000)
    await db.run(sql`create table application (id text primary key)`)
    let waiting: Promise<unknown> = Promise.resolve()
    await db.transaction(async (tx) => {
      await tx.run(sql`insert into application (id) values ('first')`)
      waiting = Promise.all([
        store.events.append(key, { id: 'outside' }),
        store.sessions.update(key, { set: { outside: true } }),
      ])
      await wait(100)
      await store.using(tx).events.append(key, { id: 'inside' })
      await tx.run(sql`insert into application (id) values ('second')`)
    })
    await waiting
    expect(await db.all(sql`select id from application`)).toHaveLength(2)
    expect(await seenBy(path)).toMatchObject([{ id: 'inside' }, { id: 'outside' }])
    client.close()
  })

  test('a BUSY that the application met on the same client takes nothing from the store', async () => {
    const path = newPath()
    const { client, db, store } = await over(path, 2_000)
    await using holder = startChild()
    await holder.call('hold', path)
    await expect(db.transaction(async () => {})).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
    await holder.call('release')
    for (const i of numbers(3)) await store.events.append(key, { id: `a${i}` })
    await store.transaction(async (_tx, inside) => inside.events.append(key, { id: 'a3' }))
    expect(await seenBy(path)).toMatchObject([{ id: 'a0' }, { id: 'a1' }, { id: 'a2' }, { id: 'a3' }])
    client.close()
  })

  test('a reader whose connection a writer had to replace begins anew', async () => {
    const path = newPath()
    const { client, store } = await over(path, 5_000)
    const lock = createClientLock(client, { isMemory: false, journalMode: 'wal' })
    let attempts = 0
    const read = () =>
      lock.read(async () => {
        attempts++
        const transaction = await client.transaction('read')
        await transaction.execute('select 1')
        if (attempts === 1)
          await lock
            .write(() => Promise.reject(Object.assign(new Error('as a driver says it'), { code: 'SQLITE_BUSY' })), {
              onOver: () => () => {},
            })
            .catch(() => {})
        const { rows } = await transaction.execute('select session_id as id from daybook_sessions')
        await transaction.commit()
        return rows
      })
    const refused = await read().catch((error: unknown) => failureOf(error))
    expect(refused, 'what the engine repeats').toEqual({
      kind: 'connection',
      driverCode: 'DAYBOOK_CONNECTION_REPLACED',
    })
    expect(await read()).toEqual([{ id: 's1' }])
    await store.events.append(key, { id: 'e1' })
    expect(await seenBy(path)).toMatchObject([{ id: 'e1' }])
    client.close()
  })

  test('without WAL a commit waits for a reader of another process, and is there afterwards', async () => {
    const path = newPath()
    const client = createClient({ url: `file:${path}` })
    const store = await createSqliteStore(drizzle({ client }), { busyTimeout: 300 })
    await store.migrate()
    await store.sessions.create(key)
    const reader = createClient({ url: `file:${path}` })
    const reading = await reader.transaction('read')
    await reading.execute('select count(*) from daybook_sessions')
    await expect(store.events.append(key, { id: 'refused' })).rejects.toMatchObject({ code: 'busy' })
    await reading.rollback()
    reader.close()
    const reads = numbers(5).map(() => store.sessions.get(key, { events: 'all' }))
    for (const i of numbers(3)) await store.events.append(key, { id: `a${i}` })
    await Promise.all(reads)
    expect(await seenBy(path)).toMatchObject([{ id: 'a0' }, { id: 'a1' }, { id: 'a2' }])
    client.close()
  })
})

describe('settings of the connection that writes', () => {
  test.for(['full', 'normal', 'extra', 'off'] as const)(
    'synchronous %s is what health says, and what the connection has',
    async (synchronous) => {
      await using store = await openSqliteStore({
        url: `file:${newPath()}`,
        pragmas: { synchronous, cacheSize: -4_000, mmapSize: 1_048_576 },
      })
      await store.migrate()
      const { settings, warnings } = await store.health({ deep: true })
      expect(settings).toMatchObject({ synchronous, journal_mode: 'wal', foreign_keys: 'on' })
      expect(warnings).toHaveLength(synchronous === 'normal' || synchronous === 'off' ? 1 : 0)
      // `db` and the store share their one connection: inside the store's own transaction it is the one that writes.
      // oxlint-disable-next-line require-yield -- Drizzle's part of a script needs none
      const inside = await store.transaction(function* (tx) {
        return tx.get<{ level: number; cache: number; foreign: number }>(
          sql`select synchronous as level, (select cache_size from pragma_cache_size) as cache, (select foreign_keys from pragma_foreign_keys) as "foreign" from pragma_synchronous`,
        )
      })
      expect(inside).toEqual({
        level: ['off', 'normal', 'full', 'extra'].indexOf(synchronous),
        cache: -4_000,
        foreign: 1,
      })
    },
  )

  test('foreign keys are enforced on the connection that writes', async () => {
    await using store = await openSqliteStore({ url: `file:${newPath()}` })
    await store.migrate()
    const orphan = () =>
      store.db.run(
        sql`insert into daybook_events (sid, seq, event_id, timestamp, payload) values (99, 1, 'orphan', 0, '{}')`,
      )
    expect(orphan).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' }) }),
    )
  })
})
