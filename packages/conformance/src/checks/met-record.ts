import { isStoreError, type NewMetric } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects } from '../expect.ts'
import { nothingWritten, numbers, tickingClock, wrong } from '../fixtures.ts'
import { counts, feed, given, recorded, span, spansOf, start } from './met-fixtures.ts'

/** A batch leaves what its rows leave that are recorded one by one. */
export async function batchIsLoop(ctx: Ctx): Promise<void> {
  const { metrics } = ctx.store
  const elsewhere = `${ctx.app}-loop`
  const rows = numbers(260).map((i) =>
    span(ctx, `p${i}`, {
      traceId: `t${i % 7}`,
      startedAt: start + i / 8,
      durationMs: i * 1.001,
      ...(i % 2 === 0 && { userId: `u${i % 5}`, customAttributes: { i, odd: false } }),
      ...(i % 3 === 0 && { inputTokens: i, computedCost: `0.${i}`, currency: 'USD' }),
    }),
  )
  equal(await metrics.record(rows), counts({ stored: rows.length }), 'a batch')
  for (const row of rows.slice(0, 60))
    equal(await metrics.record([{ ...row, appName: elsewhere }]), counts({ stored: 1 }), 'one by one')
  const byLoop = await recorded(ctx, { order: 'startedAt' }, elsewhere)
  const byBatch = await recorded(ctx, { order: 'startedAt' })
  equal(
    byBatch.slice(0, 60).map((row) => given(row)),
    byLoop.map((row) => ({ ...given(row), appName: ctx.app })),
    'what is there',
  )
  equal(byBatch.length, rows.length, 'rows of the batch')
  const { items } = await feed(ctx.other, { appName: ctx.app }, rows.length)
  equal(
    spansOf(items),
    rows.map(({ spanId }) => spanId),
    'in the order given',
  )
}

/** Every member, at values that databases are known to change. */
export async function keptAsGiven(ctx: Ctx): Promise<void> {
  const clock = tickingClock(start + 0.25)
  const store = await ctx.open({ now: clock.now })
  const full = fullRow(ctx)
  equal(await store.metrics.record([full]), counts({ stored: 1 }), 'a row with everything')
  const [row, ...more] = await recorded(ctx)
  equal(more, [], 'one row')
  if (row === undefined) return
  equal(given(row), full, 'everything as it was given')
  equal([row.schemaVersion, row.recordedAt - start < 100], [1, true], 'the store’s own members')
  await store.metrics.record([{ appName: ctx.app, operationName: 'least' }])
  const least = (await recorded(ctx, { where: { operationName: 'least' } })).map(({ traceId, spanId, ...rest }) => {
    holds(/^[0-9a-f]{32}$/.test(traceId) && /^[0-9a-f]{16}$/.test(spanId), 'ids are made', { traceId, spanId })
    return { ...given({ ...rest, traceId, spanId }), traceId: '', spanId: '' }
  })
  const { appName } = full
  equal(
    least.map(({ startedAt, ...rest }) => [startedAt - start < 100, rest]),
    [[true, { appName, traceId: '', spanId: '', operationName: 'least', operationType: 'custom', status: 'ok' }]],
    'a row with hardly anything: nothing is made up but ids, type, status and time',
  )
  await store.metrics.record([span(ctx, 'zero', { imageCount: -0, durationMs: -0, startedAt: -0 })])
  const zeros = await recorded(ctx, { where: { spanId: 'zero' } })
  equal(
    zeros.map(({ imageCount, durationMs, startedAt }) => [imageCount, durationMs, startedAt]),
    [[0, 0, 0]],
    '-0 is 0',
  )
  const again = await recorded(ctx, { where: { spanId: full.spanId ?? '' } })
  equal(await store.metrics.record(again), counts({ duplicates: 1 }), 'a row that was read may be recorded')
  const light = await recorded(ctx, { where: { spanId: full.spanId ?? '' }, fields: 'light' })
  const { error: _, textCustomMetrics: _t, imageCustomMetrics: _i, costDetail: _c, tags: _g, ...rest } = full
  const { customAttributes: _a, content: _b, ...skeleton } = rest
  equal(
    light.map((one) => given(one)),
    [skeleton],
    'light leaves out JSON and the text of errors, and nothing else',
  )
}

