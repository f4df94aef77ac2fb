import type { MemoryDeletion, MemoryScope } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal } from '../expect.ts'
import { keyOf, newSession, nothingWritten, numbers, say } from '../fixtures.ts'
import { oracleMember } from '../whitebox.ts'

const idsIn = async (ctx: Ctx, scope: MemoryScope) =>
  (await ctx.other.memories.list({ ...scope, direction: 'asc' })).items.map(({ id }) => id)

export async function deletesExactly(ctx: Ctx): Promise<void> {
  const ann = { appName: ctx.app, userId: 'ann' }
  const neighbours: readonly MemoryScope[] = [
    { appName: ctx.app },
    { appName: ctx.app, userId: 'ANN' },
    { appName: `${ctx.app}-b`, userId: 'ann' },
  ]
  const entries = [
    ...numbers(9).map((i) => ({
      id: `m${i}`,
      text: `alpha n${i}`,
      timestamp: 1000 * i,
      sessionId: i % 2 === 0 ? 'even' : 'odd',
    })),
    { id: '%', text: 'alpha', timestamp: 1, sessionId: '_dd' },
  ]
  const fill = async () => {
    for (const scope of [ann, ...neighbours]) await ctx.store.memories.add(scope, entries)
  }
  await fill()
  const del = async (query: Omit<MemoryDeletion, 'appName' | 'userId'>) => {
    let counted = 0
    await nothingWritten(
      ctx,
      async () => (counted = (await ctx.store.memories.delete({ ...ann, ...query, dryRun: true })).memories),
      'a dry run',
    )
    const { memories, dryRun } = await ctx.store.memories.delete({ ...ann, ...query })
    equal([memories, dryRun], [counted, false], 'as many as the dry run has counted')
    return memories
  }
  equal(await del({ id: 'm1' }), 1, 'by id')
  equal(await del({ id: 'm1' }), 0, 'by id, again')
  equal(await del({ id: '%' }), 1, 'by an id that is a pattern elsewhere')
  equal(await idsIn(ctx, ann), ['m2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9'], 'what is left')
  equal(await del({ before: 4000 }), 2, 'by age: what is exactly at `before` stays')
  equal(await del({ id: 'm4', sessionId: 'odd' }), 0, 'all filters have to fit')
  equal(await del({ sessionId: 'odd' }), 3, 'by session')
  equal(await idsIn(ctx, ann), ['m4', 'm6', 'm8'], 'what is left')
  if (ctx.store.capabilities.fullTextSearch === 'yes')
    equal(
      (await ctx.other.memories.search({ ...ann, query: 'n2 n4 n5', scope: 'user' })).items.map(({ id }) => id),
      ['m4'],
      'what is gone is not found',
    )
  equal(await del({ all: true, chunk: 2 }), 3, 'all of the scope, in chunks')
  for (const scope of neighbours)
    equal((await idsIn(ctx, scope)).length, 10, `others are left alone: ${JSON.stringify(scope)}`)
  await fill()
  const aged = await ctx.store.memories.delete({ appName: ctx.app, everyScope: true, before: 3000, chunk: 2 })
  equal(aged.memories, 9, 'by age, of every user and of the app')
  equal((await idsIn(ctx, { appName: `${ctx.app}-b`, userId: 'ann' })).length, 10, 'another app is left alone')
}

export async function sessionsLeave(ctx: Ctx): Promise<void> {
  const session = await newSession(ctx)
  await ctx.store.events.append(session, [say('e1', 'alpha'), say('e2', 'beta')])
  await ctx.store.memories.add(session, { session })
  await ctx.store.memories.add({ appName: ctx.app }, { id: 'shared', text: 'alpha' })
  await ctx.store.memories.add({ appName: ctx.app, userId: 'bob' }, { id: 'bobs', text: 'alpha' })
  await ctx.store.sessions.delete(session)
  equal((await idsIn(ctx, { appName: ctx.app, userId: 'ann' })).length, 2, 'memories of a session that was deleted')
  equal(
    (await ctx.store.memories.delete({ appName: ctx.app, userId: 'ann', sessionId: 's1' })).memories,
    2,
    'they go by their source',
  )
  await newSession(ctx, 's2')
  await ctx.store.events.append(keyOf(ctx, 's2'), say('e1', 'gamma'))
  await ctx.store.memories.add({ appName: ctx.app, userId: 'ann' }, { session: keyOf(ctx, 's2') })
  equal((await ctx.store.erase({ appName: ctx.app, userId: 'ann' })).memories, 1, 'erase counts the user’s memories')
  equal(await idsIn(ctx, { appName: ctx.app, userId: 'ann' }), [], 'and takes them')
  equal(
    [await idsIn(ctx, { appName: ctx.app }), await idsIn(ctx, { appName: ctx.app, userId: 'bob' })],
    [['shared'], ['bobs']],
    'the app’s and another user’s stay',
  )
  if (ctx.store.capabilities.fullTextSearch === 'no') return
  const left = (await ctx.other.memories.search({ appName: ctx.app, userId: 'ann', query: 'alpha beta gamma' })).items
  equal(
    left.map(({ id }) => id),
    ['shared'],
    'a search of the user finds only what is left',
  )
}

/** Whoever reads the database beside the store must not find what was deleted by what it was found by. */
export async function wordsGoToo(ctx: Ctx): Promise<void> {
  const strayWords = oracleMember(ctx, 'strayWords')
  const ann = { appName: ctx.app, userId: 'ann' }
  const { memories } = ctx.store
  const session = await newSession(ctx)
  await ctx.store.events.append(session, [say('e1', 'alpha'), say('e2', 'beta')])
  const steps: Readonly<Record<string, () => Promise<unknown>>> = {
    'an add': () =>
      memories.add(
        ann,
        [1, 2, 3, 4].map((i) => ({ id: `m${i}`, text: `alpha beta n${i}` })),
      ),
    'an add that replaces': () => memories.add(ann, { id: 'm1', text: 'gamma' }),
    'a delete by id': () => memories.delete({ ...ann, id: 'm2' }),
    'an add of a session': () => memories.add(ann, { session }),
    'a delete by session': () => memories.delete({ ...ann, sessionId: session.sessionId }),
    'a delete of all': () => memories.delete({ ...ann, all: true }),
    'another add': () => memories.add(ann, { text: 'alpha' }),
    'an erasure': () => ctx.store.erase(ann),
  }
  for (const [what, step] of Object.entries(steps)) {
    await step()
    equal(await strayWords(), 0, `words of no memory after ${what}`)
  }
}
