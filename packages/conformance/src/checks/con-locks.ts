import type { Ctx } from '../context.ts'
import { equal, holds, present } from '../expect.ts'
import { idsOf, keyOf, newSession, numbers, say, walkEvents } from '../fixtures.ts'
import { together } from '../race.ts'
import { codeOf, allAcknowledged } from './con-outcome.ts'

export async function sessionsDoNotBlock(ctx: Ctx): Promise<void> {
  const { transaction } = ctx.place
  await newSession(ctx, 'held')
  await newSession(ctx, 'free', {}, 'bob')
  const write = () =>
    ctx.other.events.append(keyOf(ctx, 'free', 'bob'), say(`f${Math.round(ctx.random() * 1e9)}`), { timeout: 5000 })
  if (transaction === undefined) {
    await allAcknowledged(
      numbers(40).map(
        (i) => () =>
          i % 2 === 0 ? write() : ctx.store.events.append(keyOf(ctx, 'held'), say(`h${i}`), { timeout: 5000 }),
      ),
      'two sessions at once',
    )
    return
  }
  await transaction.run(ctx.store, async (joined) => {
    await joined.events.append(keyOf(ctx, 'held'), say('h1'))
    const started = performance.now()
    await write()
    holds(
      performance.now() - started < 4000,
      'a session that somebody holds does not hold up another',
      performance.now() - started,
    )
  })
}

/** Longest time for which the event loop answered nobody, in milliseconds. */
function watchLoop(): () => number {
  let last = performance.now()
  let longest = 0
  const look = () => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }
  const timer = setInterval(look, 10)
  return function stop() {
    clearInterval(timer)
    look()
    return longest
  }
}

export async function lockIsWaitedFor(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  await ctx.need('transaction').run(ctx.store, async (joined) => {
    await joined.events.append(key, say('held'))
    const stop = watchLoop()
    const started = performance.now()
    const [outcome] = await together([() => ctx.other.events.append(key, say('waiting'), { timeout: 700 })])
    const waited = performance.now() - started
    const longest = stop()
    const code = codeOf(present(outcome, 'an outcome'))
    holds(
      ['busy', 'timeout', 'outcome_unknown'].includes(code),
      'a writer that waits for a lock ends with busy or timeout',
      code,
    )
    holds(waited < 5000, 'it waits no longer than its own timeout, and a little', waited)
    holds(longest < 500, 'the event loop stays alive meanwhile', `${Math.round(longest)} ms without a turn`)
  })
  await ctx.other.events.append(key, say('after'))
  const ids = idsOf(await walkEvents(ctx.store, key)).filter((id) => id !== 'waiting')
  equal(ids, ['held', 'after'], 'events after the lock was given back')
}