const fullRow = (ctx: Ctx): NewMetric => ({
  ...span(ctx, 'é\u0301😀 '),
  traceId: 'T\u00e9-"1\\',
  parentSpanId: 'none',
  userId: 'ann ',
  sessionId: 'S%',
  eventId: 'e_1',
  invocationId: 'i\0\ud800',
  agentName: 'agent 😀',
  operationName: 'answer \u{10ffff}',
  operationType: 'invoke_agent',
  provider: '',
  requestModel: 'x'.repeat(255),
  model: '😀'.repeat(255),
  responseId: 'r1 ',
  finishReason: 'stop',
  status: 'error',
  errorType: 'RateLimit',
  error: 'too many: \0 \ud800 \r\n 😀',
  startedAt: start + 0.001,
  endedAt: 253_402_300_799_999,
  durationMs: 0.001,
  firstChunkMs: 9_007_199_254_740,
  textCharCount: Number.MAX_SAFE_INTEGER,
  textWordCount: 0,
  textByteSize: 1,
  textLineCount: 2,
  textCustomMetrics: { 'a.b': [1.5, null, { '': '\0\ud800' }], __proto__: 1 },
  imageCount: 3,
  imageTotalPixels: Number.MAX_SAFE_INTEGER,
  imageFileSizeBytes: 4,
  imageWidth: 2 ** 31 - 1,
  imageHeight: 0,
  imageFormat: 'png',
  imageCustomMetrics: {},
  inputTokens: Number.MAX_SAFE_INTEGER,
  outputTokens: 1,
  totalTokens: 2,
  cacheReadTokens: 3,
  cacheWriteTokens: 4,
  reasoningTokens: 5,
  usageSource: 'tokenizer',
  usageLevel: 3,
  providedCost: '9000000',
  computedCost: '0.000000000001',
  currency: 'USD',
  priceId: 'p1',
  costDetail: { input: '0.1' },
  environment: 'prod',
  release: '1.0.0',
  tags: ['a', '', '😀', 'a'],
  customAttributes: { n: 1e300, small: 5e-324, t: 'true', list: [] },
  content: [{ role: 'user', parts: [{ text: '\u2028</script>' }] }],
})

const bad = (row: unknown) => row as NewMetric // what the types forbid is what is tried

/** One bad row refuses all, and the error says which and why. */
export async function badRows(ctx: Ctx): Promise<void> {
  const { metrics } = ctx.store
  await metrics.record([span(ctx, 'there')])
  await nothingWritten(
    ctx,
    async () => {
      for (const [member, value, code] of refused)
        await rejects(
          () => metrics.record([span(ctx, 'fine'), bad({ ...span(ctx, 'bad'), [member]: value })]),
          code,
          `a row with ${member} ${String(value).slice(0, 30)}`,
          { field: `rows[1].${member === 'tags' && Array.isArray(value) ? 'tags[1]' : member}` },
        )
      await rejects(() => metrics.record([bad(null)]), 'invalid_argument', 'no row', { field: 'rows[0]' })
      const none = {} as never // what the types forbid is what is tried
      await rejects(() => metrics.record(none), 'invalid_argument', 'no list', { field: 'rows' })
      await rejects(
        () => metrics.record([bad({ ...span(ctx, 'bad'), customAttributes: { a: [Number.NaN] } })]),
        'invalid_argument',
        'what JSON cannot hold',
        { field: 'rows[0].customAttributes.a[0]' },
      )
      await rejects(
        () => metrics.record([{ ...span(ctx, 'bad'), providedCost: '1' }]),
        'invalid_argument',
        'a cost of no currency',
        { field: 'rows[0].currency' },
      )
      await rejects(
        () => metrics.record([span(ctx, 'a')], { onDuplicate: wrong('merge') }),
        'invalid_argument',
        'an unknown option',
        { field: 'onDuplicate' },
      )
    },
    'refused calls',
  )
  const small = await ctx.open({ limits: { metricBatch: 2, metricBatchBytes: 3000 } })
  const three = ['a', 'b', 'c'].map((id) => span(ctx, id))
  await nothingWritten(
    ctx,
    async () => {
      await rejects(() => small.metrics.record(three), 'limit_exceeded', 'too many rows', { field: 'rows', limit: 2 })
      await rejects(
        () => small.metrics.record([span(ctx, 'a', { error: 'x'.repeat(3000) })]),
        'limit_exceeded',
        'too many bytes',
        { field: 'rows', limit: 3000 },
      )
    },
    'calls beyond a limit',
  )
  equal(await small.metrics.record(three.slice(0, 2)), counts({ stored: 2 }), 'at the limit')
}

