import { isStoreError } from '@daybook/core'
import { eq } from 'drizzle-orm'
import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { knowing } from '../../drizzle/test/dialect-patch.ts'
import { foundAddedAgain, foundOfOld, lateRow, oldEmbeddings, oldRows } from '../../drizzle/test/old-embeddings.ts'
import { openPgStore } from '../src/index.ts'
import { openPatched } from './patched-store.ts'
import { client, newSchema, openStore } from './places.ts'
import { connect, freshName, needsServer, serverUrl, urlWith } from './server.ts'

beforeEach(needsServer)

describe.for(['pg', 'postgres'] as const)('%s', (driver) => {
  test('embeddings that were kept as Base64 are the same numbers after the migration', async () => {
    const schema = newSchema()
    const old = await openPatched({ driver, url: serverUrl, schema, max: 1 }, knowing(6))
    onTestFinished(() => old.close())
    await old.migrate()
    const sql = client()
    for (const insert of oldRows(`"${schema}".daybook_memories`)) await sql.unsafe(insert)
    const store = await openPgStore({ driver, url: serverUrl, schema, max: 1, embeddingDimensions: 4 })
    onTestFinished(() => store.close())
    expect((await store.migrate()).applied).toEqual(['0007', '0008', '0009'])
    const { memories } = store.tables
    const rows = await store.db.select({ id: memories.memoryId, embedding: memories.embedding }).from(memories)
    expect(Object.fromEntries(rows.map(({ id, embedding }) => [id, embedding]))).toEqual(oldEmbeddings())
    expect(await foundOfOld(store)).toEqual([['four', 1]])
    expect(await foundAddedAgain(store)).toEqual(['replaced', 'four'])
    await expect(sql.unsafe(lateRow(`"${schema}".daybook_memories`))).rejects.toMatchObject({ code: '42703' }) // no such column
  })
})

/** A database of its own, with pgvector in a schema that is on nobody's path; `undefined` where the server has none. */
async function databaseWithVectors() {
  const admin = connect({ max: 1 })
  const [extension] = await admin`select 1 from pg_available_extensions where name = 'vector'`
  const database = freshName()
  await admin.unsafe(`create database ${database}`)
  onTestFinished(async () => {
    await admin.unsafe(`drop database ${database} with (force)`)
    await admin.end({ timeout: 1 })
  })
  const url = urlWith({ pathname: `/${database}` })
  if (extension === undefined) return { url, admin, database, hasVectors: false }
  const own = await openStore({ url })
  await own.db.execute('create schema extensions')
  await own.db.execute('create extension vector schema extensions')
  return { url, admin, database, hasVectors: true }
}

const ann = { appName: 'shop', userId: 'ann' }
const embedded = [
  { id: 'far', text: 'x', embedding: [0, 1] },
  { id: 'near', text: 'x', embedding: [1, 0.5] },
  { id: 'same', text: 'x', embedding: [3, 0] },
]

test('pgvector is found in any schema, and health names the function', async () => {
  const { url, hasVectors } = await databaseWithVectors()
  const store = await openStore({ url, embeddingDimensions: 2, limits: { embeddingsCompared: 2 } })
  await store.migrate()
  expect(store.capabilities.nativeVectors).toBe(hasVectors ? 'yes' : 'no')
  const { settings } = await store.health({ deep: true })
  expect(settings?.['vector_distance']).toBe(hasVectors ? 'extensions.cosine_distance' : 'none')
  await store.memories.add(ann, embedded)
  const found = store.memories.search({ ...ann, embedding: [1, 0], limit: 2 }).then(
    ({ items }) => items.map(({ id }) => id),
    (error: unknown) => isStoreError(error) && error.code,
  )
  expect(await found).toEqual(hasVectors ? ['same', 'near'] : 'limit_exceeded')
})

test('one whose products are too small for the floats of pgvector is compared by the store', async () => {
  const { url } = await databaseWithVectors()
  const store = await openStore({ url, embeddingDimensions: 2 })
  await store.migrate()
  const others = Array.from({ length: 60 }, (_, i) => ({ id: `m${i}`, text: 'x', embedding: [1, -1 - i] }))
  await store.memories.add(ann, [...others, { id: 'tiny', text: 'x', embedding: [1, 0] }])
  const { memories } = store.tables
  await store.db
    .update(memories)
    .set({ embedding: Float32Array.of(1e-45, 0) })
    .where(eq(memories.memoryId, 'tiny'))
  const { items } = await store.memories.search({ ...ann, embedding: [0.1, 1], limit: 1 })
  expect(items.map(({ id, score }) => [id, score])).toEqual([['tiny', expect.closeTo(0.1 / Math.hypot(0.1, 1))]])
})

test('a role that may not use the schema of pgvector has its embeddings compared by the store', async () => {
  const { url, admin, database } = await databaseWithVectors()
  const role = freshName()
  const password = randomBytes(8).toString('hex')
  await admin.unsafe(`create role ${role} login password '${password}'`)
  await admin.unsafe(`alter database ${database} owner to ${role}`)
  onTestFinished(async () => {
    await admin.unsafe(`alter database ${database} owner to current_user`)
    const own = connect({ max: 1, database })
    await own.unsafe(`drop owned by ${role}`)
    await own.end({ timeout: 1 })
    await admin.unsafe(`drop role ${role}`)
  })
  const store = await openStore({
    url: Object.assign(new URL(url), { username: role, password }).href,
    schema: 'agent',
    embeddingDimensions: 2,
  })
  await store.migrate()
  expect(store.capabilities.nativeVectors).toBe('no')
  await store.memories.add(ann, embedded)
  const { items } = await store.memories.search({ ...ann, embedding: [1, 0] })
  expect(items.map(({ id }) => id)).toEqual(['same', 'near', 'far'])
})
