import { StoreError } from '@daybook/core'
import { createSqliteStore, openSqliteStore } from '@daybook/drizzle-sqlite'
import type { Script, ScriptStore } from '@daybook/drizzle'
import { createClient } from '@libsql/client'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/libsql'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { describe, expect, test } from 'vitest'
import { betterDatabase, betterSqliteProblem, createFile } from './drivers.ts'
import { key, newPath } from './places.ts'
import { startChild } from './processes.ts'

const orders = sqliteTable('orders', { id: text().primaryKey(), paid: integer({ mode: 'boolean' }).notNull() })
const createOrders = sql`create table orders (id text primary key, paid integer not null)`

async function openedFile() {
  const store = await openSqliteStore({ url: `file:${newPath()}` })
  await store.migrate()
  await store.sessions.create(key)
  store.db.run(createOrders)
  return store
}

describe('a store that opened its file: the body is a script', () => {
  test('rows of the application and events commit together', async () => {
    await using store = await openedFile()
    const answer = await store.transaction(function* (tx, inside) {
      tx.insert(orders).values({ id: 'o1', paid: true }).run()
      const { revision } = yield* inside.events.append(key, { id: 'e1', actions: { stateDelta: { order: 'o1' } } })
      const session = yield* inside.sessions.get(key)
      return { revision, state: session?.state }
    })
    expect(answer).toEqual({ revision: 2, state: { order: 'o1' } })
    expect(store.db.select().from(orders).all()).toEqual([{ id: 'o1', paid: true }])
  })

  test('an error of the body undoes both and comes out as it is, also from a nested transaction of Drizzle', async () => {
    await using store = await openedFile()
    const original = new RangeError('out of stock')
    const failing = store.transaction(function* (tx, inside) {
      tx.insert(orders).values({ id: 'o1', paid: false }).run()
      yield* inside.events.append(key, { id: 'e1' })
      throw original
    })
    await expect(failing).rejects.toBe(original)
    await store.transaction(function* (tx, inside) {
      expect(() =>
        tx.transaction((nested) => {
          nested.insert(orders).values({ id: 'nested', paid: false }).run()
          throw original
        }),
      ).toThrow(original)
      tx.insert(orders).values({ id: 'kept', paid: false }).run()
      yield* inside.events.append(key, { id: 'e2' })
    })
    expect(store.db.select({ id: orders.id }).from(orders).all()).toEqual([{ id: 'kept' }])
    expect((await store.events.list(key)).items.map(({ event }) => event.id)).toEqual(['e2'])
  })

  test('an error of the store inside can be caught, and the rest commits', async () => {
    await using store = await openedFile()
    const code = await store.transaction(function* (_tx, inside): Script<unknown> {
      yield* inside.events.append(key, { id: 'e1', author: 'a' })
      try {
        yield* inside.events.append(key, { id: 'e1', author: 'b' })
        return 'accepted'
      } catch (error) {
        return error instanceof Error && 'code' in error && error.code
      }
    })
    expect(code).toBe('conflict')
    expect(await store.sessions.get(key)).toMatchObject({ lastSeq: 1 })
  })

  test('a script that escapes its transaction is closed', async () => {
    await using store = await openedFile()
    let escaped: ScriptStore | undefined
    let script: Script<unknown> | undefined
    await store.transaction(function* (_tx, inside) {
      escaped = inside
      yield* inside.sessions.get(key)
    })
    const leaking = store.transaction(function* (_tx, inside) {
      yield* inside.sessions.get(key)
      script = inside.events.append(key, { id: 'late' })
    })
    await expect(leaking).rejects.toMatchObject({ code: 'invalid_argument', facts: { field: 'events.append' } })
    expect(() => script?.next()).toThrow(expect.objectContaining({ code: 'closed' }))
    expect(() => escaped?.events.append(key, { id: 'later' }).next()).toThrow(
      expect.objectContaining({ code: 'closed' }),
    )
    expect(await store.sessions.get(key)).toMatchObject({ lastSeq: 0 })
  })

  test('a body that is no script, or awaits, is refused and undone', async () => {
    await using store = await openedFile()
    type Body = Parameters<typeof store.transaction>[0]
    for (const body of [async () => {}, async function* () {}, () => 1]) {
      const refused = store.transaction(body as unknown as Body) // the types refuse it already
      await expect(refused).rejects.toMatchObject({ code: 'invalid_argument', facts: { field: 'body' } })
    }
    await store.events.append(key, { id: 'e1' })
    expect(await store.sessions.get(key)).toMatchObject({ lastSeq: 1 })
  })

  test('a tail is woken by the commit', async () => {
    await using store = await openedFile()
    const tail = store.events.tail(key)[Symbol.asyncIterator]()
    const next = tail.next()
    await store.transaction(function* (_tx, inside) {
      yield* inside.events.append(key, { id: 'e1' })
    })
    expect((await next).value).toMatchObject({ seq: 1 })
    await tail.return?.()
  })
})

