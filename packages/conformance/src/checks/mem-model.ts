import * as fc from 'fast-check'
import type { Ctx } from '../context.ts'
import { equal } from '../expect.ts'
import { runProperty } from '../model.ts'

/** Words that stay as they are and share nothing, so that nobody has to take a text apart to know what is in it. */
const vocabulary = [
  'alpha',
  'beta',
  'is',
  'a',
  'the',
  '5k',
  'مرحبا',
  'दिल्ली',
  'привет',
  'ωμεγα',
  'café',
  'cafe',
  '😀',
  '💚',
  '水',
  '火',
  'or',
  'null',
]
const between = [' ', ', ', ' - ', '\n', '. ', ' (', '" ', ' * ', '；', '／']

interface Kept {
  readonly words: readonly number[]
  readonly text: string
  readonly timestamp: number
  readonly user: number
}

const users = ['ann', 'bob', undefined] as const

const spoken = fc
  .array(fc.record({ word: fc.nat(vocabulary.length - 1), gap: fc.constantFrom(...between), isLoud: fc.boolean() }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => ({
    words: parts.map(({ word }) => word),
    text: parts
      .map(({ word, gap, isLoud }) => `${isLoud ? vocabulary[word]?.toUpperCase() : vocabulary[word]}${gap}`)
      .join(''),
  }))

const memory: fc.Arbitrary<Kept> = fc
  .tuple(spoken, fc.nat(3), fc.nat(2))
  .map(([{ words, text }, timestamp, user]) => ({ words, text, timestamp, user }))

const plan = fc.record({
  kept: fc.array(memory, { minLength: 1, maxLength: 12 }),
  gone: fc.array(fc.nat(11), { maxLength: 3 }),
  queries: fc.array(fc.record({ said: spoken, user: fc.nat(2), limit: fc.integer({ min: 1, max: 8 }) }), {
    minLength: 1,
    maxLength: 5,
  }),
})

export async function agreesWithReference(ctx: Ctx): Promise<void> {
  let run = 0
  await runProperty(ctx, plan, async ({ kept, gone, queries }) => {
    run += 1
    const app = `${ctx.app}.${run}`
    const scopeOf = (user: number) => ({ appName: app, ...(users[user] !== undefined && { userId: users[user] }) })
    const isThere = kept.map((_, i) => !gone.includes(i))
    for (const user of users.keys()) {
      const entries = kept.flatMap(({ text, timestamp, user: own }, i) =>
        own === user ? [{ id: idOf(i), text, timestamp }] : [],
      )
      if (entries.length > 0) await ctx.store.memories.add(scopeOf(user), entries)
    }
    for (const [i, one] of kept.entries())
      if (isThere[i] === false) await ctx.store.memories.delete({ ...scopeOf(one.user), id: idOf(i) })
    for (const { said, user, limit } of queries) {
      const { items } = await ctx.other.memories.search({ ...scopeOf(user), query: said.text, limit })
      const got = items.map(({ id, score }) => [id, score])
      const wanted = new Set(said.words)
      const expected = kept
        .map((one, i) => ({
          ...one,
          id: idOf(i),
          score: [...wanted].filter((word) => one.words.includes(word)).length / wanted.size,
          isThere: isThere[i],
        }))
        .filter((one) => one.isThere === true && one.score > 0 && (one.user === user || users[one.user] === undefined))
        .toSorted((a, b) => b.score - a.score || b.timestamp - a.timestamp || (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .map(({ id, score }) => [id, score])
      equal(got, expected, `a search for ${JSON.stringify(said.text)}`)
    }
  })
}

const idOf = (i: number) => `m${String(i).padStart(2, '0')}`
