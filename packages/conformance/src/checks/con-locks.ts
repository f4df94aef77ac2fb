import type { SessionKey } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, Inapplicable, present, Unproven } from '../expect.ts'
import { idsOf, keyOf, newSession, say, seqsOf, walkEvents, numbers } from '../fixtures.ts'
import { watchLoop } from '../loop-watch.ts'
import { together } from '../race.ts'
import { codeOf } from './con-outcome.ts'

/** What a writer may end with that found a lock: its bound, its time, or that it cannot tell. */
const gaveUp: ReadonlySet<string> = new Set(['busy', 'timeout', 'outcome_unknown'])

/** The body runs while somebody else holds the session: another process, or a transaction of the application. */
async function whileHeld<T>(ctx: Ctx, key: SessionKey, body: () => Promise<T>): Promise<T> {
  const { transaction, lacks } = ctx.place
  if (ctx.place.lock !== undefined) {
    const held = await ctx.place.lock(key)
    try {
      return await body()
    } finally {
      await held.release()
    }
  }
  if (lacks?.includes('locks') === true) throw new Inapplicable('only a store can hold a lock')
  if (transaction === undefined) throw new Unproven('no lock hook')
  return transaction.run(ctx.store, async (joined) => {
    await joined.state.update({ appName: key.appName, userId: key.userId }, { set: { held: 1 } })
    await joined.sessions.update(key, { set: { held: 1 } })
    return body()
  })
}

/** Whether another session can be written while one is held, and what became of the writer. */
export async function othersGoOn(ctx: Ctx): Promise<{ isThrough: boolean; took: number }> {
  const [held, free] = [keyOf(ctx, 'held'), keyOf(ctx, 'free', 'bob')]
  await newSession(ctx, 'held')
  await newSession(ctx, 'free', {}, 'bob')
  const timeout = ctx.store.capabilities.concurrentWriters === 'yes' ? 4000 : 700
  const seen = await whileHeld(ctx, held, async () => {
    const started = performance.now()
    const [outcome] = await together([() => ctx.other.events.append(free, say('e1'), { timeout })])
    return { code: codeOf(present(outcome, 'an outcome')), took: performance.now() - started }
  })
  holds(
    seen.code === 'ok' || gaveUp.has(seen.code),
    'a writer that has to wait its turn ends with busy or timeout',
    seen.code,
  )
  return { isThrough: seen.code === 'ok', took: seen.took }
}

export async function sessionsDoNotBlock(ctx: Ctx): Promise<void> {
  const { isThrough, took } = await othersGoOn(ctx)
  holds(isThrough && took < 4000, 'a session that somebody holds does not hold up another', `${Math.round(took)} ms`)
}

/** Writers of both opens find a lock: they give up in time, and meanwhile the process lives. */
export async function lockIsWaitedFor(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  await ctx.store.events.append(key, say('before'))
  const waiting = numbers(4).map((i) => `w${i}`)
  const codes = await whileHeld(ctx, key, async () => {
    const stop = await watchLoop()
    const started = performance.now()
    const outcomes = await together(
      waiting.map((id, i) => () => (i % 2 === 0 ? ctx.store : ctx.other).events.append(key, say(id), { timeout: 700 })),
    )
    const waited = performance.now() - started
    const { longest, part } = await stop()
    holds(
      longest < 500 && part > 0.1,
      'the event loop stays alive meanwhile',
      `${longest} ms without a turn, and ${Math.round(100 * part)} % of its turns in ${Math.round(waited)} ms`,
    )
    holds(waited < 5000, 'it waits no longer than its own timeout, and a little', `${Math.round(waited)} ms`)
    return outcomes.map((outcome) => codeOf(outcome))
  })
  for (const code of codes) holds(gaveUp.has(code), 'a writer that finds a lock ends with busy or timeout', code)
  await goesOn(
    ctx,
    key,
    waiting.filter((_, i) => codes[i] === 'outcome_unknown'),
  )
}

/** After the lock was given back: what was acknowledged is there, what was refused is not, and both opens write. */
async function goesOn(ctx: Ctx, key: SessionKey, unknown: readonly string[]): Promise<void> {
  const after = [await ctx.store.events.append(key, say('a1')), await ctx.other.events.append(key, say('a2'))]
  const events = await walkEvents(ctx.store, key)
  equal(
    idsOf(events).filter((id) => !unknown.includes(id)),
    ['before', 'a1', 'a2'],
    'events after the lock was given back: those that were acknowledged, and no others',
  )
  equal(seqsOf(events), numbers(events.length), 'seq without gaps')
  for (const [i, { events: own }] of after.entries())
    equal(events[(own[0]?.seq ?? 0) - 1]?.event.id, `a${i + 1}`, 'the event at the seq that was answered')
}

/** A lock that is given back in time is waited for: the append goes through, once. */
export async function shortLock(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  const begun = performance.now()
  await ctx.other.sessions.update(key, { set: { own: 1 } })
  const held = 300 + 5 * (performance.now() - begun) // the append finds the lock, however slow the place is
  let waiting: Promise<unknown> = Promise.resolve()
  await whileHeld(ctx, key, async () => {
    waiting = together([() => ctx.other.events.append(key, say('e1'), { timeout: 15_000 })])
    await new Promise((resolve) => setTimeout(resolve, held))
  })
  const outcomes = (await waiting) as Awaited<ReturnType<typeof together>> // what was assigned above
  equal(
    outcomes.map((outcome) => codeOf(outcome)),
    ['ok'],
    'an append that waited for a lock that was given back',
  )
  equal(idsOf(await walkEvents(ctx.store, key)), ['e1'], 'events')
}
