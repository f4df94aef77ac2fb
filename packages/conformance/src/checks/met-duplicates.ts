import type { Ctx } from '../context.ts'
import { equal, holds, succeeds } from '../expect.ts'
import { nothingWritten, numbers, tickingClock } from '../fixtures.ts'
import { rounds } from '../race.ts'
import { counts, feed, recorded, span, spansOf, start } from './met-fixtures.ts'

/** The same rows again, whoever sends them: stored once. */
export async function keepsTheFirst(ctx: Ctx): Promise<void> {
  const { metrics } = ctx.store
  const rows = ['p1', 'p2', 'p3'].map((id) => span(ctx, id, { model: 'first' }))
  equal(await metrics.record(rows.slice(0, 2)), counts({ stored: 2 }), 'the first time')
  equal(await metrics.record(rows), counts({ stored: 1, duplicates: 2 }), 'some of them again')
  await nothingWritten(
    ctx,
    async () => {
      equal(await ctx.other.metrics.record(rows), counts({ duplicates: 3 }), 'all of them again, by another')
      const changed = rows.map((row) => ({ ...row, model: 'second', status: 'error' as const }))
      equal(await metrics.record(changed), counts({ duplicates: 3 }), 'the same keys, and something else')
    },
    'what is there already',
  )
  const folded = [
    span(ctx, 'p4', { model: 'a' }),
    span(ctx, 'p5', { status: 'running' }),
    span(ctx, 'p4', { model: 'b' }),
    span(ctx, 'p5', { model: 'ended' }),
    span(ctx, 'p4', { status: 'running', model: 'c' }),
    span(ctx, 'p6', { status: 'running', model: 'x' }),
    span(ctx, 'p6', { status: 'running', model: 'y' }),
  ]
  equal(await metrics.record(folded), counts({ stored: 3, duplicates: 4 }), 'keys that come again in one call')
  const after = (await feed(ctx.other, { appName: ctx.app }, 6)).items
  equal(
    after.slice(3).map(({ spanId, model, status }) => `${spanId} ${model} ${status}`),
    ['p4 b ok', 'p5 ended ok', 'p6 y abandoned'],
    'the last that has ended, or else the last',
  )
}

/** A running row is completed once; what comes late changes nothing. */
export async function completesRunning(ctx: Ctx): Promise<void> {
  const clock = tickingClock(start)
  const store = await ctx.open({ now: clock.now })
  const { metrics } = store
  const running = ['p1', 'p2', 'p3'].map((id) => span(ctx, id, { status: 'running', userId: 'ann' }))
  equal(await metrics.record(running), counts({ stored: 3 }), 'spans that are open')
  const look = async (count = 4) =>
    (await feed(store, { appName: ctx.app }, count)).items.map(({ spanId, status }) => `${spanId} ${status}`)
  equal(await look(3), ['p1 running', 'p2 running', 'p3 running'], 'while they run')
  equal(await metrics.record(running), counts({ duplicates: 3 }), 'the same again')
  clock.set(start + 5000)
  // Apart: what one call records has an order only where all of it is new.
  const end = span(ctx, 'p1', { status: 'error' })
  equal(await metrics.record([end]), counts({ completed: 1 }), 'the end of one')
  equal(await metrics.record([span(ctx, 'p4'), end]), counts({ stored: 1, duplicates: 1 }), 'the same with a new one')
  equal(await look(), ['p2 running', 'p3 running', 'p1 error', 'p4 ok'], 'its end is recorded anew')
  const [ended] = (await metrics.query({ appName: ctx.app, where: { spanId: 'p1' } })).items
  equal([ended?.userId, Number(ended?.recordedAt) >= start + 5000], [undefined, true], 'as its end says it, and when')
  equal(await metrics.record([running[0] ?? span(ctx, '')]), counts({ duplicates: 1 }), 'a late beginning')
  equal(
    await metrics.record([running[0] ?? span(ctx, '')], { onDuplicate: 'replace' }),
    counts({ duplicates: 1 }),
    'a late beginning that would replace',
  )
  equal(
    await metrics.record([span(ctx, 'p2', { model: 'm' })], { onDuplicate: 'replace' }),
    counts({ completed: 1 }),
    'an end that would replace',
  )
  // A store that looks again and again for what was recorded lets this clock tick.
  clock.set(start + 3_599_500)
  equal(await look(), ['p3 running', 'p1 error', 'p4 ok', 'p2 ok'], 'after an hour less a moment')
  clock.set(start + 3_600_002)
  equal(await look(), ['p3 abandoned', 'p1 error', 'p4 ok', 'p2 ok'], 'after an hour')
  for (const [status, ids] of [
    ['running', []],
    ['abandoned', ['p3']],
    [
      ['abandoned', 'error'],
      ['p1', 'p3'],
    ],
  ] as const)
    equal(
      spansOf((await metrics.query({ appName: ctx.app, where: { status } })).items).toSorted(),
      ids,
      `those that are ${String(status)}`,
    )
  const read = await metrics.query({ appName: ctx.app, where: { spanId: 'p3' } })
  equal(await metrics.record(read.items), counts({ duplicates: 1 }), 'an abandoned row as it was read')
  equal(await metrics.record([span(ctx, 'p3')]), counts({ completed: 1 }), 'an end after an hour')
}

