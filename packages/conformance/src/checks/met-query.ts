import type { Metric, MetricFilter, MetricOrder, MetricQuery, NewMetric } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects } from '../expect.ts'
import { numbers, walkMetrics } from '../fixtures.ts'
import { feed, recorded, span, spansOf, start } from './met-fixtures.ts'
import { injections } from './sec-literal.ts'

const orders: readonly MetricOrder[] = ['startedAt', 'durationMs', 'cost']
const costs = ['0.5', '0.49', '12', '0', '0.000000000001', '9000000', undefined]

/** Times and durations to the microsecond, amounts to the last place, ties by insertion; absent before present. */
export async function orderKept(ctx: Ctx): Promise<void> {
  const rows = numbers(28, 0).map((i) => {
    const cost = costs[i % costs.length]
    return span(ctx, `p${String(i).padStart(2, '0')}`, {
      startedAt: start + ((i * 11) % 9) / 1000,
      ...(i % 5 !== 0 && { durationMs: ((i * 7) % 6) / 1000 }),
      ...(cost !== undefined && {
        currency: i % 2 === 0 ? 'USD' : 'EUR',
        [i % 3 === 0 ? 'providedCost' : 'computedCost']: cost,
      }),
    })
  })
  await ctx.store.metrics.record(rows)
  const keys: Readonly<Record<MetricOrder, (row: NewMetric) => number>> = {
    startedAt: ({ startedAt = 0 }) => startedAt,
    durationMs: ({ durationMs = -1 }) => durationMs,
    cost: ({ providedCost, computedCost }) => Number(providedCost ?? computedCost ?? -1),
    recorded: () => 0,
  }
  for (const order of orders)
    for (const direction of ['asc', 'desc'] as const) {
      const given = direction === 'asc' ? rows : rows.toReversed()
      const sign = direction === 'asc' ? 1 : -1
      const expected = given.toSorted((a, b) => sign * (keys[order](a) - keys[order](b)))
      for (const limit of [1000, 5])
        equal(
          spansOf(await walkMetrics(ctx.other, { appName: ctx.app, order, direction, limit })),
          expected.map(({ spanId }) => spanId),
          `by ${order} ${direction}, ${limit} a page`,
        )
    }
  const newest = await ctx.other.metrics.query({ appName: ctx.app, limit: 3 })
  equal(spansOf(newest.items), spansOf(await recorded(ctx, { direction: 'desc' })).slice(0, 3), 'the newest by default')
  const forth = spansOf((await feed(ctx.other, { appName: ctx.app }, rows.length)).items)
  equal(
    forth,
    rows.map(({ spanId }) => spanId),
    'in the order of insertion',
  )
  const back = await ctx.other.metrics.query({ appName: ctx.app, order: 'recorded', direction: 'desc', limit: 1000 })
  equal([spansOf(back.items), back.nextCursor], [forth.toReversed(), undefined], 'and backwards, which has an end')
  equal(await ctx.other.metrics.query({ appName: ctx.app, limit: 0 }), { items: [], nextCursor: undefined }, 'limit 0')
}

/** The cursor of the order of insertion goes on where it was, also after the end. */
export async function feedGoesOn(ctx: Ctx): Promise<void> {
  const { metrics } = ctx.store
  const appName = ctx.app
  const none = await feed(ctx.other, { appName }, 0)
  equal(none.items, [], 'nothing yet')
  await metrics.record(['a', 'b', 'c'].map((id) => span(ctx, id)))
  const first = await feed(ctx.other, { appName, limit: 2, cursor: none.nextCursor }, 2)
  equal(spansOf(first.items), ['a', 'b'], 'a page from the beginning')
  const second = await feed(ctx.other, { appName, limit: 2, cursor: first.nextCursor }, 1)
  equal(spansOf(second.items), ['c'], 'the next')
  const third = await feed(ctx.other, { appName, cursor: second.nextCursor }, 0)
  equal(third.items, [], 'the end')
  await metrics.record([span(ctx, 'a'), span(ctx, 'd'), span(ctx, 'e', { status: 'running' })])
  await metrics.record([span(ctx, 'b', { model: 'm' })], { onDuplicate: 'replace' })
  const fourth = await feed(ctx.other, { appName, cursor: third.nextCursor }, 2)
  equal(spansOf(fourth.items), ['d', 'e'], 'what came since, each once')
  await metrics.record([span(ctx, 'e')])
  const fifth = await feed(ctx.other, { appName, cursor: fourth.nextCursor }, 1)
  equal(
    fifth.items.map(({ spanId, status }) => [spanId, status]),
    [['e', 'ok']],
    'the end of a span that was open',
  )
}

