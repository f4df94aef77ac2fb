import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { needsServer } from '../../../tools/servers/needs-server.ts'
import { importFromAdk } from '../src/index.ts'
import { openStore } from '../src/open-store.ts'
import { adkEvent, adkService, liveSession, writeSessions } from './adk-source.ts'
import { addressed } from './databases.ts'
import { nodeArgs } from './run-typescript.ts'
import { copyEvents } from './source-statements.ts'

const start = Date.UTC(2026, 9, 4, 12, 30)
const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

function child(from: string, to: string): ChildProcess {
  return spawn(process.execPath, [...nodeArgs, pathOf('./import-child.ts'), from, to], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

describe.each(addressed)('into a store on $name', ({ server, fresh }) => {
  if (server !== undefined) beforeEach(needsServer(server))

  // On servers both are in one database, as most will have it; SQLite keeps them in two files.
  test('of two processes at once one is killed, and all is there as if it had been one [§7 repeat]', async () => {
    const source = await fresh()
    const target = server === undefined ? await fresh() : source
    const [from = '', to = ''] = [source.url, target.url]
    const adk = adkService(from, server)
    const keys = await writeSessions(adk.service, 'shop', start)
    const long = { appName: 'long', userId: 'u', sessionId: 's1' }
    await adk.service.createSession(long)
    await adk.service.appendEvent({ session: liveSession(long), event: adkEvent({ id: 'first', timestamp: start }) })
    await copyEvents(from, 2999, start)
    const store = await openStore(to, {})
    await store.migrate()
    const [first, second] = [child(from, to), child(from, to)] // two at once, of which one is killed in the middle
    first.on('message', (done) => {
      if (Number(done) >= 1000) first.kill('SIGKILL')
    })
    await Promise.all([once(first, 'exit'), once(second, 'exit')])
    expect([first.signalCode, second.exitCode]).toEqual(['SIGKILL', 0])
    const report = await importFromAdk({ from, to: store })
    expect(report.notTaken).toEqual([])
    expect(report.tables.events).toMatchObject({ found: 3072, taken: 3072 })
    expect(report.sessions.every(({ checksum }) => checksum.source === checksum.store)).toBe(true)
    for (const key of keys) {
      const theirs = await adk.service.getSession(key)
      const ours = await store.sessions.get(key, { events: 'all' })
      expect(ours?.state).toEqual(JSON.parse(JSON.stringify(theirs?.state)))
      expect(ours?.events.map(({ event }) => event.id)).toEqual(ours?.events.map((_, i) => `e${i}`))
    }
    const { revision, lastSeq } = (await store.sessions.get(long)) ?? {}
    expect(lastSeq).toBe(3000)
    const again = await importFromAdk({ from, to: store })
    expect(again.tables).toMatchObject({ sessions: { written: 0 }, events: { written: 0 }, appStates: { written: 0 } })
    expect((await store.sessions.get(long))?.revision).toBe(revision)
    await store.close()
    await adk.close()
    await source.drop()
    await target.drop().catch(() => {}) // it is the same one on servers
  }, 240_000)
})

/** As many as there is time for: 100,000 take a minute. */
const many = Number(process.env['DAYBOOK_IMPORT_EVENTS'] ?? 10_000)

test(`${many} events of one session, in a process that has little memory`, async () => {
  const files = addressed.find(({ server }) => server === undefined)
  if (files === undefined) throw new Error('there is no database of files')
  const [source, target] = [await files.fresh(), await files.fresh()]
  const [from = '', to = ''] = [source.url, target.url]
  const adk = adkService(from)
  const long = { appName: 'long', userId: 'u', sessionId: 's1' }
  await adk.service.createSession(long)
  await adk.service.appendEvent({ session: liveSession(long), event: adkEvent({ id: 'first', timestamp: start }) })
  await adk.close()
  await copyEvents(from, many - 1, start)
  const store = await openStore(to, {})
  await store.migrate()
  // A list of all their bodies, about a kilobyte each as objects, would not fit beside what Node and ADK take.
  const heap = `--max-old-space-size=${96 + Math.ceil(many / 1000)}`
  const { status, stderr } = spawnSync(process.execPath, [heap, ...nodeArgs, pathOf('./import-child.ts'), from, to], {
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([0, ''])
  expect((await store.sessions.get(long))?.lastSeq).toBe(many)
  await store.close()
  await source.drop()
  await target.drop()
}, 600_000)

test('by the command line: a dry run, the import, what it says', async () => {
  const files = addressed.find(({ server }) => server === undefined)
  if (files === undefined) throw new Error('there is no database of files')
  const [source, target] = [await files.fresh(), await files.fresh()]
  const [from = '', to = ''] = [source.url, target.url]
  const adk = adkService(from)
  await writeSessions(adk.service, 'shop', start)
  await adk.close()
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [...nodeArgs, pathOf('../src/cli.ts'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, ADK_DATABASE_URL: from },
    })
  const dry = run('import', '--to', to, '--dry-run')
  expect([dry.stderr, dry.status]).toEqual(['', 0])
  expect(dry.stdout).toContain('A dry run: this would be written, from tables of adk (1) on sqlite')
  expect(dry.stdout).toContain('events: 72 found, 72 taken, 72 written')
  expect(run('import', '--to', to).stdout).toContain('sessions: 12 found, 12 taken, 12 written')
  const again = run('import', '--to', to, '--json')
  expect(JSON.parse(again.stdout)).toMatchObject({ tables: { events: { found: 72, taken: 72, written: 0 } } })
  expect(run('import', '--no-such').status).toBe(2)
  const missing = run('import', '--from', 'sqlite:///none.db', '--to', to)
  expect([missing.status, missing.stderr]).toEqual([3, 'invalid_argument: from names a file that is not there\n'])
  await source.drop()
  await target.drop()
}, 240_000)