describe('better-sqlite3 handed over', () => {
  test('a transaction that the application left open is never joined: the store waits, then is busy', async ({
    skip,
  }) => {
    skip(betterSqliteProblem !== undefined, betterSqliteProblem)
    const { drizzle: drizzleBetter } = await import('drizzle-orm/better-sqlite3')
    const client = await betterDatabase(newPath())
    const store = await createSqliteStore(drizzleBetter({ client }), { busyTimeout: 150 })
    await store.migrate()
    await store.sessions.create(key)
    client.exec('BEGIN')
    await expect(store.events.append(key, { id: 'e1' })).rejects.toMatchObject({ code: 'busy' })
    await expect(store.sessions.get(key), 'a read would see what is not committed').rejects.toMatchObject({
      code: 'busy',
    })
    await expect(store.transaction(function* () {})).rejects.toMatchObject({ code: 'busy' })
    expect(client.inTransaction).toBe(true)
    const waits = store.events.append(key, { id: 'e2' })
    setTimeout(() => client.exec('ROLLBACK'), 50)
    await waits
    expect(await store.sessions.get(key, { events: 'all' })).toMatchObject({ events: [{ event: { id: 'e2' } }] })
    client.close()
  })
})

async function overClient(path: string) {
  await createFile('libsql-client', path)
  const client = createClient({ url: `file:${path}` })
  const store = await createSqliteStore(drizzle({ client }))
  await store.migrate()
  await store.sessions.create(key)
  await store.db.run(createOrders)
  return { client, store }
}

describe('@libsql/client handed over: the body is asynchronous', () => {
  test('both commit, or both are undone with the original error; the store inside is closed afterwards', async () => {
    const { client, store } = await overClient(newPath())
    const joined = await store.transaction(async (tx, inside) => {
      await tx.insert(orders).values({ id: 'o1', paid: true })
      await inside.events.append(key, { id: 'e1' })
      return [inside]
    })
    const original = new RangeError('out of stock')
    const failing = store.transaction(async (tx, inside) => {
      await tx.insert(orders).values({ id: 'o2', paid: true })
      await inside.events.append(key, { id: 'e2' })
      throw original
    })
    await expect(failing).rejects.toBe(original)
    expect(await store.db.select().from(orders)).toEqual([{ id: 'o1', paid: true }])
    expect(await store.sessions.get(key)).toMatchObject({ lastSeq: 1 })
    await expect(joined[0]?.events.append(key, { id: 'late' })).rejects.toMatchObject({ code: 'closed' })
    client.close()
  })

  test('a body that answers a builder of Drizzle, or what `run` gives: its error comes out as it is', async () => {
    const { client, store } = await overClient(newPath())
    const order = { id: 'o1', paid: true }
    await store.transaction((tx) => tx.insert(orders).values(order))
    const failing = [
      store.transaction((tx) => tx.insert(orders).values(order)),
      store.transaction((tx) => tx.run(sql`insert into orders values ('o1', 1)`)),
      store.transaction((tx) => tx.run(sql`insert into nowhere values (1)`)),
    ]
    const seen = (await Promise.allSettled(failing)).map((one) => (one.status === 'rejected' ? one.reason : undefined))
    expect(seen.filter((error) => error instanceof StoreError)).toEqual([])
    expect(seen).toEqual([
      expect.objectContaining({ cause: expect.objectContaining({ code: 'SQLITE_CONSTRAINT' }) }),
      expect.objectContaining({ cause: expect.objectContaining({ code: 'SQLITE_CONSTRAINT' }) }),
      expect.objectContaining({ cause: expect.objectContaining({ code: 'SQLITE_ERROR' }) }),
    ])
    expect(await store.db.select().from(orders)).toEqual([order])
    await store.events.append(key, { id: 'e1' })
    client.close()
  })

  test('writers of the store wait for it, and so do other transactions', async () => {
    const { client, store } = await overClient(newPath())
    const order: string[] = []
    const first = store.transaction(async (_tx, inside) => {
      await inside.events.append(key, { id: 'in1' })
      await new Promise((resolve) => setTimeout(resolve, 50))
      await inside.events.append(key, { id: 'in2' })
      order.push('first')
    })
    const second = store.transaction(async (_tx, inside) => {
      await inside.events.append(key, { id: 'second' })
      order.push('second')
    })
    const outside = store.events.append(key, { id: 'outside' }).then(() => order.push('outside'))
    await Promise.all([first, second, outside])
    expect(order).toEqual(['first', 'second', 'outside'])
    expect((await store.events.list(key)).items.map(({ event }) => event.id)).toEqual([
      'in1',
      'in2',
      'second',
      'outside',
    ])
    client.close()
  })

  test('a lock of another process is waited for before the body is entered, once', async () => {
    const path = newPath()
    const { client, store } = await overClient(path)
    await using holder = startChild()
    await holder.call('hold', path)
    let entered = 0
    const waiting = store.transaction(async (_tx, inside) => {
      entered++
      await inside.events.append(key, { id: 'e1' })
    })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(entered).toBe(0)
    await holder.call('release')
    await waiting
    expect(entered).toBe(1)
    client.close()
  })

  test('in memory: calls that are made while a transaction is open wait for it', async () => {
    const client = createClient({ url: ':memory:' })
    const store = await createSqliteStore(drizzle({ client }))
    await store.migrate()
    await store.sessions.create(key)
    let outside: Promise<unknown> = Promise.resolve()
    await store.transaction(async (_tx, inside) => {
      outside = Promise.all([store.events.append(key, { id: 'outside' }), store.sessions.get(key, { events: 'all' })])
      await inside.events.append(key, { id: 'inside' })
    })
    await outside
    expect((await store.events.list(key)).items.map(({ event }) => event.id)).toEqual(['inside', 'outside'])
    client.close()
  })
})
