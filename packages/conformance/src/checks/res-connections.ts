import type { Ctx } from '../context.ts'
import { equal, holds, Unproven, within } from '../expect.ts'
import { numbers, say } from '../fixtures.ts'
import { together } from '../race.ts'
import { failureOf, freshKey, nameOf, onLine } from './flt-line.ts'

const size = 3

/** Good, refused, impossible, abandoned and late calls, and connections that are cut: afterwards the whole pool is free. */
export async function connectionsComeBack(ctx: Ctx): Promise<void> {
  const { honours = [], lacks = [] } = ctx.place
  const isBounded = honours.includes('poolMax')
  if (!isBounded && !lacks.includes('pool')) throw new Unproven('option not honoured', 'poolMax')
  await onLine(
    ctx,
    async ({ proxy, store }) => {
      const key = freshKey(ctx)
      await store.sessions.create(key)
      const calls = [
        (i: number) => store.events.append(key, say(`e${i}`)),
        (i: number) => store.sessions.get(key, { signal: aborted(i % 7) }),
        () => store.sessions.create(key),
        () => store.events.append(key, say('x'), { expectedRevision: 10_000 }),
        () => store.sessions.update({ ...key, sessionId: 'none' }, { set: { a: 1 } }),
        (i: number) => store.sessions.update(key, { set: { a: i } }, { signal: aborted(i % 5) }),
        (i: number) => store.events.append(key, say(`late${i}`), { timeout: 1 + (i % 4) }),
        () => store.sessions.fork({ ...key, sessionId: 'none' }),
        () => store.sessions.list({ appName: key.appName, timeout: 2 }),
      ]
      const rounds = ctx.budget.name === 'cert' ? 1000 : 240
      const mixed = async () => {
        for (const round of numbers(rounds / 12)) {
          if (round % 5 === 0) proxy.inject({ after: round % 4, damage: round % 2 === 0 ? 'lost' : 'unanswered' })
          await together<unknown>(
            numbers(12).map((i) => () => calls[(round + i) % calls.length]?.(round * 12 + i) ?? fail()),
          )
          if (isBounded) holds(proxy.connections <= size, 'no more connections than the pool has', proxy.connections)
        }
      }
      await within(30_000, mixed(), `${rounds} calls are answered`)
      await proxy.mend()
      const last = together(numbers(2 * size).map(() => () => store.sessions.get(key)))
      for (const outcome of await within(5000, last, 'as many calls at once as the pool has connections, twice'))
        if ('error' in outcome) {
          const error = await failureOf(Promise.reject(outcome.error), 'a call after the others')
          equal(error, undefined, `a call after all the others: ${nameOf(error)}`)
        }
      if (isBounded) holds(proxy.connections <= size, 'connections afterwards', proxy.connections)
      await within(8000, store.close(), 'close()')
      const gone = async () => {
        while (proxy.connections > 0) await new Promise((resolve) => setTimeout(resolve, 10))
      }
      await within(9000, gone(), 'no connection is left after close()') // HTTP keeps them for some seconds
    },
    { ...(isBounded && { poolMax: size }), timeout: 2000 + (ctx.place.keepsLost ?? 0) },
  )
}

function aborted(ms: number): AbortSignal {
  const controller = new AbortController()
  setTimeout(() => controller.abort(), ms)
  return controller.signal
}

const fail = () => Promise.reject(new Error('there is no such call'))
