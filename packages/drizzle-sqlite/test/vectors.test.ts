import { openSqliteStore } from '@daybook/drizzle-sqlite'
import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { knowing } from '../../drizzle/test/dialect-patch.ts'
import { foundAddedAgain, foundOfOld, lateRow, oldEmbeddings, oldRows } from '../../drizzle/test/old-embeddings.ts'
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
    expect((await store.migrate()).applied).toEqual(['0007', '0008', '0009'])
    const { memories } = plain.tables
    const rows = plain.db.select({ id: memories.memoryId, embedding: memories.embedding }).from(memories).all()
    expect(Object.fromEntries(rows.map(({ id, embedding }) => [id, embedding]))).toEqual(oldEmbeddings())
    expect(await foundOfOld(store)).toEqual([['four', 1]])
    expect(await foundAddedAgain(store)).toEqual(['replaced', 'four'])
    expect(() => plain.db.run(sql.raw(lateRow('daybook_memories')))).toThrow(
      expect.objectContaining({
        cause: expect.objectContaining({ message: expect.stringContaining('no column named') }),
      }),
    )
  })

  test('of more than a few that are alike what they say is read of the answer alone', async ({ skip }) => {
    skip(missing !== undefined, missing)
    const sent: string[] = []
    const store = await openPatched[driver](newPath(), {
      onStatement: ({ text, values }) => void sent.push(`${text} -- ${values.join()}`),
      patch: (dialect) => dialect,
      options: { embeddingDimensions: 2 },
    })
    await store.migrate()
    const ann = { appName: 'shop', userId: 'ann' }
    await store.memories.add(
      ann,
      Array.from({ length: 60 }, (_, i) => ({ id: `m${i}`, content: i, text: 'x', embedding: [1, 0], timestamp: i })),
    )
    sent.length = 0
    const { items } = await store.memories.search({ ...ann, embedding: [1, 0], limit: 1 })
    expect(items.map(({ id, content }) => [id, content])).toEqual([['m59', 59]])
    const further = sent.filter((text) => text.includes('order by distance') && /\b264\b/.test(text)) // eight times 1 + 32
    expect(further.map((text) => text.includes('payload'))).toEqual(driver === 'better-sqlite3' ? [] : [false])
    await store.close()
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
