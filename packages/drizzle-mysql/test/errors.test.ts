import { isStoreError } from '@daybook/core'
import { sql } from 'drizzle-orm'
import { mysqlTable, varchar } from 'drizzle-orm/mysql-core'
import { createConnection, createPool, type RowDataPacket } from 'mysql2/promise'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { failureOf, failuresOf } from '../src/errors.ts'
import { createMysqlStore, openMysqlStore } from '../src/index.ts'
import { drizzleOver, key, needsServer, newPlace, openedStore } from './places.ts'

const failing = (facts: object) =>
  Object.assign(new Error('Failed query: select secret'), { cause: Object.assign(new Error('secret'), facts) })

describe('the error table', () => {
  test.each([
    [{ errno: 1062 }, 'duplicate'],
    [{ errno: 1213 }, 'contention'],
    [{ errno: 1020 }, 'contention'],
    [{ errno: 1205 }, 'locked'],
    [{ errno: 1317 }, 'cancelled'],
    [{ errno: 1040 }, 'connection'],
    [{ errno: -104, code: 'ECONNRESET' }, 'connection'],
    [{ code: 'PROTOCOL_CONNECTION_LOST' }, 'connection'],
    [{ errno: 1045 }, 'login_refused'],
    [{ errno: 1049 }, 'no_database'],
    [{ errno: 1142 }, 'forbidden'],
    [{ errno: 1369 }, 'forbidden'],
    [{ fatal: true }, 'connection'],
    [{ code: 'HANDSHAKE_SSL_ERROR' }, 'untrusted'],
    [{ errno: 1290 }, 'read_only'],
    [{ errno: 1114 }, 'storage'],
    [{ errno: 1153 }, 'too_large'],
    [{ errno: 1146 }, 'missing_schema'],
    [{ errno: 4025, code: 'ER_INNODB_AUTOEXTEND_SIZE_OUT_OF_RANGE' }, 'internal'],
    [{}, 'internal'],
  ])('%j is %s', (facts, kind) => {
    expect(failureOf(failing(facts)).kind).toBe(kind)
  })
})

const kinds = (errno: number) => [
  failuresOf.mysql(failing({ errno })).kind,
  failuresOf.mariadb(failing({ errno })).kind,
]

test('a number that means something else on the other server is not taken for it', () => {
  expect(kinds(3024)).toEqual(['cancelled', 'internal'])
  expect(kinds(1969)).toEqual(['internal', 'cancelled'])
  expect(kinds(4031)).toEqual(['connection', 'internal']) // of MariaDB: a trigger that it does not find
  expect(kinds(1927)).toEqual(['internal', 'connection'])
})

test('a server that is not there is unavailable, and no password is told', async () => {
  const refused = await openMysqlStore({ url: 'mysql://ann:se%63ret@127.0.0.1:9/x' }).catch((error: unknown) => error)
  expect(isStoreError(refused) && refused.code).toBe('unavailable')
  expect(JSON.stringify(refused)).not.toContain('secret')
  await expect(openMysqlStore({ url: 'postgres://x' })).rejects.toMatchObject({ code: 'invalid_argument' })
})

