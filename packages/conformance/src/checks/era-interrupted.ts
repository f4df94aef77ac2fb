import type { Ctx } from '../context.ts'
import { equal, holds, present, within } from '../expect.ts'
import { keyOf, numbers, say, snapshot } from '../fixtures.ts'
import { startWorker } from '../process.ts'
import { failureOf, freshKey, nameOf, onLine } from './flt-line.ts'

/** @param sessions of the one who is erased: more than a store erases in one transaction */
async function fill(ctx: Ctx, appName: string, sessions: number): Promise<void> {
  for (const userId of ['ann', 'bob']) {
    const count = userId === 'ann' ? sessions : 2
    await Promise.all(
      numbers(count).map(async (i) => {
        const key = { appName, userId, sessionId: `s${i}` }
        // A few have what else there is of a user: hundreds would wait for one another at the one row of their state.
        await ctx.store.sessions.create({ ...key, ...(i <= 2 && { state: { 'user:u': i } }) })
        if (i <= 2) await ctx.store.events.append(key, [say('e1'), say('e2')])
      }),
    )
  }
}

async function complete(ctx: Ctx, appName: string, what: string): Promise<void> {
  const user = { appName, userId: 'ann' }
  const left = await ctx.other.sessions.count(user)
  equal([left, await ctx.other.state.get(user)], [0, undefined], `${what}: what is left of the user`)
  const { oracle } = ctx.place
  if (oracle !== undefined) {
    const rows = [await oracle.count('sessions', appName), await oracle.count('events', appName)]
    equal(rows, [2, 4], `${what}: rows of sessions and events, of the other user`)
  }
}

/** An erasure in several transactions loses its connection in each of them, then is repeated. */
export const interrupted = (ctx: Ctx): Promise<void> =>
  onLine(ctx, async ({ proxy, store }) => {
    const { appName } = freshKey(ctx)
    const sessions = 130
    await fill(ctx, appName, sessions)
    const user = { appName, userId: 'ann' }
    let [seen, turn] = [sessions, 0]
    // Each time one commit more gets through, until nothing is hit any more.
    for (;;) {
      const injected = proxy.inject({ at: 'commit', after: turn, damage: turn % 2 === 0 ? 'lost' : 'unanswered' })
      const error = await failureOf(store.erase(user, { timeout: 20_000 }), 'erase')
      await proxy.mend()
      if (injected.hits === 0) {
        equal(error, undefined, `an erasure that nothing hit: ${nameOf(error)}`)
        break
      }
      const what = `erase, its commit ${turn + 1} hit`
      holds(turn < 10, `${what}: it comes to an end`)
      equal(present(error, `${what}: it fails`).code, 'outcome_unknown', `${what}: ${nameOf(error)}`)
      const left = await ctx.other.sessions.count(user)
      holds(left <= seen, `${what}: nothing comes back`, `${left} sessions after ${seen}`)
      const [told, gone] = [error?.facts.removed?.['sessions'] ?? 0, seen - left]
      // The chunk whose commit was lost is not among those that it is sure of, done or not.
      const isSo = turn % 2 === 0 ? told === gone : told < gone
      holds(isSo && told > 0 === turn > 0, `${what}: it tells what it removed before`, { told, gone })
      seen = left
      turn += 1
    }
    holds(turn > 0, 'an erasure commits')
    await complete(ctx, appName, 'an interrupted and repeated erasure')
    equal(
      await store.erase(user),
      { sessions: 0, events: 0, userStates: 0, memories: 0, artifacts: 0, metrics: 0 },
      'the receipt once it is complete',
    )
  })

/** Has a process erase a user and kills it once something is gone. @returns how many sessions it left */
async function killedAfter(ctx: Ctx, user: { appName: string; userId: string }, sessions: number): Promise<number> {
  const worker = await startWorker(ctx.need('worker'))
  const asked = worker.call('erase', user).catch(() => {}) // its process is killed
  const begun = async () => {
    while ((await ctx.other.sessions.count(user)) === sessions) await new Promise(setImmediate)
  }
  await within(30_000, begun(), 'the erasure begins')
  await worker.kill()
  await asked
  return ctx.other.sessions.count(user)
}

/** The process that erases is killed in the middle; another one repeats it. */
export async function killed(ctx: Ctx): Promise<void> {
  const others = await snapshot(ctx.other, `${ctx.app}.none`)
  let [sessions, left, appName] = [450, 0, '']
  // One that had ended before the signal came proves nothing: the next has twice as much to do.
  for (let tried = 1; left < 2; tried += 1) {
    holds(tried <= 4, 'an erasure is met in the middle', { sessions })
    if (tried > 1) sessions *= 2
    appName = `${ctx.app}.killed${tried}`
    await fill(ctx, appName, sessions)
    left = await killedAfter(ctx, { appName, userId: 'ann' }, sessions)
  }
  const receipt = await within(40_000, ctx.store.erase({ appName, userId: 'ann' }), 'the repetition')
  // Fewer if a server still ended what the dead process had asked of it.
  holds(receipt.sessions <= left, 'the repetition counts what it erased', { receipt, left })
  await complete(ctx, appName, 'an erasure whose process was killed')
  equal(await snapshot(ctx.other, `${ctx.app}.none`), others, 'another app')
  equal(await ctx.other.sessions.get(keyOf(ctx)), undefined, 'nothing else was made')
}
