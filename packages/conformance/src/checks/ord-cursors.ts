import type { EventQuery, SessionQuery } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, present, rejects } from '../expect.ts'
import { idsOf, keyOf, newSession, numbers, say, sessionIdsOf, tickingClock, walkSessions } from '../fixtures.ts'

export async function boundCursors(ctx: Ctx): Promise<void> {
  const clock = tickingClock(1_700_000_000_000)
  const store = await ctx.open({ now: clock.now })
  for (const id of ['s1', 's2', 's3'])
    for (const user of ['ann', 'bob']) await store.sessions.create(keyOf(ctx, id, user))
  await store.sessions.create(keyOf(ctx, 's1', 'ann', `${ctx.app}-b`))
  const query = { appName: ctx.app, userId: 'ann', limit: 1 } as const
  const page = await ctx.store.sessions.list(query)
  equal(sessionIdsOf(page.items).length, 1, 'the filter comes before the page')
  equal((await walkSessions(ctx.store, { ...query, limit: 2 })).length, 3, 'sessions of the user')
  const cursor = present(page.nextCursor, 'a cursor')
  const others: readonly SessionQuery[] = [
    { ...query, userId: 'bob', cursor },
    { appName: ctx.app, limit: 1, cursor },
    { ...query, appName: `${ctx.app}-b`, cursor },
    { ...query, direction: 'asc', cursor },
    { ...query, orderBy: 'createdAt', cursor },
  ]
  for (const other of others)
    await rejects(
      () => ctx.store.sessions.list(other),
      'invalid_cursor',
      `a cursor of another list, at ${JSON.stringify({ ...other, cursor: '…' })}`,
    )
}

export async function boundEventCursors(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  await newSession(ctx, 's2')
  await ctx.store.events.append(keyOf(ctx), filterable)
  const list = (filter: EventQuery, sessionId = 's1') => ctx.store.events.list(keyOf(ctx, sessionId), filter)
  const cursor = present((await list({ author: 'user', limit: 1 })).nextCursor, 'a cursor of events')
  const next = await list({ author: 'user', limit: 5, cursor })
  equal(idsOf(next.items), ['e3', 'e5'], 'the next page, with the filter')
  const others: readonly EventQuery[] = [
    { author: 'agent' },
    {},
    { author: 'user', since: 1 },
    { author: 'user', direction: 'desc' },
  ]
  for (const other of others) {
    const name = `a cursor of events at ${JSON.stringify(other)}`
    await rejects(() => list({ ...other, cursor }), 'invalid_cursor', name)
  }
  await rejects(() => list({ author: 'user', cursor }, 's2'), 'invalid_cursor', 'a cursor of another session')
  const last = present((await list({ direction: 'desc', limit: 1 })).nextCursor, 'a cursor towards the beginning')
  await ctx.store.sessions.delete(keyOf(ctx))
  await newSession(ctx)
  await ctx.store.events.append(keyOf(ctx), [say('n1'), say('n2')])
  const anew = await list({ direction: 'desc', cursor: last })
  equal(idsOf(anew.items), ['n2', 'n1'], 'a cursor beyond the last event of a session that was created anew')
}

const filterable = numbers(6).map((i) => say(`e${i}`, 'x', { author: i % 2 === 1 ? 'user' : 'agent' }))

export async function cursorsAreOpaque(ctx: Ctx): Promise<void> {
  for (const id of ['s1', 's2', 's3']) await newSession(ctx, id)
  const first = await ctx.open()
  const query = { appName: ctx.app, limit: 1 } as const
  const cursor = present((await first.sessions.list(query)).nextCursor, 'a cursor')
  const second = await first.sessions.list({ ...query, cursor })
  await first.close()
  const again = await ctx.open()
  equal(await again.sessions.list({ ...query, cursor }), second, 'a cursor is good after reopen')
  equal(encodeURIComponent(cursor), cursor, 'a cursor is URL-safe')
  const flipped = `${cursor.slice(0, 3)}${cursor[3] === 'A' ? 'B' : 'A'}${cursor.slice(4)}`
  for (const bad of [
    flipped,
    cursor.slice(1),
    cursor.slice(0, -1),
    `${cursor}A`,
    'x',
    '',
    "' OR 1=1 --",
    'e30',
    Buffer.from('[1,2]').toString('base64url'),
  ]) {
    await rejects(
      () => ctx.store.sessions.list({ ...query, cursor: bad }),
      'invalid_cursor',
      `a tampered cursor ${JSON.stringify(bad.slice(0, 24))}`,
    )
  }
  await rejects(() => ctx.store.events.list(keyOf(ctx), { cursor }), 'invalid_cursor', 'a cursor of sessions in events')
}

export async function deletedRow(ctx: Ctx): Promise<void> {
  const clock = tickingClock(1_700_000_000_000)
  const store = await ctx.open({ now: clock.now })
  for (const i of numbers(5)) await store.sessions.create(keyOf(ctx, `s${i}`))
  const query = { appName: ctx.app, orderBy: 'createdAt', direction: 'asc', limit: 2 } as const
  const { items, nextCursor } = await ctx.store.sessions.list(query)
  for (const { sessionId } of items) await ctx.store.sessions.delete(keyOf(ctx, sessionId))
  const rest = await ctx.other.sessions.list({ ...query, cursor: present(nextCursor, 'a cursor'), limit: 10 })
  equal(sessionIdsOf(rest.items), ['s3', 's4', 's5'], 'the page after a deleted row')
}
