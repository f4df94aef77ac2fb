import { createSqliteStore, openSqliteStore } from '@daybook/drizzle-sqlite'
import { nodeErrorKinds, storeErrorOf } from '@daybook/drizzle'
import type { ErrorCode } from '@daybook/core'
import { createClient } from '@libsql/client'
import { DrizzleQueryError } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/libsql'
import { drizzle as drizzleProxy } from 'drizzle-orm/sqlite-proxy'
import { execFile } from 'node:child_process'
import { closeSync, fstatSync, copyFileSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { errorKinds, failureOf } from '../src/errors.ts'
import { betterDatabase, betterSqliteProblem } from './drivers.ts'
import { key, newPath } from './places.ts'

/** As libSQL, its client, better-sqlite3 and Node set them. */
const thrown = (codes: { code?: string; extendedCode?: string }, cause?: Error) =>
  Object.assign(new Error('text that nobody looks at', { cause }), codes)

describe('every code of a driver becomes one of the contract', () => {
  const contract: Record<keyof typeof errorKinds, ErrorCode> = {
    SQLITE_CONSTRAINT_PRIMARYKEY: 'busy', // only when it comes back again and again; once, the engine decides by the statement
    SQLITE_CONSTRAINT_UNIQUE: 'busy',
    SQLITE_CONSTRAINT: 'busy',
    SQLITE_CONSTRAINT_FOREIGNKEY: 'internal',
    SQLITE_CONSTRAINT_NOTNULL: 'internal',
    SQLITE_CONSTRAINT_CHECK: 'internal',
    SQLITE_CONSTRAINT_TRIGGER: 'internal',
    SQLITE_BUSY: 'busy',
    SQLITE_BUSY_RECOVERY: 'busy',
    SQLITE_BUSY_SNAPSHOT: 'busy',
    SQLITE_BUSY_TIMEOUT: 'busy',
    SQLITE_LOCKED: 'busy',
    SQLITE_LOCKED_SHAREDCACHE: 'busy',
    DAYBOOK_CONNECTION_IN_USE: 'busy',
    DAYBOOK_CONNECTION_REPLACED: 'unavailable',
    TRANSACTION_ACTIVE: 'busy',
    TRANSACTION_CLOSED: 'unavailable',
    TRANSACTION_TIMEOUT: 'busy',
    STREAM_EXPIRED: 'unavailable',
    HRANA_WEBSOCKET_ERROR: 'unavailable',
    HRANA_CLOSED_ERROR: 'unavailable',
    HRANA_PROTO_ERROR: 'unavailable',
    SERVER_ERROR: 'unavailable',
    SQLITE_INTERRUPT: 'timeout',
    SQLITE_READONLY: 'unavailable',
    SQLITE_FULL: 'unavailable',
    SQLITE_IOERR: 'unavailable',
    SQLITE_CORRUPT: 'corrupt',
    SQLITE_NOTADB: 'corrupt',
    SQLITE_TOOBIG: 'limit_exceeded',
    ARGS_INVALID: 'limit_exceeded',
    RESPONSE_TOO_LARGE: 'limit_exceeded',
    SQLITE_CANTOPEN: 'unavailable',
    SQLITE_AUTH: 'unavailable',
    SQLITE_ERROR: 'internal', // schema_mismatch, if a table turns out to be missing
    SQLITE_UNKNOWN: 'internal',
    CLIENT_CLOSED: 'closed',
    DAYBOOK_CONNECTION_CLOSED: 'closed',
    ...Object.fromEntries(Object.keys(nodeErrorKinds).map((code) => [code, 'unavailable' as const])),
    ENETDOWN: 'unavailable',
    EHOSTDOWN: 'unavailable',
    UND_ERR_SOCKET: 'unavailable',
    UND_ERR_CONNECT_TIMEOUT: 'unavailable',
    UND_ERR_HEADERS_TIMEOUT: 'unavailable',
    UND_ERR_BODY_TIMEOUT: 'unavailable',
    UND_ERR_ABORTED: 'unavailable',
    UND_ERR_CLOSED: 'unavailable',
    UND_ERR_DESTROYED: 'unavailable',
    UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'unavailable',
  }

  test('the table has an answer for each, and no others', () => {
    expect(Object.keys(contract).toSorted()).toEqual(Object.keys(errorKinds).toSorted())
  })

  test.for(Object.entries(contract))('%s is %s', ([code, expected]) => {
    const error = new DrizzleQueryError('select secret', ['secret'], thrown({ code }))
    const failure = failureOf(error)
    expect(failure).toEqual({ kind: errorKinds[code], driverCode: code })
    const { code: shown, facts, message, cause } = storeErrorOf(failure, error)
    expect({ shown, driverCode: facts.driverCode, cause }).toEqual({ shown: expected, driverCode: code, cause: error })
    expect(message).not.toContain('secret')
  })

  test('the extended code counts before the primary one, and an unknown extension by its primary', () => {
    expect(failureOf(thrown({ code: 'SQLITE_CONSTRAINT', extendedCode: 'SQLITE_CONSTRAINT_CHECK' })).kind).toBe(
      'internal',
    )
    expect(failureOf(thrown({ code: 'SQLITE_IOERR_FSYNC' }))).toEqual({
      kind: 'storage',
      driverCode: 'SQLITE_IOERR_FSYNC',
    })
    expect(failureOf(thrown({ code: 'SQLITE_READONLY_DBMOVED' })).kind).toBe('read_only')
  })

  test('an unknown code, no code, and a chain of causes that never ends are internal', () => {
    expect(failureOf(thrown({ code: 'ERR_ODD' }))).toEqual({ kind: 'internal', isUnknown: true, driverCode: 'ERR_ODD' })
    expect(failureOf(thrown({}))).toEqual({ kind: 'internal', isUnknown: true })
    expect(failureOf('a string')).toEqual({ kind: 'internal', isUnknown: true })
    const circle = thrown({})
    circle.cause = circle
    expect(failureOf(circle)).toEqual({ kind: 'internal', isUnknown: true })
  })
})

describe('files that cannot be used', () => {
  test('a missing folder is unavailable, and not worth a repeat', async () => {
    const url = `file:${join(dirname(newPath()), 'none', 'daybook.db')}`
    await expect(openSqliteStore({ url })).rejects.toMatchObject({ code: 'unavailable', retryable: false })
  })

  test('a file that is no database is corrupt', async () => {
    const path = newPath()
    writeFileSync(path, 'these are the notes of somebody else '.repeat(200))
    await expect(openSqliteStore({ url: `file:${path}` })).rejects.toMatchObject({ code: 'corrupt', retryable: false })
  })

  test('a damaged file is corrupt when the damage is met', async () => {
    const path = newPath()
    {
      await using store = await openSqliteStore({ url: `file:${path}` })
      await store.migrate()
      await store.sessions.create(key)
      for (let i = 0; i < 20; i++) await store.events.append(key, { id: `e${i}`, content: 'x'.repeat(5_000) })
    }
    const file = openSync(path, 'r+')
    const pages = fstatSync(file).size / 4_096
    // The last ones, which are the events': what opening reads comes before them.
    for (let page = pages - 20; page < pages; page++) writeSync(file, Buffer.alloc(4_096, 0xa5), 0, 4_096, page * 4_096)
    closeSync(file)
    await using store = await openSqliteStore({ url: `file:${path}` })
    const read = store.sessions.get(key, { events: 'all' }).then(() => 'read')
    await expect(read).rejects.toMatchObject({ code: 'corrupt', retryable: false })
  })

  test('a connection that is set to query_only is read, and writing is unavailable', async ({ skip }) => {
    skip(betterSqliteProblem !== undefined, betterSqliteProblem)
    const { db, client } = await better(newPath())
    const store = await createSqliteStore(db)
    await store.migrate()
    await store.sessions.create(key)
    client.pragma('query_only = on')
    await expect(store.events.append(key, { id: 'e1' })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'the database is read-only',
      retryable: false,
    })
    expect(await store.sessions.get(key)).toMatchObject({ lastSeq: 0 })
    client.close()
  })

  test('a file that was opened for reading only is read, and writing is unavailable', async ({ skip }) => {
    skip(betterSqliteProblem !== undefined, betterSqliteProblem)
    const path = newPath()
    const writable = await better(path)
    const writer = await createSqliteStore(writable.db)
    await writer.migrate()
    await writer.sessions.create(key)
    writable.client.close()
    const { default: BetterSqlite } = await import('better-sqlite3')
    const { drizzle: drizzleBetter } = await import('drizzle-orm/better-sqlite3')
    const client = new BetterSqlite(path, { readonly: true })
    const store = await createSqliteStore(drizzleBetter({ client }))
    expect(await store.sessions.get(key)).toMatchObject({ lastSeq: 0 })
    await expect(store.events.append(key, { id: 'e1' })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'the database is read-only',
      retryable: false,
    })
    client.close()
  })

  test('a full disk is unavailable, nothing was written, and it goes on when there is room', async ({ skip }) => {
    skip(betterSqliteProblem !== undefined, betterSqliteProblem)
    const { db, client } = await better(newPath())
    const store = await createSqliteStore(db)
    await store.migrate()
    await store.sessions.create(key)
    client.pragma(`max_page_count = ${Number(client.pragma('page_count', { simple: true })) + 2}`)
    await expect(store.events.append(key, { id: 'e1', content: 'x'.repeat(100_000) })).rejects.toMatchObject({
      code: 'unavailable',
      facts: { driverCode: 'SQLITE_FULL' },
    })
    expect(client.inTransaction).toBe(false)
    expect(await store.sessions.get(key, { events: 'all' })).toMatchObject({ revision: 1, events: [] })
    client.pragma('max_page_count = 100000')
    await store.events.append(key, { id: 'e1', content: 'x'.repeat(100_000) })
    client.close()
  })
})

