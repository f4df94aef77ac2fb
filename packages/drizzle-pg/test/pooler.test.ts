import { randomBytes } from 'node:crypto'
import postgres, { type Sql } from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { root } from '../../../tools/servers/folders.ts'
import type { Instance } from '../../../tools/servers/instance.ts'
import { findAnyPrograms } from '../../../tools/servers/programs.ts'
import { startPrograms } from '../../../tools/servers/throwaway.ts'
import { openPgStore, type OpenPgOptions } from '../src/index.ts'
import { key } from './places.ts'

// A real PgBouncer in transaction mode: each transaction may get another connection, and settings of one reach others.

const [programs, poolers] = await Promise.all([
  findAnyPrograms(root(), 'postgres'),
  findAnyPrograms(root(), 'pgbouncer'),
])
const missing = programs === undefined ? 'PostgreSQL' : poolers === undefined ? 'PgBouncer' : undefined
const keepsStatements = (version: string) => Number(version.split('.')[1]) >= 21
let server: Instance
let pooler: Instance
let admin: Sql

beforeAll(async () => {
  if (programs === undefined || poolers === undefined) return
  server = await startPrograms('postgres', programs)
  pooler = await startPrograms('pgbouncer', poolers, {
    upstream: server.url,
    // Before 1.21 it knew of none, and refuses to be told.
    settings: { default_pool_size: 3, ...(keepsStatements(poolers.version) && { max_prepared_statements: 0 }) },
  })
  admin = postgres(server.url, { max: 1, onnotice: () => {} })
}, 60_000)

afterAll(async () => {
  await admin?.end({ timeout: 1 })
  await pooler?.remove()
  await server?.remove()
})

beforeEach(({ skip }) => {
  if (missing !== undefined) skip(`this machine has no programs of ${missing}; \`servers up pgbouncer\` fetches them`)
})

async function opened(options: Omit<OpenPgOptions, 'url'>) {
  const store = await openPgStore({ url: pooler.url, ...options })
  onTestFinished(() => store.close())
  return store
}

describe.for((['pg', 'postgres'] as const).map((driver) => ({ driver })))('over $driver', ({ driver }) => {
  test('everything goes through a pooler in transaction mode, with fewer connections behind it than callers', async () => {
    const schema = `s${randomBytes(6).toString('hex')}`
    const given = { driver, schema, transactionPooler: true, statementTimeout: 20_000, lockTimeout: 10_000, max: 8 }
    const [store, other] = [await opened(given), await opened(given)]
    const reports = await Promise.all([store.migrate(), other.migrate()])
    expect(reports.filter(({ applied }) => applied.length > 0)).toHaveLength(1)
    await store.sessions.create(key)
    expect(store.capabilities.liveNotify).toBe('no')
    const appended = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        (i % 2 === 0 ? store : other).events.append(key, { id: `e${i}`, actions: { stateDelta: { [`k${i}`]: i } } }),
      ),
    )
    expect(new Set(appended.map((one) => one.events[0]?.seq)).size).toBe(60)
    await store.transaction(async (_tx, inside) => {
      await inside.events.append(key, { id: 'inside' })
    })
    const seen: string[] = []
    for await (const { event } of other.events.tail(key, { afterSeq: 60, pollInterval: 50 })) {
      seen.push(event.id)
      if (seen.length === 1) await store.events.append(key, { id: 'later' })
      if (seen.length === 2) break
    }
    expect(seen).toEqual(['inside', 'later'])
    expect(Object.keys((await other.sessions.get(key))?.state ?? {})).toHaveLength(60)
    expect((await store.health()).ok).toBe(true)
  })

  test('nothing is left behind on a connection that others get next', async () => {
    const store = await opened({
      driver,
      schema: `s${randomBytes(6).toString('hex')}`,
      transactionPooler: true,
      lockTimeout: 7_000,
    })
    await store.migrate()
    await store.sessions.create(key)
    await store.events.append(key, { id: 'e1' })
    await store.sessions.update(key, { set: { a: 1 } })
    const stranger = postgres(pooler.url, { max: 6, prepare: false, onnotice: () => {} })
    onTestFinished(() => stranger.end({ timeout: 1 }))
    const settings = await Promise.all(
      Array.from(
        { length: 12 },
        () => stranger`
        select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement, pg_sleep(0.02)`,
      ),
    )
    for (const [row] of settings) expect({ ...row }).toMatchObject({ lock: '0', statement: '0' })
    const locks = await admin`select count(*)::int as n from pg_locks where locktype = 'advisory'`
    expect(locks[0]?.['n']).toBe(0)
  })
})

test('a pooler that nobody spoke of is noticed: nobody listens through it', async () => {
  const store = await opened({ schema: `s${randomBytes(6).toString('hex')}`, prepare: false })
  expect(store.capabilities.liveNotify).toBe('no')
  await store.migrate()
  await store.sessions.create(key)
  await store.events.append(key, { id: 'e1' })
  for await (const { event } of store.events.tail(key)) {
    expect(event.id).toBe('e1')
    break
  }
})
