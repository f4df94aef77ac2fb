import { createInMemoryStore, isStoreError } from '@daybook/core'
import { createSqliteStore, openSqliteStore } from '@daybook/drizzle-sqlite'
import { createClient } from '@libsql/client'
import { createEvent, DatabaseSessionService, InMemorySessionService } from '@google/adk'
import { drizzle } from 'drizzle-orm/libsql'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { DaybookSessionService, getSessionServiceFromUri, openSessionService } from '../src/index.ts'
import { openStore } from '../src/open-store.ts'
import { addressed, benchOn } from './databases.ts'
import { runTypescript } from './run-typescript.ts'

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'daybook-adk-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

describe.each(addressed)('on $name', (database) => {
  const bench = benchOn(database)

  test('an address is opened, migrated and closed, by many at once, and what is there stays there [§5 replicas race; §5 init once; §5 dropped our tables; §5 manual ALTER]', async () => {
    const prefix = 'many_'
    const services = await Promise.all(Array.from({ length: 4 }, () => openSessionService({ url: bench.url, prefix })))
    const created = await services[0]?.createSession({ ...key, appName: 'many', state: { a: 1 } })
    for (const service of services) expect(await service.getSession({ ...key, appName: 'many' })).toEqual(created)
    for (const service of services) await service.close()
    await using again = await openSessionService({ url: bench.url, prefix })
    expect(await again.getSession({ ...key, appName: 'many' })).toEqual(created)
  })

  test('tables of another prefix are another place [§5 table names clash]', async () => {
    await using other = await openSessionService({ url: bench.url, prefix: 'other_' })
    const session = await other.createSession({ ...key, appName: bench.app() })
    expect(await other.getSession({ ...session, sessionId: session.id })).toBeDefined()
    expect(await bench.service.getSession({ ...session, sessionId: session.id })).toBeUndefined()
  })

  test('a closed service says so, and closing it twice is no error [§6.10]', async () => {
    const service = await openSessionService(bench.url)
    const session = await service.createSession({ appName: bench.app(), userId: 'ann' })
    await Promise.all([service.close(), service.close()])
    await expect(service.appendEvent({ session, event: createEvent() })).rejects.toMatchObject({ code: 'closed' })
    await expect(service.getSession({ ...session, sessionId: session.id })).rejects.toMatchObject({ code: 'closed' })
    expect(session.events).toEqual([])
  })

  test('getSessionServiceFromUri gives a service that opens at its first call', async () => {
    const service = getSessionServiceFromUri(bench.url)
    if (!(service instanceof DaybookSessionService)) throw new Error('not ours')
    onTestFinished(() => service.close())
    const appName = bench.app()
    const made = await Promise.all([1, 2, 3].map(() => service.createSession({ appName, userId: 'ann' })))
    expect(await service.listSessions({ appName, limit: 2 })).toMatchObject({ totalItems: made.length, totalPages: 2 })
  })
})

test('getSessionServiceFromUri leaves to ADK what is no database, ADK’s errors included', () => {
  expect(getSessionServiceFromUri('memory://')).toBeInstanceOf(InMemorySessionService)
  expect(getSessionServiceFromUri('mssql://x/y')).toBeInstanceOf(DatabaseSessionService)
  expect(() => getSessionServiceFromUri('ftp://a:secret@b')).toThrow(/^Unsupported session service URI: (?!.*secret)/)
})

test('an address that no database has is refused, with those that one has', async () => {
  for (const url of ['', 'agent.db', 'mssql://x/y', '__proto__:', 'constructor:']) {
    await expect(openSessionService(url)).rejects.toMatchObject({ code: 'invalid_argument', facts: { field: 'url' } })
  }
  await expect(openSessionService('ftp://a:secret@b')).rejects.toThrow(/sqlite: .*postgres: .*mysql: (?!.*secret)/)
})

test('sqlite addresses are read as ADK reads them: the rest is the path, verbatim', async () => {
  const path = join(await folder(), 'a #1? 100%.db')
  await (await openSessionService(`sqlite://${path}`)).close()
  await using store = await openSqliteStore({ url: `file:${path.replaceAll(/[%?#]/g, encodeURIComponent)}` })
  expect((await store.migrate()).applied).toEqual([])
  await using memory = await openSessionService('sqlite://:memory:')
  expect(await memory.createSession(key)).toMatchObject({ id: 's1' })
})

