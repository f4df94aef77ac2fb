import { sql } from 'drizzle-orm'
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres'
import { drizzle } from 'drizzle-orm/postgres-js'
import { Client } from 'pg'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { JoinedStore } from '@daybook/drizzle'
import { createPgStore, type PgExecutor } from '../src/index.ts'
import { driverNames, place, type Place } from './drivers.ts'
import { client, key, migratedStore, nodePool } from './places.ts'
import { needsServer, serverUrl } from './server.ts'

beforeEach(needsServer)

type Body = (tx: PgExecutor, store: JoinedStore) => Promise<void>

/** The two ways to commit together. */
const ways: Record<string, ({ db, store }: Place, body: Body) => Promise<void>> = {
  'store.transaction': ({ store }, body) => store.transaction(body),
  'using(tx)': ({ db, store }, body) => db.transaction((tx) => body(tx, store.using(tx))),
}
const cases = driverNames.flatMap((driver) => Object.entries(ways).map(([way, begin]) => ({ driver, way, begin })))
const slow = { timeout: 40_000 } // PGlite takes seconds to start

describe.for(cases)('$way over $driver', slow, ({ driver, begin }) => {
  test('commits the application’s row and the agent’s event together', async () => {
    const here = await place(driver)
    await here.store.sessions.create(key)
    await begin(here, async (tx, store) => {
      await here.order(tx, 'o1')
      await store.events.append(key, { id: 'e1', actions: { stateDelta: { paid: true } } })
      expect((await store.sessions.get(key, { events: 'all' }))?.state).toEqual({ paid: true })
    })
    expect(await here.written(key)).toEqual({ orders: ['o1'], events: ['e1'] })
  })

  test('rolls both back when the body throws, and the error comes out as it was', async () => {
    const here = await place(driver)
    await here.store.sessions.create(key)
    const error = new TypeError('the application changed its mind')
    const failing = begin(here, async (tx, store) => {
      await here.order(tx, 'o1')
      await store.events.append(key, { id: 'e1' })
      throw error
    })
    await expect(failing).rejects.toBe(error)
    expect(await here.written(key)).toEqual({ orders: [], events: [] })
  })

  test('is over for its store when it ends, however it ends', async () => {
    const here = await place(driver)
    await here.store.sessions.create(key)
    const kept: JoinedStore[] = []
    await begin(here, async (_tx, store) => {
      kept.push(store)
      await store.events.append(key, { id: 'e1' })
    })
    await begin(here, async (_tx, store) => {
      kept.push(store)
      await store.sessions.get(key)
      throw new TypeError('away')
    }).catch(() => {})
    await begin(here, async (_tx, store) => void kept.push(store))
    expect(kept).toHaveLength(3)
    for (const store of kept) {
      await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'closed' })
      await expect(store.events.append(key, { id: 'late' })).rejects.toMatchObject({ code: 'closed' })
    }
    expect((await here.written(key)).events).toEqual(['e1'])
  })

  test('goes on after what is refused inside it', async () => {
    const here = await place(driver)
    await here.store.sessions.create(key)
    await here.store.events.append(key, { id: 'e1', author: 'ann' })
    await begin(here, async (tx, store) => {
      await expect(store.sessions.create(key)).rejects.toMatchObject({ code: 'already_exists' })
      await expect(store.events.append(key, { id: 'e1', author: 'bob' })).rejects.toMatchObject({ code: 'conflict' })
      await expect(store.events.append({ ...key, sessionId: 'none' }, { id: 'x' })).rejects.toMatchObject({
        code: 'not_found',
      })
      await expect(store.events.append(key, { id: 'x' }, { expectedRevision: 9 })).rejects.toMatchObject({
        code: 'conflict',
      })
      expect((await store.events.append(key, { id: 'e1', author: 'ann' })).events[0]?.duplicate).toBe(true)
      await store.events.append(key, { id: 'e2' })
      await here.order(tx, 'o1')
    })
    expect(await here.written(key)).toEqual({ orders: ['o1'], events: ['e1', 'e2'] })
  })

  test('lets calls made at once take turns', async () => {
    const here = await place(driver)
    await here.store.sessions.create(key)
    const ids = Array.from({ length: 12 }, (_, i) => `e${i}`)
    await begin(here, async (tx, store) => {
      await Promise.all([
        ...ids.map((id) => store.events.append(key, { id, actions: { stateDelta: { [id]: 1, 'user:n': id } } })),
        here.order(tx, 'o1'),
      ])
    })
    expect((await here.written(key)).events.toSorted()).toEqual(ids.toSorted())
    expect((await here.store.state.get({ appName: 'shop', userId: 'ann' }))?.revision).toBe(12)
  })

  test('closes nothing that was handed over', async () => {
    const here = await place(driver)
    await begin(here, async (_tx, store) => void (await store.sessions.create(key)))
    await here.store.close()
    await expect(here.store.sessions.get(key)).rejects.toMatchObject({ code: 'closed' })
    await expect(here.store.transaction(async () => {})).rejects.toMatchObject({ code: 'closed' })
    await expect(here.db.execute(sql`select 1`)).resolves.toBeDefined()
    expect((await (await createPgStore(here.db, { schema: here.schema })).sessions.get(key))?.sessionId).toBe('s1')
  })
})

