import type { Lease } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, rejects, succeeds } from '../expect.ts'
import { idsOf, numbers, say, walkEvents } from '../fixtures.ts'
import { isValue, rounds, together } from '../race.ts'

const ttl = 60_000

/** Of the holder, so many that others come between: a store may take those that follow each other at once, for some milliseconds. */
const owned = 16

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

export const oneWinner = (ctx: Ctx): Promise<void> =>
  rounds(ctx, async ({ store, other, key }) => {
    await store.sessions.create(key)
    const asked = numbers(4).map(
      (i) => () => (i % 2 === 0 ? store : other).sessions.lease(key, { ttl, owner: `w${i % 3}` }),
    )
    const outcomes = await together<Lease>(asked)
    const winners = outcomes.filter((one) => isValue(one)).map(({ value }) => value)
    for (const outcome of outcomes)
      if (!isValue(outcome)) await rejects(() => Promise.reject(outcome.error), 'conflict', 'who lost')
    equal(winners.length, 1, 'holders of one session')
    for (const lease of winners)
      await succeeds(store.events.append(key, say('own'), { lease }), 'an append of the winner')
    for (const lease of winners) await lease.release()
  })

/**
 * Others append while one takes the session, looks where it ends, appends, and releases it. Each of theirs comes before the
 * holder looked, after it was done, or not at all.
 */
export const appendsRace = (ctx: Ctx): Promise<void> =>
  rounds(ctx, async ({ store, other, key, index }) => {
    await store.sessions.create(key)
    const acknowledged: string[] = []
    const holder = { isDone: false }
    const hold = async () => {
      const lease = await store.sessions.lease(key, { ttl, owner: 'a' })
      try {
        const { lastSeq = -1 } = (await store.sessions.get(key)) ?? {}
        const seqs: number[] = []
        for (const i of numbers(owned)) {
          await turn() // a store that holds the thread would let nobody come between
          const { events } = await store.events.append(key, say(`own${i}`), { lease })
          seqs.push(events[0]?.seq ?? -1)
        }
        return { lastSeq, seqs }
      } finally {
        holder.isDone = true
        await lease.release()
      }
    }
    const intrude = async (name: string, later: number) => {
      // The calls of a synchronous driver take turns by promises alone: so each begins elsewhere in the call of the holder.
      for (let i = 0; i < later; i += 1) await Promise.resolve()
      for (let i = 0; !holder.isDone; i += 1) {
        const id = `${name}-${i}`
        const [outcome] = await together([() => other.events.append(key, say(id))])
        await turn()
        if (outcome === undefined) continue
        if (isValue(outcome)) acknowledged.push(id)
        else await rejects(() => Promise.reject(outcome.error), 'conflict', 'an append of another')
      }
    }
    const [held] = await Promise.all([hold(), ...numbers(3).map((i) => intrude(`x${i}`, (index * 3 + i) % 32))])
    equal(
      held.seqs,
      numbers(owned, held.lastSeq + 1),
      'the holder’s events come one after the other, behind what it saw',
    )
    const events = idsOf(await walkEvents(other, key))
    equal(
      events.filter((id) => id.startsWith('x')).toSorted(),
      acknowledged.toSorted(),
      'events of the others: those that were acknowledged',
    )
    holds(events.length === acknowledged.length + owned, 'and those of the holder', events)
  })
