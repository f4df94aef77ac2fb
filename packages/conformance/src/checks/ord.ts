import type { SessionQuery } from '@daybook/core'
import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects } from '../expect.ts'
import {
  idsOf,
  keyOf,
  newSession,
  numbers,
  say,
  seqsOf,
  sessionIdsOf,
  someEvents,
  tickingClock,
  walk,
  walkEvents,
  walkSessions,
} from '../fixtures.ts'
import { boundCursors, boundEventCursors, cursorsAreOpaque, deletedRow } from './ord-cursors.ts'

const orders = ['lastEventAt', 'createdAt', 'updatedAt'] as const
const directions = ['asc', 'desc'] as const

/** Four sessions whose three times have three different orders. */
async function fourSessions(ctx: Ctx): Promise<Record<(typeof orders)[number], string[]>> {
  const clock = tickingClock(1_700_000_000_000)
  const store = await ctx.open({ now: clock.now })
  for (const id of ['c', 'a', 'd', 'b']) await store.sessions.create(keyOf(ctx, id))
  for (const [id, timestamp] of [
    ['a', 400],
    ['b', 100],
    ['c', 300],
    ['d', 200],
  ] as const)
    await store.events.append(keyOf(ctx, id), say('e1', 'x', { timestamp }))
  for (const id of ['d', 'c', 'b', 'a']) await store.sessions.update(keyOf(ctx, id), { set: { touched: true } })
  return { lastEventAt: ['b', 'd', 'c', 'a'], createdAt: ['c', 'a', 'd', 'b'], updatedAt: ['d', 'c', 'b', 'a'] }
}

async function documentedOrder(ctx: Ctx): Promise<void> {
  const ascending = await fourSessions(ctx)
  const list = async (query: Omit<SessionQuery, 'appName'>) =>
    sessionIdsOf((await ctx.other.sessions.list({ appName: ctx.app, ...query })).items)
  for (const orderBy of orders) {
    equal(await list({ orderBy, direction: 'asc' }), ascending[orderBy], `by ${orderBy}, ascending`)
    equal(await list({ orderBy, direction: 'desc' }), ascending[orderBy].toReversed(), `by ${orderBy}, descending`)
    equal(
      await list({ orderBy, direction: 'asc', userId: 'ann', limit: 2 }),
      ascending[orderBy].slice(0, 2),
      `by ${orderBy} of one user, two of them`,
    )
  }
  equal(await list({}), ascending.lastEventAt.toReversed(), 'the default: newest event first')
  await ctx.store.events.append(keyOf(ctx, 'a'), someEvents(4, 'm'))
  equal(seqsOf((await ctx.other.events.list(keyOf(ctx, 'a'))).items), numbers(5), 'events: the default is by seq')
  equal(
    seqsOf((await ctx.other.events.list(keyOf(ctx, 'a'), { direction: 'desc' })).items),
    numbers(5).toReversed(),
    'events, descending',
  )
}

async function totalOrder(ctx: Ctx): Promise<void> {
  const store = await ctx.open({ now: () => 1_700_000_000_000 })
  const names: string[] = []
  for (const userId of ['bob', 'ann'])
    for (const id of ['s3', 's1', 's2']) names.push((await store.sessions.create(keyOf(ctx, id, userId))).sessionId)
  const expected = ['s1/ann', 's1/bob', 's2/ann', 's2/bob', 's3/ann', 's3/bob']
  for (const orderBy of orders) {
    for (const direction of directions) {
      for (const limit of [1, 4, 100]) {
        const found = await walkSessions(ctx.other, { appName: ctx.app, orderBy, direction, limit })
        equal(
          found.map(({ sessionId, userId }) => `${sessionId}/${userId}`),
          expected,
          `equal times by ${orderBy} ${direction}, pages of ${limit}: session id, then user id, ascending`,
        )
      }
    }
  }
}

async function pagesPartition(ctx: Ctx): Promise<void> {
  const count = 7
  for (const i of numbers(count)) await ctx.store.sessions.create(keyOf(ctx, `s${i}`))
  await ctx.store.events.append(keyOf(ctx, 's1'), someEvents(count))
  for (const direction of directions) {
    const events = seqsOf((await ctx.other.events.list(keyOf(ctx, 's1'), { direction })).items)
    for (const orderBy of orders) {
      const whole = sessionIdsOf((await ctx.other.sessions.list({ appName: ctx.app, orderBy, direction })).items)
      equal(whole.length, count, 'sessions of the whole list')
      for (const limit of [1, 2, 3, count - 1, count, count + 1]) {
        equal(
          sessionIdsOf(await walkSessions(ctx.other, { appName: ctx.app, orderBy, direction, limit })),
          whole,
          `sessions by ${orderBy} ${direction} in pages of ${limit}`,
        )
      }
    }
    for (const limit of [1, 2, 3, count - 1, count, count + 1]) {
      const paged = await walk(
        (cursor) =>
          ctx.other.events.list(keyOf(ctx, 's1'), { direction, limit, ...(cursor !== undefined && { cursor }) }),
        'events.list',
      )
      equal(seqsOf(paged), events, `events ${direction} in pages of ${limit}`)
    }
  }
  equal(seqsOf((await ctx.other.events.list(keyOf(ctx, 's1'), { offset: 5 })).items), [6, 7], 'events with offset 5')
  equal((await ctx.other.sessions.list({ appName: ctx.app, offset: 6 })).items.length, 1, 'sessions with offset 6')
}