describe.for(cases.filter(({ driver }) => driver !== 'PGlite'))('$way over $driver', ({ driver, begin }) => {
  test('is seen by others after its commit, and not before', async () => {
    const here = await place(driver)
    await here.store.sessions.create(key)
    await begin(here, async (tx, store) => {
      await here.order(tx, 'o1')
      await store.events.append(key, { id: 'e1' })
      expect(await here.written(key)).toEqual({ orders: [], events: [] })
    })
    expect(await here.written(key)).toEqual({ orders: ['o1'], events: ['e1'] })
  })

  test('with a pool of one, the store outside of it runs out of time instead of hanging', async () => {
    const here = await place(driver, { max: 1 })
    await here.store.sessions.create(key)
    await begin(here, async (tx, store) => {
      await store.events.append(key, { id: 'e1' })
      await expect(here.store.sessions.get(key, { timeout: 150 })).rejects.toMatchObject({ code: 'timeout' })
      await expect(here.store.sessions.create({ ...key, sessionId: 's2' }, { timeout: 150 })).rejects.toMatchObject({
        code: 'timeout',
      })
      await expect(here.store.transaction(async () => expect.unreachable(), { timeout: 150 })).rejects.toMatchObject({
        code: 'timeout',
      })
      await here.order(tx, 'o1')
    })
    expect(await here.written(key)).toEqual({ orders: ['o1'], events: ['e1'] })
    expect(await here.store.sessions.count({ appName: 'shop' })).toBe(1)
  })
})

describe.for(driverNames.map((driver) => ({ driver })))('over $driver', slow, ({ driver }) => {
  test('a statement that failed and was caught does not pass for a commit, and the body runs once', async () => {
    const here = await place(driver)
    await here.store.sessions.create(key)
    let runs = 0
    const swallowing = here.store.transaction(async (tx, store) => {
      runs++
      await store.events.append(key, { id: 'e1' })
      await tx.execute(sql`select 1 / 0`).then(undefined, () => {}) // as an application that goes on would
    })
    await expect(swallowing).rejects.toMatchObject({ name: 'StoreError', code: 'internal' })
    expect([runs, await here.written(key)]).toEqual([1, { orders: [], events: [] }])
  })

  test('a commit that a key of the application refuses is a conflict, and the body runs once', async () => {
    const here = await place(driver)
    await here.store.sessions.create(key)
    let runs = 0
    const twice = here.store.transaction(async (tx, store) => {
      runs++
      await store.events.append(key, { id: 'e1' })
      await here.order(tx, 'same')
      await here.order(tx, 'same')
    })
    await expect(twice).rejects.toMatchObject({ code: 'conflict', facts: { driverCode: '23505' } })
    expect([runs, await here.written(key)]).toEqual([1, { orders: [], events: [] }])
  })

  test('several may join one transaction, also inside a savepoint that is rolled back', async () => {
    const here = await place(driver)
    await here.store.sessions.create(key)
    await here.db.transaction(async (tx) => {
      const [first, second] = [here.store.using(tx), here.store.using(tx)]
      await first.events.append(key, { id: 'e1' })
      await second.events.append(key, { id: 'e2' })
      const nested = tx as typeof tx & Pick<typeof here.db, 'transaction'> // Drizzle's transactions have it
      const savepoint = nested.transaction(async (inner) => {
        await here.store.using(inner).events.append(key, { id: 'undone' })
        throw new RangeError('back to the savepoint')
      })
      await expect(savepoint).rejects.toThrow(RangeError)
      await first.events.append(key, { id: 'e3' })
      await here.store.using(tx).events.append(key, { id: 'e4' })
    })
    expect((await here.written(key)).events).toEqual(['e1', 'e2', 'e3', 'e4'])
  })

  test('a store whose first call was undone with its savepoint goes on in the transaction, and ends with it', async () => {
    const here = await place(driver)
    await here.store.sessions.create(key)
    const kept: JoinedStore[] = []
    await here.db.transaction(async (tx) => {
      const [first, second] = [here.store.using(tx), here.store.using(tx)]
      kept.push(first, second)
      const nested = tx as typeof tx & Pick<typeof here.db, 'transaction'> // Drizzle's transactions have it
      const savepoint = nested.transaction(async (inner) => {
        const third = here.store.using(inner)
        kept.push(third)
        await first.events.append(key, { id: 'undone' })
        await third.events.append(key, { id: 'undone too' })
        throw new RangeError('back to the savepoint')
      })
      await expect(savepoint).rejects.toThrow(RangeError)
      await first.events.append(key, { id: 'e1' })
      await second.events.append(key, { id: 'e2' })
      await nested.transaction(async (inner) => void (await here.store.using(inner).events.append(key, { id: 'e3' })))
      await first.events.append(key, { id: 'e4' })
    })
    expect((await here.written(key)).events).toEqual(['e1', 'e2', 'e3', 'e4'])
    await here.db.transaction(async () => {
      for (const store of kept)
        await expect(store.events.append(key, { id: 'late' })).rejects.toMatchObject({ code: 'closed' })
    })
    expect((await here.written(key)).events).toEqual(['e1', 'e2', 'e3', 'e4'])
  })
})

