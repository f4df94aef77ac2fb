import type { StateCondition } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, present, rejects } from '../expect.ts'
import { keyOf, newSession, nothingWritten, numbers, say, sessionIdsOf, walkSessions } from '../fixtures.ts'
import { foundBy, seedStates } from './jsp-look.ts'

const red: readonly StateCondition[] = [{ path: ['colour'], op: 'eq', value: 'red' }]
const blue: readonly StateCondition[] = [{ path: ['colour'], op: 'eq', value: 'blue' }]

export async function filterAndPage(ctx: Ctx): Promise<void> {
  const store = await ctx.open({ now: () => 1_700_000_000_000 })
  const expected: string[] = []
  for (const i of numbers(12)) {
    const state = { colour: i % 3 === 0 ? 'blue' : 'red', i }
    for (const userId of ['ann', 'bob']) await store.sessions.create({ ...keyOf(ctx, `s${10 + i}`, userId), state })
    await store.sessions.create({ ...keyOf(ctx, `s${10 + i}`, 'ann', `${ctx.app}-b`), state })
    if (i % 3 !== 0) expected.push(`s${10 + i}`)
  }
  for (const orderBy of ['lastEventAt', 'createdAt', 'updatedAt'] as const) {
    for (const limit of [1, 3, 7, 8, 100]) {
      const query = { appName: ctx.app, userId: 'ann', where: red, orderBy, limit }
      const found = sessionIdsOf(await walkSessions(ctx.other, query))
      equal(found, expected, `red ones of one user by ${orderBy}, pages of ${limit}`)
    }
  }
  equal(await foundBy(ctx, red, { userId: 'ann' }), expected, 'the list and its count, of one user')
  equal((await foundBy(ctx, red)).length, 2 * expected.length, 'of all users')
  equal(await foundBy(ctx, red, { userId: 'eve' }), [], 'of another user')
  const { items } = await ctx.other.sessions.list({ appName: ctx.app, userId: 'bob', where: red, offset: 2, limit: 2 })
  equal(sessionIdsOf(items), expected.slice(2, 4), 'an offset counts what the filter leaves')
  await boundToFilter(ctx)
}

async function boundToFilter(ctx: Ctx): Promise<void> {
  const query = { appName: ctx.app, userId: 'ann', limit: 2, where: red }
  const cursor = present((await ctx.other.sessions.list(query)).nextCursor, 'a cursor')
  const { where: _, ...all } = query
  const others = [
    { ...query, where: blue },
    { ...query, where: [...red, ...red] },
    { ...query, where: [] },
    { ...query, where: [{ path: ['colour'], op: 'ne', value: 'red' }] },
    { ...query, where: [{ path: ['colour'], op: 'in', value: ['red'] }] },
    { ...query, where: [{ path: ['color'], op: 'eq', value: 'red' }] },
    all,
  ] as const
  for (const other of others)
    await rejects(() => ctx.other.sessions.list({ ...other, cursor }), 'invalid_cursor', 'a cursor of another filter')
  const unfiltered = present((await ctx.other.sessions.list(all)).nextCursor, 'a cursor')
  await rejects(
    () => ctx.other.sessions.list({ ...query, cursor: unfiltered }),
    'invalid_cursor',
    'a cursor of the list without a filter',
  )
}

const delta = (stateDelta: Record<string, unknown>) => ({ actions: { stateDelta } })

export async function filterAndTheRest(ctx: Ctx): Promise<void> {
  await seedStates(ctx, { s1: { colour: 'red' }, s2: { colour: 'blue' }, s3: {} })
  await ctx.store.events.append(keyOf(ctx, 's2'), say('e1', 'x', delta({ colour: 'red', list: ['a'] })))
  equal(await foundBy(ctx, red), ['s1', 's2'], 'after an append')
  await ctx.store.sessions.update(keyOf(ctx, 's1'), { unset: ['colour'] })
  equal(await foundBy(ctx, red), ['s2'], 'after an update')
  equal(await foundBy(ctx, [{ path: ['list'], op: 'contains', value: 'a' }]), ['s2'], 'an array out of an event')
  await ctx.store.events.append(keyOf(ctx, 's2'), say('e2', 'x', delta({ colour: 'green' })))
  await ctx.store.sessions.fork(keyOf(ctx, 's2'), { sessionId: 'f1', throughSeq: 1 })
  equal(await foundBy(ctx, red), ['f1'], 'a fork has the state of its point')
  await ctx.store.sessions.update(keyOf(ctx, 's3'), { set: { 'user:colour': 'red', 'app:colour': 'red' } })
  await newSession(ctx, 's4', { 'user:plan': 'pro' })
  for (const path of [['user:colour'], ['app:colour'], ['user:plan'], ['plan']])
    equal(await foundBy(ctx, [{ path, op: 'exists' }]), [], `no state of the session itself: ${path.join('')}`)
  equal(await foundBy(ctx, red), ['f1'], 'state of user and app is another')
  const query = { appName: ctx.app, before: 2e12, where: red }
  const refused = () =>
    rejects(() => ctx.store.sessions.prune(query), 'invalid_argument', 'prune takes no filter on state')
  await nothingWritten(ctx, refused, 'a prune with where')
  await ctx.store.sessions.delete(keyOf(ctx, 'f1'))
  equal(await foundBy(ctx, red), [], 'after its deletion')
}
