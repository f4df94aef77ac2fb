import { getTableName, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/mysql2'
import { createConnection, createPool, type RowDataPacket } from 'mysql2/promise'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openProxy as openFaults } from '../../conformance/src/faults.ts'
import { createMysqlStore } from '../src/index.ts'
import { daybookTables } from '../src/schema.ts'
import { drizzleOver, key, needsServer, newPlace, openedStore, type Place } from './places.ts'

beforeEach(needsServer)

/** A store over a pool of the application's, and a session in it. */
async function placed(connectionLimit = 4) {
  const place = await newPlace()
  const pool = createPool({ uri: place.url, connectionLimit })
  onTestFinished(() => pool.end())
  const db = drizzleOver(pool)
  const store = await createMysqlStore(db)
  await store.migrate()
  await store.sessions.create(key)
  await place.pool.query('create table orders (id varchar(20) primary key)')
  return { ...place, pool, db, store }
}

const ids = async ({ rows }: Place) =>
  (await rows('select event_id as id from daybook_events order by seq')).map(({ id }) => String(id))
const ordersIn = async ({ rows }: Place) =>
  (await rows('select id from orders order by id')).map(({ id }) => String(id))

/** Beyond 2^53 in microseconds, of which there is an odd number: a number of the driver's is rounded. */
const late = 9_100_000_000_000 + 13 / 512
const alsoLate = 9_100_000_000_000 + 12 / 512

test.each([{}, { supportBigNumbers: true }, { supportBigNumbers: true, bigNumberStrings: true }])(
  'a pool with %o answers the times of late sessions as they are, in a transaction too',
  async (numbers) => {
    const place = await newPlace()
    const pool = createPool({ uri: place.url, ...numbers })
    onTestFinished(() => pool.end())
    const db = drizzleOver(pool)
    const store = await createMysqlStore(db)
    await store.migrate()
    await store.sessions.create(key)
    await store.sessions.create({ ...key, sessionId: 'earlier' })
    await store.events.append(key, { id: 'e1', timestamp: late })
    await store.events.append({ ...key, sessionId: 'earlier' }, { id: 'e1', timestamp: alsoLate })
    const timesOf = async ({ sessions }: Pick<typeof store, 'sessions'>) => {
      const times: number[] = []
      const { appName, userId } = key
      for (let cursor: string | undefined; times.length < 2;) {
        const { items, nextCursor } = await sessions.list({
          appName,
          userId,
          limit: 1,
          ...(cursor !== undefined && { cursor }),
        })
        times.push(...items.map(({ lastEventAt }) => lastEventAt))
        cursor = nextCursor
      }
      return times
    }
    expect(await timesOf(store)).toEqual([late, alsoLate])
    expect(await db.transaction((tx) => timesOf(store.using(tx)))).toEqual([late, alsoLate])
  },
)