const refused: readonly (readonly [string, unknown, 'invalid_argument' | 'limit_exceeded'])[] = [
  ['appName', undefined, 'invalid_argument'],
  ['spanId', '', 'invalid_argument'],
  ['traceId', 'a\0', 'invalid_argument'],
  ['userId', 'x'.repeat(192), 'limit_exceeded'],
  ['operationName', undefined, 'invalid_argument'],
  ['operationName', '', 'invalid_argument'],
  ['operationName', 'x'.repeat(256), 'limit_exceeded'],
  ['model', '\ud800', 'invalid_argument'],
  ['model', 5, 'invalid_argument'],
  ['operationType', 'sing', 'invalid_argument'],
  ['status', 'done', 'invalid_argument'],
  ['startedAt', -1, 'invalid_argument'],
  ['endedAt', new Date(), 'invalid_argument'],
  ['durationMs', -0.1, 'invalid_argument'],
  ['durationMs', Number.NaN, 'invalid_argument'],
  ['firstChunkMs', '5', 'invalid_argument'],
  ['inputTokens', 1.5, 'invalid_argument'],
  ['inputTokens', -1, 'invalid_argument'],
  ['outputTokens', 2 ** 53, 'invalid_argument'],
  ['imageWidth', 2 ** 31, 'invalid_argument'],
  ['imageFormat', 'x'.repeat(33), 'limit_exceeded'],
  ['usageLevel', 4, 'invalid_argument'],
  ['providedCost', 1, 'invalid_argument'],
  ['providedCost', '-1', 'invalid_argument'],
  ['computedCost', '0.0000000000001', 'invalid_argument'],
  ['computedCost', '1e3', 'invalid_argument'],
  ['computedCost', '9000000.000000000001', 'invalid_argument'],
  ['tags', 'a', 'invalid_argument'],
  ['tags', ['a', 1], 'invalid_argument'],
  ['customAttributes', [], 'invalid_argument'],
  ['prompt', 'hello', 'invalid_argument'],
]

export async function emptyBatch(ctx: Ctx): Promise<void> {
  await ctx.store.metrics.record([span(ctx, 'p1')])
  await nothingWritten(
    ctx,
    async () => equal(await ctx.store.metrics.record([]), counts({}), 'an empty batch'),
    'an empty batch',
  )
}

/** A batch that ran out of time may have been written in part: its error names the ids that were made, by which the rest can follow. */
export async function endedTellsIds(ctx: Ctx): Promise<void> {
  const { metrics } = ctx.store
  const all = 3000
  const counted = async (appName: string) =>
    (await ctx.other.metrics.aggregate({ appName, measures: { n: 'count' } })).items[0]?.values.n ?? 0
  // Each has longer, so that one of them is over in the middle wherever the time goes.
  for (const timeout of [20, 60, 150, 400, 1000]) {
    const appName = `${ctx.app}-${timeout}`
    const rows = numbers(all).map((i) => ({ appName, operationName: 'answer', durationMs: i }))
    const outcome = await metrics.record(rows, { timeout }).catch((error: unknown) => error)
    if (!isStoreError(outcome)) {
      equal(outcome, counts({ stored: all }), 'a batch that had the time')
      return
    }
    const ids = present(outcome.facts.metricIds, `ids in the error ${outcome.code}, of a batch that had ${timeout} ms`)
    const again = await metrics.record(rows.map((row, i) => ({ ...row, ...ids[i] })))
    equal(again.stored + again.duplicates, all, 'the batch again, by these ids')
    equal(await counted(appName), all, `each row once, of a batch that had ${timeout} ms`)
    if (again.duplicates > 0) return // it had been written in part
  }
}
