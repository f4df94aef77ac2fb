import type { Ctx } from '../context.ts'
import { equal, rejects } from '../expect.ts'
import { numbers, walk } from '../fixtures.ts'
import { ann, foundBy, text } from './mem-fixtures.ts'

/** An order of ids by code point that does not rest on UTF-8. */
const points = (id: string) => [...id].map((one) => (one.codePointAt(0) ?? 0).toString(16).padStart(6, '0')).join('')

export async function limitAndOrder(ctx: Ctx): Promise<void> {
  const { memories: store } = ctx.store
  const entries = [
    ...numbers(25).map((i) => text(`m${String(i).padStart(2, '0')}`, 'alpha', { timestamp: 1000 + (i % 3) })),
    text('\uFFFD', 'alpha', { timestamp: 1001 }),
    text('😀', 'alpha', { timestamp: 1001 }),
    text('A', 'alpha', { timestamp: 1001 }),
    text('a', 'alpha beta', { timestamp: 5 }),
  ]
  await store.add(ann(ctx), entries)
  const ordered = entries
    .filter(({ id }) => id !== 'a')
    .toSorted((x, y) => (y.timestamp ?? 0) - (x.timestamp ?? 0) || (points(x.id ?? '') < points(y.id ?? '') ? -1 : 1))
    .map(({ id }) => id)
  const query = { ...ann(ctx), query: 'beta alpha' }
  equal(
    await foundBy(ctx.other, query),
    ['a', ...ordered.slice(0, 19)],
    'the default limit is 20, in the order of score, time and id',
  )
  equal(await foundBy(ctx.other, { ...query, limit: 1000 }), ['a', ...ordered], 'all')
  for (const limit of [1, 5])
    equal(await foundBy(ctx.other, { ...query, limit }), ['a', ...ordered].slice(0, limit), `limit ${limit}`)
  for (const limit of [-1, 1.5, 1001])
    await rejects(() => store.search({ ...query, limit }), 'invalid_argument', `limit ${limit}`)
  for (const direction of ['desc', 'asc'] as const) {
    const all = await walk(
      (cursor) =>
        ctx.other.memories.list({ ...ann(ctx), direction, limit: 4, ...(cursor !== undefined && { cursor }) }),
      'memories.list',
    )
    const sign = direction === 'asc' ? 1 : -1
    const expected = entries.toSorted(
      (x, y) => sign * ((x.timestamp ?? 0) - (y.timestamp ?? 0)) || (points(x.id ?? '') < points(y.id ?? '') ? -1 : 1),
    )
    equal(
      all.map(({ id }) => id),
      expected.map(({ id }) => id),
      `the list, ${direction}`,
    )
  }
  const { nextCursor = '' } = await store.list({ ...ann(ctx), limit: 1 })
  await rejects(
    () => store.list({ appName: ctx.app, userId: 'bob', cursor: nextCursor }),
    'invalid_cursor',
    'a cursor of another user',
  )
  equal(
    (await store.list({ ...ann(ctx), offset: 27 })).items.map(({ id }) => id),
    [ordered[27], 'a'],
    'offset',
  )
}
