import type { MemoryQuery, Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, rejects } from '../expect.ts'
import { nothingWritten, numbers } from '../fixtures.ts'
import { isValue, together } from '../race.ts'

const at = (id: string, embedding: readonly number[], text = 'x', timestamp = 1) => ({
  id,
  embedding,
  text,
  timestamp,
})

export async function likenessIsExact(ctx: Ctx): Promise<void> {
  const scope = { appName: ctx.app, userId: 'ann' }
  await ctx.store.memories.add(scope, [
    at('same', [2, 0, 0, 0], 'gamma'),
    at('near', [4, 3, 0, 0], 'alpha'),
    at('half', [3, 4, 0, 0], 'alpha beta'),
    at('tie b', [3, 0, 4, 0]),
    at('tie a', [3, 0, 0, 4]),
    at('tie new', [3, 0, -4, 0], 'x', 2),
    at('across', [0, 1, 0, 0], 'beta'),
    at('away', [-1, 0, 0, 0]),
    { id: 'none', text: 'alpha beta', timestamp: 9 },
  ])
  await ctx.store.memories.add({ appName: ctx.app }, at('shared', [1, 0, 0, 0.5]))
  await ctx.store.memories.add({ appName: ctx.app, userId: 'bob' }, at('foreign', [1, 0, 0, 0]))
  const embedding = [1, 0, 0, 0]
  const { items } = await ctx.other.memories.search({ ...scope, embedding })
  equal(
    items.map(({ id }) => id),
    ['same', 'shared', 'near', 'tie new', 'half', 'tie a', 'tie b', 'across', 'away'],
    'by likeness, ties the newest first, then by id',
  )
  const scores = items
    .filter(({ id }) => ['same', 'near', 'half', 'across', 'away'].includes(id))
    .map(({ score }) => score)
  holds(
    scores.every((score, i) => Math.abs(score - ([1, 0.8, 0.6, 0, -1][i] ?? 9)) < 1e-6),
    'the score is the cosine',
    scores,
  )
  equal(await ids(ctx.other, { ...scope, embedding, limit: 2 }), ['same', 'shared'], 'limit')
  equal(await ids(ctx.other, { ...scope, embedding, scope: 'user', limit: 2 }), ['same', 'near'], 'the user’s alone')
  if (ctx.store.capabilities.fullTextSearch === 'yes') await isFusedWithWords(ctx, { ...scope, embedding })
  const again = await ctx.store.memories.add(scope, at('same', [0, 0, 1, 0], 'gamma'))
  equal(again.items[0]?.outcome, 'replaced', 'another embedding is something else')
  equal(await ids(ctx.other, { ...scope, embedding, limit: 1 }), ['shared'], 'after it was replaced')
}

async function isFusedWithWords(ctx: Ctx, alike: MemoryQuery): Promise<void> {
  const both = (await ctx.other.memories.search({ ...alike, query: 'alpha beta', limit: 4 })).items
  // By words: none, half, across, near; by likeness as above.
  const expected = new Map([
    ['near', 1 / 64 + 1 / 63],
    ['half', 1 / 62 + 1 / 65],
    ['across', 1 / 63 + 1 / 68],
    ['same', 1 / 61],
  ])
  equal(
    both.map(({ id }) => id),
    ['half', 'near', 'across', 'none'],
    'words and likeness together',
  )
  for (const { id, score } of both)
    holds(
      Math.abs(score - (expected.get(id) ?? 1 / 61)) < 1e-9,
      `the score of ${id} is the sum of 1 / (60 + rank)`,
      score,
    )
}

const ids = async (store: Store, query: MemoryQuery) => (await store.memories.search(query)).items.map(({ id }) => id)

export async function likenessIsChecked(ctx: Ctx): Promise<void> {
  const scope = { appName: ctx.app, userId: 'ann' }
  await nothingWritten(
    ctx,
    async () => {
      for (const embedding of [
        [1, 2, 3],
        [1, 2, 3, 4, 5],
        [1, 2, 3, Number.NaN],
        [1, 2, 3, Infinity],
        [0, 0, 0, 0],
        [1, 2, 3, 1e300],
        'no',
        [1, 2, 3, '4'],
      ]) {
        const given = embedding as number[] // what the types forbid is what is tried
        const what = `an embedding ${String(embedding)}`
        await rejects(() => ctx.store.memories.add(scope, { text: 'x', embedding: given }), 'invalid_argument', what)
        await rejects(
          () => ctx.store.memories.search({ ...scope, embedding: given }),
          'invalid_argument',
          `a search by ${what}`,
        )
      }
    },
    'embeddings that are none',
  )
}

/**
 * A float of 32 bits cannot tell the cosines of these apart, and the ones that are further away are newer: whoever takes the
 * database's word for the order has them in the order of time.
 */
export async function closeOnesAreTold(ctx: Ctx): Promise<void> {
  const scope = { appName: ctx.app, userId: 'ann' }
  const [count, step] = [60, 2 ** -15]
  await ctx.store.memories.add(
    scope,
    numbers(count).map((i) => at(`m${i}`, [1, i * step, 0, 0], 'x', i)),
  )
  for (const limit of [1, 5, count])
    equal(
      await ids(ctx.other, { ...scope, embedding: [1, 0, 0, 0], limit }),
      numbers(limit).map((i) => `m${i}`),
      `the ${limit} nearest of ${count} that are almost alike`,
    )
}

