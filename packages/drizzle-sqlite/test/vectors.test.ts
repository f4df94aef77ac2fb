import { openSqliteStore } from '@daybook/drizzle-sqlite'
import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { knowing } from '../../drizzle/test/dialect-patch.ts'
import { foundOfOld, oldEmbeddings, oldRows } from '../../drizzle/test/old-embeddings.ts'
import { driverNames, missingDrivers, openFile } from './drivers.ts'
import { openPatched } from './patched-store.ts'
import { newPath } from './places.ts'

const drivers = driverNames.map((driver) => ({ driver, missing: missingDrivers[driver] }))

describe.for(drivers)('$driver', ({ driver, missing }) => {
  test('embeddings that were kept as Base64 are the same numbers after the migration', async ({ skip }) => {
    skip(missing !== undefined, missing)
    const path = newPath()
    const old = await openPatched[driver](path, { onStatement: undefined, patch: knowing(6), options: {} })
    expect((await old.migrate()).applied.at(-1)).toBe('0006')
    await old.close()
    await using plain = await openSqliteStore({ url: `file:${path}` })
    for (const insert of oldRows('daybook_memories')) plain.db.run(sql.raw(insert))
    await using store = await openFile[driver](path, { embeddingDimensions: 4 })
    expect((await store.migrate()).applied).toEqual(['0007'])
    const { memories } = plain.tables
    const rows = plain.db.select({ id: memories.memoryId, embedding: memories.embedding }).from(memories).all()
    expect(Object.fromEntries(rows.map(({ id, embedding }) => [id, embedding]))).toEqual(oldEmbeddings())
    expect(await foundOfOld(store)).toEqual([['four', 1]])
  })

  test('health tells by what the distance of embeddings is computed', async ({ skip }) => {
    skip(missing !== undefined, missing)
    const store = await openFile[driver](newPath())
    const { settings } = await store.health({ deep: true })
    const knows = driver !== 'better-sqlite3'
    expect(settings?.['vector_distance']).toBe(knows ? 'vector_distance_cos' : 'none')
    expect(store.capabilities.nativeVectors).toBe(knows ? 'yes' : 'no')
    await store.close()
  })
})
