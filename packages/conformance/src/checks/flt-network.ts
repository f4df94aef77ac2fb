import type { SessionKey, StoreError } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects, Unproven, within } from '../expect.ts'
import { idsOf, numbers, say, sessionIdsOf, someEvents, walk } from '../fixtures.ts'
import { isValue, together } from '../race.ts'
import { append, createSession, update, type Write } from './flt-writes.ts'
import {
  failureOf,
  freshKey,
  nameOf,
  onLine,
  rehearse,
  repeats,
  statementAt,
  type Hit,
  type Line,
  type Rehearsal,
} from './flt-line.ts'

/** Everything that waits in the pool is dead, and some of it does not know yet. */
export const idleConnectionsDie = (ctx: Ctx): Promise<void> =>
  onLine(ctx, async ({ proxy, store }) => {
    const key = freshKey(ctx)
    await store.sessions.create(key)
    for (const [turn, end] of (['RST', 'FIN', 'RST', 'FIN'] as const).entries()) {
      await together(numbers(6).map(() => () => store.sessions.get(key))) // as many connections as the pool has
      proxy.cut(end)
      if (turn > 1) await new Promise((resolve) => setTimeout(resolve, 20)) // now the driver has heard of it
      const event = say(`e${turn}`)
      const call = turn % 2 === 0 ? () => store.sessions.get(key) : () => store.events.append(key, event)
      const what = `the next call after idle connections were cut (${end})`
      const error = await within(10_000, failureOf(call(), what), what)
      if (error !== undefined) {
        equal(error.retryable, true, `${what}: ${nameOf(error)}`)
        holds(['unavailable', 'outcome_unknown'].includes(error.code), `${what}: its code`, nameOf(error))
      }
      equal((await store.events.append(key, event)).events[0]?.seq, turn + 1, `the call after ${what}`)
    }
    equal(idsOf((await ctx.other.events.list(key)).items), ['e0', 'e1', 'e2', 'e3'], 'events')
  })

const time = 400
/** The least time of a write, which has to get as far as its last statement: twelve of them, on a machine that is busy. */
const leastTime = 700
/** What a call may take beyond its own time: the machine is busy. */
const grace = 1500

/**
 * A connection that goes silent at one statement, and stays so. The call ends in its own time, and what it held is not held
 * for ever: with more of them than the pool has connections, the store still works.
 */
export const goesSilent = (ctx: Ctx): Promise<void> =>
  onLine(ctx, async (line) => {
    for (const write of [createSession, append, update]) {
      const rehearsed = await rehearse(ctx, line, write)
      for (const after of new Set([0, Math.min(2, rehearsed.commit), rehearsed.commit])) {
        const isCommit = rehearsed.phases[after] === 'commit'
        const what = `${write.name}, silence from statement ${after + 1} (${rehearsed.phases[after] ?? ''}) on`
        const silenced = await intoSilence(ctx, line, { write, rehearsed, after, what })
        const { key, error } = silenced
        equal(
          [error.code, error.retryable],
          [isCommit ? 'outcome_unknown' : 'timeout', true],
          `${what}: ${nameOf(error)}`,
        )
        holds(silenced.ms > silenced.given / 2, `${what}: it waited for an answer`, `${silenced.ms} ms`)
        const goesOn = await within(5000, failureOf(line.store.sessions.get(key), what), `${what}: the next call`)
        equal(goesOn, undefined, `${what}: the next call: ${nameOf(goesOn)}`)
        const found: Hit['found'] = 'nothing'
        equal(await write.look(ctx.other, key), rehearsed.before, `${what}: nothing is there`)
        await within(
          10_000,
          repeats(ctx, line, write, rehearsed, { key, error, found, what }),
          `${what}: the repetition`,
        )
      }
    }
  })

interface Silence {
  readonly write: Write
  readonly rehearsed: Rehearsal
  readonly after: number
  readonly what: string
}

interface Silenced {
  readonly key: SessionKey
  readonly error: StoreError
  readonly ms: number
  /** Milliseconds that it was given. */
  readonly given: number
}

/** A write whose connection goes silent, with time enough to get that far: on a machine that was held up it has more of it. */
async function intoSilence(
  ctx: Ctx,
  { proxy, store }: Line,
  { write, rehearsed, after, what }: Silence,
): Promise<Silenced> {
  const least = Math.max(leastTime, 3 * rehearsed.ms)
  for (const given of [least, 3 * least]) {
    const key = freshKey(ctx)
    await write.before(ctx.store, key)
    const injected = proxy.inject({ ...statementAt(rehearsed, after), damage: 'swallowed' })
    const begun = performance.now()
    const failure = await within(given + grace, failureOf(write.call(store, key, { timeout: given }), what), what)
    if (injected.hits > 0)
      return { key, error: present(failure, `${what}: it fails`), ms: performance.now() - begun, given }
    await proxy.mend()
  }
  throw new Unproven('no wire', `${what}: it did not get that far in ${3 * least} ms`)
}

/** Milliseconds until a connection that went silent under a read that is over has to be gone. */
const longestKept = 6000

/** Connections that hear nothing are let go with the reads that waited on them, though nobody says that they are dead. */
async function letGo(proxy: { readonly connections: number }, what: string): Promise<void> {
  const until = performance.now() + longestKept
  while (proxy.connections > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 25))
  equal(proxy.connections, 0, `${what}: silent connections that the store still has`)
}