test('a body that answers Drizzle’s builder is a body like others', async () => {
  const { schema } = await migratedStore()
  const store = await createPgStore(drizzle({ client: client() }), { schema })
  await store.sessions.create(key)
  const { sessions } = store.tables
  expect(await store.transaction((tx) => tx.select({ id: sessions.sessionId }).from(sessions))).toEqual([{ id: 's1' }])
  await expect(store.transaction((tx) => tx.execute(sql`select 1 / 0`))).rejects.toMatchObject({
    cause: { code: '22012' },
  })
})

test('a single connection of node-postgres is refused, and what to hand over is named', async () => {
  const connection = new Client({ connectionString: serverUrl })
  await connection.connect()
  onTestFinished(() => connection.end())
  await expect(createPgStore(drizzleNode({ client: connection }))).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('Pool') as string,
    facts: { capability: 'driver' },
  })
  const pool = nodePool()
  const lent = await pool.connect()
  onTestFinished(() => lent.release())
  await expect(createPgStore(drizzleNode({ client: lent }))).rejects.toMatchObject({ code: 'unsupported' })
})

test(
  'over PGlite what the store writes waits for a transaction of the application, and outlives its rollback',
  slow,
  async () => {
    const here = await place('PGlite')
    await here.store.sessions.create(key)
    const writing: Promise<unknown>[] = []
    const rolledBack = here.db.transaction(async (tx) => {
      await here.order(tx, 'undone')
      writing.push(
        here.store.events.append(key, { id: 'e1' }),
        here.store.sessions.update(key, { set: { a: 1 } }),
        here.store.transaction((_tx, store) => store.events.append(key, { id: 'e2' })),
      )
      await new Promise((resolve) => setTimeout(resolve, 100))
      await here.order(tx, 'undone too')
      throw new RangeError('away')
    })
    await expect(rolledBack).rejects.toThrow(RangeError)
    await Promise.all(writing)
    expect(await here.written(key)).toEqual({ orders: [], events: ['e1', 'e2'] })
    expect((await here.store.sessions.get(key))?.state).toEqual({ a: 1 })
  },
)

test('a store that joined a transaction is closed with the store that it came from', slow, async () => {
  const here = await place('node-postgres')
  await here.store.sessions.create(key)
  await here.db.transaction(async (tx) => {
    const joined = here.store.using(tx)
    await joined.events.append(key, { id: 'e1' })
    await here.store.close()
    await expect(joined.events.append(key, { id: 'e2' })).rejects.toMatchObject({ code: 'closed' })
  })
})
