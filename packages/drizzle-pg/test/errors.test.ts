import type { ErrorCode } from '@daybook/core'
import { storeErrorOf } from '@daybook/drizzle'
import { DrizzleQueryError, sql } from 'drizzle-orm'
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres'
import { drizzle as drizzleProxy } from 'drizzle-orm/pg-proxy'
import { drizzle } from 'drizzle-orm/postgres-js'
import { Pool } from 'pg'
import type { Sql } from 'postgres'
import { beforeEach, describe, expect, test } from 'vitest'
import { createPgStore, type PgDatabase } from '../src/index.ts'
import { errorKinds, failureOf } from '../src/errors.ts'
import { client, key, migratedStore, nodePool } from './places.ts'
import { openProxy } from './proxy.ts'
import { needsServer, serverUrl } from './server.ts'

/** What each code of the server, the drivers and Node means to a caller. */
const meanings: Record<string, { code: ErrorCode; retryable: boolean }> = {
  '23505': { code: 'busy', retryable: true }, // where the engine makes nothing better of it
  '40001': { code: 'busy', retryable: true },
  '40P01': { code: 'busy', retryable: true },
  '55P03': { code: 'busy', retryable: true },
  '57014': { code: 'timeout', retryable: true },
  '57P01': { code: 'unavailable', retryable: true },
  '57P02': { code: 'unavailable', retryable: true },
  '57P03': { code: 'unavailable', retryable: true },
  '57P05': { code: 'unavailable', retryable: true },
  '25P03': { code: 'unavailable', retryable: true },
  '53300': { code: 'unavailable', retryable: true },
  '08006': { code: 'unavailable', retryable: true },
  '08P01': { code: 'unavailable', retryable: true },
  '40003': { code: 'unavailable', retryable: true },
  '25006': { code: 'unavailable', retryable: false },
  '28000': { code: 'unavailable', retryable: false },
  '28P01': { code: 'unavailable', retryable: false },
  '3D000': { code: 'unavailable', retryable: false },
  '42501': { code: 'unavailable', retryable: false },
  '26000': { code: 'unavailable', retryable: false },
  '42P05': { code: 'unavailable', retryable: false },
  '53100': { code: 'unavailable', retryable: true },
  '58030': { code: 'unavailable', retryable: true },
  XX001: { code: 'corrupt', retryable: false },
  XX002: { code: 'corrupt', retryable: false },
  '22001': { code: 'limit_exceeded', retryable: false },
  '54000': { code: 'limit_exceeded', retryable: false },
  '42P01': { code: 'schema_mismatch', retryable: false },
  '42703': { code: 'schema_mismatch', retryable: false },
  '3F000': { code: 'schema_mismatch', retryable: false },
  CONNECTION_CLOSED: { code: 'unavailable', retryable: true },
  CONNECTION_DESTROYED: { code: 'unavailable', retryable: true },
  CONNECT_TIMEOUT: { code: 'unavailable', retryable: true },
  CONNECTION_ENDED: { code: 'closed', retryable: false },
  ECONNREFUSED: { code: 'unavailable', retryable: true },
  ECONNRESET: { code: 'unavailable', retryable: true },
  EPIPE: { code: 'unavailable', retryable: true },
  ETIMEDOUT: { code: 'unavailable', retryable: true },
  EHOSTUNREACH: { code: 'unavailable', retryable: true },
  ENETUNREACH: { code: 'unavailable', retryable: true },
  EAI_AGAIN: { code: 'unavailable', retryable: true },
  DAYBOOK_CONNECTION_LOST: { code: 'unavailable', retryable: true },
  DAYBOOK_POOL_ENDED: { code: 'closed', retryable: false },
  ENOTFOUND: { code: 'unavailable', retryable: false },
  ENOENT: { code: 'unavailable', retryable: true },
  CERT_HAS_EXPIRED: { code: 'unavailable', retryable: false },
  CERT_NOT_YET_VALID: { code: 'unavailable', retryable: false },
  CERT_REVOKED: { code: 'unavailable', retryable: false },
  CERT_UNTRUSTED: { code: 'unavailable', retryable: false },
  DEPTH_ZERO_SELF_SIGNED_CERT: { code: 'unavailable', retryable: false },
  SELF_SIGNED_CERT_IN_CHAIN: { code: 'unavailable', retryable: false },
  UNABLE_TO_GET_ISSUER_CERT: { code: 'unavailable', retryable: false },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: { code: 'unavailable', retryable: false },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: { code: 'unavailable', retryable: false },
  ERR_TLS_CERT_ALTNAME_INVALID: { code: 'unavailable', retryable: false },
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: { code: 'unavailable', retryable: false },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: { code: 'unavailable', retryable: false },
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: { code: 'unavailable', retryable: false },
  '22P02': { code: 'internal', retryable: false },
  '42601': { code: 'internal', retryable: false },
  '25P02': { code: 'internal', retryable: false },
}
const driverError = (code: string) => Object.assign(new Error('the driver says something'), { code })

