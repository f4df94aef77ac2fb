import { StoreError } from '@daybook/core'
import { createPool } from 'mysql2/promise'
import { beforeEach, describe, expect, test } from 'vitest'
import { createMysqlStore } from '../src/index.ts'
import { introspected } from './introspection.ts'
import { drizzleOver, key, needsServer, newPlace, openedStore, type Place } from './places.ts'

beforeEach(needsServer)

test('of many that migrate at once one does it, and all are ready', async () => {
  const { url } = await newPlace()
  const stores = await Promise.all([1, 2, 3, 4, 5].map(() => openedStore(url)))
  const reports = await Promise.all(stores.map((store) => store.migrate()))
  expect(reports.flatMap(({ applied }) => applied)).toEqual([
    '0001',
    '0002',
    '0003',
    '0004',
    '0005',
    '0006',
    '0007',
    '0008',
    '0009',
  ])
  const sessions = await Promise.all(stores.map((store, i) => store.sessions.create({ ...key, sessionId: `s${i}` })))
  expect(sessions).toHaveLength(5)
})

test('a migration waits for another one as long as its call may take, and is no longer in the way after that', async () => {
  const { url, pool, rows } = await newPlace()
  const store = await openedStore(url)
  const other = await pool.getConnection()
  await other.query("select get_lock(sha2(concat(database(), '.daybook_migrations'), 224), 0)")
  await expect(store.migrate({ timeout: 500 })).rejects.toMatchObject({ code: 'timeout' })
  const waiting =
    "select id from information_schema.processlist where db = database() and info like 'select if(get_lock%'"
  await expect.poll(() => rows(waiting)).toEqual([])
  const migrating = store.migrate({ timeout: 25_000 })
  await new Promise((resolve) => setTimeout(resolve, 11_000)) // longer than a large table once was waited for
  other.destroy()
  expect((await migrating).applied).toContain('0001')
})

test('a migration that was interrupted between two of its tables is completed by the next', async () => {
  const { url, pool, rows } = await newPlace()
  const store = await openedStore(url)
  const { sql = [] } = await store.migrate({ dryRun: true })
  // What a process leaves that dies half-way: its record, and some of the tables, each of them committed.
  await pool.query(sql[0] ?? '')
  const { migrationRecord } = await recordOf()
  await pool.query('insert into daybook_migrations set ?', [migrationRecord])
  await pool.query(sql[1] ?? '')
  await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
  expect((await store.migrate()).applied).toEqual([
    '0001',
    '0002',
    '0003',
    '0004',
    '0005',
    '0006',
    '0007',
    '0008',
    '0009',
  ])
  expect((await store.migrate()).applied).toEqual([])
  expect((await store.sessions.create(key)).revision).toBe(1)
  const [record] = await rows('select applied_at from daybook_migrations')
  expect(Number(record?.['applied_at'])).toBeGreaterThan(0)
})

test('columns that an interrupted migration had added already are not added again', async () => {
  const { url, pool, rows } = await newPlace()
  await (await openedStore(url)).migrate()
  await pool.query('drop view daybook_artifacts_v1, daybook_memories_v1')
  await pool.query('drop table daybook_memories, daybook_memory_words, daybook_metrics')
  await pool.query('drop table daybook_artifact_versions, daybook_artifact_chunks, daybook_artifacts')
  await pool.query("delete from daybook_migrations where id > '0003'")
  await pool.query("update daybook_migrations set applied_at = 0 where id = '0003'")
  const store = await openedStore(url)
  await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
  expect((await store.migrate()).applied).toEqual(['0003', '0004', '0005', '0006', '0007', '0008', '0009'])
  const [columns] = await rows(
    `select count(*) as count from information_schema.columns where table_schema = database() and table_name = 'daybook_sessions' and column_name like 'lease%'`,
  )
  expect(Number(columns?.['count'])).toBe(3)
})

/** What a migration records before it begins, taken from one that was complete. */
async function recordOf() {
  const { url, rows } = await newPlace()
  await (await openedStore(url)).migrate()
  const [record] = await rows('select * from daybook_migrations')
  return { migrationRecord: { ...record, applied_at: 0 } }
}

test('a table that somebody else made is not taken for ours', async () => {
  const { url, pool, rows } = await newPlace()
  await pool.query('create table daybook_events (id int primary key)')
  const store = await openedStore(url)
  await expect(store.migrate()).rejects.toMatchObject({ code: 'schema_mismatch' })
  expect(
    await rows(
      `select table_name from information_schema.tables where table_schema = database() and table_name = 'daybook_sessions'`,
    ),
  ).toEqual([])
})

