import type { RecordMetricsOptions, Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import type { SentStatement } from '../define.ts'
import { equal, holds, present } from '../expect.ts'
import { numbers } from '../fixtures.ts'
import { observed, oracleMember, withoutControl } from '../whitebox.ts'
import { span, start } from './met-fixtures.ts'

const traces = 600
const spans = 10
const minute = 60_000

/** A small table is read from end to end by who knows that it is small. */
const bulk = { pad: 'x'.repeat(1200) }

/** Spans of a trace, which is one of 150 of a user and is about one session. */
const rowsOf = (ctx: Ctx, trace: number) =>
  numbers(spans).map((i) =>
    span(ctx, `s${i}`, {
      traceId: `t${trace}`,
      userId: `u${trace % 4}`,
      sessionId: `s${trace % 200}`,
      operationName: `op${trace % 100}`,
      model: `m${trace % 100}`,
      startedAt: start + trace * minute + i,
      durationMs: i,
      inputTokens: i,
      customAttributes: bulk,
    }),
  )

/** What a person looks at, and what a program asks for: of 6,000 rows a few. */
function reads({ app }: Ctx, cursor: string): Readonly<Record<string, (store: Store) => Promise<unknown>>> {
  const query = { appName: app, limit: 20 }
  const hour = { since: start + 60 * minute, before: start + 70 * minute }
  return {
    'query of the newest': (store) => store.metrics.query(query),
    'query of the next page': (store) => store.metrics.query({ ...query, cursor }),
    'query of a span of time': (store) => store.metrics.query({ ...query, ...hour, direction: 'asc' }),
    'query of a trace': (store) => store.metrics.query({ ...query, where: { traceId: 't77' } }),
    'query of a span': (store) => store.metrics.query({ ...query, where: { traceId: 't77', spanId: 's3' } }),
    'query of a session': (store) => store.metrics.query({ ...query, where: { userId: 'u1', sessionId: 's77' } }),
    'query of a user': (store) => store.metrics.query({ ...query, where: { userId: 'u1' } }),
    'query of an operation': (store) => store.metrics.query({ ...query, where: { operationName: 'op7' } }),
    'query of a model': (store) => store.metrics.query({ ...query, where: { model: 'm7' } }),
    'aggregate of a span of time': (store) =>
      store.metrics.aggregate({
        appName: app,
        ...hour,
        groupBy: ['model'],
        measures: { n: 'count', in: 'inputTokens' },
      }),
    'aggregate of a session': (store) =>
      store.metrics.aggregate({
        appName: app,
        where: { userId: 'u1', sessionId: 's77' },
        measures: { n: 'count', slow: { max: 'durationMs' } },
      }),
  }
}

/** What is written and taken away among them. */
const changes = (ctx: Ctx): Readonly<Record<string, (store: Store) => Promise<unknown>>> => ({
  record: (store) => store.metrics.record(rowsOf(ctx, traces)),
  'record of what is there': (store) => store.metrics.record(rowsOf(ctx, 7)),
  'record that replaces': (store) => store.metrics.record(rowsOf(ctx, 7), { onDuplicate: 'replace' }),
  'prune of a session': (store) =>
    store.metrics.prune({ appName: ctx.app, userId: 'u1', sessionId: 's77', before: start * 2 }),
  'prune of an app': (store) => store.metrics.prune({ appName: ctx.app, before: start + 20 * minute, chunk: 50 }),
})

/** No call reads the table from end to end, and a read is one statement. */
export async function metricsUseIndexes(ctx: Ctx): Promise<void> {
  const plan = oracleMember(ctx, 'plan')
  for (let from = 0; from < traces; from += 100)
    await ctx.store.metrics.record(numbers(100).flatMap((i) => rowsOf(ctx, from + i)))
  await ctx.need('oracle').recount?.('metrics')
  const { store, during } = await observed(ctx)
  const { nextCursor } = await store.metrics.query({ appName: ctx.app, limit: 1000 })
  const looks = reads(ctx, present(nextCursor, 'a cursor behind a thousand rows'))
  for (const [name, call] of Object.entries({ ...looks, ...changes(ctx) })) {
    const sent = withoutControl(await during(() => call(store)))
    if (name in looks) equal(sent.length, 1, `metrics.${name}: statements`)
    else holds(sent.length > 0, `metrics.${name}: statements`, sent)
    const walked: string[] = []
    for (const statement of new Map(sent.map((one) => [one.text, one])).values()) {
      const { scans, indexes, rows = 0 } = await plan(statement)
      walked.push(...indexes)
      equal(
        scans.filter((scan) => (scan.rows ?? Infinity) > 500).map(({ table }) => table),
        [],
        `metrics.${name}: tables read from end to end by ${statement.text}`,
      )
      // Whether the usage of a row counts is asked of its trace.
      holds(rows <= (name.startsWith('aggregate') ? 2000 : 500), `metrics.${name}: rows read stay few`, [
        rows,
        statement.text,
      ])
    }
    holds(walked.length > 0, `metrics.${name}: an index is walked`, walked)
  }
}

const batch = 500

/** What a batch sends besides its rows. */
const besides = 12

const isLook = ({ text }: SentStatement) => /^\s*select\b/i.test(text)

/**
 * A batch takes as many statements whatever is there already, at most one for each row, as it suits a database in the process,
 * and a few looks in all: who asks for each row whether it is there waits for as many answers.
 */
export async function batchesAreFewStatements(ctx: Ctx): Promise<void> {
  const { store, during } = await observed(ctx)
  const sentFor = async (name: string, from: number, options?: RecordMetricsOptions) => {
    const rows = numbers(batch / spans).flatMap((i) => rowsOf(ctx, from + i))
    const sent = withoutControl(await during(() => store.metrics.record(rows, options)))
    holds(sent.length > 0 && sent.length <= batch + besides, `${batch} rows ${name}: statements`, sent.length)
    const looks = sent.filter(isLook).length
    holds(looks <= besides, `${batch} rows ${name}: statements that look`, looks)
    return sent.length
  }
  const first = await sentFor('that are the first', 0)
  for (let from = 1000; from < 1400; from += 100)
    await ctx.store.metrics.record(numbers(100).flatMap((i) => rowsOf(ctx, from + i)))
  equal(await sentFor('that are new', 2000), first, `statements of ${batch} rows among 4,000, as of the first`)
  await sentFor('that are there', 0)
  await sentFor('that replace', 0, { onDuplicate: 'replace' })
}