describe('a store that joined a transaction', () => {
  test('knows its transaction from the next one on the same connection', async () => {
    const place = await placed(1) // so that it is the same
    const { db, store } = place
    const first = await db.transaction(async (tx) => {
      const joined = store.using(tx)
      await joined.events.append(key, { id: 'e1' })
      return joined
    })
    await db.transaction(async (tx) => {
      await tx.execute(sql`insert into orders values ('o1')`)
      await expect(first.events.append(key, { id: 'stray' })).rejects.toMatchObject({ code: 'closed' })
      await store.using(tx).events.append(key, { id: 'e2' })
    })
    expect(await ids(place)).toEqual(['e1', 'e2'])
  })

  test('also if it made its first call only then', async () => {
    const place = await placed(1)
    const { db, store } = place
    const unused = await db.transaction(async (tx) => store.using(tx))
    await db.transaction(async () => {
      await expect(unused.events.append(key, { id: 'stray' })).rejects.toMatchObject({ code: 'closed' })
    })
    expect(await ids(place)).toEqual([])
  })

  test('is closed by a COMMIT that the application sends, and by DDL, which commits', async () => {
    const place = await placed()
    for (const statement of ['commit', 'rollback', 'create table made (id int primary key)']) {
      await place.db.transaction(async (tx) => {
        const joined = place.store.using(tx)
        await joined.events.list(key)
        await tx.execute(sql.raw(statement))
        await expect(joined.events.append(key, { id: 'stray' })).rejects.toMatchObject({ code: 'closed' })
      })
    }
    expect(await ids(place)).toEqual([])
  })

  test('goes on after a savepoint of the application was rolled back, its own calls in there undone', async () => {
    const place = await placed()
    await place.db.transaction(async (tx) => {
      const joined = place.store.using(tx)
      const undone = tx.transaction(async () => {
        await joined.events.append(key, { id: 'undone' })
        throw new RangeError('of the application')
      })
      await expect(undone).rejects.toThrow('of the application')
      await joined.events.append(key, { id: 'kept' })
    })
    expect(await ids(place)).toEqual(['kept'])
  })

  test('tells a role without special rights the same', async () => {
    const place = await placed()
    const [user] = [`u${Date.now() % 1e9}`]
    await place.pool.query("create user ?@'%' identified by 'app'", [user])
    const tables = Object.values(daybookTables()).map((table) => getTableName(table))
    for (const table of tables)
      await place.pool.query(`grant select, insert, update, delete on ${table} to ?@'%'`, [user])
    const pool = createPool({
      uri: Object.assign(new URL(place.url), { username: user, password: 'app' }).href,
      connectionLimit: 1,
    })
    const db = drizzleOver(pool)
    const store = await createMysqlStore(db)
    const joined = await db.transaction(async (tx) => {
      const inside = store.using(tx)
      await inside.events.append(key, { id: 'e1' })
      return inside
    })
    await expect(joined.events.append(key, { id: 'e2' })).rejects.toMatchObject({ code: 'closed' })
    await pool.end()
    await place.pool.query("drop user ?@'%'", [user])
  })
})

describe('store.transaction', () => {
  test('refuses to call a transaction committed that was over before: by DDL, or by a deadlock that the body caught', async () => {
    const place = await placed()
    const ddl = place.store.transaction(async (tx) => {
      await tx.execute(sql`insert into orders values ('o1')`)
      await tx.execute(sql`create table made (id int primary key)`)
    })
    await expect(ddl).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('over before') as string,
    })

    await place.pool.query(`insert into orders values ('a'), ('b')`)
    const other = await createConnection(place.url)
    onTestFinished(() => other.end())
    await other.query('set innodb_lock_wait_timeout = 20')
    await other.beginTransaction()
    await other.query(`select * from orders where id = 'b' for update`)
    // Heavy, so that the server gives up the other side, which has changed nothing yet.
    await other.query(
      `insert into orders select concat('x', seq.n) from (select 1 as n union all select 2 union all select 3) as seq`,
    )
    const caught = place.store.transaction(async (tx, inside) => {
      await tx.execute(sql`select * from orders where id = 'a' for update`)
      const crossing = other.query(`select * from orders where id = 'a' for update`)
      crossing.catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 100))
      const lost = await tx.execute(sql`select * from orders where id = 'b' for update`).then(
        () => false,
        () => true,
      )
      expect(lost).toBe(true)
      await expect(inside.events.append(key, { id: 'stray' })).rejects.toMatchObject({ code: 'closed' })
      await crossing
    })
    await expect(caught).rejects.toMatchObject({ code: 'internal' })
    await other.rollback()
    expect(await ids(place)).toEqual([])
  })

  test('keeps nothing of a call that waited too long for a lock, and can go on', async () => {
    const place = await placed()
    const other = await createConnection(place.url)
    onTestFinished(() => other.end())
    await other.beginTransaction()
    await other.query(`select * from daybook_sessions for update`)
    await place.store.transaction(async (tx, inside) => {
      await tx.execute(sql`set innodb_lock_wait_timeout = 1`)
      await tx.execute(sql`insert into orders values ('o1')`)
      await expect(inside.events.append(key, { id: 'e1' })).rejects.toMatchObject({ code: 'busy', retryable: true })
      await other.rollback()
      await inside.events.append(key, { id: 'e2' })
    })
    expect([await ids(place), await ordersIn(place)]).toEqual([['e2'], ['o1']])
  })

  test('lets others create sessions meanwhile, which see the state of the app as it was before', async () => {
    const { store } = await placed()
    await store.events.append(key, { actions: { stateDelta: { 'app:n': 1 } } })
    const created = await store.transaction(async (_tx, joined) => {
      await joined.events.append(key, { actions: { stateDelta: { 'app:n': 2, 'user:n': 2 } } })
      return store.sessions.create({ ...key, sessionId: 's2' }, { timeout: 5000 })
    })
    expect(created.state).toEqual({ 'app:n': 1 })
  })

  test('that loses its connection is unavailable, and nothing is kept', async () => {
    const place = await placed()
    const lost = place.store.transaction(async (tx, inside) => {
      await inside.events.append(key, { id: 'e1' })
      const [[row]] = (await tx.execute(sql`select connection_id() as id`)) as unknown as [RowDataPacket[]]
      await place.rows(`kill ${Number(row?.['id'])}`)
      await inside.events.append(key, { id: 'e2' })
    })
    await expect(lost).rejects.toMatchObject({ code: 'unavailable' })
    expect(await ids(place)).toEqual([])
    expect((await place.store.events.append(key, { id: 'e3' })).events[0]?.seq).toBe(1)
  })

  test('with a pool of one, the store outside of it runs out of time instead of hanging', async () => {
    const { url } = await placed()
    const store = await openedStore(url, { connectionLimit: 1 })
    await store.transaction(async () => {
      const outside = store.sessions.get(key, { timeout: 200 })
      await expect(outside).rejects.toMatchObject({
        code: 'timeout',
        message: expect.stringContaining('1 connections') as string,
      })
    })
    expect((await store.sessions.get(key))?.sessionId).toBe('s1')
  })
})

