import { setTimeout as wait } from 'node:timers/promises'
import { isStoreError } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, present, Unproven } from '../expect.ts'
import { unlessLacking } from '../whitebox.ts'
import { keyOf, nothingWritten, numbers, sessionIdsOf, someEvents, tickingClock, walkSessions } from '../fixtures.ts'

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

/** Many that were created at one time, some after the time that is asked for, and a third of them changed since. */
export async function pruneSeesAll(ctx: Ctx): Promise<void> {
  const clock = tickingClock(1_000_000_000_000)
  const store = await ctx.open({ now: clock.now })
  const all = numbers(120, 0).map((i) => ({
    appName: ctx.app,
    userId: `u${i % 6}`,
    sessionId: `s${Math.floor(i / 6)}`,
    createdAt: [900_000_000_000, 900_000_000_000, 2_000_000_000_000][Math.floor(i / 4) % 3] ?? 0,
    isOld: Math.floor(i / 6) % 3 > 0,
  }))
  for (const { isOld: _isOld, ...session } of all) await store.sessions.create(session)
  clock.set(1_500_000_000_000)
  for (const { isOld, createdAt: _createdAt, ...key } of all) if (!isOld) await store.events.append(key, someEvents(1))
  const query = { appName: ctx.app, before: 1_200_000_000_000, chunk: 3 }
  const ofUser = all.filter(({ userId, isOld }) => userId === 'u4' && isOld).length
  equal((await store.sessions.prune({ ...query, userId: 'u4' })).sessions, ofUser, 'prune of a user')
  const old = all.filter(({ isOld }) => isOld).length
  equal((await store.sessions.prune(query)).sessions, old - ofUser, 'prune of the app, for the rest')
  const left = (await walkSessions(ctx.other, { appName: ctx.app })).map(
    ({ userId, sessionId }) => `${userId} ${sessionId}`,
  )
  const young = all.filter(({ isOld }) => !isOld).map(({ userId, sessionId }) => `${userId} ${sessionId}`)
  equal(left.toSorted(), young.toSorted(), 'what is left')
}

/** How many sessions there are; where what is on its way may still make them fewer, after a while in which it arrives. */
async function leftAfter(ctx: Ctx, least: number | undefined): Promise<number> {
  const count = () => ctx.other.sessions.count({ appName: ctx.app })
  let left = await count()
  for (let tries = 0; tries < 20; tries += 1) {
    if (least === undefined || left <= least) break
    await wait(100)
    left = await count()
  }
  return left
}

/**
 * A prune that runs out of time keeps what it has done, and its error says how much that is: with what the last one reports
 * it is all there was.
 */
export async function pruneTellsWhatItDid(ctx: Ctx): Promise<void> {
  const clock = tickingClock(1_000_000_000_000)
  const store = await ctx.open({ now: clock.now })
  const all = 300
  for (const i of numbers(all)) await store.sessions.create(keyOf(ctx, `s${i}`))
  clock.set(1_500_000_000_000)
  const query = { appName: ctx.app, before: 1_400_000_000_000, chunk: 1 }
  let [done, hasTold] = [0, false]
  // Each has longer, so that one of them is over in the middle wherever the time goes.
  for (const timeout of [2, 5, 10, 15, 25, 40, 60, 100, 150, 250, 500, 1_000]) {
    const outcome = await store.sessions.prune({ ...query, timeout }).catch((error: unknown) => error)
    const isUnknown = isStoreError(outcome) && outcome.code === 'outcome_unknown'
    const left = await leftAfter(
      ctx,
      isUnknown ? all - done - (outcome.facts.removed?.['sessions'] ?? 0) - 1 : undefined,
    )
    if (!isStoreError(outcome)) {
      done += (outcome as { sessions: number }).sessions // a report, or what is no error of ours either
      equal(done, all, 'what the prunes have told together')
      break
    }
    const removed = outcome.facts.removed?.['sessions'] ?? 0
    holds(isUnknown || outcome.code === 'timeout', 'a prune that ran out of time', outcome)
    const gone = all - left - done
    holds(
      removed === gone || (isUnknown && removed === gone - 1),
      `a prune of ${timeout} ms that ended by ${outcome.code} tells the ${gone} sessions that it removed`,
      outcome.facts,
    )
    hasTold ||= removed > 0
    done += gone
  }
  done += (await store.sessions.prune({ ...query, chunk: 100 })).sessions
  equal([done, await ctx.other.sessions.count({ appName: ctx.app })], [all, 0], 'all prunes together')
  if (hasTold) return
  unlessLacking(ctx, 'chunks')
  throw new Unproven('host cannot show it', 'no prune was interrupted between two chunks')
}
