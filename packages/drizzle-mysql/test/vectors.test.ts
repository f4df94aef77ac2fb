import { eq } from 'drizzle-orm'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { knowing } from '../../drizzle/test/dialect-patch.ts'
import { foundAddedAgain, foundOfOld, lateRow, oldEmbeddings, oldRows } from '../../drizzle/test/old-embeddings.ts'
import { createMysqlStore } from '../src/index.ts'
import { openPatched } from './patched-store.ts'
import { backend, drizzleOver, needsServer, newPlace, openedStore } from './places.ts'
import { hasVectors } from './server.ts'

beforeEach(needsServer)

/** A database of six migrations with old rows. */
async function oldPlace() {
  const place = await newPlace()
  const old = await openPatched({ url: place.url }, knowing(6))
  onTestFinished(() => old.close())
  await old.migrate()
  for (const insert of oldRows('daybook_memories')) await place.pool.query(insert)
  return place
}

async function embeddingsOf({ pool }: Awaited<ReturnType<typeof newPlace>>) {
  const { db, tables } = await createMysqlStore(drizzleOver(pool))
  const { memories } = tables
  const rows = await db
    .select({ id: memories.memoryId, embedding: memories.embedding })
    .from(memories)
    .where(eq(memories.appName, 'shop'))
  return Object.fromEntries(rows.map(({ id, embedding }) => [id, embedding]))
}

test('embeddings that were kept as Base64 are the same numbers after the migration', async () => {
  const place = await oldPlace()
  const store = await openedStore(place.url, { embeddingDimensions: 4 })
  expect((await store.migrate()).applied).toEqual(['0007', '0008', '0009'])
  expect(await embeddingsOf(place)).toEqual(oldEmbeddings())
  expect(await foundOfOld(store)).toEqual([['four', 1]])
  expect(await foundAddedAgain(store)).toEqual(['replaced', 'four'])
})

test('the migration of embeddings goes on after any of its statements, and changes nothing when it is done again', async () => {
  const place = await oldPlace()
  const store = await openedStore(place.url)
  const { sql: all = [] } = await store.migrate({ dryRun: true })
  // A table that is there before its migration was begun is somebody else's.
  const statements = all.filter((text) => !text.startsWith('CREATE TABLE'))
  const connection = await place.pool.getConnection()
  for (const text of statements.slice(0, 3)) await connection.query(text)
  await expect(connection.query(lateRow('daybook_memories')), 'by an older process meanwhile').rejects.toMatchObject({
    code: 'ER_BAD_FIELD_ERROR',
  })
  for (const [i] of statements.entries()) for (const text of statements.slice(0, i + 1)) await connection.query(text)
  for (const text of statements) await connection.query(text)
  connection.release()
  expect(await embeddingsOf(place)).toEqual(oldEmbeddings())
  expect((await store.migrate()).applied).toEqual(['0007', '0008', '0009'])
  expect(await embeddingsOf(place)).toEqual(oldEmbeddings())
})

test('health tells by what the distance of embeddings is computed', async () => {
  const store = await openedStore((await newPlace()).url)
  const { settings } = await store.health({ deep: true })
  const knows = (await hasVectors(backend)) === 'yes'
  expect(settings?.['vector_distance']).toBe(knows ? 'vec_distance_cosine' : 'none')
  expect(store.capabilities.nativeVectors).toBe(knows ? 'yes' : 'no')
})
