import type { Dialect, Tx } from '@daybook/drizzle'
import { step } from '@daybook/drizzle'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { openPatched } from './patched-store.ts'
import { needsServer, newPlace } from './places.ts'

beforeEach(needsServer)

/** The dialect, with work done right before the first list of rows is inserted. */
const beforeInsert = (dialect: Dialect, work: () => Promise<unknown>): Dialect => {
  let isDone = false
  const patched = (tx: Tx): Tx => ({
    ...tx,
    *insertAll(insert, params) {
      if (!isDone) yield* step(work)
      isDone = true
      return yield* tx.insertAll(insert, params)
    },
  })
  return {
    ...dialect,
    write: (script, call) => dialect.write((tx): ReturnType<typeof script> => script(patched(tx)), call),
  }
}

test('what an add replaces stays replaced when somebody else adds another of its entries meanwhile', async () => {
  const { url, pool } = await newPlace()
  const ann = { appName: 'shop', userId: 'ann' }
  const other = await openPatched({ url, now: () => 1_700_000_000_000 })
  onTestFinished(() => other.close())
  await other.migrate()
  await other.memories.add(ann, { id: 'm1', text: 'old' })
  const store = await openPatched({ url }, (dialect) =>
    beforeInsert(dialect, () =>
      // By hand: in a table of one row the store's own look at what is there would read, and wait for, that row.
      pool.query(
        `insert into daybook_memories (app_name, user_id, memory_id, timestamp, payload, digest, created_at, updated_at)
          values ('shop', 'ann', 'm2', 0, '{"text":"theirs"}', 'other', 0, 0)`,
      ),
    ),
  )
  onTestFinished(() => store.close())
  const { items } = await store.memories.add(ann, [
    { id: 'm1', text: 'new' },
    { id: 'm2', text: 'ours' },
  ])
  expect(items).toEqual([
    { id: 'm1', outcome: 'replaced' },
    { id: 'm2', outcome: 'replaced' },
  ])
  expect(await store.memories.get(ann, 'm1')).toMatchObject({ text: 'new', createdAt: 1_700_000_000_000 })
})
