import type { Ctx } from '../context.ts'
import { equal, holds, present } from '../expect.ts'
import { idsOf, keyOf, newSession, numbers, seqsOf, someEvents, walk } from '../fixtures.ts'

const count = 10_000

/** A session that grew for a year: written in batches, opened by its newest events, read as a whole page by page. */
export async function longSession(ctx: Ctx): Promise<void> {
  const key = keyOf(ctx, 'long')
  await newSession(ctx, 'long')
  const events = someEvents(count)
  const size = Math.min(500, ctx.limits.batchEvents)
  for (let at = 0; at < count; at += size) {
    const batch = events.slice(at, at + size)
    const answer = await ctx.store.events.append(key, batch)
    equal(answer.events.at(-1)?.seq, at + batch.length, `the last seq of the batch after ${at} events`)
  }
  const newest = present(await ctx.other.sessions.get(key, { events: { last: 50 } }), 'the session')
  equal(newest.lastSeq, count, 'lastSeq')
  equal(seqsOf(newest.events), numbers(50, count - 49), 'the newest 50 events, oldest first')
  equal(
    idsOf(newest.events),
    events.slice(-50).map(({ id }) => id),
    'their ids',
  )

  const { pageMax } = ctx.limits
  const read = await walk(async (cursor) => {
    const page = await ctx.other.events.list(key, { limit: pageMax, ...(cursor !== undefined && { cursor }) })
    holds(page.items.length <= pageMax, 'a page has no more than it was asked for', page.items.length)
    return page
  }, 'a walk of 10,000 events')
  equal(seqsOf(read), numbers(count), 'seq of a walk through all pages')
  holds(
    read.every(({ event }, i) => event.id === events[i]?.id),
    'each event of the walk is the one that was appended at its place',
  )
  const missed = await ctx.other.events.list(key, { afterSeq: count - 3 })
  equal(seqsOf(missed.items), numbers(3, count - 2), 'what came after the seq that a reader has seen')
  const { items } = await ctx.other.sessions.list({ appName: ctx.app })
  equal(
    items.map(({ lastSeq }) => lastSeq),
    [count],
    'the list of sessions knows how long it is',
  )
}