/** Cursors that are damaged, or of another query. */
export async function cursorsAreBound(ctx: Ctx): Promise<void> {
  await ctx.store.metrics.record(numbers(4).map((i) => span(ctx, `p${i}`, { userId: 'ann', durationMs: i })))
  const query = { appName: ctx.app, where: { userId: 'ann' }, limit: 1 } as const
  const { metrics } = ctx.other
  const cursor = present((await metrics.query(query)).nextCursor, 'a cursor')
  const others: readonly MetricQuery[] = [
    { ...query, where: { userId: 'bob' } },
    { ...query, where: { userId: ['ann'], root: true } },
    { appName: ctx.app },
    { ...query, appName: `${ctx.app}-b` },
    { ...query, order: 'durationMs' },
    { ...query, direction: 'asc' },
    { ...query, since: 1 },
    { ...query, before: 2e12 },
  ]
  for (const other of others)
    await rejects(
      () => metrics.query({ ...other, cursor }),
      'invalid_cursor',
      `a cursor of another query, at ${JSON.stringify(other)}`,
    )
  for (const broken of ['', 'x', cursor.slice(1), `${cursor}x`, `${cursor}.x`, ...injections.slice(0, 3)])
    await rejects(() => metrics.query({ ...query, cursor: broken }), 'invalid_cursor', 'a cursor that is none')
  equal(
    spansOf((await metrics.query({ ...query, limit: 9, fields: 'light', cursor })).items),
    ['p3', 'p2', 'p1'],
    'its own',
  )
  for (const [part, field] of badQueries)
    await rejects(
      () => metrics.query({ appName: ctx.app, ...part }),
      'invalid_argument',
      `a query with ${JSON.stringify(part)}`,
      { field },
    )
}

const badQueries: readonly (readonly [object, string])[] = [
  [{ appName: '' }, 'appName'],
  [{ limit: 1001 }, 'limit'],
  [{ order: 'model' }, 'order'],
  [{ direction: 'up' }, 'direction'],
  [{ fields: 'all' }, 'fields'],
  [{ offset: 1 }, 'offset'],
  [{ since: '2024' }, 'since'],
  [{ where: [] }, 'where'],
  [{ where: { appName: 'x' } }, 'where.appName'],
  [{ where: { content: 'x' } }, 'where.content'],
  [{ where: { userId: 5 } }, 'where.userId'],
  [{ where: { userId: { gt: 'a' } } }, 'where.userId'],
  [{ where: { userId: ['ann', 5] } }, 'where.userId[1]'],
  [{ where: { status: 'gone' } }, 'where.status'],
  [{ where: { durationMs: '5' } }, 'where.durationMs'],
  [{ where: { durationMs: { ge: 5 } } }, 'where.durationMs.ge'],
  [{ where: { inputTokens: { gt: null } } }, 'where.inputTokens.gt'],
  [{ where: { cost: '1' } }, 'where.cost'],
  [{ where: { cost: { gte: 1 } } }, 'where.cost.gte'],
  [{ where: { root: 1 } }, 'where.root'],
  [{ where: { attributes: [{ path: [], op: 'exists' }] } }, 'where.attributes[0].path'],
]

