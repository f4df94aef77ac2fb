import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test } from 'vitest'
import { openSqliteStore } from '../src/index.ts'
import { serverProblem, startServer } from './sqld.ts'

test('a deep look finds nothing wrong with what the migrations made, and names what was changed', async () => {
  const store = await openSqliteStore({ url: ':memory:', prefix: 'log_' })
  await store.migrate()
  expect(await store.health({ deep: true })).toMatchObject({ ok: true, warnings: [], settings: { floor: '3.41' } })
  store.db.run(sql`drop index log_sessions_recent`)
  store.db.run(sql`drop view log_events_v1`)
  store.db.run(sql`alter table log_events drop column branch`)
  const { ok, warnings } = await store.health({ deep: true })
  expect(ok).toBe(false)
  expect(warnings.map((warning) => warning.replace(/;.*/, ''))).toEqual([
    'the column log_events.branch is missing',
    'the index log_sessions_recent of log_sessions is missing',
  ])
  expect((await store.health()).warnings).toEqual([])
  await store.close()
})

test('a deep look names types, rights to be empty, generated columns, and what an index is over', async () => {
  const store = await openSqliteStore({ url: ':memory:' })
  onTestFinished(() => store.close())
  await store.migrate()
  await store.indexStatePath(['region'], 'string')
  expect(await store.health({ deep: true })).toMatchObject({ ok: true, warnings: [] })
  const pathIndex = store.db.get<{ name: string }>(
    sql`select name from sqlite_master where name like '%\\_p\\_%' escape '\\'`,
  ).name
  for (const statement of [
    'drop view daybook_events_v1',
    'drop view daybook_sessions_v1',
    'alter table daybook_events drop column author',
    'alter table daybook_events add column author blob',
    'alter table daybook_sessions drop column lease_until',
    'alter table daybook_sessions add column lease_until integer as (lease_fence + 1)',
    'alter table daybook_sessions drop column lease_owner',
    "alter table daybook_sessions add column lease_owner text not null default ''",
    'drop index daybook_sessions_recent',
    'create index daybook_sessions_recent on daybook_sessions (app_name collate nocase, user_id desc) where revision > 1',
    `drop index ${pathIndex}`,
  ])
    store.db.run(sql.raw(statement))
  const { ok, warnings } = await store.health({ deep: true })
  expect(ok).toBe(false)
  expect(warnings.map((warning) => warning.replace(/;.*/, ''))).toEqual([
    'the column daybook_sessions.lease_owner is text not null, and the migrations made it text',
    'the column daybook_sessions.lease_until is integer generated, and the migrations made it integer',
    'the column daybook_events.author is blob, and the migrations made it text',
    'the index daybook_sessions_recent of daybook_sessions is (app_name collate nocase, user_id desc) in part, and the migrations made it (app_name, user_id, last_event_at desc, session_id)',
    `the index of the path ["region"] for values of type string, ${pathIndex}, is missing`,
  ])
})

test('a server answers the same', { timeout: 20_000 }, async ({ skip }) => {
  if (serverProblem !== undefined) skip(serverProblem)
  const folder = mkdtempSync(join(tmpdir(), 'daybook-sqld-'))
  const server = await startServer(folder)
  onTestFinished(async () => {
    await server.kill()
    rmSync(folder, { recursive: true })
  })
  const store = await openSqliteStore({ url: server.url })
  onTestFinished(() => store.close())
  await store.migrate()
  const { ok, warnings } = await store.health({ deep: true })
  expect([ok, warnings.filter((warning) => /column|index/.test(warning))]).toEqual([true, []])
  await store.db.run(sql`drop index daybook_sessions_created`)
  expect((await store.health({ deep: true })).warnings.join()).toContain(
    'daybook_sessions_created of daybook_sessions is missing',
  )
})
