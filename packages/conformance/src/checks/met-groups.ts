import type { MetricAggregateQuery } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, present, rejects } from '../expect.ts'
import { numbers, tickingClock } from '../fixtures.ts'
import { span, start } from './met-fixtures.ts'
import { sumOfAmounts } from './met-aggregate.ts'

type Part = Partial<Omit<MetricAggregateQuery, 'orderBy' | 'measures'>>

const hour = 3_600_000
const day = 24 * hour

/** Spans of time: their edges to the microsecond, the clock that they go by, and those without rows. */
export async function buckets(ctx: Ctx): Promise<void> {
  const midnight = 19_676 * day
  const at = [-0.001, 0, 59_999.999, 60_000, hour - 0.001, hour, 23.5 * hour, day - 0.001, day, 2.2 * day]
  await ctx.store.metrics.record(at.map((ms, i) => span(ctx, `p${i}`, { startedAt: midnight + ms })))
  const ask = async (bucket: MetricAggregateQuery['bucket'], more: Part = {}) =>
    (
      await ctx.other.metrics.aggregate({
        appName: ctx.app,
        ...(bucket !== undefined && { bucket }),
        ...more,
        measures: { n: 'count' },
      })
    ).items.map(({ bucket: begins = 0, values }) => [begins - midnight, values.n])
  equal(
    await ask({ size: 'day' }),
    [
      [-day, 1],
      [0, 7],
      [day, 1],
      [2 * day, 1],
    ],
    'days',
  )
  equal(
    await ask({ size: 'day', offsetMinutes: 60 }),
    [
      [-hour, 6],
      [23 * hour, 3],
      [47 * hour, 1],
    ],
    'days of a clock that is an hour ahead',
  )
  equal(
    await ask({ size: 'day', offsetMinutes: -330 }),
    [
      [5.5 * hour - day, 6],
      [5.5 * hour, 3],
      [29.5 * hour, 1],
    ],
    'days of a clock that is five hours and a half behind',
  )
  equal(
    (await ask({ size: 'hour', offsetMinutes: 30 })).slice(0, 2),
    [
      [-hour / 2, 4],
      [hour / 2, 2],
    ],
    'hours that begin at half past',
  )
  equal(
    (await ask({ size: 'minute' })).slice(0, 4),
    [
      [-60_000, 1],
      [0, 2],
      [60_000, 1],
      [hour - 60_000, 1],
    ],
    'minutes',
  )
  const since = midnight - day
  equal(
    await ask({ size: 'day' }, { since, before: midnight + 4 * day }),
    [
      [-day, 1],
      [0, 7],
      [day, 1],
      [2 * day, 1],
      [3 * day, 0],
    ],
    'days without rows, where both ends are known',
  )
  equal(
    await ask({ size: 'day' }, { since: midnight + 3 * day + 5, before: midnight + 5 * day }),
    [
      [3 * day, 0],
      [4 * day, 0],
    ],
    'days without rows alone: the first begins before what was asked for',
  )
  const small = await ctx.open({ limits: { metricGroups: 3 } })
  await rejects(
    () => small.metrics.aggregate({ appName: ctx.app, bucket: { size: 'day' }, measures: { n: 'count' } }),
    'limit_exceeded',
    'more groups than limits.metricGroups says',
    { limit: 3, actual: 4 },
  )
  await ctx.store.metrics.record([{ ...span(ctx, 'first', { startedAt: 0 }), appName: `${ctx.app}-b` }])
  const { items } = await ctx.other.metrics.aggregate({
    appName: `${ctx.app}-b`,
    bucket: { size: 'day', offsetMinutes: 90 },
    measures: { n: 'count' },
  })
  equal(items, [{ bucket: -90 * 60_000, key: [], values: { n: 1 } }], 'the first moment, on a clock that is ahead')
}