test('a changed checksum and a newer schema are refused, and nothing is touched', async () => {
  const { url, pool } = await newPlace()
  await (await openedStore(url)).migrate()
  await pool.query(`insert into daybook_migrations values ('9999', 'later', 'x', 1, '9.0.0')`)
  const store = await openedStore(url)
  await expect(store.migrate()).rejects.toBeInstanceOf(StoreError)
  await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
  await pool.query(`delete from daybook_migrations where id = '9999'`)
  await pool.query(`update daybook_migrations set checksum = 'x'`)
  await expect((await openedStore(url)).migrate()).rejects.toMatchObject({ code: 'schema_mismatch' })
})

test('the lock of a migration is given back, also when it failed', async () => {
  const { url, pool, rows } = await newPlace()
  await pool.query('create table daybook_events (id int primary key)')
  const store = await openedStore(url, { connectionLimit: 1 })
  await expect(store.migrate()).rejects.toMatchObject({ code: 'schema_mismatch' })
  const [lock] = await rows(`select is_used_lock(sha2(concat(database(), '.daybook_migrations'), 224)) as holder`)
  expect(lock?.['holder']).toBeNull()
})

/** Migrates, and has the connection killed and the pool ended before the statement of that number, as if the process had died. */
async function migratedUntil({ url, pool: admin }: Place, died: number): Promise<unknown> {
  const pool = createPool({ uri: url, connectionLimit: 1 })
  const store = await createMysqlStore(drizzleOver(pool))
  const connection = await pool.getConnection()
  const core = connection.connection as unknown as { query: (...given: unknown[]) => unknown; threadId: number } // the one under its promises
  const send = core.query.bind(core)
  let sent = 0
  const dieAt = async (...given: unknown[]) => {
    await admin.query(`kill ${core.threadId}`)
    pool.end().catch(() => {}) // its connection is dead
    send(...given)
  }
  core.query = (...given) => (++sent === died ? void dieAt(...given) : send(...given))
  connection.release()
  const outcome = await store.migrate().then(
    () => 'complete',
    (error: unknown) => (error instanceof StoreError ? error.code : error),
  )
  pool.end().catch(() => {}) // as above
  return outcome
}

test(
  'a process that dies before any statement of a migration leaves what the next one completes',
  { timeout: 180_000 },
  async () => {
    const whole = await newPlace()
    await (await openedStore(whole.url)).migrate()
    const expected = await introspected(whole)
    let died = 1
    for (; ; died++) {
      const place = await newPlace()
      const outcome = await migratedUntil(place, died)
      if (outcome === 'complete') break
      expect(['unavailable', 'closed', 'outcome_unknown']).toContain(outcome)
      const next = await openedStore(place.url, { connectionLimit: 1 })
      await next.migrate()
      expect((await next.migrate()).applied).toEqual([])
      expect(await introspected(place)).toEqual(expected)
      expect((await next.sessions.create(key)).revision).toBe(1)
    }
    expect(died).toBeGreaterThan(10) // begin, lock, tables, record, commit
  },
)

describe('tables that were changed so that promises would break are refused, and what is wrong is named', () => {
  test.for([
    [
      'alter table daybook_sessions modify user_id varchar(191) character set utf8mb4 collate utf8mb4_general_ci not null',
      'daybook_sessions.user_id has the collation utf8mb4_general_ci',
    ],
    ['alter table daybook_events modify author text character set utf8mb3', 'daybook_events.author has the c'],
    [
      'alter table daybook_events modify payload longtext character set latin1 not null',
      'daybook_events.payload has the character set latin1',
    ],
    [
      'alter table daybook_events drop foreign key daybook_events_session',
      'no foreign keys; open the store with foreignKeys: false',
    ],
    ['alter table daybook_app_states engine = MyISAM', 'daybook_app_states is in MyISAM'],
  ] as const)('%s', async ([change, named]) => {
    const { url, pool } = await newPlace()
    await (await openedStore(url)).migrate()
    await pool.query(change)
    const store = await openedStore(url)
    await expect(store.sessions.get(key)).rejects.toMatchObject({
      code: 'schema_mismatch',
      message: expect.stringContaining(named) as string,
    })
  })
})

