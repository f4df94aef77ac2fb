import type { Metric, MetricAggregateQuery, MetricMeasures, NewMetric } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, rejects } from '../expect.ts'
import { numbers, walk } from '../fixtures.ts'
import { recorded, span, start } from './met-fixtures.ts'

type Part = Partial<Omit<MetricAggregateQuery, 'orderBy' | 'measures'>>

const p = (percentile: number) => ({ percentile, of: 'durationMs' }) as const

const everything = {
  rows: 'count',
  errors: 'errorCount',
  rate: 'errorRate',
  sum: { sum: 'durationMs' },
  avg: { avg: 'durationMs' },
  min: { min: 'durationMs' },
  max: { max: 'durationMs' },
  p1: p(1),
  p50: p(500),
  p95: p(950),
  p100: p(1000),
  width: { max: 'imageWidth' },
  users: { countDistinct: 'userId' },
  traces: { countDistinct: 'traceId' },
  input: 'inputTokens',
  cost: 'cost',
  unpriced: 'unpriced',
} as const satisfies MetricMeasures

/** What is known of few rows by hand, and of none. */
export async function knownAnswers(ctx: Ctx): Promise<void> {
  const { metrics } = ctx.store
  const ask = async (query: Part = {}) =>
    (await ctx.other.metrics.aggregate({ appName: ctx.app, ...query, measures: everything })).items
  const none = {
    rows: 0,
    errors: 0,
    rate: null,
    sum: null,
    avg: null,
    min: null,
    max: null,
    p1: null,
    p50: null,
    p95: null,
    p100: null,
    width: null,
    users: 0,
    traces: 0,
    input: null,
    cost: [],
    unpriced: 0,
  }
  equal(await ask(), [{ key: [], values: none }], 'of no rows')
  equal(await ask({ groupBy: ['model'] }), [], 'of no rows in groups')
  await metrics.record(
    numbers(20).map((i) =>
      span(ctx, `p${i}`, {
        traceId: `t${i % 3}`,
        durationMs: i / 1000,
        status: i % 4 === 0 ? 'error' : 'ok',
        ...(i % 2 === 0 && { userId: i % 4 === 0 ? 'ann' : 'ANN', imageWidth: i }),
      }),
    ),
  )
  await metrics.record([
    span(ctx, 'open', { status: 'cancelled', inputTokens: 7 }),
    span(ctx, 'usd', { inputTokens: 3, providedCost: '0.3', computedCost: '5', currency: 'USD' }),
    span(ctx, 'eur', { computedCost: '0.000000000001', currency: 'EUR' }),
    span(ctx, 'usd2', { computedCost: '0.1', currency: 'USD' }),
  ])
  const values = {
    rows: 24,
    errors: 5,
    rate: 5 / 24,
    sum: 0.21,
    avg: 210 / 20 / 1e3,
    min: 0.001,
    max: 0.02,
    p1: 0.001,
    p50: 0.01,
    p95: 0.019,
    p100: 0.02,
    width: 20,
    users: 2,
    traces: 3,
    input: 10,
    unpriced: 1,
    cost: [
      {
        currency: 'EUR',
        amount: '0.000000000001',
      },
      {
        currency: 'USD',
        amount: '0.4',
      },
    ],
  }
  equal(await ask(), [{ key: [], values }], 'of some rows')
  const one = await ask({ where: { spanId: 'p7' } })
  equal(
    one.map(({ values: { p1, p50, p100, avg } }) => [p1, p50, p100, avg]),
    [[0.007, 0.007, 0.007, 0.007]],
    'of one row',
  )
  equal((await ask({ where: { spanId: 'p7' } }))[0]?.values.users, 0, 'what is absent is no value')
  for (const [part, field] of refused)
    await rejects(
      () => metrics.aggregate({ appName: ctx.app, measures: { n: 'count' }, ...part }),
      ['invalid_argument', 'limit_exceeded'],
      `an aggregate with ${JSON.stringify(part)}`,
      { field },
    )
}

