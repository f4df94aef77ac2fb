import type { Store } from '@daybook/core'

/** Embeddings as they were kept before the seventh migration, of lengths whose Base64 ends in each of its ways, and of numbers at every end. */
const kept: Readonly<Record<string, readonly number[]>> = {
  one: [1],
  three: [0.1, -0.25, 1e-45],
  four: [3.4028234663852886e38, -1.1754943508222875e-38, 0, -1],
  five: [1, 2, 4, -8, 1 / 3],
  long: Array.from({ length: 200 }, (_, i) => Math.fround((i - 100) / 7)),
}

const base64 = (numbers: readonly number[]) => Buffer.from(Float32Array.from(numbers).buffer).toString('base64')

/** Rows with and without one, as a store of that time wrote them. */
export const oldRows = (table: string): readonly string[] =>
  [...Object.entries(kept), ['none', undefined] as const].map(
    ([id, numbers]) =>
      `insert into ${table} (app_name, user_id, memory_id, timestamp, payload, digest, embedding, created_at, updated_at)
        values ('shop', 'ann', '${id}', 1, '{"text":"x"}', '${id}', ${numbers === undefined ? 'null' : `'${base64(numbers)}'`}, 0, 0)`,
  )

/** What a process of that time goes on to write. */
export const lateRow = (table: string): string =>
  `insert into ${table} (app_name, user_id, memory_id, timestamp, payload, digest, embedding, created_at, updated_at)
    values ('shop', 'ann', 'late', 1, '{"text":"x"}', 'late', '${base64([1, 0, 0, 0])}', 0, 0)`

/** The same as the tables of today hand them out, by their ids. */
export const oldEmbeddings = (): Readonly<Record<string, Float32Array | null>> => ({
  ...Object.fromEntries(Object.entries(kept).map(([id, numbers]) => [id, Float32Array.from(numbers)])),
  none: null,
})

const scope = { appName: 'shop', userId: 'ann' }

/**
 * One that was kept as it came is too long for the floats of any database, so it counts as if it were at a right angle to all others.
 * Added again it is kept by its direction, and found among what is not as near.
 */
export async function foundAddedAgain(store: Store): Promise<readonly unknown[]> {
  const others = Array.from({ length: 60 }, (_, i) => ({ id: `m${i}`, text: 'x', embedding: [1, 0.1 + i / 100, 0, 0] }))
  await store.memories.add(scope, others)
  const again = { id: 'four', text: 'x', timestamp: 1, embedding: [...(kept['four'] ?? [])] }
  const { items } = await store.memories.add(scope, again)
  const found = await store.memories.search({ ...scope, embedding: [1, 0, 0, 0], limit: 1 })
  return [items[0]?.outcome, ...found.items.map(({ id }) => id)]
}

/** What a store of four dimensions finds among them. */
export const foundOfOld = async (store: Store): Promise<readonly (readonly [string, number])[]> =>
  (await store.memories.search({ ...scope, embedding: [1, 0, 0, 0] })).items.map(({ id, score }) => [id, score])
