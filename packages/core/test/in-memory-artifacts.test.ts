import { createInMemoryDatabase, createInMemoryStore, databaseText } from '@daybook/core'
import { expect, test } from 'vitest'

const session = { appName: 'shop', userId: 'ann', sessionId: 's1' }
const key = { ...session, name: 'a' }

const base64 = (text: string) => Buffer.from(text).toString('base64')

async function filled() {
  const database = createInMemoryDatabase()
  const store = createInMemoryStore({ database })
  await store.sessions.create(session)
  await store.artifacts.save(key, Buffer.from('first'), { saveId: 'x', mimeType: 'text/plain', metadata: { a: 1 } })
  await store.artifacts.save(key, Buffer.from('second'))
  await store.artifacts.save({ ...session, name: 'user:b' }, Buffer.from('shared'))
  return databaseText(database)
}

test('artifacts survive as text, with their numbers and save ids', async () => {
  const store = createInMemoryStore({ database: createInMemoryDatabase(await filled()) })
  const loaded = await store.artifacts.load(key, { version: 0 })
  expect(loaded).toMatchObject({ version: 0, mimeType: 'text/plain', metadata: { a: 1 }, size: 5 })
  expect(Buffer.from(loaded?.bytes ?? []).toString()).toBe('first')
  const again = { saveId: 'x', mimeType: 'text/plain', metadata: { a: 1 } }
  expect(await store.artifacts.save(key, Buffer.from('first'), again)).toMatchObject({ version: 0, duplicate: true })
  expect(await store.artifacts.save(key, Buffer.from('third'))).toMatchObject({ version: 2 })
  const { items } = await store.artifacts.list(session)
  expect(items.map(({ name, version }) => [name, version])).toEqual([
    ['a', 2],
    ['user:b', 0],
  ])
})

test('bytes that were changed outside are corrupt', async () => {
  const text = (await filled()).replace(base64('second'), base64('Second'))
  const store = createInMemoryStore({ database: createInMemoryDatabase(text) })
  await expect(store.artifacts.load(key)).rejects.toMatchObject({ code: 'corrupt' })
  const found = await store.artifacts.load(key, { stream: true })
  await expect(found?.stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'corrupt' })
})
