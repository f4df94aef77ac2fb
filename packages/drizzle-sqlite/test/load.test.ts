import { describe, expect, onTestFinished, test } from 'vitest'
import { ask, createFile, driverNames, missingDrivers, openFile } from './drivers.ts'
import { key, newPath } from './places.ts'

// The newest events come as one row where they are few and small, and row by row where they are not: nobody should see which.

const usable = driverNames.filter((driver) => missingDrivers[driver] === undefined)

describe.for(usable)('a session with its newest events, by %s', (driver) => {
  async function storeWith(texts: readonly string[]) {
    const path = newPath()
    await createFile(driver, path)
    const store = await openFile[driver](path)
    onTestFinished(() => store.close())
    await store.migrate()
    await store.sessions.create(key)
    const events = texts.map((text, i) => ({ id: `e"${i}`, author: 'ann', content: { parts: [{ text }] } }))
    await store.events.append(key, events)
    const newest = async (last: number) => (await store.sessions.get(key, { events: { last } }))?.events
    /** What stands in the place of an event's payload, whatever its rules. */
    const spoil = (payload: string) =>
      ask(driver, path, `update daybook_events set payload = ? where event_id = ?`, [payload, 'e"1'])
    return { newest, events, spoil }
  }

  const small = ['one', 'two\0\u0001', '"],[', '\ud83d', '😀']
  test.for([
    ['small ones', small],
    ['a large one among small ones', ['one', 'x'.repeat(70_000), 'three', 'four', 'five']],
    ['one just too large by its bytes', ['one', 'é'.repeat(33_000), 'three', 'four', 'five']],
    ['more than go together', Array.from({ length: 300 }, (_, i) => `text ${i}`)],
  ] as const)('%s come as they are, oldest first', async ([, texts]) => {
    const { newest, events } = await storeWith(texts)
    for (const last of [1, 3, 5, 200, 201, 1000]) {
      const from = Math.max(0, events.length - last)
      expect(await newest(last)).toMatchObject(events.slice(from).map((event, i) => ({ seq: from + i + 1, event })))
      expect(await newest(last)).toHaveLength(events.length - from)
    }
    expect(await newest(0)).toEqual([])
  })

  test('of a session that has none there are none', async () => {
    const { newest } = await storeWith([])
    expect(await newest(5)).toEqual([])
  })

  test.for(['', '{', 'null', '"text"', '1', '{"id":"a"},{"id":"b"}', '{"id":7}', '[1]'])(
    'what is stored as %s is no event, and named',
    async (payload) => {
      const { newest, spoil } = await storeWith(small)
      await spoil(payload)
      await expect(newest(5)).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining('event e"1') })
      expect(await newest(1)).toHaveLength(1)
    },
  )
})