test('a package that is not installed is named with what to install [§5 extra packages]', async () => {
  // A copy of the file in a folder where only the core is installed.
  const path = await folder()
  await mkdir(join(path, 'node_modules/@daybook'), { recursive: true })
  await symlink(fileURLToPath(new URL('../../core', import.meta.url)), join(path, 'node_modules/@daybook/core'))
  await cp(new URL('../src/open-store.ts', import.meta.url), join(path, 'open-store.ts'))
  await writeFile(
    join(path, 'main.mts'),
    `import { openStore } from './open-store.ts'
    for (const url of process.argv.slice(2))
      await openStore(url, {}).catch((error) => console.log(error.code, error.message))`,
  )
  const urls = ['postgres://localhost/x', 'mariadb://localhost/x', 'sqlite://x.db']
  const printed = await runTypescript(pathToFileURL(join(path, 'main.mts')), ...urls)
  expect(printed.trim().split('\n')).toEqual([
    'unsupported the packages for postgres: are not installed: npm install @daybook/drizzle-pg drizzle-orm pg',
    'unsupported the packages for mariadb: are not installed: npm install @daybook/drizzle-mysql drizzle-orm mysql2',
    'unsupported the packages for sqlite: are not installed: npm install @daybook/drizzle-sqlite drizzle-orm @libsql/client',
  ])
})

test('a database that cannot be reached is an error of the first call, and the next one tries again [§5 init once]', async () => {
  let tries = 0
  const service = new DaybookSessionService(async () => {
    if (++tries === 1) return openStore('postgres://nobody@127.0.0.1:1/nowhere', { timeout: 2_000 })
    return createInMemoryStore()
  })
  const results = await Promise.allSettled([service.init(), service.createSession(key)])
  expect(
    results.map((result) => result.status === 'rejected' && isStoreError(result.reason) && result.reason.code),
  ).toEqual(['unavailable', 'unavailable'])
  expect(await service.createSession(key)).toMatchObject({ id: 's1' })
  expect(tries).toBe(2)
})

test('a store that is yours is neither migrated nor closed, and may be over your own Drizzle handle [§5 idle connections]', async () => {
  const client = createClient({ url: ':memory:' })
  onTestFinished(() => client.close())
  const store = await createSqliteStore(drizzle({ client }))
  const service = new DaybookSessionService(store)
  await expect(service.createSession(key)).rejects.toMatchObject({ code: 'schema_mismatch' })
  await store.migrate()
  const session = await service.createSession(key)
  await service.close()
  await service.appendEvent({ session, event: createEvent() })
  expect((await store.events.list(key)).items).toHaveLength(1)
})

test('two processes write one SQLite file at once [§5 database is locked; §6.10]', { timeout: 120_000 }, async () => {
  const url = `sqlite://${join(await folder(), 'agent.db')}`
  await using service = await openSessionService(url)
  const session = await service.createSession(key)
  const writing = runTypescript(new URL('append-child.ts', import.meta.url), url)
  const child = { isOver: false }
  const over = writing.finally(() => (child.isOver = true))
  let appended = 0
  for (; !child.isOver; appended++) {
    await service.appendEvent({ session, event: createEvent({ author: 'parent' }) })
    await setTimeout(20)
  }
  await over
  const stored = await service.getSession(key)
  const by = (who: string) => stored?.events.filter(({ author }) => author === who).length
  expect([by('child'), by('parent')]).toEqual([50, appended])
})

test('sessions of long ago are pruned by the store [§5 unbounded growth]', async () => {
  let now = 1000
  const store = createInMemoryStore({ now: () => now })
  const service = new DaybookSessionService(store)
  await service.createSession({ ...key, sessionId: 'old' })
  now = 2_000_000
  await service.createSession({ ...key, sessionId: 'new' })
  expect(await store.sessions.prune({ appName: 'shop', before: 1_000_000 })).toMatchObject({ sessions: 1 })
  expect((await service.listSessions({ appName: 'shop' })).sessions.map(({ id }) => id)).toEqual(['new'])
})

test('the state at creation is kept beside the events [§5 initial state is not an event]', async () => {
  const store = createInMemoryStore()
  const service = new DaybookSessionService(store)
  const session = await service.createSession({ ...key, state: { plan: 'free' } })
  await service.appendEvent({
    session,
    event: createEvent({ actions: { ...createEvent().actions, stateDelta: { plan: 'paid' } } }),
  })
  expect([await store.sessions.stateAt(key, 0), await store.sessions.stateAt(key, 1)]).toEqual([
    { plan: 'free' },
    { plan: 'paid' },
  ])
})
