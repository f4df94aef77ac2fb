import type { Ctx } from '../context.ts'
import { equal, holds, within } from '../expect.ts'
import { idsOf, keyOf, loaded, newSession, numbers, seqsOf } from '../fixtures.ts'
import { startWorker } from '../process.ts'

const batchSize = 3
const prefix = 'step'
const steps = 20

/** What the worker appends as its step `n`; the same as its script `batches` does, so that it can be repeated. */
const stepOf = (n: number) =>
  numbers(batchSize).map((i) => ({
    id: `${prefix}${n}_${i}`,
    actions: { stateDelta: { n, [`user:${prefix}`]: n, [`app:${prefix}`]: n } },
  }))

/**
 * A worker is killed in the middle of its task. Another takes over without knowing how far it came: it repeats the steps from
 * the last one that it heard of, by the same ids, and ends the task.
 */
export async function resumesAfterCrash(ctx: Ctx): Promise<void> {
  const key = keyOf(ctx, 'task')
  await newSession(ctx, 'task', { n: 0 })
  const heard = await killedAfter(ctx, 4 + Math.floor(ctx.random() * 8))
  const store = await ctx.open()
  // An id without a timestamp was given one by the store that is gone: it is not part of what is compared.
  // Where this process had to wait for its turn, it heard of more steps than the task has.
  const last = Math.max(steps, heard + 3)
  for (const n of numbers(last - heard + 1, heard)) {
    const { events } = await within(15_000, store.events.append(key, stepOf(n)), `step ${n} after the crash`)
    const known = events.filter(({ duplicate }) => duplicate).length
    holds(known === 0 || known === batchSize, 'a step is known as a whole or not at all', `${known} of ${batchSize}`)
    if (n === heard) equal(known, batchSize, 'the step that was acknowledged before the crash is known')
  }
  const { events, state, revision } = await loaded(ctx, key)
  // The worker may have come further than this process heard.
  const done = Math.max(last, events.length / batchSize)
  equal(
    idsOf(events),
    numbers(done).flatMap((n) => stepOf(n).map(({ id }) => id)),
    'every step once, in order: nothing is lost and nothing doubled',
  )
  equal(seqsOf(events), numbers(done * batchSize), 'seq without gaps')
  equal(
    [revision, state['n'], state[`user:${prefix}`], state[`app:${prefix}`]],
    [done + 1, done, done, done],
    'revision and states',
  )
}

/** The number of the last step of which this process heard that it was acknowledged, before it killed the worker. */
async function killedAfter(ctx: Ctx, wanted: number): Promise<number> {
  const worker = await startWorker(ctx.need('worker'))
  let heard = 0
  try {
    await within(
      40_000,
      new Promise<void>((resolve, reject) => {
        const listen = (id: string) => {
          heard = Number(id.slice(prefix.length))
          if (heard >= wanted) resolve()
        }
        worker.batches({ key: keyOf(ctx, 'task'), prefix, count: batchSize }, listen).catch(reject)
      }),
      `${wanted} steps by another process`,
    )
  } finally {
    await worker.kill()
  }
  return heard
}