/** The same for a read, and for a caller who gives up. */
export const silenceEnds = (ctx: Ctx): Promise<void> =>
  onLine(ctx, async ({ proxy, store }) => {
    const key = freshKey(ctx)
    await ctx.store.sessions.create(key)
    for (const turn of numbers(3)) {
      await together(numbers(6).map(() => () => store.sessions.get(key))) // as many connections as the pool has
      proxy.mute()
      const what = `a read into silence (${turn})`
      const others = together(numbers(6).map(() => () => store.sessions.get(key, { timeout: time })))
      const timedOut = rejects(() => store.sessions.get(key, { timeout: time }), ['timeout', 'unavailable'], what)
      const controller = new AbortController()
      const gaveUp = store.sessions.list({ appName: key.appName, signal: controller.signal })
      const aborted = rejects(() => gaveUp, 'aborted', `${what}, abandoned`)
      setTimeout(() => controller.abort(), time / 4)
      await within(time / 4 + grace, aborted, `${what}, abandoned`)
      await within(time + grace, timedOut, what)
      await within(time + grace, others, `${what}, and six others`)
      await letGo(proxy, what)
      await proxy.mend()
      const next = await within(10_000, failureOf(store.sessions.get(key), 'the next call'), 'the next call')
      equal(next, undefined, `the call after ${what}: ${nameOf(next)}`)
    }
  })

/** The server is gone, then there again. */
export const refusesThenReturns = (ctx: Ctx): Promise<void> =>
  onLine(ctx, async ({ proxy, store }) => {
    const key = freshKey(ctx)
    await store.sessions.create(key)
    for (const end of ['RST', 'FIN'] as const) {
      await proxy.refuse()
      proxy.cut(end)
      for (const [name, call] of [
        ['a read', () => store.sessions.get(key, { timeout: 4000 })],
        ['an append', () => store.events.append(key, say(`e${end}`), { timeout: 4000 })],
        ['an update', () => store.sessions.update(key, { set: { [end]: 1 } }, { timeout: 4000 })],
      ] as const) {
        const what = `${name} while the server refuses`
        const error = present(await within(4000 + grace, failureOf(call(), what), what), `${what}: it fails`)
        equal(error.retryable, true, `${what}: retryable of ${nameOf(error)}`)
        holds(['unavailable', 'timeout'].includes(error.code), `${what}: its code`, nameOf(error))
      }
      const { ok } = await within(5000 + grace, store.health({ timeout: 5000 }), 'health() while the server refuses')
      equal(ok, false, 'health().ok while the server refuses')
      await proxy.mend()
      const what = 'the first call after the server returned, on the same store'
      const first = await within(10_000, failureOf(store.events.append(key, say(`e${end}`)), what), what)
      equal(first, undefined, `${what}: ${nameOf(first)}`)
      equal((await store.health()).ok, true, 'health().ok after the server returned')
    }
    equal(idsOf((await ctx.other.events.list(key)).items), ['eRST', 'eFIN'], 'events: each once')
    equal((await ctx.other.sessions.get(key))?.state, {}, 'an update that was refused is not there')
  })

/** A page is lost on its way, again and again: asked for once more by its cursor, the walk has neither gap nor repetition. */
export const cutInWalk = (ctx: Ctx): Promise<void> =>
  onLine(ctx, async ({ proxy, store }) => {
    const key = freshKey(ctx)
    await ctx.store.sessions.create(key)
    await ctx.store.events.append(key, someEvents(23))
    for (const i of numbers(11))
      await ctx.store.sessions.create({ ...key, sessionId: `w${String(i).padStart(2, '0')}` })
    const { appName } = key
    let turn = 0
    const asked = async <T>(page: () => Promise<T>): Promise<T> => {
      turn += 1
      if (turn % 2 === 0) proxy.inject({ times: 1 + (turn % 3), damage: turn % 4 === 0 ? 'lost' : 'unanswered' })
      for (let tries = 1; ; tries += 1) {
        const [outcome] = await together([page])
        if (outcome !== undefined && isValue(outcome)) return outcome.value
        const error = await failureOf(Promise.reject(outcome?.error), 'a page that was lost')
        holds(error?.code === 'unavailable' && tries < 5, 'a page that was lost can be asked for again', nameOf(error))
      }
    }
    const events = await walk(
      (cursor) => asked(() => store.events.list(key, { limit: 4, ...(cursor !== undefined && { cursor }) })),
      'events.list with lost pages',
    )
    equal(idsOf(events), idsOf((await ctx.other.events.list(key)).items), 'events of a walk with lost pages')
    const sessions = await walk(
      (cursor) =>
        asked(() =>
          store.sessions.list({
            appName,
            orderBy: 'createdAt',
            direction: 'asc',
            limit: 3,
            ...(cursor !== undefined && { cursor }),
          }),
        ),
      'sessions.list with lost pages',
    )
    const whole = await ctx.other.sessions.list({ appName, orderBy: 'createdAt', direction: 'asc' })
    equal(sessionIdsOf(sessions), sessionIdsOf(whole.items), 'sessions of a walk with lost pages')
    equal([events.length, sessions.length], [23, 12], 'how many there are')
  })
