import type { Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds } from '../expect.ts'
import { numbers } from '../fixtures.ts'
import { observed, oracleMember, withoutControl } from '../whitebox.ts'

const user = (ctx: Ctx) => ({ appName: ctx.app, userId: 'ann' })

/** A small table is read from end to end by who knows that it is small. */
const bulk = { pad: 'x'.repeat(1000) }

/** 2,000 memories of 40 sessions, of which each has words of its own and some that all have. */
async function fill(ctx: Ctx, count: number): Promise<void> {
  for (let from = 0; from < count; from += 500)
    await ctx.store.memories.add(
      user(ctx),
      numbers(500, from).map((i) => ({
        id: `m${i}`,
        text: `common word${i} group${i % 40} a b c d e f`,
        timestamp: i,
        sessionId: `s${i % 40}`,
        metadata: bulk,
      })),
    )
}

const calls = (ctx: Ctx): Readonly<Record<string, (store: Store) => Promise<unknown>>> => ({
  ...(ctx.store.capabilities.fullTextSearch === 'yes' && {
    search: (store) => store.memories.search({ ...user(ctx), query: 'word7 word77 nothing' }),
  }),
  get: (store) => store.memories.get(user(ctx), 'm7'),
  list: (store) => store.memories.list({ ...user(ctx), limit: 20 }),
  'list of a session': (store) => store.memories.list({ ...user(ctx), sessionId: 's7', limit: 20 }),
})

/** Whoever searches has a few embeddings of his own, and no others are looked at. */
async function likeness(ctx: Ctx): Promise<Readonly<Record<string, (store: Store) => Promise<unknown>>>> {
  if (ctx.store.capabilities.vectorSearch === 'no') return {}
  const bob = { appName: ctx.app, userId: 'bob' }
  await ctx.store.memories.add(
    bob,
    numbers(30).map((i) => ({ id: `m${i}`, text: 'x', embedding: [1, i, 0, 0] })),
  )
  return {
    'search by likeness': (store) => store.memories.search({ ...bob, embedding: [1, 0, 0, 0], limit: 3 }),
    'search by likeness, of the user alone': (store) =>
      store.memories.search({ ...bob, embedding: [1, 0, 0, 0], scope: 'user', limit: 3 }),
  }
}

/** What takes memories away: their rows and their words are found by what they are known by. */
const removals = (ctx: Ctx): Readonly<Record<string, (store: Store) => Promise<unknown>>> => ({
  delete: (store) => store.memories.delete({ ...user(ctx), id: 'm7' }),
  'delete of a user': (store) => store.memories.delete({ appName: ctx.app, userId: 'carl', all: true }),
  'add that replaces': (store) => store.memories.add(user(ctx), { id: 'm77', text: 'something else' }),
})

/** Across sessions, and from no table as a whole. */
export async function memoriesUseIndexes(ctx: Ctx): Promise<void> {
  const plan = oracleMember(ctx, 'plan')
  await fill(ctx, 2000)
  await ctx.store.memories.add({ appName: ctx.app, userId: 'carl' }, [{ text: 'alpha' }, { text: 'beta' }])
  const { store, during } = await observed(ctx)
  await store.memories.get(user(ctx), 'warm')
  const alike = await likeness(ctx)
  for (const [name, call] of Object.entries({ ...calls(ctx), ...alike, ...removals(ctx) })) {
    const sent = withoutControl(await during(() => call(store)))
    if (name in calls(ctx)) equal(sent.length, 1, `memories.${name}: statements`)
    // The nearest, and then what they say; or both at once.
    else if (name in alike) holds(sent.length === 1 || sent.length === 2, `memories.${name}: statements`, sent)
    else holds(sent.length >= 3, `memories.${name}: statements`, sent)
    const walked: string[] = []
    for (const statement of sent) {
      const { scans, indexes, rows: read = 0 } = await plan(statement)
      if (name in removals(ctx)) holds(read <= 500, `memories.${name}: rows read, of which most are of others`, read)
      walked.push(...indexes)
      equal(
        scans.filter(({ rows = Infinity }) => rows > 1000).map(({ table }) => table),
        [],
        `memories.${name}: tables read from end to end by ${statement.text}`,
      )
    }
    holds(walked.length > 0, `memories.${name}: an index is walked`, walked)
  }
}