async function noHiddenCap(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const count = 1050
  for (const batch of [0, 1, 2]) await ctx.store.events.append(keyOf(ctx), someEvents(350, `b${batch}-`))
  equal(seqsOf(await walkEvents(ctx.other, keyOf(ctx), 400)), numbers(count), 'events')
  const loaded = present(await ctx.other.sessions.get(keyOf(ctx), { events: 'all' }), 'the session')
  equal(loaded.events.length, count, 'events of sessions.get')
  equal(
    (await ctx.other.sessions.get(keyOf(ctx), { events: { last: 1040 } }))?.events.length,
    1040,
    'the last 1,040 events',
  )
  const { pageMax } = ctx.limits
  equal(
    (await ctx.other.events.list(keyOf(ctx), { limit: Math.min(pageMax, count) })).items.length,
    Math.min(pageMax, count),
    'a page of the largest size',
  )
  equal(
    (await ctx.other.events.list(keyOf(ctx))).items.length,
    Math.min(ctx.limits.pageDefault, count),
    'a page of the default size',
  )
  for (let from = 0; from < 130; from += 26)
    await Promise.all(numbers(26, from).map((i) => ctx.store.sessions.create(keyOf(ctx, `many${i}`))))
  equal((await walkSessions(ctx.other, { appName: ctx.app, limit: 60 })).length, 131, 'sessions in pages of 60')
}

/** What was seen is deleted after each page, so that a page which is counted from the beginning would skip a row. */
async function walkOverChanges(ctx: Ctx): Promise<void> {
  const owner = { appName: ctx.app, userId: 'bob' }
  const kept = numbers(6).map((i) => `kept${i}`)
  for (const [i, sessionId] of kept.entries()) {
    await ctx.store.sessions.create({ ...owner, sessionId: `gone${i}` })
    await ctx.store.sessions.create({ ...owner, sessionId })
  }
  const query = { ...owner, orderBy: 'createdAt', direction: 'asc', limit: 3 } as const
  const found = await walk(async (cursor) => {
    const page = await ctx.other.sessions.list(cursor === undefined ? query : { ...query, cursor })
    const gone = page.items.find(({ sessionId }) => sessionId.startsWith('gone'))
    if (gone !== undefined) await ctx.store.sessions.delete(gone)
    return page
  }, 'sessions.list')
  equal(
    sessionIdsOf(found).filter((id) => id.startsWith('kept')),
    kept,
    'sessions that stay come exactly once, in order, while those before them go',
  )
}

async function steadyWalk(ctx: Ctx): Promise<void> {
  await walkOverChanges(ctx)
  const fixed = numbers(12).map((i) => `fixed${String(i).padStart(2, '0')}`)
  for (const [i, id] of fixed.entries()) {
    await newSession(ctx, id)
    await newSession(ctx, `gone${i}`)
  }
  await newSession(ctx, 'log')
  await ctx.store.events.append(keyOf(ctx, 'log'), someEvents(10))
  const busy = (async () => {
    for (const i of numbers(12, 0)) {
      await ctx.store.sessions.delete(keyOf(ctx, `gone${i}`))
      await newSession(ctx, `new${i}`)
      await ctx.store.events.append(keyOf(ctx, 'log'), say(`late${i}`))
    }
  })()
  const walks = numbers(4).map(() =>
    walkSessions(ctx.other, { appName: ctx.app, userId: 'ann', orderBy: 'createdAt', direction: 'asc', limit: 3 }),
  )
  const logs = numbers(4).map(() => walkEvents(ctx.other, keyOf(ctx, 'log'), 3))
  await busy
  for (const found of await Promise.all(walks))
    equal(
      sessionIdsOf(found).filter((id) => id.startsWith('fixed')),
      fixed,
      'sessions that stay come exactly once, in order',
    )
  for (const found of await Promise.all(logs)) equal(seqsOf(found), numbers(found.length), 'events while others append')
}

