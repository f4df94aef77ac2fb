import { describe, expect, onTestFinished, test } from 'vitest'
import { ask, createFile, driverNames, missingDrivers, openFile } from './drivers.ts'
import { key, newPath } from './places.ts'

// A list comes as one row where its documents are few and small, and row by row where they are not: nobody should see which.

const usable = driverNames.filter((driver) => missingDrivers[driver] === undefined)
const user = { appName: key.appName, userId: key.userId }
const small = ['one', 'two\0\u0001\u001f', '"],[', '\ud83d', '😀\u001d\u001e']
const lists = [
  ['small ones', small],
  ['a large one among small ones', ['one', 'x'.repeat(70_000), 'three']],
  ['one just too large by its bytes', ['one', 'é'.repeat(33_000), 'three']],
  ['more than go together', Array.from({ length: 250 }, (_, i) => `text ${i}`)],
] as const

describe.for(usable)('lists by %s', (driver) => {
  async function open() {
    const path = newPath()
    await createFile(driver, path)
    const store = await openFile[driver](path)
    onTestFinished(() => store.close())
    await store.migrate()
    return { store, path }
  }

  test.for(lists)('of sessions with %s have each with its state', async ([, texts]) => {
    const { store } = await open()
    await store.state.update(user, { set: { tone: 'calm\u001f' } })
    for (const [i, text] of texts.entries())
      await store.sessions.create({ ...user, sessionId: `${i} "\u0001`, state: { text } })
    for (const limit of [1, 3, 200, 1000]) {
      const { items } = await store.sessions.list({
        ...user,
        orderBy: 'createdAt',
        direction: 'asc',
        limit,
        state: true,
      })
      const found = new Set(items.map(({ state }) => state?.['text']))
      expect(items).toHaveLength(Math.min(limit, texts.length))
      expect(found.size).toBe(items.length)
      for (const { state, sessionId } of items) {
        expect(state).toEqual({ text: texts[Number.parseInt(sessionId, 10)], 'user:tone': 'calm\u001f' })
      }
    }
  })

  test.for(lists)('of events with %s have each as it is', async ([, texts]) => {
    const { store } = await open()
    await store.sessions.create(key)
    const events = texts.map((text, i) => ({ id: `e"${i}`, content: { parts: [{ text }] } }))
    await store.events.append(key, events)
    for (const limit of [1, 3, 200, 1000]) {
      const { items } = await store.events.list(key, { limit })
      expect(items).toMatchObject(events.slice(0, limit).map((event, i) => ({ seq: i + 1, event })))
    }
  })

  test.for(['', '{', '1', 'a\u001fb'])('of events name one that is stored as %j', async (payload) => {
    const { store, path } = await open()
    await store.sessions.create(key)
    await store.events.append(key, [{ id: 'e0' }, { id: 'e1' }, { id: 'e2' }])
    await ask(driver, path, `update daybook_events set payload = ? where event_id = ?`, [payload, 'e1'])
    await expect(store.events.list(key)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('event e1'),
    })
  })

  test('of none are empty', async () => {
    const { store } = await open()
    expect((await store.sessions.list({ ...user, state: true })).items).toEqual([])
    expect((await store.events.list(key)).items).toEqual([])
  })
})
