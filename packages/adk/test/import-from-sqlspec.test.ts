import { createInMemoryStore } from '@daybook/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { needsServer } from '../../../tools/servers/needs-server.ts'
import { importFromAdk } from '../src/index.ts'
import { addressed } from './databases.ts'
import { expectedEvents, writeDecomposedTables, writeEventTables, writeScopedTables } from './sqlspec-source.ts'

const start = Date.UTC(2026, 9, 4, 12, 30)
const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }

describe.each(addressed)('from tables of SQLSpec on $name', ({ server, fresh }) => {
  if (server !== undefined) beforeEach(needsServer(server))

  test('events as JSON, with state by scope and without', async () => {
    for (const write of [writeScopedTables, writeEventTables]) {
      const database = await fresh()
      const from = database.url ?? ''
      await write(from, start)
      const to = createInMemoryStore()
      const report = await importFromAdk({ from, to })
      expect(report.source.layout).toBe('sqlspec')
      expect(report.notTaken).toEqual([])
      expect(report.tables.events).toEqual({ found: 2, taken: 2, written: 2 })
      const session = await to.sessions.get(key, { events: 'all' })
      expect(session?.events.map(({ event }) => event)).toEqual(expectedEvents(start))
      expect(session?.state).toMatchObject({ topic: 'a', 'user:home_city': 'Oslo', 'app:next_id': 7 })
      expect(Math.abs((session?.createdAt ?? 0) - (start - 1000))).toBeLessThan(0.05) // a Julian day moves in such steps
      const again = await importFromAdk({ from, to })
      expect(again.tables).toMatchObject({ events: { written: 0 }, userStates: { taken: 1, written: 0 } })
      await database.drop()
    }
  })

  test('18 columns: everything but the pickled actions, which are listed and never loaded', async () => {
    const database = await fresh()
    const from = database.url ?? ''
    await writeDecomposedTables(from, start)
    const to = createInMemoryStore()
    const report = await importFromAdk({ from, to })
    expect(report.notTaken).toMatchObject([{ what: 'event', sessionId: 's1', reason: 'pickled_actions', count: 2 }])
    const session = await to.sessions.get(key, { events: 'all' })
    const [first, second] = expectedEvents(start)
    expect(session?.events.map(({ event }) => ({ ...event, timestamp: 0 }))).toEqual(
      [first, second].map((event) => {
        const { actions: _, usageMetadata: __, ...rest } = { actions: 0, usageMetadata: 0, ...event }
        return { ...rest, timestamp: 0 }
      }),
    )
    expect(session?.events.map(({ event }) => Math.round(event.timestamp))).toEqual([start, start + 1])
    expect(session?.state).toEqual({ topic: 'a', 'user:home_city': 'Oslo', 'app:next_id': 7, 'user:old': 1 })
    await database.drop()
  })
})