/** Groups by texts that databases mix up, by what is absent, by attributes and by the agent around. */
export async function groups(ctx: Ctx): Promise<void> {
  const clock = tickingClock(start)
  const { metrics } = await ctx.open({ now: clock.now })
  const names = ['a', 'A', 'a ', 'é', 'e\u0301', 'ß', 'ss', '\uffee', '😀', '', '\u0001\u0002']
  const rows = names.map((model, i) =>
    span(ctx, `p${i}`, {
      model,
      customAttributes: { v: [1, '1', true, null, 1.5, { a: 1 }, 'x\0\ud800', -2, '', 1][i] },
    }),
  )
  await metrics.record([
    ...rows,
    span(ctx, 'none'),
    span(ctx, 'open', { status: 'running', startedAt: start - 2 * hour }),
  ])
  const ask = async (query: Part) =>
    (await metrics.aggregate({ appName: ctx.app, ...query, measures: { n: 'count' } })).items.map(({ key, values }) => [
      ...key,
      values.n,
    ])
  const byCodePoint = ['', '\u0001\u0002', 'A', 'a', 'a ', 'e\u0301', 'ss', 'ß', 'é', '\uffee', '😀']
  equal(
    await ask({ groupBy: ['model'] }),
    [[null, 2], ...byCodePoint.map((model) => [model, 1])],
    'models by their bytes, absent before all',
  )
  const attribute = { attribute: ['v'] } as const
  equal(
    await ask({ groupBy: [{ ...attribute, type: 'number' }] }),
    [
      [null, 9],
      [-2, 1],
      [1, 2],
      [1.5, 1],
    ],
    'numbers at a path',
  )
  equal(
    await ask({ groupBy: [{ ...attribute, type: 'string' }] }),
    [
      [null, 10],
      ['', 1],
      ['1', 1],
      ['x\0\ud800', 1],
    ],
    'texts at a path',
  )
  equal(
    await ask({ groupBy: [{ ...attribute, type: 'boolean' }] }),
    [
      [null, 12],
      [true, 1],
    ],
    'flags at a path',
  )
  equal(
    await ask({ groupBy: ['status'] }),
    [
      ['abandoned', 1],
      ['ok', 12],
    ],
    'status as it reads',
  )
  await longTexts(ctx)
  await metrics.record([
    { ...span(ctx, 'boss', { agentName: 'root' }), appName: `${ctx.app}-t` },
    { ...span(ctx, 'w1', { agentName: 'worker', parentSpanId: 'boss' }), appName: `${ctx.app}-t` },
    { ...span(ctx, 'w2', { agentName: 'worker', parentSpanId: 'boss' }), appName: `${ctx.app}-t` },
    { ...span(ctx, 'w3', { agentName: 'worker', parentSpanId: 'gone' }), appName: `${ctx.app}-t` },
    { ...span(ctx, 'w4', { traceId: 't2', agentName: 'worker', parentSpanId: 'boss' }), appName: `${ctx.app}-t` },
  ])
  equal(
    await ask({ appName: `${ctx.app}-t`, groupBy: ['parentAgent', 'agentName'] }),
    [
      [null, 'root', 1],
      [null, 'worker', 2],
      ['root', 'worker', 2],
    ],
    'by the agent around, of the same trace',
  )
}

/** Texts that differ only at their end: what is sorted by the beginning alone mixes their rows. */
async function longTexts(ctx: Ctx): Promise<void> {
  const appName = `${ctx.app}-l`
  const beginning = 'x'.repeat(20_000)
  const rows = numbers(40).map((i) => ({
    ...span(ctx, `p${i}`, { durationMs: (i * 7) % 40, customAttributes: { v: `${beginning}${i % 2}` } }),
    appName,
  }))
  await ctx.store.metrics.record(rows)
  const { items } = await ctx.other.metrics.aggregate({
    appName,
    groupBy: [{ attribute: ['v'], type: 'string' }],
    measures: { n: 'count', half: { percentile: 500, of: 'durationMs' } },
  })
  equal(
    items,
    [
      { key: [`${beginning}0`], values: { n: 20, half: 18 } },
      { key: [`${beginning}1`], values: { n: 20, half: 19 } },
    ],
    'long texts at a path',
  )
}