async function oddLimits(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  await ctx.store.events.append(keyOf(ctx), someEvents(3))
  const empty = { items: [], nextCursor: undefined }
  const sessions = await ctx.store.sessions.list({ appName: ctx.app, limit: 0 })
  const events = await ctx.store.events.list(keyOf(ctx), { limit: 0 })
  equal([sessions.items, events.items], [empty.items, empty.items], 'limit: 0')
  for (const limit of [-1, 1.5, NaN, Infinity, ctx.limits.pageMax + 1, '2', null]) {
    const bad = limit as number // what the types forbid is what is tried
    await rejects(
      () => ctx.store.sessions.list({ appName: ctx.app, limit: bad }),
      'invalid_argument',
      `sessions.list with limit ${String(limit)}`,
      { field: 'limit' },
    )
    await rejects(
      () => ctx.store.events.list(keyOf(ctx), { limit: bad }),
      'invalid_argument',
      `events.list with limit ${String(limit)}`,
      { field: 'limit' },
    )
  }
  await rejects(() => ctx.store.events.list(keyOf(ctx), { last: -1 }), 'invalid_argument', 'last: -1')
  await rejects(() => ctx.store.events.list(keyOf(ctx), { offset: -1 }), 'invalid_argument', 'offset: -1')
  await rejects(
    () => ctx.store.sessions.list({ appName: ctx.app, orderBy: 'name' as 'createdAt' }),
    'invalid_argument',
    'an unknown order',
  ) // what the types forbid
}

export const ORD: Checks = [
  check('ORD-01', 'the documented order, in both directions', documentedOrder),
  check('ORD-02', 'the order is total: equal times are broken by session id, then user id', totalOrder),
  check('ORD-03', 'seq is 1, 2, 3 … in commit order though clocks run backwards', async (ctx) => {
    const clock = tickingClock(1_700_000_000_000)
    const store = await ctx.open({ now: clock.now })
    await store.sessions.create(keyOf(ctx))
    for (const i of numbers(5)) {
      clock.set(1_700_000_000_000 - i * 1000)
      await store.events.append(keyOf(ctx), { id: `e${i}` })
    }
    const listed = await walkEvents(ctx.other, keyOf(ctx))
    equal([idsOf(listed), seqsOf(listed)], [['e1', 'e2', 'e3', 'e4', 'e5'], numbers(5)], 'events in commit order')
  }),
  check('ORD-04', 'pages of 1, 2, 3, n−1, n, n+1 partition the list', pagesPartition),
  check('ORD-05', 'more than 1,000 rows: there is no hidden cap', noHiddenCap, { budgetMs: 60_000 }),
  check('ORD-06', 'a walk under concurrent changes: rows that stay come exactly once', steadyWalk, { engine: 'race' }),
  check('ORD-07', 'limit: 0 is an empty page; negative, NaN, 1.5, over the maximum are refused', oddLimits),
  check('ORD-08', 'the filter comes before the page; a cursor is bound to filter, order and tenant', boundCursors),
  check('ORD-08', 'a cursor of events is bound to its filter, order and session', boundEventCursors, {
    variant: 'events',
  }),
  check(
    'ORD-09',
    'a cursor is opaque, URL-safe, good after reopen; tampered or foreign ones are refused',
    cursorsAreOpaque,
  ),
  check('ORD-10', 'a cursor survives the deletion of its row', deletedRow),
  check('ORD-11', 'the end is signalled without a surprise empty page', async (ctx) => {
    await newSession(ctx)
    await newSession(ctx, 's2')
    await ctx.store.events.append(keyOf(ctx), someEvents(4))
    const page = await ctx.other.events.list(keyOf(ctx), { limit: 2 })
    const end = await ctx.other.events.list(keyOf(ctx), { limit: 2, cursor: present(page.nextCursor, 'a cursor') })
    equal([end.items.length, end.nextCursor], [2, undefined], 'the last, full page')
    equal(
      (await ctx.other.sessions.list({ appName: ctx.app, limit: 2 })).nextCursor,
      undefined,
      'a list of exactly one page',
    )
    equal((await ctx.other.events.list(keyOf(ctx, 's2'))).nextCursor, undefined, 'an empty list')
  }),
  check('ORD-12', 'ids are in the order of code points, not of a locale', async (ctx) => {
    const store = await ctx.open({ now: () => 1_700_000_000_000 })
    const ids = ['Z', '_', 'a', 'z', 'ß', 'ä', 'é', '\uffee', '😀', '10', '9', 'A']
    for (const id of ids) await store.sessions.create(keyOf(ctx, id))
    const expected = ['10', '9', 'A', 'Z', '_', 'a', 'z', 'ß', 'ä', 'é', '\uffee', '😀']
    for (const limit of [3, 100]) {
      const found = sessionIdsOf(
        await walkSessions(ctx.other, { appName: ctx.app, orderBy: 'createdAt', direction: 'desc', limit }),
      )
      holds(
        JSON.stringify(found) === JSON.stringify(expected),
        `ties by id in code points, pages of ${limit}: ${expected.join(' ')}`,
        found.join(' '),
      )
    }
  }),
]
