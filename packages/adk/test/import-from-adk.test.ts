import { createInMemoryStore, type SessionKey, type Store } from '@daybook/core'
import { describe, expect, test, afterAll, beforeAll, beforeEach } from 'vitest'
import { missingServer } from '../../../tools/servers/found.ts'
import { needsServer } from '../../../tools/servers/needs-server.ts'
import { importFromAdk, type AdkImportOptions } from '../src/index.ts'
import { adkEvent, adkService, liveSession, plain, writeSessions, type Written } from './adk-source.ts'
import { addressed, type Fresh } from './databases.ts'
import { copyEvents, query } from './source-statements.ts'

const start = Date.UTC(2026, 9, 4, 12, 30)

async function everythingIn(store: Store, keys: readonly SessionKey[]) {
  const sessions = []
  for (const key of keys) {
    const session = await store.sessions.get(key, { events: 'all' })
    sessions.push(session && { ...session, updatedAt: 0 })
  }
  return sessions
}

describe.each(addressed)('from the database that ADK wrote on $name', ({ server, fresh }) => {
  if (server !== undefined) beforeEach(needsServer(server))
  let database: Fresh | undefined
  let keys: Written[] = []
  let adk: ReturnType<typeof adkService>
  let from = ''

  beforeAll(async () => {
    if (server !== undefined && missingServer(server) !== undefined) return
    database = await fresh()
    from = database.url ?? ''
    adk = adkService(from, server)
    keys = await writeSessions(adk.service, 'shop', start)
  })
  afterAll(async () => {
    if (database === undefined) return
    await adk.close()
    await database.drop()
  })

  test('every session has the events and the state that ADK reads there [§7 event keys; §7 state; §7 proof]', async () => {
    const to = createInMemoryStore()
    const report = await importFromAdk({ from, to, zone: Intl.DateTimeFormat().resolvedOptions().timeZone })
    expect(report.notTaken).toEqual([])
    expect(report.tables.sessions).toEqual({ found: 12, taken: 12, written: 12 })
    expect(report.tables.events).toEqual({ found: 72, taken: 72, written: 72 })
    expect(report.tables.appStates).toEqual({ found: 2, taken: 2, written: 2 })
    expect(report.tables.userStates).toEqual({ found: 4, taken: 4, written: 4 })
    expect(
      report.sessions.every(({ checksum, outcome }) => checksum.source === checksum.store && outcome === 'imported'),
    ).toBe(true)
    for (const key of keys) {
      const theirs = await adk.service.getSession(key)
      const ours = await to.sessions.get(key, { events: 'all' })
      if (theirs === undefined || ours === undefined) throw new Error('a session is missing')
      expect(ours.state).toEqual(plain(theirs.state))
      const inTimeOrder = plain(theirs.events).toSorted((a, b) => a.timestamp - b.timestamp)
      expect(ours.events.map(({ event }) => event)).toEqual(inTimeOrder)
      expect(ours.events.map(({ seq }) => seq)).toEqual(ours.events.map((_, i) => i + 1))
      const second = server === 'mariadb' || server === 'mysql' ? 1000 : 1 // the column has no fraction there
      const created = Math.abs(ours.createdAt - Date.now())
      expect(created).toBeLessThan(300_000)
      const last =
        theirs.events.length === 0 ? theirs.lastUpdateTime : Math.max(...theirs.events.map((e) => e.timestamp))
      expect(Math.abs(ours.lastEventAt - last)).toBeLessThanOrEqual(theirs.events.length === 0 ? second : 0)
    }
    expect(JSON.stringify(await everythingIn(to, keys))).toContain('__proto__')
    expect(await to.sessions.stateAt(keys[0]!, 0)).toEqual({ given: { at_creation: 0 } })
    expect(await to.sessions.stateAt(keys[0]!, 5)).toMatchObject({ topic: 'delivery', n: null })
  })

  test('a dry run tells the same and writes nothing [§7 proof]', async () => {
    const to = createInMemoryStore()
    const dry = await importFromAdk({ from, to, dryRun: true })
    expect(await to.sessions.count({ appName: 'shop' })).toBe(0)
    expect(await to.state.get({ appName: 'shop' })).toBeUndefined()
    const real = await importFromAdk({ from, to })
    expect(dry.tables).toEqual(real.tables)
    expect(dry.sessions.map(({ checksum }) => checksum.source)).toEqual(
      real.sessions.map(({ checksum }) => checksum.store),
    )
    const again = await importFromAdk({ from, to, dryRun: true })
    expect(again.tables.events).toEqual({ found: 72, taken: 72, written: 0 })
  })

  test('repeated, interrupted and in twos it comes to the same [§7 repeat]', async () => {
    const whole = createInMemoryStore()
    await importFromAdk({ from, to: whole })
    const expected = await everythingIn(whole, keys)

    const repeated = await importFromAdk({ from, to: whole })
    expect(repeated.sessions.every(({ outcome }) => outcome === 'present')).toBe(true)
    expect(repeated.tables.events.written).toBe(0)
    expect(await everythingIn(whole, keys)).toEqual(expected)

    const broken = createInMemoryStore()
    for (let session = 1; session <= 4; session++) {
      const controller = new AbortController()
      const stop = importFromAdk({
        from,
        to: broken,
        signal: controller.signal,
        onProgress: ({ sessions }) => {
          if (sessions.done >= session * 2) controller.abort()
        },
      })
      await expect(stop).rejects.toMatchObject({ code: 'aborted' })
    }
    await importFromAdk({ from, to: broken })
    expect(await everythingIn(broken, keys)).toEqual(expected)

    const shared = createInMemoryStore()
    const both = await Promise.all([1, 2].map(() => importFromAdk({ from, to: shared })))
    expect(both.flatMap(({ notTaken }) => notTaken)).toEqual([])
    expect((await everythingIn(shared, keys)).map((s) => s && { ...s, revision: 0 })).toEqual(
      expected.map((s) => s && { ...s, revision: 0 }),
    )
  })

  test('what the store has with other content is reported, and left alone', async () => {
    const to = createInMemoryStore()
    const [mine, longer, changed] = keys
    if (mine === undefined || longer === undefined || changed === undefined) throw new Error('too few sessions')
    await to.sessions.create({ ...mine, state: { own: true, 'app:shared': 'mine' } })
    await to.events.append(mine, { id: 'e0', author: 'somebody' })
    await importFromAdk({ from, to })
    await to.events.append(longer, { id: 'later', author: 'user' })
    await to.sessions.update(changed, { set: { topic: 'mine' } })
    const before = await everythingIn(to, keys)
    const report = await importFromAdk({ from, to })
    expect(await everythingIn(to, keys)).toEqual(before)
    expect(
      report.sessions.filter(({ outcome }) => outcome === 'different').map(({ sessionId }) => sessionId),
    ).toHaveLength(3)
    expect(report.notTaken.map(({ what, reason }) => `${what} ${reason}`).toSorted()).toEqual([
      'app state different',
      ...[1, 2, 3].map(() => 'session different'),
    ])
    expect(report.tables.sessions).toEqual({ found: 12, taken: 9, written: 0 })
  })

  test('what cannot be taken is listed, and the rest is taken [§7 version; §7 seq; §7 ids]', async () => {
    const own = await fresh()
    const service = adkService(own.url ?? '', server)
    const key = { appName: 'odd', userId: 'u', sessionId: 's1' }
    const session = await service.service.createSession(key)
    const deep = JSON.parse(`${'['.repeat(20)}${']'.repeat(20)}`) as unknown
    for (const [i, event] of [
      { content: { parts: [{ text: 'x'.repeat(5000) }] } },
      { actions: { stateDelta: { deep } } },
      { content: { parts: [{ functionResponse: { id: 'c', name: 'f', response: {} } }] } },
      { content: { parts: [{ functionCall: { id: 'c', name: 'f', args: {} } }] } },
      { author: 'last' },
    ].entries())
      await service.service.appendEvent({
        session,
        event: adkEvent({ ...event, id: `z${9 - i}`, timestamp: start + Math.min(i, 2) }),
      })
    const gone = await service.service.createSession({ ...key, sessionId: 'gone' })
    await service.service.appendEvent({ session: gone, event: adkEvent({ id: 'o1', timestamp: start }) })
    await query(own.url ?? '', `delete from sessions where id = 'gone'`)
    const to = createInMemoryStore({ limits: { eventBytes: 4000, stateDepth: 10 } })
    const report = await importFromAdk({ from: own.url ?? '', to })
    // The state of the session holds what the refused event has put there.
    expect(report.notTaken.map(({ what, reason, eventId }) => `${what} ${eventId} ${reason}`).toSorted()).toEqual([
      'event undefined no_session',
      'event z8 over_limit',
      'event z9 over_limit',
      'session undefined over_limit',
    ])
    await query(own.url ?? '', `update sessions set state = '{"a":1}' where id = 's1'`)
    const second = await importFromAdk({ from: own.url ?? '', to })
    expect(second.tables.events).toEqual({ found: 6, taken: 3, written: 3 })
    expect(second.tied).toBe(1)
    const { items } = await to.events.list(key)
    expect(items.map(({ event }) => event.id)).toEqual(['z5', 'z6', 'z7'])
    await query(own.url ?? '', `update adk_internal_metadata set value = '2'`)
    await expect(importFromAdk({ from: own.url ?? '', to })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('schema version 2') as string,
    })
    await service.close()
    await own.drop()
  })

  test('ten thousand events, and the same session at once by two [§7 batches]', async () => {
    const own = await fresh()
    const service = adkService(own.url ?? '', server)
    const key = { appName: 'long', userId: 'u', sessionId: 's1' }
    await service.service.createSession(key)
    await service.service.appendEvent({ session: liveSession(key), event: adkEvent({ id: 'first', timestamp: start }) })
    await copyEvents(own.url ?? '', 9999, start)
    const to = createInMemoryStore()
    const reports = await Promise.all([1, 2].map(() => importFromAdk({ from: own.url ?? '', to })))
    for (const { tables, notTaken } of reports) {
      expect(notTaken).toEqual([])
      expect(tables.events).toMatchObject({ found: 10_000, taken: 10_000 })
    }
    const { lastSeq } = (await to.sessions.get(key))!
    expect(lastSeq).toBe(10_000)
    const { items } = await to.events.list(key, { direction: 'desc', limit: 3 })
    expect(items.map(({ seq, event }) => [seq, event.id])).toEqual([
      [10_000, 'copy9999'],
      [9999, 'copy9998'],
      [9998, 'copy9997'],
    ])
    await service.close()
    await own.drop()
  })

  test('a database without such tables is refused', async () => {
    const own = await fresh()
    await query(own.url ?? '', 'create table other (id char(1))')
    await expect(importFromAdk({ from: own.url ?? '', to: createInMemoryStore() })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('neither') as string,
    })
    await own.drop()
  })
})

test('what cannot be opened is refused by name, and no file is made', async () => {
  const to = createInMemoryStore()
  const refusal = async (from: unknown, more: object = {}) =>
    importFromAdk(Object.assign({ from, to }, more) as AdkImportOptions).catch(
      (error: { code: string; message: string }) => [error.code, error.message],
    ) // wrong on purpose
  expect(await refusal('sqlite:///no/such.db')).toEqual(['invalid_argument', 'from names a file that is not there'])
  expect(await refusal('mssql://host/db')).toEqual([
    'invalid_argument',
    expect.stringContaining('from begins with none of'),
  ])
  expect(await refusal({ flavour: 'oracle', query: () => [] })).toEqual(['invalid_argument', expect.any(String)])
  expect(await refusal('postgres://127.0.0.1:1/none')).toEqual([
    'unavailable',
    expect.stringContaining('cannot be opened'),
  ])
  expect(await refusal('sqlite:///no/such.db', { zone: 'Mars/Olympus' })).toEqual([
    'invalid_argument',
    expect.stringContaining('zone'),
  ])
})