const refused: readonly (readonly [object, string])[] = [
  [{ appName: undefined }, 'appName'],
  [{ measures: {} }, 'measures'],
  [{ measures: { n: 'median' } }, 'measures.n'],
  [{ measures: { n: { sum: 'cost' } } }, 'measures.n.sum'],
  [{ measures: { n: { sum: 'durationMs', avg: 'durationMs' } } }, 'measures.n'],
  [{ measures: { n: { percentile: 0, of: 'durationMs' } } }, 'measures.n.percentile'],
  [{ measures: { n: { percentile: 99.9, of: 'durationMs' } } }, 'measures.n.percentile'],
  [{ measures: { n: { percentile: 500 } } }, 'measures.n.of'],
  [{ measures: { n: { countDistinct: 'model' } } }, 'measures.n.countDistinct'],
  [{ groupBy: ['content'] }, 'groupBy[0]'],
  [{ groupBy: [{ attribute: ['a'], type: 'json' }] }, 'groupBy[0].type'],
  [{ groupBy: ['model', 'userId', 'status', 'release', 'provider', 'sessionId'] }, 'groupBy'],
  [{ bucket: { size: 'week' } }, 'bucket.size'],
  [{ bucket: { size: 'day', offsetMinutes: 1.5 } }, 'bucket.offsetMinutes'],
  [{ bucket: { size: 'minute' }, since: 1, before: 1e12 }, 'bucket'],
  [{ orderBy: { measure: 'x' } }, 'orderBy.measure'],
  [{ measures: { c: 'cost' }, orderBy: { measure: 'c' } }, 'orderBy.measure'],
  [{ limit: -1 }, 'limit'],
  [{ where: { userId: 5 } }, 'where.userId'],
]

/** Random rows in groups, against a reference that counts them one by one. */
export async function agreesWithReference(ctx: Ctx): Promise<void> {
  const pick = <T>(...values: readonly T[]): T => values[Math.floor(ctx.random() * values.length)] as T // one of them
  const rows = numbers(400).map((i): NewMetric =>
    span(ctx, `p${i}`, {
      traceId: `t${Math.floor(ctx.random() * 60)}`,
      startedAt: start + Math.floor(ctx.random() * 5 * 3_600_000_000) / 1000,
      status: pick('ok', 'ok', 'error', 'cancelled'),
      operationType: pick('chat', 'turn', 'invoke_agent', 'task'),
      ...(ctx.random() < 0.8 && { durationMs: Math.floor(ctx.random() ** 4 * 1e6) / 1000 }),
      ...(ctx.random() < 0.6 && { inputTokens: Math.floor(ctx.random() * 1000) }),
      ...(ctx.random() < 0.4 && {
        computedCost: `0.${1 + Math.floor(ctx.random() * 1e6)}`,
        currency: pick('USD', 'EUR'),
      }),
      ...(ctx.random() < 0.3 && { responseId: `r${Math.floor(ctx.random() * 40)}` }),
      ...(ctx.random() < 0.7 && { model: pick('m1', 'm2', 'M1') }),
      ...(ctx.random() < 0.7 && { userId: pick('ann', 'bob') }),
    }),
  )
  await ctx.store.metrics.record(rows)
  const all = await recorded(ctx)
  const counted = new Set(all.filter((row) => counts(row, all)))
  holds(counted.size > 20 && counted.size < 200, 'usage is repeated', counted.size)
  const queries: readonly Part[] = [
    {},
    { groupBy: ['model'] },
    { groupBy: ['userId', 'status'] },
    { groupBy: ['operationType'], bucket: { size: 'hour' } },
    { where: { model: ['m1', null] }, since: start + 3_600_000, groupBy: ['operationType'] },
  ]
  for (const query of queries) {
    const found = await walk(
      (cursor) =>
        ctx.other.metrics.aggregate({
          appName: ctx.app,
          ...query,
          limit: 7,
          measures: everything,
          ...(cursor !== undefined && { cursor }),
        }),
      'metrics.aggregate',
    )
    const own = all.filter(
      ({ model, startedAt }) =>
        query.where === undefined || (startedAt >= start + 3_600_000 && (model === 'm1' || model === undefined)),
    )
    const groups = new Map<string, Metric[]>()
    for (const row of own) {
      const name = JSON.stringify([
        query.bucket === undefined ? null : Math.floor(row.startedAt / 3_600_000) * 3_600_000,
        (query.groupBy ?? []).map((dimension) => row[dimension as 'model'] ?? null), // each is a member of rows
      ])
      groups.set(name, [...(groups.get(name) ?? []), row])
    }
    const expected = [...groups].map(([name, members]) => [name, valuesOf(members, counted)])
    equal(
      found.map(({ bucket, key, values }) => [JSON.stringify([bucket ?? null, key]), values]).toSorted(byName),
      expected.toSorted(byName),
      `groups of ${JSON.stringify(query)}`,
    )
  }
}