describe('the error table', () => {
  test.for(Object.entries(meanings))('%s means %o', ([driverCode, meaning]) => {
    const wrapped = new DrizzleQueryError('select secret', ['secret'], driverError(driverCode))
    for (const error of [
      driverError(driverCode),
      wrapped,
      new Error('outer', { cause: wrapped }),
      new AggregateError([driverError(driverCode)]),
    ]) {
      const known = storeErrorOf(failureOf(error), error)
      expect(known).toMatchObject({ ...meaning, cause: error, facts: { driverCode } })
      expect(JSON.stringify([known.message, known])).not.toContain('secret')
    }
  })

  test('has a meaning for every code that it knows', () => {
    const known = Object.keys(meanings)
    expect(Object.keys(errorKinds).filter((code) => !known.some((one) => one.startsWith(code)))).toEqual([])
  })

  test('leaves what it does not know as internal, however deep or round the causes are', () => {
    const round = new Error('round')
    round.cause = round
    for (const error of [round, new Error('bare'), 'a string', undefined, null, { code: '40001' }])
      expect(failureOf(error)).toEqual({ kind: 'internal', isUnknown: true })
  })
})

describe('a driver that cannot hold a transaction open is refused by name', () => {
  class NeonHttpDatabase {
    readonly $client = Object.assign(() => Promise.resolve([]), { query: () => {}, transaction: () => {} })
    execute = () => Promise.resolve([])
    transaction = () => Promise.reject(new Error('No transactions support in neon-http driver'))
  }
  const proxy = drizzleProxy(() => Promise.resolve({ rows: [] })) as unknown as PgDatabase // has no client at all
  test.for([
    ['NeonHttpDatabase', new NeonHttpDatabase()],
    ['PgRemoteDatabase', proxy],
  ] as const)('%s', async ([name, db]) => {
    await expect(createPgStore(db)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(name) as string,
      facts: { capability: 'driver' },
    })
  })

  test.for([undefined, null, {}, 'postgres://127.0.0.1/x'])('%o is no database', async (db) => {
    await expect(createPgStore(db as PgDatabase)).rejects.toMatchObject({
      code: 'invalid_argument',
      facts: { field: 'db' },
    }) // what JavaScript may hand over
  })
})

/** A store over connections with settings of their own, a client beside it, and what the store sent. */
async function storeWith(connection: Record<string, string | number>) {
  const { schema, sessions } = await migratedStore()
  await sessions.create({ ...key, state: { 'user:n': 0 } })
  const sent: string[] = []
  const store = await createPgStore(
    drizzle({ client: client({ max: 2, connection, debug: (_connection, text) => void sent.push(text) }) }),
    { schema },
  )
  await store.sessions.get(key)
  return { store, schema, sent, sql: client() }
}

/** Holds the session's row until the answer is called. */
async function hold(schema: string) {
  const holder = client({ max: 1 })
  await holder.unsafe(`begin; select 1 from ${schema}.daybook_sessions for update`)
  return () => holder.unsafe('rollback')
}

/** Resolves once somebody waits for a lock in the schema. */
async function someoneWaits(admin: Sql, schema: string): Promise<void> {
  const waiting = () =>
    admin`select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like ${`%${schema}%`} and pid <> pg_backend_pid()`
  while ((await waiting()).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** A store over a pool of one, and the two ways to lose its connection while it waits for a lock. */
async function losingStore() {
  const { schema } = await migratedStore()
  const { url, cut } = await openProxy()
  const application_name = `${schema}_app`
  const pool = nodePool({ max: 1, connectionString: url, application_name })
  pool.on('error', () => {}) // as the README asks for
  const store = await createPgStore(drizzleNode({ client: pool }), { schema })
  await store.sessions.create(key)
  const admin = client()
  const kill = async () =>
    void (await admin`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${application_name}`)
  /** Loses it in the middle of `work`, and answers how that ended. */
  const during = async (lose: () => Promise<void> | void, work: () => Promise<unknown>) => {
    const release = await hold(schema)
    const ended = work().catch((error: unknown) => error)
    await someoneWaits(admin, schema)
    await lose()
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 100))])
    await release()
    return ended
  }
  return { store, pool, during, ways: { cut, kill } }
}

