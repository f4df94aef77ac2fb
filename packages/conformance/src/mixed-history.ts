import type { SessionKey, Store } from '@daybook/core'
import type { Ctx } from './context.ts'
import { CheckFailure } from './expect.ts'
import { idsOf, keyOf, newSession, numbers, seqsOf, walkEvents } from './fixtures.ts'
import { anomaliesOf, type AppendRecord, type History, type ReadRecord } from './history.ts'
import { withWorkers } from './process.ts'
import { sharedClock, soon } from './race.ts'

const appendOnce = async (store: Store, key: SessionKey, by: string, id: string): Promise<AppendRecord> => {
  const began = sharedClock()
  const { events } = await store.events.append(key, { id, author: by })
  return { by, id, seq: events[0]?.seq ?? -1, began, ended: sharedClock() }
}

const readOnce = async (store: Store, key: SessionKey, by: string): Promise<ReadRecord> => {
  const began = sharedClock()
  const events = await walkEvents(store, key)
  return { by, ids: idsOf(events), seqs: seqsOf(events), began, ended: sharedClock() }
}

/** Names the anomalies, with the operations on a time line. */
function judge(history: History): void {
  const anomalies = anomaliesOf(history)
  if (anomalies.length === 0) return
  const lines = anomalies.slice(0, 10).map(({ kind, detail }) => `${kind}: ${detail}`)
  throw new CheckFailure(
    `the history of ${history.appends.length} appends and ${history.reads.length} reads has no anomaly`,
    'none',
    lines.join('\n    '),
  )
}

/** Five callers over two opens, each appending and reading in turns of its own. */
export async function mixedHistory(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  const operations = ctx.budget.name === 'cert' ? 200 : 60
  const appends: AppendRecord[] = []
  const reads: ReadRecord[] = []
  await Promise.all(
    numbers(5).map(async (caller) => {
      const store = caller % 2 === 0 ? ctx.store : ctx.other
      const by = `c${caller}`
      for (let i = 0; i < operations; i += 1) {
        if (ctx.random() < 0.8) appends.push(await appendOnce(store, key, by, `${by}-${i}`))
        else reads.push(await readOnce(store, key, by))
      }
    }),
  )
  await conclude(ctx, { appends, reads })
}

/** Two other processes append while this one reads: for long enough that they meet, however busy the machine is. */
export async function processHistory(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  await withWorkers(ctx, 2, async (workers) => {
    const begins = soon()
    const writing = Promise.all(
      workers.map((worker, i) => worker.appends({ key, prefix: `w${i}-`, count: 200, begins })),
    )
    const reads: ReadRecord[] = []
    const state = { isDone: false }
    const done = writing.finally(() => (state.isDone = true))
    while (!state.isDone) {
      reads.push(await readOnce(ctx.store, key, 'reader'))
      await new Promise((resolve) => setTimeout(resolve, 2)) // a synchronous driver would starve the answers of the workers
    }
    await conclude(ctx, { appends: (await done).flat(), reads })
  })
}

async function conclude(ctx: Ctx, history: Omit<History, 'final'>): Promise<void> {
  const events = await walkEvents(ctx.other, keyOf(ctx))
  judge({ ...history, final: { ids: idsOf(events), seqs: seqsOf(events) } })
}