/** Groups in the order of a measure, page by page. */
export async function groupsInOrder(ctx: Ctx): Promise<void> {
  const rows = numbers(30).map((i) =>
    span(ctx, `p${i}`, { model: `m${i % 7}`, ...(i % 7 !== 3 && { durationMs: (i * 5) % 11 }) }),
  )
  await ctx.store.metrics.record(rows)
  const query = {
    appName: ctx.app,
    groupBy: ['model'],
    measures: { n: 'count', slow: { max: 'durationMs' } },
    orderBy: { measure: 'slow', direction: 'desc' },
  } as const
  const { metrics } = ctx.other
  const whole = (await metrics.aggregate(query)).items
  const expected = whole.toSorted(
    (a, b) => (b.values.slow ?? -1) - (a.values.slow ?? -1) || (String(a.key[0]) < String(b.key[0]) ? -1 : 1),
  )
  equal(whole, expected, 'the slowest first, ties by key, those without a value last')
  equal(whole.at(-1)?.values.slow, null, 'a group without a value')
  const paged: unknown[] = []
  let cursor: string | undefined
  do {
    const page = await metrics.aggregate({ ...query, limit: 2, ...(cursor !== undefined && { cursor }) })
    paged.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== undefined && paged.length < 20)
  equal(paged, whole, 'page by page')
  const bound = present((await metrics.aggregate({ ...query, limit: 2 })).nextCursor, 'a cursor')
  const others: readonly Partial<MetricAggregateQuery>[] = [
    { groupBy: ['model', 'status'] },
    { where: { model: 'm1' } },
    { measures: { n: 'count', slow: { min: 'durationMs' } } },
    { bucket: { size: 'day' } },
    { orderBy: { measure: 'slow' } },
    { cursor: `${bound}x` },
  ]
  for (const other of others) {
    const asked: MetricAggregateQuery = { ...query, cursor: bound, ...other }
    await rejects(() => metrics.aggregate(asked), 'invalid_cursor', `a cursor of groups at ${JSON.stringify(other)}`)
  }
}

/** Sums that neither a float nor an integer of 64 bits of units holds. */
export async function exactSums(ctx: Ctx): Promise<void> {
  const rows = numbers(2000).map((i) =>
    span(ctx, `p${i}`, {
      traceId: `t${i}`,
      durationMs: 4_503_599_627.37 + i / 1000,
      inputTokens: 4_503_599_627 + i,
      ...(i % 2 === 0
        ? { providedCost: '8999999.999999999999', currency: 'USD' }
        : { computedCost: `0.${String(i).padStart(12, '0')}`, currency: 'EUR' }),
    }),
  )
  await ctx.store.metrics.record(rows)
  const { items } = await ctx.other.metrics.aggregate({
    appName: ctx.app,
    measures: { n: 'count', tokens: 'inputTokens', ms: { sum: 'durationMs' }, cost: 'cost' },
  })
  const odd = numbers(1000).map((i) => `0.${String(2 * i - 1).padStart(12, '0')}`)
  equal(
    items[0]?.values,
    {
      n: 2000,
      tokens: 2000 * 4_503_599_627 + 2_001_000,
      ms: (2000 * 4_503_599_627_370 + 2_001_000) / 1000,
      cost: [
        { currency: 'EUR', amount: sumOfAmounts(odd) },
        { currency: 'USD', amount: '8999999999.999999999' },
      ],
    },
    'sums of 2,000 rows',
  )
  const many = numbers(40).map((i) => `C${String(i).padStart(2, '0')}`)
  await ctx.store.metrics.record(
    many.map((currency) => ({
      ...span(ctx, currency, { providedCost: '0.5', currency }),
      appName: `${ctx.app}-c`,
    })),
  )
  const small = await ctx.open({ limits: { metricGroups: 1 } })
  const costs = await small.metrics.aggregate({ appName: `${ctx.app}-c`, measures: { cost: 'cost' } })
  equal(
    costs.items,
    [{ key: [], values: { cost: many.map((currency) => ({ currency, amount: '0.5' })) } }],
    'every currency of a group, however few groups there may be',
  )
}
