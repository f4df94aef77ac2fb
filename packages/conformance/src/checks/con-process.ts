import type { Ctx } from '../context.ts'
import { equal } from '../expect.ts'
import { idsOf, keyOf, loaded, newSession, numbers, seqsOf, walkEvents } from '../fixtures.ts'
import { withWorkers } from '../process.ts'
import { soon } from '../race.ts'

export async function processesAppend(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  await withWorkers(ctx, ctx.budget.processes, async (workers) => {
    const key = keyOf(ctx)
    const each = Math.max(30, Math.ceil(400 / workers.length))
    const begins = soon()
    const records = await Promise.all(
      workers.map((worker, i) => worker.appends({ key, prefix: `w${i}-`, count: each, begins })),
    )
    const events = await walkEvents(ctx.other, key)
    const count = workers.length * each
    equal(
      [events.length, new Set(idsOf(events)).size],
      [count, count],
      `acknowledged appends of ${workers.length} processes, each present once`,
    )
    equal(seqsOf(events), numbers(count), 'seq without gaps')
    const acknowledged = new Map(records.flat().map(({ id, seq }) => [id, seq]))
    equal(
      idsOf(events).map((id) => acknowledged.get(id)),
      seqsOf(events),
      'the seq that each writer was told',
    )
    const [here, ...elsewhere] = await Promise.all([
      walkEvents(ctx.store, key).then(idsOf),
      ...workers.map((worker) => worker.order(key)),
    ])
    for (const order of elsewhere) equal(order, here, 'one order for all readers')
  })
}

export async function processTable(ctx: Ctx): Promise<void> {
  await withWorkers(ctx, 2, async (workers) => {
    await newSession(ctx)
    const key = keyOf(ctx)
    const begins = soon()
    await Promise.all(workers.map((worker, i) => worker.deltas({ key, prefix: `p${i}_`, count: 20, begins })))
    const { state, lastSeq } = await loaded(ctx)
    equal([Object.keys(state).length, lastSeq], [120, 40], 'keys of three scopes by two processes, and events')
    for (const index of numbers(10)) {
      const session = { ...keyOf(ctx, `c${index}`) }
      const created = await Promise.allSettled(workers.map((worker) => worker.call('sessions.create', session)))
      equal(created.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'], 'one creator of an id')
      const appended = await Promise.allSettled(
        workers.map((worker, i) => worker.call('events.append', session, { id: `e${i}` }, { expectedRevision: 1 })),
      )
      equal(appended.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'], 'one winner of a revision')
      const deleted = await Promise.all(workers.map((worker) => worker.call('sessions.delete', session)))
      equal(deleted.map(String).toSorted(), ['false', 'true'], 'one deleter')
    }
  })
}
