import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { createSqliteStore } from '../src/index.ts'
import { betterSqliteProblem } from './drivers.ts'

// Which way statements take through the tables, where the planner would take another one if it were left to itself.

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }

/** A store, and how what it sent since then goes through a table. */
async function watched() {
  const client = new Database(':memory:')
  const sent: string[] = []
  const prepare = client.prepare.bind(client)
  Object.defineProperty(client, 'prepare', {
    value: (text: string) => {
      sent.push(text)
      return prepare(text)
    },
  })
  const store = await createSqliteStore(drizzle({ client }))
  onTestFinished(() => store.close().then(() => void client.close()))
  await store.migrate()
  await store.sessions.create(key)
  sent.length = 0
  const waysThrough = (table: string) =>
    sent
      .filter((text) => /^(?:select|update|insert|delete)/i.test(text))
      .flatMap((text) => {
        const statement = prepare<unknown[], { detail: string }>(`explain query plan ${text}`)
        const values = Array.from({ length: text.split('?').length - 1 }, () => null)
        return statement.all(...values).map(({ detail }) => detail)
      })
      .filter((detail) => detail.includes(table))
  return { store, sent, waysThrough }
}

test('an append that is repeated looks up its ids, and does not read the session from its beginning', async ({
  skip,
}) => {
  skip(betterSqliteProblem !== undefined, betterSqliteProblem)
  const { store, waysThrough } = await watched()
  await store.events.append(key, [{ id: 'e1' }, { id: 'e2' }])
  const again = await store.events.append(key, [{ id: 'e1' }, { id: 'e2' }])
  expect(again.events.map(({ duplicate }) => duplicate)).toEqual([true, true])
  const ways = waysThrough('daybook_events')
  expect(ways.length).toBeGreaterThan(0)
  for (const way of ways) expect(way).toMatch(/^SEARCH .*event_id=\?/)
})

test('what reads sessions is planned without the values that it binds, and so not anew for each', async ({ skip }) => {
  skip(betterSqliteProblem !== undefined, betterSqliteProblem)
  const { store, sent } = await watched()
  const { appName, userId } = key
  await store.sessions.list({ appName, userId })
  await store.sessions.list({ appName, userId, state: true, offset: 1 })
  await store.sessions.get(key, { events: { last: 5 } })
  await store.events.list(key, { author: 'ann' })
  expect(sent.filter((text) => text.startsWith('select'))).toHaveLength(4)
  for (const text of sent) expect(text).not.toMatch(/(?<!\+)\?/)
})

test('a filter, and a list of the whole app, is planned with what it binds: which index is the best depends on it', async ({
  skip,
}) => {
  skip(betterSqliteProblem !== undefined, betterSqliteProblem)
  const { store, sent } = await watched()
  const { appName, userId } = key
  await store.sessions.list({ appName, userId, where: [{ path: ['color'], op: 'eq', value: 'red' }] })
  await store.sessions.list({ appName })
  await store.sessions.list({ appName, userId, orderBy: 'createdAt' })
  const lists = sent.filter((text) => text.startsWith('select') && text.includes('limit'))
  expect(lists).toHaveLength(3)
  for (const text of lists) expect(text).toMatch(/limit \?/)
})

test('a prune goes to the traces that it has found, and not through all rows that are old', async ({ skip }) => {
  skip(betterSqliteProblem !== undefined, betterSqliteProblem)
  const { store, sent, waysThrough } = await watched()
  const { appName } = key
  const row = { appName, traceId: 't1', operationName: 'answer', operationType: 'chat' as const, startedAt: 1_000 }
  await store.metrics.record([row, { ...row, traceId: 't2' }])
  sent.splice(0)
  expect(await store.metrics.prune({ appName, before: 2_000 })).toMatchObject({ metrics: 2, traces: 2 })
  sent.splice(0, sent.length, ...sent.filter((text) => text.startsWith('delete')))
  expect(waysThrough('daybook_metrics')).toEqual([expect.stringMatching(/daybook_metrics_key .*trace_id=\?/)])
})