/** Squares of these are beyond what a float of 32 bits holds, at either end; and their directions are plain ones. */
export async function anyLengthCounts(ctx: Ctx): Promise<void> {
  const scope = { appName: ctx.app, userId: 'ann' }
  await ctx.store.memories.add(scope, [
    at('long', [3e38, 0, 0, 0]),
    at('long aslant', [2e38, 2e38, 0, 0]),
    at('short', [1e-38, 0, 0, 0.1e-38]),
    at('shortest', [0, 1e-45, 0, 0]),
    at('plain', [0.8, 0.6, 0, 0]),
  ])
  const expected = ['long', 'short', 'plain', 'long aslant', 'shortest']
  for (const length of [1e-40, 1, 3e38])
    equal(await ids(ctx.other, { ...scope, embedding: [length, 0, 0, 0] }), expected, `by one of length ${length}`)
}

/** Those of another length, which a store opened otherwise has left, are not found, and in nobody's way. */
export async function otherLengthsAreLeftOut(ctx: Ctx): Promise<void> {
  const scope = { appName: ctx.app, userId: 'ann' }
  const short = await ctx.open({ embeddingDimensions: 3 })
  await short.memories.add(scope, [at('three', [1, 0, 0], 'alpha'), at('another three', [0, 1, 0], 'alpha')])
  await ctx.store.memories.add(scope, [at('four', [0, 1, 0, 0], 'alpha'), at('another four', [1, 1, 0, 0], 'beta')])
  equal(await ids(ctx.other, { ...scope, embedding: [1, 0, 0, 0] }), ['another four', 'four'], 'by four numbers')
  equal(await ids(short, { ...scope, embedding: [1, 0, 0] }), ['three', 'another three'], 'by three numbers')
  if (ctx.store.capabilities.fullTextSearch === 'no') return
  const fused = await ids(ctx.other, { ...scope, embedding: [1, 0, 0, 0], query: 'alpha' })
  equal(fused.toSorted(), ['another four', 'another three', 'four', 'three'], 'words find all of them')
}

/** None of its products is a float of 32 bits. */
const slanted = [0.3, 0.7, 0.9, 0] as const

/** The further the greater `i`, by less than what is lost of sums of 32 bits, which is more or less as the lengths happen to be. */
function closeTo(i: number): readonly number[] {
  const [x, y, z] = slanted
  const [length, angle] = [i / 7, i * 2 ** -20]
  return [length * (x - y * angle), length * (y + x * angle), length * z, 0]
}

/**
 * The bound of what is compared here. Where the database compares, it is a bound only of what that cannot tell apart; one that
 * can may answer instead, and rightly.
 */
export async function comparesWithinBounds(ctx: Ctx): Promise<void> {
  const [bound, count] = [40, 60]
  const isNative = ctx.store.capabilities.nativeVectors === 'yes'
  const store = await ctx.open({ limits: { embeddingsCompared: bound } })
  const of = (userId: string) => ({ appName: ctx.app, userId })
  const embedding = [1, 0, 0, 0]
  const fill = (userId: string, many: number, direction: (i: number) => readonly number[]) =>
    store.memories.add(
      of(userId),
      numbers(many).map((i) => at(`m${i}`, direction(i), 'x', i)),
    )
  const refused = (search: () => Promise<unknown>, what: string) =>
    rejects(search, 'limit_exceeded', what, { field: 'embedding', limit: bound })
  const refusedOrRight = async (userId: string, like: readonly number[], nearest: readonly number[], what: string) => {
    const search = () => ids(store, { ...of(userId), embedding: like, limit: nearest.length })
    const [outcome] = isNative ? await together([search]) : []
    if (outcome === undefined) await refused(search, what)
    else if (!isValue(outcome)) await refused(() => Promise.reject(outcome.error), what)
    else
      equal(
        outcome.value,
        nearest.map((i) => `m${i}`),
        what,
      )
  }
  await fill('within', bound, () => embedding)
  equal(
    await ids(store, { ...of('within'), embedding, limit: 3 }),
    [bound, bound - 1, bound - 2].map((i) => `m${i}`),
    'as many as may be compared, all of one direction: the newest',
  )
  await fill('beyond', count, (i) => [1, i, 0, 0])
  if (isNative)
    equal(await ids(store, { ...of('beyond'), embedding, limit: 3 }), ['m1', 'm2', 'm3'], 'the nearest of more')
  else await refused(() => ids(store, { ...of('beyond'), embedding, limit: 5 }), 'a search among more')
  if (isNative) {
    const short = await ctx.open({ embeddingDimensions: 3 })
    await short.memories.add(
      of('mixed'),
      numbers(count).map((i) => at(`short${i}`, [1, i, 0])),
    )
    await fill('mixed', 2, (i) => [1, i, 0, 0])
    equal(await ids(store, { ...of('mixed'), embedding, limit: 5 }), ['m1', 'm2'], 'fewer than asked for, among others')
  }
  await fill('alike', count, () => embedding)
  const newest = numbers(5).map((i) => count + 1 - i)
  await refusedOrRight('alike', embedding, newest, 'a search among more of one direction')
  await fill('close', 5 * bound, closeTo)
  await refusedOrRight('close', slanted, numbers(5), 'a search among more that are almost alike')
}