const byName = (a: readonly unknown[], b: readonly unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1)

/** By the words of the rule, row by row. */
const counts = (row: Metric, all: readonly Metric[]): boolean =>
  row.usageLevel !== undefined &&
  !all.some(
    (other) =>
      other.traceId === row.traceId &&
      other.usageLevel !== undefined &&
      (other.usageLevel < (row.usageLevel ?? 0) ||
        (other.usageLevel === 0 &&
          row.usageLevel === 0 &&
          other.responseId !== undefined &&
          other.responseId === row.responseId &&
          other.spanId < row.spanId)),
  )

function valuesOf(rows: readonly Metric[], counted: ReadonlySet<Metric>): Record<keyof typeof everything, unknown> {
  const micros = rows.flatMap(({ durationMs }) => (durationMs === undefined ? [] : [Math.round(durationMs * 1000)]))
  const sum = micros.reduce((total, one) => total + one, 0)
  const least = (thousandths: number) => {
    const fits = micros.filter(
      (one) => micros.filter((other) => other <= one).length * 1000 >= thousandths * micros.length,
    )
    return fits.length === 0 ? null : Math.min(...fits) / 1000
  }
  const own = rows.filter((row) => counted.has(row))
  const tokens = own.flatMap(({ inputTokens }) => inputTokens ?? [])
  const errors = rows.filter(({ status }) => status === 'error').length
  const some = (value: number) => (micros.length === 0 ? null : value)
  return {
    rows: rows.length,
    errors,
    rate: errors / rows.length,
    sum: some(sum / 1e3),
    avg: some(sum / micros.length / 1e3),
    min: some(Math.min(...micros) / 1e3),
    max: some(Math.max(...micros) / 1e3),
    p1: least(1),
    p50: least(500),
    p95: least(950),
    p100: least(1e3),
    width: null,
    users: new Set(rows.flatMap(({ userId }) => userId ?? [])).size,
    traces: new Set(rows.map(({ traceId }) => traceId)).size,
    input: tokens.length === 0 ? null : tokens.reduce((total, one) => total + one, 0),
    cost: ['EUR', 'USD'].flatMap((currency) => {
      const amounts = own.flatMap((row) => (row.currency === currency ? (row.computedCost ?? []) : []))
      return amounts.length === 0
        ? []
        : [
            {
              currency,
              amount: sumOfAmounts(amounts),
            },
          ]
    }),
    unpriced: own.filter(({ computedCost }) => computedCost === undefined).length,
  }
}

/** Amounts below a thousand of at most 12 places, added in units of the last one. */
export function sumOfAmounts(amounts: readonly string[]): string {
  const units = amounts.map((amount) => {
    const [whole = '0', places = ''] = amount.split('.')
    return BigInt(whole + places.padEnd(12, '0'))
  })
  const total = units
    .reduce((sum, one) => sum + one, 0n)
    .toString()
    .padStart(13, '0')
  return `${total.slice(0, -12)}.${total.slice(-12)}`.replace(/\.?0+$/, '')
}
