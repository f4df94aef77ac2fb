import { isStoreError } from '@daybook/core'
import { createSqliteStore, openSqliteStore, type AsyncSqliteStore } from '@daybook/drizzle-sqlite'
import { createClient } from '@libsql/client'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/libsql'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway } from './gateway.ts'
import { key } from './places.ts'
import { appendInside } from './store-kinds.test-d.ts'
import { freePort, serverProblem, startServer, type Server } from './sqld.ts'

/** Stores over a server that runs as a process; each test has a user of its own. */
describe.skipIf(serverProblem !== undefined)(
  `a libSQL server${serverProblem === undefined ? '' : `: ${serverProblem}`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'daybook-sqld-'))
    let server: Server
    let store: AsyncSqliteStore

    beforeAll(async () => {
      server = await startServer(folder)
      const client = createClient({ url: server.url })
      store = await createSqliteStore(drizzle({ client }))
      await store.migrate()
    }, 30_000)

    afterAll(async () => {
      await server.kill()
      rmSync(folder, { recursive: true, force: true })
    })

    const newSession = (sessionId: string, state = {}) => store.sessions.create({ ...key, sessionId, state })

    test('a store opens before migrate(), which applies once when two call it at the same time', async () => {
      const stores = await Promise.all([1, 2].map(() => openSqliteStore({ url: server.url, prefix: 'other_' })))
      for (const one of stores) await expect(one.sessions.get(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
      const reports = await Promise.all(stores.map((one) => one.migrate()))
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
      expect(await stores[0]?.health()).toMatchObject({ ok: true, flavour: 'sqlite', schemaVersion: '0009' })
      await Promise.all(stores.map((one) => one.close()))
    })

    test('create, append, load, list, state and delete', async () => {
      const session = await newSession('basic', { theme: 'dark', 'user:lang': 'de', 'app:plan': 'pro' })
      await expect(newSession('basic')).rejects.toMatchObject({ code: 'already_exists' })
      const { events, revision, state } = await store.events.append(
        session,
        [
          { id: 'e1', content: 'a\0b \ud83d 😀', actions: { stateDelta: { theme: 'light', 'user:seen': 1 } } },
          { id: 'e2' },
        ],
        { eventsAfterSeq: 0 },
      )
      expect({ events, revision, state }).toEqual({
        events: [
          { id: 'e1', seq: 1, duplicate: false },
          { id: 'e2', seq: 2, duplicate: false },
        ],
        revision: 2,
        state: { theme: 'light', 'user:lang': 'de', 'app:plan': 'pro', 'user:seen': 1 },
      })
      expect(await store.events.append(session, { id: 'e2' })).toMatchObject({ events: [{ seq: 2, duplicate: true }] })
      expect(await store.sessions.get(session, { events: 'all' })).toMatchObject({
        events: [{ event: { content: 'a\0b \ud83d 😀' } }, { seq: 2 }],
      })
      expect((await store.sessions.list({ appName: 'shop' })).items).toContainEqual(
        expect.objectContaining({ sessionId: 'basic' }),
      )
      await expect(store.events.append(session, { id: 'e3' }, { expectedRevision: 1 })).rejects.toMatchObject({
        code: 'conflict',
        facts: { revision: 2 },
      })
      await expect(store.events.append({ ...key, sessionId: 'none' }, { id: 'e3' })).rejects.toMatchObject({
        code: 'not_found',
      })
      expect(await store.sessions.delete(session)).toBe(true)
      expect(await store.sessions.delete(session)).toBe(false)
      expect(await store.sessions.get(session)).toBeUndefined()
    })

    test('an append is one request', async () => {
      const requests: string[] = []
      const counting: typeof fetch = (input, init) => {
        requests.push(typeof input === 'string' ? input : input instanceof URL ? input.href : input.url)
        return fetch(input, init)
      }
      const counted = await createSqliteStore(drizzle({ client: createClient({ url: server.url, fetch: counting }) }))
      const session = await newSession('requests')
      await counted.events.append(session, { id: 'warm' })
      const before = requests.length
      await counted.events.append(session, [
        { id: 'e1', actions: { stateDelta: { a: 1, 'user:b': 2, 'app:c': 3 } } },
        { id: 'e2' },
      ])
      expect(requests.length - before).toBe(1)
      await counted.sessions.get(session, { events: { last: 10 } })
      expect(requests.length - before).toBe(2)
    })

    test('two clients append to one session at once: seq has no gap', async () => {
      const session = await newSession('race')
      await using other = await openSqliteStore({ url: server.url })
      await Promise.all(
        Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? store : other).events.append(session, { id: `e${i}` })),
      )
      const loaded = await store.sessions.get(session, { events: 'all' })
      expect(loaded?.events?.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    })

    test('transaction and using commit the application’s rows with the agent’s, or neither', async () => {
      const { db } = store
      await db.run(sql`create table if not exists application (id text primary key)`)
      const session = await newSession('together')
      await store.transaction(async (tx, inside) => {
        await tx.run(sql`insert into application values ('kept')`)
        await inside.events.append(session, { id: 'kept' })
      })
      const original = new Error('changed my mind')
      await expect(
        store.transaction(async (tx, inside) => {
          await tx.run(sql`insert into application values ('gone')`)
          await inside.events.append(session, { id: 'gone' })
          throw original
        }),
      ).rejects.toBe(original)
      await db.transaction(async (tx) => {
        await tx.run(sql`insert into application values ('joined')`)
        await store.using(tx).events.append(session, { id: 'joined' })
      })
      expect(await db.all(sql`select id from application order by id`)).toMatchObject([
        { id: 'joined' },
        { id: 'kept' },
      ])
      expect((await store.events.list(session)).items.map(({ event }) => event.id)).toEqual(['kept', 'joined'])
    })

    test.for(['and the application writes on', 'and the application commits at once'] as const)(
      'a call in a transaction whose time is over in mid-script leaves nothing of itself, %s',
      async (what) => {
        let isSlow = false
        const slowly: typeof fetch = async (input, init) => {
          if (isSlow && input instanceof Request && (await input.clone().text()).includes('daybook_user_states'))
            await wait(600)
          return fetch(input, init)
        }
        const client = createClient({ url: server.url, fetch: slowly })
        const through = await createSqliteStore(drizzle({ client }))
        await through.db.run(sql`create table if not exists late (id text primary key)`)
        const session = await newSession(what, { 'user:n': 0 })
        await through.transaction(async (tx, inside) => {
          await tx.run(sql`insert into late values (${`${what} before`})`)
          isSlow = true
          const half = { id: 'half', actions: { stateDelta: { half: 1, 'user:half': 1 } } }
          await expect(inside.events.append(session, half, { timeout: 200 })).rejects.toMatchObject({ code: 'timeout' })
          isSlow = false
          if (what.includes('writes on')) await tx.run(sql`insert into late values (${`${what} after`})`)
        })
        expect(await store.sessions.get(session, { events: 'all' })).toMatchObject({ revision: 1, events: [] })
        expect((await store.sessions.get(session))?.state).not.toHaveProperty('user:half')
        const rows = await store.db.all(sql`select id from late where id like ${`${what}%`} order by id desc`)
        const after = what.includes('writes on') ? [{ id: `${what} after` }] : []
        expect(rows).toMatchObject([{ id: `${what} before` }, ...after])
        client.close()
      },
    )

    test('a store that a URL opened says its kind, and takes an asynchronous body', async () => {
      const url: string = server.url
      await using opened = await openSqliteStore({ url, prefix: 'kind_' })
      await opened.migrate()
      await opened.sessions.create(key)
      expect(opened.kind).toBe('async')
      expect(await appendInside(opened)).toBe(2)
    })

    test('limits are numbers at which everything round-trips', async () => {
      const { eventBytes, stateBytes, batchBytes } = store.limits
      const overhead = JSON.stringify({ id: 'full', timestamp: 1_700_000_000_000, content: '' }).length
      const full = { id: 'full', timestamp: 1_700_000_000_000, content: 'x'.repeat(eventBytes - overhead) }
      const session = await newSession('full')
      await store.events.append(session, full)
      expect((await store.events.get(session, 'full'))?.event).toEqual(full)
      await expect(
        store.events.append(session, { ...full, id: 'over', content: `${full.content}x` }),
      ).rejects.toMatchObject({ code: 'limit_exceeded' })

      // The three documents of a session come back together, and so does a whole batch.
      const documents = ['a', 'user:b', 'app:c'].map((name) => ({
        [name]: '"'.repeat((stateBytes - `{"${name}":""}`.length) / 2),
      }))
      const states = await store.sessions.create({ appName: 'full', userId: 'ann' })
      for (const set of documents) await store.sessions.update(states, { set })
      expect((await store.sessions.get(states))?.state).toEqual(Object.assign({}, ...documents))
      await expect(
        store.events.append(states, { id: 'e', actions: { stateDelta: { more: 'x' } } }),
      ).rejects.toMatchObject({ code: 'limit_exceeded' })
      const batch = Array.from({ length: 3 }, (_, i) => ({
        ...full,
        id: `b${i}`,
        content: 'x'.repeat(Math.floor(batchBytes / 3) - 100),
      }))
      const many = await newSession('batch')
      await store.events.append(many, batch)
      expect((await store.sessions.get(many, { events: 'all' }))?.events?.map(({ event }) => event)).toEqual(batch)
    }, 30_000)

    test('a server that is killed while it writes leaves an unknown outcome, and the call can be repeated', async () => {
      const session = await newSession('killed')
      await using overSocket = await openSqliteStore({ url: `ws://${server.url.slice('http://'.length)}` })
      await overSocket.sessions.get(session)
      const payload = 'x'.repeat(200_000)
      const killing = wait(150).then(() => server.kill())
      const acknowledged: string[] = []
      const appendUntilItFails = async (): Promise<{ code: unknown; id: string }> => {
        for (;;) {
          const id = `e${acknowledged.length}`
          try {
            await store.events.append(session, { id, content: payload })
          } catch (error) {
            return { code: isStoreError(error) && error.code, id }
          }
          acknowledged.push(id)
        }
      }
      const { code, id } = await appendUntilItFails()
      await killing
      expect(['outcome_unknown', 'unavailable']).toContain(code)
      await expect(
        store.events.append(session, { id, content: payload }),
        'nobody listens: nothing was sent',
      ).rejects.toMatchObject({ code: 'unavailable', retryable: true })
      await expect(store.sessions.get(session)).rejects.toMatchObject({ code: 'unavailable' })
      expect(await store.health()).toMatchObject({ ok: false })
      await expect(
        overSocket.events.append(session, { id: 'socket' }),
        'a WebSocket does not tell whether it was sent',
      ).rejects.toMatchObject({ code: 'outcome_unknown' })
      await server.restart()
      await store.events.append(session, { id, content: payload })
      const events = (await store.events.list(session, { limit: 1_000 })).items
      expect(events.map(({ event }) => event.id)).toEqual([...acknowledged, id])
      await overSocket.transaction(async (_tx, inside) => inside.events.append(session, { id: 'socket' }))
      expect(await store.events.get(session, 'socket')).toMatchObject({ seq: events.length + 1 })
    }, 30_000)

    test('what a gateway answers in the server’s place leaves an unknown outcome; a refused token does not', async () => {
      const session = await newSession('gateway')
      await using gateway = await startGateway(server.url)
      gateway.answer()
      await using behind = await openSqliteStore({ url: gateway.url })
      await behind.events.append(session, { id: 'e1' })
      const badGateway = '<html>Bad Gateway</html>'
      for (const [status, body] of [
        [502, badGateway],
        [504, badGateway],
        [200, '{"not":"the protocol"}'],
      ] as const) {
        gateway.answer(status, body)
        await expect(behind.events.append(session, { id: 'e2' })).rejects.toMatchObject({
          code: 'outcome_unknown',
          retryable: true,
        })
        await expect(behind.sessions.get(session)).rejects.toMatchObject({ code: 'unavailable', retryable: true })
      }
      for (const status of [401, 403]) {
        gateway.answer(status, '{"error":"expired"}')
        await expect(behind.events.append(session, { id: 'e2' })).rejects.toMatchObject({
          code: 'unavailable',
          retryable: false,
          facts: { driverCode: 'SERVER_ERROR' },
        })
      }
      gateway.answer()
      expect(await behind.events.append(session, { id: 'e2' })).toMatchObject({
        events: [{ seq: 2, duplicate: false }],
      })
    })
  },
)

test.for([
  [502, '<html>Bad Gateway</html>', true],
  [401, '{"error":"expired"}', false],
  [403, '{"error":"forbidden"}', false],
  [200, '{"not":"the protocol"}', true],
] as const)('at opening %i is unavailable', async ([status, body, retryable]) => {
  await using gateway = await startGateway()
  gateway.answer(status, body)
  await expect(openSqliteStore({ url: gateway.url })).rejects.toMatchObject({ code: 'unavailable', retryable })
})

test('a server that is not there is unavailable, whatever the scheme', async () => {
  const address = `127.0.0.1:${await freePort()}`
  await expect(openSqliteStore({ url: `http://${address}` })).rejects.toMatchObject({
    code: 'unavailable',
    retryable: true,
    message: `no database server answers at ${address}`,
    facts: { driverCode: 'ECONNREFUSED' },
  })
  await expect(openSqliteStore({ url: `ws://${address}` })).rejects.toMatchObject({ code: 'unavailable' })
  await expect(openSqliteStore({ url: 'http://nowhere.invalid' })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/nowhere\.invalid|connection/) as string, // EAI_AGAIN where there is no resolver
  })
})
