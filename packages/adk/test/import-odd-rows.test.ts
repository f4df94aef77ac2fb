import { createInMemoryStore } from '@daybook/core'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { needsServer } from '../../../tools/servers/needs-server.ts'
import { importFromAdk } from '../src/index.ts'
import { adkEvent, adkService } from './adk-source.ts'
import { addressed, type Database } from './databases.ts'
import { nodeArgs } from './run-typescript.ts'
import { query } from './source-statements.ts'

const start = Date.UTC(2026, 9, 4, 12, 30)
const key = { appName: 'odd', userId: 'u', sessionId: 's1' }

async function written({ server, fresh }: Database, sessionIds: readonly string[]) {
  const own = await fresh()
  const url = own.url ?? ''
  const adk = adkService(url, server)
  for (const sessionId of sessionIds) {
    const session = await adk.service.createSession({ ...key, sessionId })
    for (const n of [1, 2, 3])
      await adk.service.appendEvent({ session, event: adkEvent({ id: `e${n}`, author: 'a', timestamp: start + n }) })
  }
  onTestFinished(async () => {
    await adk.close()
    await own.drop()
  })
  return url
}

const told = ({ notTaken }: Awaited<ReturnType<typeof importFromAdk>>) =>
  notTaken.map(({ what, reason, sessionId, eventId }) => [what, reason, sessionId, eventId])

/** An event of another session than the one that it is a copy of. */
const copied = (name: string, by: string) =>
  `insert into events (id, app_name, user_id, session_id, invocation_id, timestamp, event_data)
    select 'copy of ${name}', app_name, user_id, ${by}, invocation_id, timestamp, event_data from events where session_id = '${name}' and id = 'e1'`

describe.each(addressed)('from $name', (database) => {
  const { server } = database
  if (server !== undefined) beforeEach(needsServer(server))
  const folds = server === 'mariadb' || server === 'mysql'

  test('JSON that is none, or no object, is listed with its place, and the rest is taken', async () => {
    const from = await written(database, ['s1', 's2', 's3'])
    await query(from, `update events set event_data = '[1]' where session_id = 's1' and id = 'e2'`)
    await query(from, `update sessions set state = '"text"' where id = 's2'`)
    await query(
      from,
      `insert into app_states (app_name, state, update_time) select 'list', '[]', update_time from sessions where id = 's1'`,
    )
    // Where the columns are text anything can be in them.
    if (server === undefined)
      await query(from, `update events set event_data = '{"id": ' where session_id = 's1' and id = 'e3'`)
    const to = createInMemoryStore()
    const report = await importFromAdk({ from, to })
    expect(told(report)).toEqual(
      expect.arrayContaining([
        ['event', 'unreadable', 's1', 'e2'],
        ...(server === undefined ? [['event', 'unreadable', 's1', 'e3']] : []),
        ['session', 'unreadable', 's2', undefined],
        ['app state', 'unreadable', undefined, undefined],
      ]),
    )
    const left = server === undefined ? 2 : 1
    expect(report.notTaken).toHaveLength(2 + left)
    expect((await to.events.list(key)).items.map(({ event }) => event.id)).toEqual(
      ['e1', 'e2', 'e3'].toSpliced(1, left),
    )
    expect(await to.sessions.get({ ...key, sessionId: 's2' })).toBeUndefined()
    expect((await to.sessions.get({ ...key, sessionId: 's3' }))?.lastSeq).toBe(3)
  })

  test('keys that only the collation of the source takes for the same are listed as what they are [§7 ids]', async () => {
    const from = await written(database, ['s1', 's2'])
    await query(from, copied('s1', `'S1'`), copied('s2', `'S2'`))
    const to = createInMemoryStore()
    const report = await importFromAdk({ from, to })
    expect(report.notTaken.map(({ what, reason, sessionId, count }) => [what, reason, sessionId, count])).toEqual(
      ['S1', 'S2'].map((id) => ['event', folds ? 'folded' : 'no_session', id, 1]),
    )
    expect(report.tables.events).toEqual({ found: 8, taken: 6, written: 6 })
    expect((await to.events.list(key)).items.map(({ event }) => event.id)).toEqual(['e1', 'e2', 'e3'])
    expect((await to.sessions.get({ ...key, sessionId: 's2' }))?.lastSeq).toBe(3)
    expect(await to.sessions.get({ ...key, sessionId: 'S1' })).toBeUndefined()
  })

  test('written in one time zone and imported in another: the times are those that they were [§7 times]', async () => {
    const own = await database.fresh()
    onTestFinished(() => own.drop())
    const at = (zone: string, ...args: readonly string[]) => {
      const child = fileURLToPath(new URL('./zone-child.ts', import.meta.url))
      const env = { ...process.env, TZ: zone }
      const text = execFileSync(process.execPath, [...nodeArgs, child, own.url ?? '', ...args], {
        encoding: 'utf8',
        env,
      })
      return JSON.parse(text) as { createdAt: number; lastEventAt: number; zone: string }
    }
    const wrote = at('America/New_York', 'write', server ?? 'sqlite')
    const read = at('Asia/Tokyo', 'import', 'America/New_York')
    expect([wrote.zone, read.zone]).toEqual(['America/New_York', 'Asia/Tokyo'])
    expect(Math.abs(read.createdAt - wrote.createdAt)).toBeLessThan(folds ? 2_000 : 1_000)
    expect(read.lastEventAt).toBe(wrote.lastEventAt)
  }, 60_000)
})
