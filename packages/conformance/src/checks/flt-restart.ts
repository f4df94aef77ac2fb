import type { Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import type { Place } from '../define.ts'
import { equal, holds, within } from '../expect.ts'
import { idsOf, keyOf, newSession, numbers, say, seqsOf, walkEvents } from '../fixtures.ts'
import { failureOf, nameOf } from './flt-line.ts'

const patience = 20_000

/** The server is killed under writers, and started again: what it had acknowledged is there, and the stores that were open go on. */
export async function serverRestarts(ctx: Ctx): Promise<void> {
  const server = ctx.need('server')
  await ctx.store.migrate()
  for (const turn of numbers(2)) {
    const writers = await Promise.all(
      [ctx.store, ctx.other, ctx.store, ctx.other].map(async (store, i) => {
        const sessionId = `r${turn}-${i}`
        await newSession(ctx, sessionId)
        return writer(ctx, store, sessionId)
      }),
    )
    try {
      await goOn(writers, server)
      for (const one of writers) await isAsAcknowledged(ctx, one.sessionId, await one.stop())
    } finally {
      await Promise.allSettled(writers.map((one) => one.stop()))
    }
  }
}

async function goOn(writers: readonly Writer[], server: NonNullable<Place['server']>): Promise<void> {
  await within(patience, Promise.all(writers.map(({ first }) => first)), 'appends before the server is killed')
  await server.kill()
  await within(patience, Promise.all(writers.map(({ failed }) => failed)), 'calls end when the server is killed')
  await server.start()
  await within(patience, Promise.all(writers.map(({ goesOn }) => goesOn)), 'appends by the same stores once it is back')
}

async function isAsAcknowledged(ctx: Ctx, sessionId: string, acknowledged: readonly string[]): Promise<void> {
  const events = await walkEvents(ctx.other, keyOf(ctx, sessionId))
  equal(idsOf(events), acknowledged, `events of ${sessionId}: those that were acknowledged, each once, in order`)
  equal(seqsOf(events), numbers(acknowledged.length), `seq of ${sessionId}`)
}

interface Writer {
  readonly sessionId: string
  /** Some appends are acknowledged. */
  readonly first: Promise<unknown>
  /** One has failed. */
  readonly failed: Promise<unknown>
  /** One is acknowledged after that. */
  readonly goesOn: Promise<unknown>
  /** Ids of those that were acknowledged. */
  stop(): Promise<readonly string[]>
}

/** Appends one event after the other, and repeats what failed with the same id. */
function writer(ctx: Ctx, store: Store, sessionId: string): Writer {
  const acknowledged: string[] = []
  const [first, failed, goesOn] = [createSignal(), createSignal(), createSignal()]
  const stopping = new AbortController()
  const work = (async () => {
    while (!stopping.signal.aborted) {
      const event = say(`e${acknowledged.length + 1}`)
      const error = await failureOf(store.events.append(keyOf(ctx, sessionId), event, { timeout: 5000 }), 'an append')
      if (error === undefined) {
        acknowledged.push(event.id)
        if (acknowledged.length >= 5) first.fire()
        if (failed.hasFired()) goesOn.fire()
        continue
      }
      holds(error.retryable, 'an append while the server is away can be repeated', nameOf(error))
      holds(['unavailable', 'outcome_unknown', 'timeout'].includes(error.code), 'its code', nameOf(error))
      failed.fire()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return acknowledged
  })()
  /** Until it has fired; rejects if the writer breaks before. One that nobody comes to wait for is no failure of its own. */
  const unlessBroken = (fired: Promise<void>): Promise<unknown> => {
    const either = Promise.race([fired, work])
    either.catch(() => {})
    return either
  }
  return {
    sessionId,
    first: unlessBroken(first.fired),
    failed: unlessBroken(failed.fired),
    goesOn: unlessBroken(goesOn.fired),
    stop() {
      stopping.abort()
      return work
    },
  }
}

interface Signal {
  readonly fired: Promise<void>
  fire(): void
  hasFired(): boolean
}

function createSignal(): Signal {
  const controller = new AbortController()
  const { signal } = controller
  return {
    fired: new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
    fire: () => controller.abort(),
    hasFired: () => signal.aborted,
  }
}