/** Filters mean what they say, in each of them and together, and never another tenant's rows. */
export async function filters(ctx: Ctx): Promise<void> {
  const rows = filterable(ctx)
  const elsewhere = `${ctx.app}-b`
  await ctx.store.metrics.record([...rows, ...rows.map((row) => ({ ...row, appName: elsewhere }))])
  const all = await recorded(ctx)
  equal(all.length, rows.length, 'rows of the app')
  for (const [where, fits] of cases(all)) {
    const found = await recorded(ctx, { where, limit: 50 })
    equal(spansOf(found), spansOf(all.filter((row) => fits(row))), `rows where ${JSON.stringify(where)}`)
  }
  const times = { since: start + 3.251, before: start + 8.251 }
  const within = all.filter(({ startedAt }) => startedAt >= times.since && startedAt < times.before)
  holds(within.length > 2, 'some are within', within.length)
  equal(spansOf(await recorded(ctx, times)), spansOf(within), 'since is inclusive, before is exclusive')
  equal(await recorded(ctx, {}, `${ctx.app}-none`), [], 'an app without rows')
}

const filterable = (ctx: Ctx) =>
  numbers(40, 0).map((i) =>
    span(ctx, `p${i}`, {
      traceId: `t${i % 9}`,
      startedAt: start + i / 4 + (i % 4) / 1000,
      ...(i % 3 !== 0 && { parentSpanId: `p${i - 1}` }),
      ...(i % 4 !== 0 && { userId: ['ann', 'ANN', 'bob'][i % 3] ?? '' }),
      ...(i % 2 === 0 && { durationMs: i / 8, inputTokens: i }),
      ...(i % 5 === 0 && { computedCost: `${i}.5`, currency: 'USD' }),
      ...(i % 7 === 0 && { invocationId: `i\0${i}` }),
      ...(i % 6 !== 0 && {
        customAttributes: { tenant: i % 4, name: i % 2 === 0 ? '1' : 1, list: [i], deep: { a: [{ b: i % 3 === 0 }] } },
      }),
    }),
  )

type Case = readonly [MetricFilter, (row: Metric) => boolean]

const cases = (all: readonly Metric[]): readonly Case[] => [
  [{}, () => true],
  [{ userId: 'ann' }, ({ userId }) => userId === 'ann'],
  [{ userId: ['bob', 'ANN', 'nobody'] }, ({ userId }) => userId === 'bob' || userId === 'ANN'],
  [{ userId: null }, ({ userId }) => userId === undefined],
  [{ userId: [null, 'bob'] }, ({ userId }) => userId === undefined || userId === 'bob'],
  [{ userId: [] }, () => false],
  [{ invocationId: 'i\u00007' }, ({ invocationId }) => invocationId === 'i\u00007'],
  [{ durationMs: 0.25 }, ({ durationMs }) => durationMs === 0.25],
  [{ durationMs: [0, 1, null] }, ({ durationMs }) => durationMs === undefined || durationMs === 0 || durationMs === 1],
  [{ durationMs: { gt: 1, lte: 2.5 } }, ({ durationMs = -1 }) => durationMs > 1 && durationMs <= 2.5],
  [{ durationMs: { gte: 1, lt: 2.5 } }, ({ durationMs = -1 }) => durationMs >= 1 && durationMs < 2.5],
  [{ durationMs: {} }, () => true],
  [{ startedAt: { gt: start + 2.002 } }, ({ startedAt }) => startedAt > start + 2.002],
  [{ startedAt: start + 1 }, ({ startedAt }) => startedAt === start + 1],
  [{ endedAt: null, root: true }, ({ parentSpanId }) => parentSpanId === undefined],
  [{ recordedAt: { lt: 1 } }, () => false],
  [{ usageLevel: 0 }, ({ usageLevel }) => usageLevel === 0],
  [
    { cost: { gte: '5.5', lt: '30.5' } },
    ({ computedCost = '-1' }) => Number(computedCost) >= 5.5 && Number(computedCost) < 30.5,
  ],
  [{ cost: { gt: '10.499999999999' } }, ({ computedCost = '-1' }) => Number(computedCost) > 10],
  [{ cost: null, currency: null }, ({ computedCost }) => computedCost === undefined],
  [{ unpriced: true }, ({ usageLevel, computedCost }) => usageLevel !== undefined && computedCost === undefined],
  [{ attributes: [{ path: ['tenant'], op: 'eq', value: 2 }] }, (row) => attributeOf(row, 'tenant') === 2],
  [{ attributes: [{ path: ['name'], op: 'eq', value: '1' }] }, (row) => attributeOf(row, 'name') === '1'],
  [
    { attributes: [{ path: ['tenant'], op: 'ne', value: 2 }] },
    (row) => [2, undefined].every((one) => attributeOf(row, 'tenant') !== one),
  ], // it is one
  [{ attributes: [{ path: ['tenant'], op: 'exists' }] }, ({ customAttributes }) => customAttributes !== undefined],
  [{ attributes: [{ path: ['list'], op: 'contains', value: 7 }] }, ({ spanId }) => spanId === 'p7'],
  [
    {
      userId: 'ann',
      traceId: ['t1', 't2', 't3'],
      attributes: [{ path: ['deep', 'a', 0, 'b'], op: 'eq', value: true }],
    },
    (row) => row.userId === 'ann' && ['t1', 't2', 't3'].includes(row.traceId) && row.customAttributes !== undefined,
  ],
  [{ spanId: all.map(({ spanId }) => spanId) }, () => true],
]

