import { openSqliteStore, type PayloadCodec } from '@daybook/drizzle-sqlite'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { aesGcm } from '../../drizzle/test/codecs.ts'
import { key, newPath } from './places.ts'

const ann = { appName: 'shop', userId: 'ann' }
const secret = (id: string, n: number): PayloadCodec => ({
  ...aesGcm(id, Buffer.alloc(32, n)),
  searchKey: Buffer.alloc(32, n + 1),
})

async function opened(path: string, codec?: PayloadCodec | readonly PayloadCodec[]) {
  const store = await openSqliteStore({ url: `file:${path}`, ...(codec !== undefined && { codec }) })
  await store.migrate()
  return store
}

test('a codec encodes what a memory says, and its key the words by which it is found', async () => {
  const path = newPath()
  await using plain = await opened(path)
  await plain.memories.add(ann, { id: 'old', text: 'alpha plain', timestamp: 1 })
  await using first = await opened(path, secret('k1', 1))
  await first.memories.add(ann, { id: 'one', text: 'alpha sealed', timestamp: 2 })
  const rows = plain.db.all<{ payload: string }>(sql`select payload from daybook_memories where memory_id = 'one'`)
  expect(rows[0]?.payload).toMatch(/^\{"codec":"k1","data":"[^"]+"\}$/)
  expect((await plain.memories.search({ ...ann, query: 'sealed' })).items, 'words of another key').toEqual([])
  await expect(plain.memories.get(ann, 'one')).rejects.toMatchObject({
    code: 'unsupported',
    facts: { capability: 'codec' },
  })
  await using second = await opened(path, [secret('k2', 5), secret('k1', 1)])
  await second.memories.add(ann, { id: 'two', text: 'alpha again', timestamp: 3 })
  const found = (await second.memories.search({ ...ann, query: 'alpha' })).items
  expect(found.map(({ id, text, score }) => [id, text, score])).toEqual([
    ['two', 'alpha again', 1],
    ['one', 'alpha sealed', 1],
    ['old', 'alpha plain', 1],
  ])
  const again = await second.memories.add(ann, { id: 'two', text: 'alpha again', timestamp: 3 })
  expect(again.items).toEqual([{ id: 'two', outcome: 'duplicate' }])
})

test('the words of two users never meet', async () => {
  await using store = await opened(newPath())
  for (const userId of ['ann', 'bob'])
    await store.memories.add({ appName: 'shop', userId }, { id: 'm', text: 'alpha beta' })
  const words = store.db.all(sql`select cast(word as text) as word from daybook_memory_words`)
  expect(new Set(words.map((row) => JSON.stringify(row))).size).toBe(4)
})

test('a script remembers and finds with the rows of the application, or not at all', async () => {
  await using store = await opened(newPath())
  await store.sessions.create(key)
  const found = await store.transaction(function* (_tx, inside) {
    yield* inside.events.append(key, { id: 'e1', content: { parts: [{ text: 'alpha' }] } })
    yield* inside.memories.add(key, { session: key })
    return yield* inside.memories.search({ appName: key.appName, userId: key.userId, query: 'alpha' })
  })
  expect(found.items.map(({ eventId }) => eventId)).toEqual(['e1'])
  const failing = store.transaction(function* (_tx, inside) {
    yield* inside.memories.delete({ appName: key.appName, userId: key.userId, all: true })
    throw new RangeError('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect((await store.memories.list({ appName: key.appName, userId: key.userId })).items).toHaveLength(1)
})

test('a searchKey that is too short is refused', async () => {
  const codec = { ...secret('k', 1), searchKey: new Uint8Array(8) }
  await expect(opened(newPath(), codec)).rejects.toMatchObject({
    code: 'invalid_argument',
    facts: { field: 'codec.searchKey' },
  })
})