/** Replacing keeps the place and the time of recording. */
export async function replaces(ctx: Ctx): Promise<void> {
  const clock = tickingClock(start)
  const { metrics } = await ctx.open({ now: clock.now })
  const rows = ['p1', 'p2', 'p3'].map((id) =>
    span(ctx, id, { inputTokens: 5, userId: 'ann', customAttributes: { a: 1 } }),
  )
  await metrics.record(rows)
  const before = (await feed(ctx.other, { appName: ctx.app }, 3)).items
  clock.set(start + 5000)
  const priced = { computedCost: '0.5', currency: 'EUR', inputTokens: 6 }
  equal(
    await metrics.record([span(ctx, 'p2', priced), span(ctx, 'p9', priced)], { onDuplicate: 'replace' }),
    counts({ stored: 1, replaced: 1 }),
    'one that is there, and one that is not',
  )
  const after = (await feed(ctx.other, { appName: ctx.app }, 4)).items
  equal(spansOf(after), ['p1', 'p2', 'p3', 'p9'], 'it keeps its place')
  equal(
    after[1],
    { ...span(ctx, 'p2', priced), usageLevel: 0, schemaVersion: 1, recordedAt: before[1]?.recordedAt },
    'it is what the new one says, as a whole',
  )
  equal([after[0], after[2]], [before[0], before[2]], 'the others')
}

/** Ids that databases are known to mix up are different rows. */
export async function idsByBytes(ctx: Ctx): Promise<void> {
  const alike = ['a', 'A', 'a ', ' a', 'á', 'a\u0301', 'ａ', 'ss', 'ß', '😀', '😁', '1', '01', 'a%', 'a_']
  const rows = alike.flatMap((id) => [
    span(ctx, id),
    span(ctx, 'p1', { traceId: id }),
    span(ctx, 'p1', { appName: `${ctx.app}${id}` }),
  ])
  equal(await ctx.store.metrics.record(rows), counts({ stored: rows.length }), 'each is new')
  equal(await ctx.other.metrics.record(rows), counts({ duplicates: rows.length }), 'and each is known')
  for (const id of alike) {
    equal(spansOf(await recorded(ctx, { where: { spanId: id } })), [id], `the span ${id}`)
    equal((await recorded(ctx, { where: { traceId: id } })).length, 1, `the trace ${id}`)
    equal((await recorded(ctx, {}, `${ctx.app}${id}`)).length, 1, `the app ${id}`)
  }
}

/** Recorders at once, whose rows overlap: each row once, and the counts say so. */
export const racingBatches = (ctx: Ctx): Promise<void> =>
  rounds(ctx, async ({ index, store, other }) => {
    const traceId = `r${index}`
    const key = (i: number) => span(ctx, `p${i}`, { traceId, inputTokens: 1 })
    await store.metrics.record([{ ...key(0), status: 'running' }])
    const batches = numbers(6, 0).map((from) => numbers(8, from).map((i) => key(i)))
    const answers = await Promise.all(
      batches.map((batch, i) =>
        succeeds(
          (i % 2 === 0 ? store : other).metrics.record(i % 3 === 0 ? batch.toReversed() : batch),
          'a batch beside others',
        ),
      ),
    )
    const sum = { stored: 0, completed: 0, replaced: 0, duplicates: 0 }
    for (const answer of answers)
      for (const name of ['stored', 'completed', 'replaced', 'duplicates'] as const) sum[name] += answer[name]
    const there = await recorded(ctx, { where: { traceId } })
    equal(there.length, 13, 'rows, each once')
    equal(
      sum,
      { stored: 12, completed: 1, replaced: 0, duplicates: 6 * 8 - 13 },
      'what the batches say adds up to what is there',
    )
    holds(
      there.every(({ status }) => status === 'ok'),
      'all have ended',
      there.map(({ status }) => status),
    )
  })