const attributeOf = ({ customAttributes }: Metric, name: string): unknown => customAttributes?.[name]

/** By such characters stores mark what their database refuses. */
const marks = ['\u0001', '\u0001\u0002', 'a\ud7ff\ue000']

/** Texts that look like SQL, or are marked as if a store had done it, in every member and in every filter. */
export async function literalTexts(ctx: Ctx): Promise<void> {
  for (const text of [...injections, ...marks]) {
    const appName = `${ctx.app}${text}`
    const ids = { appName, traceId: text, spanId: text, userId: text, sessionId: text, eventId: text }
    const row = {
      ...span(ctx, text, { operationName: text, model: text, invocationId: text, error: text }),
      ...ids,
      imageFormat: text,
      tags: [text],
      customAttributes: { [text]: { [text]: text } },
    }
    await ctx.store.metrics.record([row])
    const where = {
      ...ids,
      appName: undefined,
      operationName: [text],
      model: text,
      invocationId: text,
      imageFormat: text,
    }
    const attributes = [{ path: [text, text], op: 'eq', value: text }] as const
    const { appName: _, ...filter } = where
    const found = await recorded(ctx, { where: { ...filter, attributes } }, appName)
    equal(
      found.map(({ customAttributes, error, spanId }) => [customAttributes, error, spanId]),
      [[row.customAttributes, text, text]],
      `a row of ${text}`,
    )
    equal(await recorded(ctx, { where: { model: `${text}x` } }, appName), [], `a model that is not ${text}`)
  }
}

/** Usage that parents repeat counts once, however late a child comes: those without a price are told so. */
export async function unpricedIsCounted(ctx: Ctx): Promise<void> {
  const { metrics } = ctx.store
  const unpriced = async () => spansOf(await recorded(ctx, { where: { unpriced: true } })).toSorted()
  const usage = { inputTokens: 5 }
  await metrics.record([
    span(ctx, 'agent', { operationType: 'invoke_agent', ...usage }),
    span(ctx, 'task', { operationType: 'task', ...usage }),
    span(ctx, 'free', { durationMs: 5 }),
    span(ctx, 'other', { traceId: 't2', operationType: 'task', ...usage }),
    span(ctx, 'priced', { traceId: 't3', ...usage, providedCost: '0', currency: 'USD' }),
  ])
  equal(await unpriced(), ['agent', 'other'], 'the lowest level that is there')
  await metrics.record([
    span(ctx, 'call1', { ...usage, userId: 'ann', responseId: 'r1' }),
    span(ctx, 'call2', { ...usage, userId: 'bob', responseId: 'r2' }),
    span(ctx, 'CALL1', { ...usage, responseId: 'r1' }),
    span(ctx, 'call3', { ...usage, computedCost: '1', currency: 'USD' }),
    { ...span(ctx, 'call0', { ...usage, responseId: 'r2' }), appName: `${ctx.app}-b` },
  ])
  equal(await unpriced(), ['CALL1', 'call2', 'other'], 'a child that comes late, and a call that was recorded twice')
  equal(
    spansOf(await recorded(ctx, { where: { unpriced: true, userId: 'ann' } })),
    [],
    'what counts does not depend on the filter',
  )
}