describe('what a store does with a database that was handed over', () => {
  test('another driver is refused by its name, and what is no database is, too', async () => {
    const proxy = drizzleProxy(async () => ({ rows: [] }))
    const given = proxy as unknown as Parameters<typeof createSqliteStore>[0] // the types refuse it already
    await expect(createSqliteStore(given)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('SqliteRemoteDatabase'),
      facts: { capability: 'driver' },
    })
    const nothing = undefined as unknown as typeof given // as above
    await expect(createSqliteStore(nothing)).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  test('close() leaves it open, and a closed one is closed', async () => {
    const client = createClient({ url: ':memory:' })
    const store = await createSqliteStore(drizzle({ client }))
    await store.migrate()
    await store.close()
    await store.close()
    await expect(store.sessions.get(key)).rejects.toMatchObject({ code: 'closed' })
    expect((await client.execute('select count(*) as n from daybook_sessions')).rows).toEqual([{ n: 0 }])
    const again = await createSqliteStore(drizzle({ client }))
    client.close()
    await expect(again.sessions.get(key)).rejects.toMatchObject({ code: 'closed' })
  })

  test('a better-sqlite3 connection stays open after close(), and its own timeout is put back', async ({ skip }) => {
    skip(betterSqliteProblem !== undefined, betterSqliteProblem)
    const { db, client } = await better(newPath())
    client.pragma('busy_timeout = 1234')
    const store = await createSqliteStore(db)
    await store.migrate()
    await store.sessions.create(key)
    await store.transaction(function* (_tx, inside) {
      yield* inside.events.append(key, { id: 'e1' })
    })
    expect(client.pragma('busy_timeout', { simple: true })).toBe(1_234)
    await store.close()
    expect(client.open).toBe(true)
    const again = await createSqliteStore(db)
    client.close()
    await expect(again.sessions.get(key)).rejects.toMatchObject({ code: 'closed' })
    await expect(again.transaction(function* () {})).rejects.toMatchObject({ code: 'closed' })
    await expect(createSqliteStore(db)).rejects.toMatchObject({ code: 'closed' })
  })

  test('a file that the store opened holds everything by itself after close()', async () => {
    const path = newPath()
    const store = await openSqliteStore({ url: `file:${path}` })
    await store.migrate()
    await store.sessions.create(key)
    await store.close()
    copyFileSync(path, `${path}.copy`)
    await using copy = await openSqliteStore({ url: `file:${path}.copy` })
    expect(await copy.sessions.get(key)).toMatchObject(key)
  })
})

test('a process ends by itself once its store is closed', { timeout: 20_000 }, async () => {
  const path = newPath()
  const script = `
    import { openSqliteStore } from '@daybook/drizzle-sqlite'
    const store = await openSqliteStore({ url: 'file:${path}' })
    await store.migrate()
    await store.sessions.create(${JSON.stringify(key)})
    await store.close()
    console.log('closed')`
  const loader = new URL('../../conformance/bin/typescript.mjs', import.meta.url).href
  const args = ['--conditions=@daybook/source', '--import', loader, '--input-type=module', '--eval', script]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
    cwd: import.meta.dirname,
    timeout: 15_000,
  })
  expect({ stdout, stderr }).toEqual({ stdout: 'closed\n', stderr: '' })
})

async function better(path: string) {
  const { drizzle: drizzleBetter } = await import('drizzle-orm/better-sqlite3')
  const client = await betterDatabase(path)
  return { client, db: drizzleBetter({ client }) }
}