test.for<unknown>([null, 5, 'x'])('%o is no set of options', async (options) => {
  const db = drizzleNode({ client: nodePool({ port: 1 }) })
  await expect(createPgStore(db, options as object)).rejects.toMatchObject({
    code: 'invalid_argument',
    facts: { field: 'options' },
  }) // what JavaScript may hand over
  await expect(createPgStore(db, { prepare: options as boolean })).rejects.toMatchObject({
    code: 'invalid_argument',
    facts: { field: 'prepare' },
  })
  await expect(createPgStore(db, { pool: options } as object)).rejects.toMatchObject({
    code: 'invalid_argument',
    facts: { field: 'options.pool' },
  })
})

describe('on a server', () => {
  beforeEach(needsServer)

  test('a deadlock with a transaction of the application is lost by the store, and its append repeated', async () => {
    const { store, schema, sent, sql: app } = await storeWith({ deadlock_timeout: 1000 })
    let appending: Promise<unknown> | undefined
    await app.begin(async (tx) => {
      await tx`set local deadlock_timeout = '20s'`
      await tx`update ${tx(schema)}.daybook_user_states set updated_at = updated_at + 1` // the user first
      appending = store.events.append(key, { id: 'e1', actions: { stateDelta: { a: 1, 'user:n': 1 } } }) // the session first
      await someoneWaits(client(), schema)
      await tx`update ${tx(schema)}.daybook_sessions set updated_at = updated_at + 1`
    })
    await expect(appending).resolves.toMatchObject({ revision: 2, events: [{ seq: 1 }] })
    expect((await store.sessions.get(key, { events: 'all' }))?.events).toHaveLength(1)
    expect(sent.filter((text) => text.startsWith('with s as'))).toHaveLength(2)
  })

  test('statement_timeout is a timeout, and nothing is written', async () => {
    const { store, schema } = await storeWith({ statement_timeout: 100 })
    const release = await hold(schema)
    await expect(store.events.append(key, { id: 'e1' })).rejects.toMatchObject({
      code: 'timeout',
      retryable: true,
      facts: { driverCode: '57014' },
    })
    await expect(store.sessions.update(key, { set: { a: 1 } })).rejects.toMatchObject({ code: 'timeout' })
    await release()
    expect(await store.sessions.get(key, { events: 'all' })).toMatchObject({ revision: 1, events: [] })
  })

  test('lock_timeout is waited out', async () => {
    const { store, schema } = await storeWith({ lock_timeout: 50 })
    const release = await hold(schema)
    const [{ revision }] = await Promise.all([
      store.events.append(key, { id: 'e1' }),
      new Promise((resolve) => setTimeout(resolve, 300)).then(release),
    ])
    expect(revision).toBe(2)
  })

  test('a call’s own timeout ends it while it waits for a lock: nothing was written, and nobody waits on the server', async () => {
    const { store, schema } = await storeWith({})
    const release = await hold(schema)
    await expect(store.sessions.update(key, { set: { a: 1 } }, { timeout: 150 })).rejects.toMatchObject({
      code: 'timeout',
    })
    await expect(store.events.append(key, { id: 'e1' }, { timeout: 800 })).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('nothing was written') as string,
    })
    const joined = store.transaction((_tx, inside) => inside.events.append(key, { id: 'e1' }), { timeout: 800 })
    await expect(joined).rejects.toMatchObject({ code: expect.stringMatching(/timeout|busy/) as string })
    const waiting = await client()`
      select query from pg_stat_activity where wait_event_type = 'Lock' and query like ${`%"${schema}"%`} and pid <> pg_backend_pid()`
    expect([...waiting]).toEqual([])
    await release()
    expect((await store.sessions.get(key, { events: 'all' }))?.revision).toBe(1)
    expect((await store.events.append(key, { id: 'e1' })).events).toMatchObject([{ id: 'e1', seq: 1 }])
    expect(await store.sessions.get(key, { events: 'all' })).toMatchObject({
      revision: 2,
      state: { 'user:n': 0 },
      lastSeq: 1,
    })
  })

  test('transactions that are read-only by default let read, and not write', async () => {
    const { store } = await storeWith({ default_transaction_read_only: 'on' })
    const refused = { code: 'unavailable', retryable: false, facts: { driverCode: '25006' } }
    await expect(store.events.append(key, { id: 'e1' })).rejects.toMatchObject(refused)
    await expect(store.sessions.create({ ...key, sessionId: 's2' })).rejects.toMatchObject(refused)
    expect((await store.sessions.get(key, { events: 'all' }))?.revision).toBe(1)
  })

  test('stricter isolation by default changes nothing: every append of many at once succeeds', async () => {
    const { store } = await storeWith({ default_transaction_isolation: 'serializable' })
    const appended = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        store.events.append(key, { id: `e${i}`, actions: { stateDelta: { 'user:n': i } } }),
      ),
    )
    expect(appended.map(({ events }) => events[0]?.seq)).toEqual(expect.arrayContaining([1, 2, 3, 4, 5, 6, 7, 8]))
  })

  test('a backend that dies is replaced: a read is repeated, an append on its way has an unknown outcome', async () => {
    const { schema } = await migratedStore()
    const pool = nodePool({ max: 1, application_name: `${schema}_app` })
    pool.on('error', () => {}) // as the README asks for
    const store = await createPgStore(drizzleNode({ client: pool }), { schema })
    await store.sessions.create(key)
    const admin = client()
    const kill = () =>
      admin`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${`${schema}_app`}`
    await kill()
    await expect(store.sessions.get(key)).resolves.toMatchObject({ revision: 1 })
    const release = await hold(schema)
    const [ended] = await Promise.all([
      store.events.append(key, { id: 'e1' }).catch((error: unknown) => error),
      someoneWaits(admin, schema).then(kill),
    ])
    expect(ended).toMatchObject({ code: 'outcome_unknown', retryable: true, facts: { eventIds: ['e1'] } })
    await release()
    expect((await store.events.append(key, { id: 'e1' })).revision).toBe(2)
    expect(await store.db.execute(sql`select 1 as one`)).toMatchObject({ rows: [{ one: 1 }] })
  })

  describe('a connection of node-postgres that is lost', () => {
    test.for(['cut', 'kill'] as const)('%s: an append on its way has an unknown outcome', async (way) => {
      const { store, during, ways } = await losingStore()
      const ended = await during(ways[way], () => store.events.append(key, { id: 'e1' }))
      expect(ended).toMatchObject({ code: 'outcome_unknown', retryable: true, facts: { eventIds: ['e1'] } })
      expect((await store.events.append(key, { id: 'e1' })).events).toMatchObject([{ id: 'e1', seq: 1 }])
    })

    test.for(['cut', 'kill'] as const)('%s: a transaction before its commit is repeated', async (way) => {
      const { store, during, ways } = await losingStore()
      const ended = await during(ways[way], () => store.sessions.update(key, { set: { a: 1 } }))
      expect(ended).toMatchObject({ revision: 2, state: { a: 1 } })
    })

    test.for(['cut', 'kill'] as const)('%s: a transaction of the application says so', async (way) => {
      const { store, during, ways } = await losingStore()
      let runs = 0
      const ended = await during(ways[way], () =>
        store.transaction(async (_tx, inside) => {
          runs++
          await inside.events.append(key, { id: 'e1' })
        }),
      )
      expect(ended).toMatchObject({ code: 'unavailable', retryable: true })
      expect([runs, (await store.sessions.get(key))?.revision]).toEqual([1, 1])
    })

    test.for(['cut', 'kill'] as const)('%s between two statements of it ends no process', async (way) => {
      const { store, ways } = await losingStore()
      const ended = store.transaction(async (_tx, inside) => {
        await inside.events.append(key, { id: 'e1' })
        await ways[way]()
        await new Promise((resolve) => setTimeout(resolve, 100))
      })
      await expect(ended).rejects.toMatchObject({ code: 'unavailable', retryable: true })
      expect((await store.sessions.get(key))?.revision).toBe(1)
    })

    test('a pool that has ended is closed', async () => {
      const { schema } = await migratedStore()
      const pool = new Pool({ connectionString: serverUrl })
      const store = await createPgStore(drizzleNode({ client: pool }), { schema })
      await pool.end()
      for (const call of [
        () => store.sessions.get(key),
        () => store.sessions.list({ appName: 'shop' }),
        () => store.sessions.create(key),
        () => store.events.append(key, { id: 'e1' }),
        () => store.transaction(async () => {}),
      ])
        await expect(call()).rejects.toMatchObject({ code: 'closed' })
    })
  })
})
