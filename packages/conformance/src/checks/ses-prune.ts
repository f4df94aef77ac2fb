import type { Ctx } from '../context.ts'
import { equal, present } from '../expect.ts'
import { keyOf, nothingWritten, sessionIdsOf, someEvents, tickingClock, walkSessions } from '../fixtures.ts'

export async function pruneIsNarrow(ctx: Ctx): Promise<void> {
  const clock = tickingClock(1_000_000_000_000)
  const store = await ctx.open({ now: clock.now })
  for (const id of ['old1', 'old2', 'old3']) {
    await store.sessions.create(keyOf(ctx, id))
    await store.events.append(keyOf(ctx, id), someEvents(2))
  }
  await store.sessions.create(keyOf(ctx, 'old1', 'bob'))
  await store.sessions.create(keyOf(ctx, 'old1', 'ann', `${ctx.app}-b`))
  clock.set(1_500_000_000_000)
  await store.sessions.create(keyOf(ctx, 'new'))
  const edge = present(await store.sessions.get(keyOf(ctx, 'new')), 'the session at the edge').updatedAt
  const query = { appName: ctx.app, userId: 'ann', before: edge, chunk: 2 }
  await nothingWritten(
    ctx,
    async () =>
      equal(
        await store.sessions.prune({ ...query, dryRun: true }),
        { sessions: 3, events: 6, dryRun: true },
        'prune with dryRun',
      ),
    'prune with dryRun',
  )
  equal(
    await store.sessions.prune(query),
    { sessions: 3, events: 6, dryRun: false },
    'prune of one user, in chunks of 2',
  )
  equal(
    sessionIdsOf(await walkSessions(ctx.other, { appName: ctx.app, userId: 'ann' })),
    ['new'],
    'a session changed exactly at `before` stays',
  )
  equal((await store.sessions.prune({ appName: ctx.app, before: edge })).sessions, 1, 'prune of the app')
  equal(await ctx.other.sessions.count({ appName: `${ctx.app}-b` }), 1, 'another app is left alone')
}
