import type { StoredEvent } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, rejects, within } from '../expect.ts'
import { keyOf, newSession, numbers, seqsOf, someEvents } from '../fixtures.ts'
import { startWorker } from '../process.ts'

async function collect(
  events: AsyncIterable<StoredEvent>,
  count: number,
  into: StoredEvent[] = [],
): Promise<StoredEvent[]> {
  for await (const item of events) if (into.push(item) >= count) break
  return into
}

export async function tails(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  await ctx.other.events.append(key, someEvents(3, 'a'))
  const seen = collect(ctx.store.events.tail(key, { pollInterval: 20 }), 8)
  for (const event of someEvents(5, 'b')) await ctx.other.events.append(key, event)
  equal(seqsOf(await within(10_000, seen, 'tail sees appends of the other open')), numbers(8), 'seq of the tail')
  equal(
    seqsOf(
      await within(10_000, collect(ctx.store.events.tail(key, { afterSeq: 5, pollInterval: 20 }), 3), 'a resumed tail'),
    ),
    [6, 7, 8],
    'a tail after seq 5',
  )
  const controller = new AbortController()
  const tail = collect(ctx.store.events.tail(key, { afterSeq: 8, signal: controller.signal, pollInterval: 20 }), 1)
  controller.abort()
  equal(await within(10_000, tail, 'a tail ends on abort'), [], 'an aborted tail ends quietly')
  await takesSignals(ctx)
  const closing = await ctx.open()
  const until = collect(closing.events.tail(key, { afterSeq: 8, pollInterval: 20 }), 1)
  await closing.events.list(key)
  await within(10_000, closing.close(), 'close() with a running tail')
  equal(await within(10_000, until, 'a tail ends on close()'), [], 'a tail of a closed store ends quietly')
  const seenBefore: StoredEvent[] = []
  const gone = collect(ctx.store.events.tail(key, { afterSeq: 7, pollInterval: 20 }), 2, seenBefore)
  // Only a tail that has looked knows which session it follows.
  while (seenBefore.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await ctx.other.sessions.delete(key)
  await newSession(ctx)
  equal(seqsOf(await within(10_000, gone, 'a tail ends on deletion')), [8], 'a tail of a deleted session ends quietly')
}

/** Whatever signals an abort is a signal, and what is none is refused where somebody reads. */
async function takesSignals(ctx: Ctx): Promise<void> {
  const read = (signal: unknown) => async () =>
    collect(ctx.store.events.tail(keyOf(ctx), { afterSeq: 8, signal: signal as AbortSignal, pollInterval: 20 }), 1) // what the types forbid
  const foreign = Object.assign(new EventTarget(), { aborted: false }) // test environments bring signals of their own
  const tail = read(foreign)()
  await ctx.store.events.list(keyOf(ctx))
  foreign.aborted = true
  foreign.dispatchEvent(new Event('abort'))
  equal(await within(10_000, tail, 'a tail ends on a signal of another make'), [], 'an aborted tail ends quietly')
  for (const none of [5, null, {}]) await rejects(read(none), 'invalid_argument', 'a tail with what is no signal')
  const trap = {
    get signal(): AbortSignal {
      throw new Error('trap')
    },
  }
  const trapped = async () => collect(ctx.store.events.tail(keyOf(ctx), trap), 1)
  await rejects(trapped, 'invalid_argument', 'a tail with a signal that cannot be read')
}

export async function tailsAcrossProcesses(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const worker = await startWorker(ctx.need('worker'))
  try {
    const seen = collect(ctx.store.events.tail(keyOf(ctx), { pollInterval: 50 }), 20)
    await worker.appends({ key: keyOf(ctx), prefix: 'w', count: 20 })
    equal(seqsOf(await within(20_000, seen, 'tail sees appends of another process')), numbers(20), 'seq of the tail')
  } finally {
    await worker.stop()
  }
}