describe('without foreign keys', () => {
  test('nothing is left behind of sessions that are deleted, pruned or erased', async () => {
    const { url, rows, pool } = await newPlace()
    const store = await openedStore(url, { foreignKeys: false })
    await store.migrate()
    expect(store.capabilities.foreignKeys).toBe('no')
    for (const [userId, sessionId] of [
      ['ann', 's1'],
      ['ann', 's2'],
      ['bob', 's1'],
    ] as const) {
      await store.sessions.create({ appName: 'shop', userId, sessionId })
      await store.events.append({ appName: 'shop', userId, sessionId }, [{ id: 'a' }, { id: 'b' }])
    }
    const events = async () => Number((await rows('select count(*) as n from daybook_events'))[0]?.['n'])
    expect(await store.sessions.delete(key)).toBe(true)
    expect(await events()).toBe(4)
    await store.erase({ appName: 'shop', userId: 'bob' })
    expect(await events()).toBe(2)
    await store.sessions.prune({ appName: 'shop', before: Date.now() + 60_000 })
    expect(await events()).toBe(0)
    // That there are none is a fact.
    await pool.query(
      `insert into daybook_events (sid, seq, event_id, timestamp, payload) values (999, 1, 'x', 0, '{}')`,
    )
    expect(await events()).toBe(1)
  })

  test('many appends and a deletion at once leave no orphan', async () => {
    const { url, rows } = await newPlace()
    const store = await openedStore(url, { foreignKeys: false, connectionLimit: 8 })
    await store.migrate()
    for (let round = 0; round < 10; round++) {
      await store.sessions.create(key)
      const appends = Array.from({ length: 8 }, (_, i) => store.events.append(key, { id: `e${i}` }))
      await Promise.allSettled([...appends.slice(0, 4), store.sessions.delete(key), ...appends.slice(4)])
    }
    expect(await rows('select * from daybook_events')).toEqual([])
  })
})

async function withRole(rights: string) {
  const place = await newPlace()
  const { pathname } = new URL(place.url)
  const user = pathname.slice(1, 30)
  await place.pool.query(`create user ?@'%' identified by 'app'`, [user])
  await place.pool.query(`grant ${rights} on ${pathname.slice(1)}.* to ?@'%'`, [user])
  return { ...place, user, appUrl: Object.assign(new URL(place.url), { username: user, password: 'app' }).href }
}

describe('a role without rights to change the schema', () => {
  test('runs everything after the migration, and is told so by migrate()', async () => {
    const { url, appUrl, pool, user } = await withRole('select, insert, update, delete')
    const app = await openedStore(appUrl)
    await expect(app.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
    await expect(app.migrate()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('lacks a right') as string,
    })
    await (await openedStore(url)).migrate()
    await app.sessions.create(key)
    await app.events.append(key, { id: 'e1', actions: { stateDelta: { 'app:n': 1, 'user:n': 2, n: 3 } } })
    expect((await app.sessions.get(key))?.state).toEqual({ 'app:n': 1, 'user:n': 2, n: 3 })
    expect(await app.sessions.delete(key)).toBe(true)
    await pool.query(`drop user ?@'%'`, [user])
  })

  test('may be one that only reads', async () => {
    const { url, appUrl, pool, user } = await withRole('select')
    const store = await openedStore(url)
    await store.migrate()
    await store.sessions.create(key)
    const reader = await openedStore(appUrl)
    expect((await reader.sessions.get(key))?.sessionId).toBe('s1')
    await expect(reader.events.append(key, { id: 'e1' })).rejects.toMatchObject({
      code: 'unavailable',
      retryable: false,
    })
    await pool.query(`drop user ?@'%'`, [user])
  })
})

test('a column of the name of one of ours that no record tells of is not taken for it', async () => {
  const { url, pool } = await newPlace()
  const store = await openedStore(url)
  await store.migrate()
  const { sql: [create = ''] = [] } = await store.indexStatePath(['region'], 'string', { dryRun: true })
  const name = /`(daybook_sessions_p_\w+)`/.exec(create)?.[1] ?? ''
  await pool.query(`alter table daybook_sessions add column ${name} varchar(20), add index ${name} (${name})`)
  const refused = { code: 'schema_mismatch', message: expect.stringContaining(name) as string }
  await expect(store.indexStatePath(['region'], 'string')).rejects.toMatchObject(refused)
  expect(await store.dropStatePathIndex(['region'], 'string')).toBe(true)
  expect((await store.indexStatePath(['region'], 'string')).applied).toHaveLength(1)
})
