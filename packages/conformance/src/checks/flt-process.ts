import type { Ctx } from '../context.ts'
import { equal, holds, present, within } from '../expect.ts'
import { idsOf, keyOf, newSession, numbers, say, seqsOf } from '../fixtures.ts'
import { startWorker } from '../process.ts'

const batchSize = 3

/** A process is killed while it appends batches; then the place is opened anew. */
export async function killedInMidAppend(ctx: Ctx): Promise<void> {
  for (const turn of numbers(3)) {
    const key = keyOf(ctx, `s${turn}`)
    await newSession(ctx, key.sessionId, { n: 0 })
    const prefix = `k${turn}_`
    const acknowledged = await appendsUntilKilled(ctx, key.sessionId, prefix, 5 + Math.floor(ctx.random() * 20))
    const store = await ctx.open()
    // What the database still finishes for the one that was killed comes before what is appended after it.
    await within(15_000, store.events.append(key, say('after')), 'an append after the process was killed')
    const seen = present(await store.sessions.get(key, { events: 'all' }), 'the session')
    const ids = idsOf(seen.events).filter((id) => id !== 'after')
    equal(
      acknowledged.filter((id) => !ids.includes(id)),
      [],
      'events that were acknowledged before the process was killed, and are not there',
    )
    const batches = ids.length / batchSize
    holds(Number.isInteger(batches), 'a batch is there as a whole or not at all', `${ids.length} events`)
    equal(seqsOf(seen.events), numbers(ids.length + 1), 'seq without gaps')
    equal(
      [seen.revision, seen.lastSeq, seen.state['n'], seen.state[`user:${prefix}`], seen.state[`app:${prefix}`]],
      [batches + 2, ids.length + 1, batches, batches, batches],
      'revision, lastSeq and the states of three scopes are of the batches that are there',
    )
  }
}

/** Ids of the events of which this process heard that they were acknowledged, before it killed the other. */
async function appendsUntilKilled(ctx: Ctx, sessionId: string, prefix: string, count: number): Promise<string[]> {
  const worker = await startWorker(ctx.need('worker'))
  const heard: string[] = []
  try {
    await within(
      40_000,
      new Promise<void>((resolve, reject) => {
        const listen = (id: string) => {
          for (const i of numbers(batchSize)) heard.push(`${id}_${i}`)
          if (heard.length >= count * batchSize) resolve()
        }
        worker.batches({ key: keyOf(ctx, sessionId), prefix, count: batchSize }, listen).catch(reject)
      }),
      `${count} batches by another process`,
    )
  } finally {
    await worker.kill()
  }
  return heard
}