describe('on a server', () => {
  beforeEach(needsServer)

  test('a deadlock with the application is repeated as a whole, and nothing is lost', async () => {
    const { url } = await newPlace()
    const store = await openedStore(url)
    await store.migrate()
    await store.sessions.create(key)
    await store.state.update({ appName: 'shop' }, { set: { n: 0 } })
    const crossing = store.db.transaction(async (tx) => {
      await tx.execute(sql`select * from daybook_app_states where app_name = 'shop' for update`)
      await new Promise((resolve) => setTimeout(resolve, 150))
      await tx.execute(sql`select * from daybook_sessions where session_id = 's1' for update`)
    })
    const appended = store.events.append(key, { id: 'e1', actions: { stateDelta: { 'app:n': 1 } } })
    await Promise.allSettled([crossing])
    expect((await appended).events[0]?.seq).toBe(1)
    expect((await store.state.get({ appName: 'shop' }))?.state).toEqual({ n: 1 })
  })

  test('the application’s row and the event commit or roll back together', async () => {
    const { pool } = await newPlace()
    await pool.query('create table orders (id varchar(20) primary key)')
    const orders = mysqlTable('orders', { id: varchar({ length: 20 }).primaryKey() })
    const db = drizzleOver(pool)
    const store = await createMysqlStore(db)
    await store.migrate()
    await store.sessions.create(key)
    const boom = new RangeError('of the application')
    const failed = store.transaction(async (tx, joined) => {
      await tx.insert(orders).values({ id: 'o1' })
      await joined.events.append(key, { id: 'e1' })
      throw boom
    })
    await expect(failed).rejects.toBe(boom)
    const joined = await db.transaction(async (tx) => {
      const inside = store.using(tx)
      await tx.insert(orders).values({ id: 'o2' })
      await inside.events.append(key, { id: 'e2' })
      return inside
    })
    expect(await db.select().from(orders)).toEqual([{ id: 'o2' }])
    expect((await store.events.list(key)).items.map(({ event }) => event.id)).toEqual(['e2'])
    await expect(joined.events.append(key, { id: 'e3' })).rejects.toMatchObject({ code: 'closed' })
    await store.close()
    expect(await db.select().from(orders)).toHaveLength(1) // what was handed over stays open
  })

  test('a mode in which the driver’s escaping is unsafe is refused', async () => {
    const { pool } = await newPlace()
    pool.on('connection', (connection) => connection.query(`set sql_mode = 'NO_BACKSLASH_ESCAPES'`))
    await expect(createMysqlStore(drizzleOver(pool))).rejects.toMatchObject({ code: 'unsupported' })
  })

  test('a call that is over gives its connection back, though the database still makes it wait', async () => {
    const { url } = await newPlace()
    const store = await openedStore(url, { connectionLimit: 1, lockTimeout: 1_000 })
    await store.migrate()
    await store.sessions.create(key)
    const other = await createConnection(url)
    onTestFinished(() => other.end())
    await other.beginTransaction()
    await other.query('select * from daybook_sessions for update')
    await expect(store.events.append(key, { id: 'late' }, { timeout: 100 })).rejects.toMatchObject({
      code: expect.stringMatching(/timeout|outcome_unknown/) as string,
    })
    // The one connection of the pool is free although the row is still locked.
    expect((await store.sessions.get(key, { timeout: 5_000 }))?.lastSeq).toBe(0)
    expect((await store.health()).pool).toMatchObject({ inUse: 0, waiting: 0 })
    await expect(store.events.append(key, { id: 'busy' })).rejects.toMatchObject({ code: 'busy', retryable: true })
    await other.rollback()
    expect((await store.events.append(key, { id: 'then' })).events[0]?.seq).toBe(1)
  }, 30_000)

  test('a statement that is killed is a timeout, and a connection that is killed costs a read nothing', async () => {
    const { url, pool, rows } = await newPlace()
    const store = await openedStore(url, { connectionLimit: 1 })
    await store.migrate()
    await store.sessions.create(key)
    const idOf = async () => {
      const [[row]] = await store.db.$client.query<RowDataPacket[]>('select connection_id() as id')
      return Number(row?.['id'])
    }
    await pool.query(`kill ${await idOf()}`)
    expect((await store.sessions.get(key))?.sessionId).toBe('s1')

    const other = await createConnection(url)
    onTestFinished(() => other.end())
    await other.beginTransaction()
    await other.query('select * from daybook_sessions for update')
    const id = await idOf()
    const killed = store.events.append(key, { id: 'e1' })
    killed.catch(() => {}) // asserted below
    await expect
      // Not before it waits: while it is still being prepared there is nothing to kill, and it would wait after that.
      .poll(
        async () =>
          rows(
            `select trx_id from information_schema.innodb_trx where trx_mysql_thread_id = ${id} and trx_state = 'LOCK WAIT'`,
          ),
        { interval: 250, timeout: 4_000 }, // what is asked more often than ten times a second shows what was before
      )
      .toHaveLength(1)
    await pool.query(`kill query ${id}`)
    await expect(killed).rejects.toMatchObject({ code: 'timeout' })
    await other.rollback()
    expect((await store.events.list(key)).items).toEqual([])
  }, 30_000)

  test('a pool that has ended is closed', async () => {
    const { url } = await newPlace()
    const pool = createPool(url)
    const store = await createMysqlStore(drizzleOver(pool))
    await store.migrate()
    await pool.end()
    await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'closed' })
    await expect(store.transaction(async () => 1)).rejects.toMatchObject({ code: 'closed' })
  })
})
