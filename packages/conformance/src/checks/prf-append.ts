import type { SessionKey } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds } from '../expect.ts'
import { keyOf, newSession, numbers, say } from '../fixtures.ts'
import { observed, withoutControl } from '../whitebox.ts'
import { bigApp, isFault, plansOf } from './prf-big-app.ts'

export async function nextSeqWithoutScan(ctx: Ctx): Promise<void> {
  const { long } = await bigApp(ctx)
  const { store, during } = await observed(ctx)
  const sent = await during(() => store.events.append(long, { id: 'seq', timestamp: 1_900_000_000_000 }))
  for (const { scans, rows = 0 } of await plansOf(ctx, sent)) {
    equal(
      scans.filter((scan) => isFault(scan)),
      [],
      'tables that an append reads from end to end',
    )
    holds(rows <= 100, 'rows that an append reads', rows)
  }
  const walks = withoutControl(sent).filter(({ text }) =>
    /\b(count|max)\s*\(\s*(distinct\s+)?(["`]?\w+["`]?\.)?["`]?\w*seq\b/i.test(text),
  )
  equal(
    walks.map(({ text }) => text),
    [],
    'statements that look for the greatest seq',
  )
}

/** Rows read by an append, or the indexes it walks where the database does not count rows. */
export async function appendIsAsCheap(ctx: Ctx): Promise<void> {
  const { long } = await bigApp(ctx)
  const open = await observed(ctx)
  await newSession(ctx)
  const costOf = async (key: SessionKey, id: string) => {
    const sent = await open.during(() => open.store.events.append(key, { id, timestamp: 1_900_000_000_000 }))
    const plans = await plansOf(ctx, sent)
    return {
      statements: withoutControl(sent).length,
      indexes: plans.map(({ indexes }) => indexes),
      rows: plans.reduce((sum, { rows = 0 }) => sum + rows, 0),
    }
  }
  const [small, big] = [await costOf(keyOf(ctx), 'a1'), await costOf(long, 'a1')]
  equal(big.statements, small.statements, 'statements of an append')
  holds(
    big.rows < 3 * small.rows + 10,
    'rows that an append reads in a session of 10,000 events and of none',
    `${big.rows} and ${small.rows}`,
  )
}

export async function batchIsShorter(ctx: Ctx): Promise<void> {
  const { store, during } = await observed(ctx)
  await newSession(ctx, 'loop')
  await newSession(ctx, 'batch')
  const events = numbers(100).map((i) => say(`e${i}`))
  const loop = await during(async () => {
    for (const event of events) await store.events.append(keyOf(ctx, 'loop'), event)
  })
  const batch = await during(() => store.events.append(keyOf(ctx, 'batch'), events))
  const [looped, batched] = [loop, batch].map((sent) => sent.filter(({ sameTrip }) => sameTrip !== true).length)
  holds(
    (looped ?? 0) >= 5 * (batched ?? Infinity),
    'a batch of 100 events makes at most a fifth of the trips to the database that a loop makes',
    `${batched} instead of ${looped}`,
  )
}
