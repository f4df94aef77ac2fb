import type { Ctx } from '../context.ts'
import { equal, rejects } from '../expect.ts'
import { nothingWritten, numbers } from '../fixtures.ts'
import { recorded, span, spansOf, start } from './met-fixtures.ts'

/** Whole traces go, in chunks; what is younger, of others or beside them stays. */
export async function prunesOldTraces(ctx: Ctx): Promise<void> {
  const { metrics } = ctx.store
  const [old, young] = [start, start + 1000]
  // Traces of another app by the same names: what is young there keeps nothing here, and what is old there stays.
  const elsewhere = [
    span(ctx, 'p1'),
    span(ctx, 'p1', { traceId: 'old1' }),
    span(ctx, 'p2', { traceId: 'old2', startedAt: young }),
  ].map((row) => ({ ...row, appName: `${ctx.app}-b` }))
  const oldTraces = numbers(25).flatMap((i) =>
    numbers(i % 3 === 0 ? 5 : 1).map((j) =>
      span(ctx, `p${j}`, { traceId: `old${i}`, startedAt: old + j, userId: 'ann' }),
    ),
  )
  const kept = [
    span(ctx, 'a', { traceId: 'mixed', startedAt: old }),
    span(ctx, 'b', { traceId: 'mixed', startedAt: young }),
    span(ctx, 'c', { traceId: 'young', startedAt: young + 0.001 }),
  ]
  await metrics.record([...oldTraces, ...kept, ...elsewhere])
  const query = { appName: ctx.app, before: young, chunk: 7 }
  const report = { metrics: oldTraces.length, traces: 25 }
  await nothingWritten(
    ctx,
    async () => {
      equal(await metrics.prune({ ...query, dryRun: true }), { ...report, dryRun: true }, 'a dry run')
      equal(await metrics.prune({ ...query, before: old }), { metrics: 0, traces: 0, dryRun: false }, 'before all')
      for (const [part, field] of refused)
        await rejects(
          () => metrics.prune({ ...query, ...part }),
          'invalid_argument',
          `a prune with ${JSON.stringify(part)}`,
          { field },
        )
    },
    'a prune that deletes nothing',
  )
  equal(await metrics.prune(query), { ...report, dryRun: false }, 'a prune')
  equal(spansOf(await recorded(ctx)), ['a', 'b', 'c'], 'a trace is old when its newest row is')
  equal((await recorded(ctx, {}, `${ctx.app}-b`)).length, 3, 'another app')
  equal(await metrics.prune(query), { metrics: 0, traces: 0, dryRun: false }, 'the same again')
}

const refused: readonly (readonly [object, string])[] = [
  [{ before: undefined }, 'before'],
  [{ before: 'now' }, 'before'],
  [{ appName: '' }, 'appName'],
  [{ sessionId: 's1' }, 'userId'],
  [{ chunk: 0 }, 'chunk'],
  [{ keepTotals: 'day' }, 'keepTotals'],
]

/** Of a user, or a session of a user, the rows alone. */
export async function prunesOfUser(ctx: Ctx): Promise<void> {
  const { metrics } = ctx.store
  const rows = ['ann', 'ANN', 'bob'].flatMap((userId) =>
    ['s1', 's2'].flatMap((sessionId) =>
      numbers(3).map((i) => span(ctx, `${userId} ${sessionId} ${i}`, { userId, sessionId, startedAt: start + i })),
    ),
  )
  await metrics.record([...rows, span(ctx, 'nobody')])
  const query = { appName: ctx.app, before: start + 3, chunk: 1 }
  const none = { traces: 0, dryRun: false }
  equal(await metrics.prune({ ...query, userId: 'ann', sessionId: 's1' }), { ...none, metrics: 2 }, 'of a session')
  equal(await metrics.prune({ ...query, userId: 'bob' }), { ...none, metrics: 4 }, 'of a user')
  equal(await metrics.prune({ ...query, userId: 'eve' }), { ...none, metrics: 0 }, 'of somebody without rows')
  equal(
    spansOf(await recorded(ctx)).toSorted(),
    [
      'ANN s1 1',
      'ANN s1 2',
      'ANN s1 3',
      'ANN s2 1',
      'ANN s2 2',
      'ANN s2 3',
      'ann s1 3',
      'ann s2 1',
      'ann s2 2',
      'ann s2 3',
      'bob s1 3',
      'bob s2 3',
      'nobody',
    ],
    'what is left',
  )
}
