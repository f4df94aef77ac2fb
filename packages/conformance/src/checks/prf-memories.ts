import type { Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds } from '../expect.ts'
import { numbers } from '../fixtures.ts'
import { observed, oracleMember, withoutControl } from '../whitebox.ts'

const user = (ctx: Ctx) => ({ appName: ctx.app, userId: 'ann' })

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
      })),
    )
}

const calls = (ctx: Ctx): Readonly<Record<string, (store: Store) => Promise<unknown>>> => ({
  search: (store) => store.memories.search({ ...user(ctx), query: 'word7 word77 nothing' }),
  get: (store) => store.memories.get(user(ctx), 'm7'),
  list: (store) => store.memories.list({ ...user(ctx), limit: 20 }),
  'list of a session': (store) => store.memories.list({ ...user(ctx), sessionId: 's7', limit: 20 }),
})

/** What takes memories away: their rows and their words are found by what they are known by. */
const removals = (ctx: Ctx): Readonly<Record<string, (store: Store) => Promise<unknown>>> => ({
  delete: (store) => store.memories.delete({ ...user(ctx), id: 'm7' }),
  'add that replaces': (store) => store.memories.add(user(ctx), { id: 'm77', text: 'something else' }),
})

/** Across sessions, and from no table as a whole. */
export async function memoriesUseIndexes(ctx: Ctx): Promise<void> {
  const plan = oracleMember(ctx, 'plan')
  await fill(ctx, 2000)
  const { store, during } = await observed(ctx)
  await store.memories.get(user(ctx), 'warm')
  for (const [name, call] of Object.entries({ ...calls(ctx), ...removals(ctx) })) {
    const sent = withoutControl(await during(() => call(store)))
    if (name in calls(ctx)) equal(sent.length, 1, `memories.${name}: statements`)
    else holds(sent.length >= 3, `memories.${name}: statements`, sent)
    const walked: string[] = []
    for (const statement of sent) {
      const { scans, indexes } = await plan(statement)
      walked.push(...indexes)
      equal(
        scans.filter(({ rows = Infinity }) => rows > 1000).map(({ table }) => table),
        [],
        `memories.${name}: tables read from end to end`,
      )
    }
    holds(walked.length > 0, `memories.${name}: an index is walked`, walked)
  }
}
