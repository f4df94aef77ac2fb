import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openPgStore, type OpenPgOptions } from '../src/index.ts'
import { resultOf } from '../src/driver.ts'
import { client, key, migratedStore, openStore } from './places.ts'
import { openProxy } from './proxy.ts'
import { freshName, needsServer, serverUrl, urlWith } from './server.ts'

beforeEach(needsServer)

const drivers = ['pg', 'postgres'] as const

/** What the server shows of a connection of the store. */
async function settingsOf(options: Partial<OpenPgOptions>, ...names: string[]): Promise<Record<string, unknown>> {
  const store = await openStore(options)
  const list = sql.raw(names.map((name) => `current_setting('${name}') as "${name}"`).join(', '))
  const [row] = resultOf(await store.db.execute(sql`select ${list}`)).rows
  return { ...row }
}

describe.for(drivers.map((driver) => ({ driver })))('openPgStore over $driver', ({ driver }) => {
  test('takes the parts of an address instead of a URL, and a function for the password', async () => {
    const { hostname, port, username, password, pathname } = new URL(serverUrl)
    let asked = 0
    const store = await openPgStore({
      driver,
      host: hostname,
      port: Number(port || 5432),
      user: decodeURIComponent(username),
      database: pathname.slice(1),
      password: async () => {
        asked++
        return decodeURIComponent(password) || 'not needed here'
      },
    })
    onTestFinished(() => store.close())
    expect((await store.health()).flavour).toBe('postgresql')
    expect(asked).toBeGreaterThanOrEqual(password === '' ? 0 : 1)
  })

  test('sets application name and time zone, and the timeouts that it is given, on every connection', async () => {
    expect(await settingsOf({ driver }, 'application_name', 'TimeZone', 'statement_timeout', 'lock_timeout')).toEqual({
      application_name: 'daybook',
      TimeZone: 'UTC',
      statement_timeout: '0',
      lock_timeout: '0',
    })
    const given = { driver, applicationName: 'shop', statementTimeout: 12_345, lockTimeout: 2_000 }
    expect(await settingsOf(given, 'application_name', 'statement_timeout', 'lock_timeout')).toEqual({
      application_name: 'shop',
      statement_timeout: '12345ms',
      lock_timeout: '2s',
    })
    expect(
      await settingsOf(
        { driver, url: urlWith({ search: '?application_name=from%20url&connect_timeout=3&sslmode=disable' }) },
        'application_name',
      ),
    ).toEqual({ application_name: 'from url' })
  })

  test('makes as many connections as it is told before anybody asks, and closes all of them', async () => {
    const applicationName = freshName()
    const store = await openPgStore({ driver, url: serverUrl, max: 4, warm: 3, applicationName })
    const admin = client()
    const count = async () =>
      Number(
        (await admin`select count(*) as n from pg_stat_activity where application_name = ${applicationName}`)[0]?.['n'],
      )
    expect(await count()).toBe(3)
    await store.close()
    await expect.poll(count).toBe(0)
  })

  test('closes connections that are idle for too long, and those that are too old', async () => {
    for (const limit of [{ idleTimeout: 50 }, { maxAge: 50, idleTimeout: 0 }]) {
      const applicationName = freshName()
      const store = await openStore({ driver, applicationName, ...limit })
      const admin = client()
      const pids = async () =>
        (await admin`select pid from pg_stat_activity where application_name = ${applicationName}`).map((row) =>
          Number(row['pid']),
        )
      const before = await pids()
      await wait(150)
      expect((await store.health()).ok).toBe(false) // there are no tables; but it answers
      await expect.poll(async () => (await pids()).filter((pid) => before.includes(pid))).toEqual([])
    }
  })

  test('bounds the wait for a connection, also with a pool of one, and says who waits', async () => {
    const store = await migratedStore({ driver, max: 1, acquireTimeout: 60 })
    await store.sessions.create(key)
    await store.transaction(async (_tx, inside) => {
      await inside.events.append(key, { id: 'e1' })
      await expect(store.events.append(key, { id: 'e2' })).rejects.toMatchObject({
        code: 'timeout',
        retryable: true,
        message: 'no turn came within 60 ms for one of 1 connections, which were all in use (1 waiting)',
      })
      await expect(store.events.append(key, { id: 'e3' }, { timeout: 30 })).rejects.toMatchObject({
        code: 'timeout',
        message: 'events.append ran out of time waiting for one of 1 connections, which were all in use (1 waiting)',
      })
      expect((await store.health({ timeout: 100 })).pool).toMatchObject({ size: 1 })
    })
    expect((await store.events.list(key)).items.map(({ event }) => event.id)).toEqual(['e1'])
  })

  test('reaches a server by an address of IPv6', async () => {
    const { url } = await openProxy('::1')
    expect(url).toContain('@[::1]:')
    const store = await openStore({ driver, url })
    expect((await store.health()).flavour).toBe('postgresql')
  })
})

const opening = (options: OpenPgOptions) => openPgStore(options).catch((error: unknown) => error)

test('a URL that asks for what the store cannot do is refused, without its password', async () => {
  for (const search of [
    '?sslmode=prefer',
    '?options=-csearch_path%3Da',
    '?sslrootcert=/no/such/file',
    '?sslmode=disable&sslcert=a',
  ]) {
    const url = Object.assign(new URL('postgres://ann:s3cret@127.0.0.1:1/d'), { search }).href
    const error = await opening({ url })
    expect(error).toMatchObject({ code: 'invalid_argument' })
    expect(String(error)).not.toContain('s3cret')
  }
})

test('errors name the address, the role and the database that were refused', async () => {
  expect(await opening({ url: 'postgres://ann:s3cret@127.0.0.1:1/d' })).toMatchObject({
    code: 'unavailable',
    message: 'no database server answers at 127.0.0.1:1',
  })
  expect(await opening({ url: 'postgres://ann:s3cret@no-such-host.invalid/d' })).toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/no-such-host\.invalid is not known|connection to the database/) as string,
  })
  expect(await opening({ url: Object.assign(new URL(serverUrl), { pathname: '/no_such' }).href })).toMatchObject({
    code: 'unavailable',
    message: 'the server has no database "no_such"; create it first',
  })
  expect(await opening({ url: urlWith({ username: 'daybook_no_such_role' }) })).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('the login of "daybook_no_such_role"') as string,
  })
})
