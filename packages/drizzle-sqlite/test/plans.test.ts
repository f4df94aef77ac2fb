import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { createSqliteStore } from '../src/index.ts'
import { betterSqliteProblem } from './drivers.ts'

// Which way statements take through the tables, where the planner would take another one if it were left to itself.

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }

/** A store, and how what it sent since then goes through the events. */
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
  const waysThroughEvents = () =>
    sent
      .filter((text) => /^(?:select|update|insert)/i.test(text))
      .flatMap((text) => {
        const statement = prepare<unknown[], { detail: string }>(`explain query plan ${text}`)
        const values = Array.from({ length: text.split('?').length - 1 }, () => null)
        return statement.all(...values).map(({ detail }) => detail)
      })
      .filter((detail) => detail.includes('daybook_events'))
  return { store, sent, waysThroughEvents }
}

test('an append that is repeated looks up its ids, and does not read the session from its beginning', async ({
  skip,
}) => {
  skip(betterSqliteProblem !== undefined, betterSqliteProblem)
  const { store, waysThroughEvents } = await watched()
  await store.events.append(key, [{ id: 'e1' }, { id: 'e2' }])
  const again = await store.events.append(key, [{ id: 'e1' }, { id: 'e2' }])
  expect(again.events.map(({ duplicate }) => duplicate)).toEqual([true, true])
  const ways = waysThroughEvents()
  expect(ways.length).toBeGreaterThan(0)
  for (const way of ways) expect(way).toMatch(/^SEARCH .*event_id=\?/)
})

test('what reads sessions is planned without the values that it binds, and so not anew for each', async ({ skip }) => {
  skip(betterSqliteProblem !== undefined, betterSqliteProblem)
  const { store, sent } = await watched()
  const { appName, userId } = key
  await store.sessions.list({ appName, userId })
  await store.sessions.list({ appName, state: true, offset: 1 })
  await store.sessions.get(key, { events: { last: 5 } })
  await store.events.list(key, { author: 'ann' })
  expect(sent.filter((text) => text.startsWith('select'))).toHaveLength(4)
  for (const text of sent) expect(text).not.toMatch(/(?<!\+)\?/)
})
