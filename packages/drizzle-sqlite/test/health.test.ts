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
  expect(await store.health({ deep: true })).toMatchObject({ ok: true, warnings: [], settings: { floor: '3.38' } })
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
