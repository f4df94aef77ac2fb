import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds } from '../expect.ts'
import { keyOf, newSession, say, snapshot, someEvents, walkMemories } from '../fixtures.ts'
import { isValue, rounds, together } from '../race.ts'
import { interrupted, killed } from './era-interrupted.ts'

const user = (ctx: Ctx, userId = 'ann', appName = ctx.app) => ({ appName, userId })

async function fill(ctx: Ctx, userId: string, appName = ctx.app): Promise<void> {
  for (const sessionId of ['s1', 's2']) {
    await ctx.store.sessions.create({ appName, userId, sessionId, state: { 'user:u': 1, 'app:p': 1 } })
    await ctx.store.events.append({ appName, userId, sessionId }, someEvents(3))
    if (ctx.store.capabilities.artifacts === 'yes')
      for (const name of ['a', 'user:a'])
        await ctx.store.artifacts.save({ appName, userId, sessionId, name }, new Uint8Array(10))
  }
  if (ctx.store.capabilities.metrics === 'yes')
    await ctx.store.metrics.record(
      ['p1', 'p2', 'p3'].map((spanId) => ({
        appName,
        userId,
        traceId: `of ${userId}`,
        spanId,
        operationName: 'answer',
      })),
    )
  if (ctx.store.capabilities.memories === 'no') return
  await ctx.store.memories.add(
    { appName, userId },
    ['m1', 'm2'].map((id) => ({ id, text: 'alpha' })),
  )
}

const remembered = (ctx: Ctx): number => (ctx.store.capabilities.memories === 'yes' ? 2 : 0)
/** Versions of artifacts that a user is filled with. */
const kept = (ctx: Ctx): number => (ctx.store.capabilities.artifacts === 'yes' ? 4 : 0)

const measured = (ctx: Ctx): number => (ctx.store.capabilities.metrics === 'yes' ? 3 : 0)

async function nothingLeft(ctx: Ctx): Promise<void> {
  await fill(ctx, 'ann')
  await ctx.store.erase(user(ctx))
  equal((await ctx.other.sessions.list(user(ctx))).items, [], 'sessions')
  equal(await ctx.other.sessions.count(user(ctx)), 0, 'count')
  equal((await ctx.other.events.list(keyOf(ctx))).items, [], 'events')
  equal(await ctx.other.state.get(user(ctx)), undefined, 'user state')
  if (ctx.store.capabilities.memories === 'yes') equal(await walkMemories(ctx.other, user(ctx)), [], 'memories')
  equal(await artifactNames(ctx, 'ann'), [], 'artifacts')
  equal(await spans(ctx, 'ann'), [], 'metrics')
  const { oracle } = ctx.place
  if (oracle === undefined) return
  for (const area of ['sessions', 'events', 'userStates'] as const)
    equal(await oracle.count(area, ctx.app), 0, `rows of ${area}, by the oracle`)
}

async function othersUntouched(ctx: Ctx): Promise<void> {
  const elsewhere = `${ctx.app}-b`
  for (const name of ['ann', 'bob', 'ANN', 'ann ', 'an%']) await fill(ctx, name)
  await fill(ctx, 'ann', elsewhere)
  const before = await Promise.all([
    snapshot(ctx.other, elsewhere),
    ...['bob', 'ANN', 'ann ', 'an%'].map((name) => ofUser(ctx, name)),
  ])
  await ctx.store.erase(user(ctx))
  const after = await Promise.all([
    snapshot(ctx.other, elsewhere),
    ...['bob', 'ANN', 'ann ', 'an%'].map((name) => ofUser(ctx, name)),
  ])
  equal(after, before, 'other users, and the same user of another app')
  equal((await ctx.other.state.get({ appName: ctx.app }))?.state, { p: 1 }, 'app state')
}

const ofUser = async (ctx: Ctx, userId: string) => ({
  sessions: (await ctx.other.sessions.list({ ...user(ctx, userId), orderBy: 'createdAt', state: true })).items,
  events: (await ctx.other.events.list(keyOf(ctx, 's1', userId))).items,
  state: await ctx.other.state.get(user(ctx, userId)),
  memories: ctx.store.capabilities.memories === 'yes' && (await walkMemories(ctx.other, user(ctx, userId))),
  artifacts: await artifactNames(ctx, userId),
  metrics: await spans(ctx, userId),
})

const spans = async (ctx: Ctx, userId: string) =>
  ctx.store.capabilities.metrics === 'yes'
    ? (await ctx.other.metrics.query({ appName: ctx.app, where: { userId } })).items.map(({ spanId }) => spanId)
    : []

const artifactNames = async (ctx: Ctx, userId: string) =>
  ctx.store.capabilities.artifacts === 'yes'
    ? (await ctx.other.artifacts.list({ ...keyOf(ctx, 's1', userId) })).items.map(({ name }) => name)
    : []

export const ERA: Checks = [
  check('ERA-01', 'nothing of the user is left in any area', nothingLeft),
  check('ERA-02', 'other users and other apps are untouched', othersUntouched),
  check('ERA-03', 'the receipt’s counts are right', async (ctx) => {
    await fill(ctx, 'ann')
    equal(
      await ctx.store.erase(user(ctx)),
      {
        sessions: 2,
        events: 6,
        userStates: 1,
        memories: remembered(ctx),
        artifacts: kept(ctx),
        metrics: measured(ctx),
      },
      'the receipt',
    )
    await newSession(ctx, 's1', {}, 'bob')
    equal(
      await ctx.store.erase(user(ctx, 'bob')),
      { sessions: 1, events: 0, userStates: 0, memories: 0, artifacts: 0, metrics: 0 },
      'the receipt without state and events',
    )
  }),
  check('ERA-04', 'erase is idempotent', async (ctx) => {
    await fill(ctx, 'ann')
    await ctx.store.erase(user(ctx))
    equal(
      await ctx.store.erase(user(ctx)),
      { sessions: 0, events: 0, userStates: 0, memories: 0, artifacts: 0, metrics: 0 },
      'the second receipt',
    )
    await newSession(ctx)
    equal(
      (await ctx.store.events.append(keyOf(ctx), say('e1'))).events[0]?.seq,
      1,
      'a new session of the user starts at 1',
    )
  }),
  check(
    'ERA-04',
    'racing appends come before it, or are not_found',
    (ctx) =>
      rounds(ctx, async ({ store, other, index }) => {
        const userId = `u${index}`
        const key = keyOf(ctx, 's1', userId)
        await store.sessions.create(key)
        const outcomes = await together<unknown>([
          () => store.erase(user(ctx, userId)),
          () => other.events.append(key, say('e1')),
          () => other.events.append(key, say('e2')),
        ])
        for (const outcome of outcomes)
          holds(
            isValue(outcome) || String(Reflect.get(Object(outcome.error), 'code')) === 'not_found',
            'an append beside erase is there or not_found',
            outcome,
          )
        equal(
          [await ctx.other.sessions.get(key), (await ctx.other.events.list(key)).items],
          [undefined, []],
          'what is left',
        )
      }),
    { variant: 'race', engine: 'race', budgetMs: 60_000 },
  ),
  check('ERA-05', 'an erasure whose connection is lost, repeated until it is complete', interrupted, {
    engine: 'fault',
    needs: ['endpoint', 'wire'],
    budgetMs: 90_000,
  }),
  check('ERA-05', 'an erasure whose process is killed, repeated, is complete', killed, {
    engine: 'fault',
    needs: ['worker'],
    capability: 'persistent',
    variant: 'killed',
    budgetMs: 180_000,
  }),
]
