import type { Lease, Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, rejects, succeeds } from '../expect.ts'
import { idsOf, keyOf, loaded, newSession, nothingWritten, say } from '../fixtures.ts'

/** Of the injected clock: far more than a check takes, so that no renewal of the background comes in between. */
const ttl = 60_000
const start = 1_700_000_000_000.25

interface Clock {
  time: number
}

/** Two stores that go by one clock. */
async function onOneClock(ctx: Ctx): Promise<{ clock: Clock; first: Store; second: Store }> {
  const clock = { time: start }
  const now = () => clock.time
  return { clock, first: await ctx.open({ now }), second: await ctx.open({ now }) }
}

const isOver = (lease: Lease) => rejects(() => lease.renew(), 'conflict', 'a renewal of what has ended')

export async function expired(ctx: Ctx): Promise<void> {
  const { clock, first, second } = await onOneClock(ctx)
  const key = await newSession(ctx)
  const old = await first.sessions.lease(key, { ttl, owner: 'a' })
  await first.events.append(key, say('a1'), { lease: old })
  clock.time += ttl
  const next = await succeeds(second.sessions.lease(key, { ttl, owner: 'b' }), 'to take over what has expired')
  holds(next.fence > old.fence, 'the fence grows', [old.fence, next.fence])
  const facts = { field: 'lease', owner: 'b', expiresAt: next.expiresAt }
  await nothingWritten(
    ctx,
    async () => {
      for (const by of [first, second])
        await rejects(() => by.events.append(key, say('a2'), { lease: old }), 'conflict', 'the old holder', facts)
    },
    'the old holder',
  )
  await second.events.append(key, say('b1'), { lease: next })
  await isOver(old)
  equal(old.signal.aborted, true, 'the signal of the old one')
  await old.release()
  await rejects(() => first.events.append(key, say('x')), 'conflict', 'the new one lasts', { owner: 'b' })
  await next.release()
  equal(idsOf((await loaded(ctx)).events), ['a1', 'b1'], 'the events')
}

export async function sleptPastItsEnd(ctx: Ctx): Promise<void> {
  const { clock, first, second } = await onOneClock(ctx)
  const key = await newSession(ctx)
  const lease = await first.sessions.lease(key, { ttl, owner: 'a' })
  clock.time += ttl
  await nothingWritten(
    ctx,
    async () => {
      await rejects(() => first.events.append(key, say('late'), { lease }), 'conflict', 'who slept', { field: 'lease' })
      await rejects(() => second.events.append(key, say('late'), { lease }), 'conflict', 'another in its name')
    },
    'who slept',
  )
  await succeeds(second.events.append(key, say('free')), 'an append of anybody')
  await isOver(lease)
  equal(lease.signal.aborted, true, 'the signal of a lease that ended')
  await rejects(() => first.events.append(key, say('later'), { lease }), 'conflict', 'a lease that is over stays over')
  const again = await first.sessions.lease(key, { ttl, owner: 'a' })
  holds(again.fence > lease.fence, 'the fence grows', [lease.fence, again.fence])
  await rejects(() => first.events.append(key, say('later'), { lease }), 'conflict', 'the former one of one owner')
  await again.release()
}

export async function deletedAndCreated(ctx: Ctx): Promise<void> {
  const { first, second } = await onOneClock(ctx) // which stands still: nothing rests on it
  const key = keyOf(ctx)
  const fences: number[] = []
  for (let i = 0; i < 3; i += 1) {
    await first.sessions.create(key)
    const lease = await first.sessions.lease(key, { ttl, owner: 'a' })
    await first.events.append(key, say('own'), { lease })
    await second.sessions.delete(key)
    await second.sessions.create(key)
    await rejects(() => first.events.append(key, say('x'), { lease }), 'conflict', 'the holder of the one that is gone')
    const next = await second.sessions.lease(key, { ttl, owner: 'a' })
    fences.push(lease.fence, next.fence)
    await rejects(() => first.events.append(key, say('x'), { lease }), 'conflict', 'the same, while it is held again')
    await lease.release()
    await succeeds(second.events.append(key, say('other'), { lease: next }), 'the holder of the one that is there')
    equal(idsOf((await loaded(ctx)).events), ['other'], 'the events')
    await second.sessions.delete(key)
  }
  holds(
    fences.every((fence, i) => i === 0 || fence > (fences[i - 1] ?? 0)),
    'the fence grows over all time',
    fences,
  )
}

export async function clockDecides(ctx: Ctx): Promise<void> {
  const { clock, first, second } = await onOneClock(ctx)
  const key = await newSession(ctx)
  const lease = await first.sessions.lease(key, { ttl, owner: 'a' })
  equal(lease.expiresAt, start + ttl, 'its end, by the injected clock')
  clock.time = start + ttl - 0.001
  await rejects(() => second.sessions.lease(key, { ttl, owner: 'b' }), 'conflict', 'a microsecond before the end', {
    expiresAt: start + ttl,
  })
  await rejects(() => second.events.append(key, say('x')), 'conflict', 'an append a microsecond before the end')
  await succeeds(first.events.append(key, say('e1'), { lease }), 'an append of the holder then')
  await lease.renew()
  equal(lease.expiresAt, start + 2 * ttl - 0.001, 'its end after a renewal')
  clock.time = start + ttl
  await rejects(() => second.events.append(key, say('x')), 'conflict', 'an append when the first ttl is over')
  clock.time = start + 2 * ttl - 0.001
  await rejects(() => first.events.append(key, say('x'), { lease }), 'conflict', 'the holder at the end')
  await succeeds(second.events.append(key, say('e2')), 'an append of anybody at the end')
  const next = await succeeds(second.sessions.lease(key, { ttl, owner: 'b' }), 'the session at the end')
  await next.release()
  await lease.release()
}

export async function clockRunsBack(ctx: Ctx): Promise<void> {
  const { clock, first, second } = await onOneClock(ctx)
  const key = await newSession(ctx)
  const lease = await first.sessions.lease(key, { ttl, owner: 'a' })
  clock.time = start - 10_000
  await lease.renew()
  equal(lease.expiresAt, start + ttl, 'its end after a renewal by an earlier clock')
  clock.time = start + ttl - 1
  await rejects(() => second.events.append(key, say('x')), 'conflict', 'an append just before the end')
  await lease.release()
}