describe('the pool gets back what a transaction took', () => {
  test('a connection that goes silent in it is closed with the call, which ends in its time', async () => {
    const place = await placed()
    const { hostname, port } = new URL(place.url)
    const proxy = await openFaults({ host: hostname, port: Number(port) }, undefined)
    onTestFinished(() => proxy.close())
    const url = Object.assign(new URL(place.url), { hostname: proxy.endpoint.host, port: String(proxy.endpoint.port) })
    const store = await openedStore(url.href, { connectionLimit: 1 })
    const silent = store.transaction(
      async (_tx, inside) => {
        await inside.events.append(key, { id: 'e1' })
        proxy.mute()
        await inside.events.append(key, { id: 'e2' })
      },
      { timeout: 600 },
    )
    const begun = performance.now()
    await expect(silent).rejects.toMatchObject({ code: 'timeout' })
    expect(performance.now() - begun).toBeLessThan(3_000)
    await expect.poll(() => proxy.connections, { timeout: 3_000 }).toBe(0)
    await proxy.mend()
    await store.transaction((_tx, inside) => inside.events.append(key, { id: 'e3' }))
    expect(await ids(place)).toEqual(['e3'])
  })

  test('a connection on which it could not begin is not kept', async () => {
    const { pool, store, db } = await placed(1)
    for (const turn of [1, 2]) {
      const left = await pool.getConnection()
      await left.query('start transaction') // by an application that forgot it
      left.release()
      const refused = store.transaction(async () => {})
      await expect(refused, `turn ${turn}`).rejects.toMatchObject({ code: 'internal' })
    }
    await db.execute(sql`select 1`)
    expect((await store.sessions.get(key, { timeout: 2_000 }))?.lastSeq).toBe(0)
    expect((await store.health()).pool).toMatchObject({ inUse: 0, waiting: 0 })
  })
})

describe('what cannot be a store’s database is refused by name', () => {
  test('one connection instead of a pool', async () => {
    const { url } = await newPlace()
    const connection = await createConnection(url)
    onTestFinished(() => connection.end())
    await expect(createMysqlStore(drizzle({ client: connection }))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('pool') as string,
    })
  })

  test('connections without autocommit, whose reads would stay in yesterday', async () => {
    const { pool } = await newPlace()
    pool.on('connection', (connection) => void connection.query('set autocommit = 0'))
    await expect(createMysqlStore(drizzleOver(pool))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('autocommit') as string,
    })
  })

  test('a database whose connections have none selected', async () => {
    const { url } = await newPlace()
    const pool = createPool(Object.assign(new URL(url), { pathname: '/' }).href)
    onTestFinished(() => pool.end())
    await expect(createMysqlStore(drizzleOver(pool))).rejects.toMatchObject({
      code: 'invalid_argument',
      facts: { field: 'database' },
    })
  })
})
