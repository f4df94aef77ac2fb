import type { Lease, LeaseToken } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, Inapplicable, rejects, succeeds, within } from '../expect.ts'
import { idsOf, keyOf, loaded, newSession, say } from '../fixtures.ts'
import { startWorker } from '../process.ts'
import { inRealTime, type Patience } from './lea-real-time.ts'

/** Another process takes the session, holds it for longer than its ttl, and is killed. */
export async function isFreeAfterItsHolderDied(ctx: Ctx): Promise<void> {
  if (ctx.store.capabilities.persistent === 'no') throw new Inapplicable('data end with the process')
  await inRealTime((ttl, patience) => holderDies(ctx, ttl, patience))
}

async function holderDies(ctx: Ctx, ttl: number, patience: Patience): Promise<void> {
  const { store } = ctx
  const key = keyOf(ctx, `of ${ttl}`)
  await newSession(ctx, key.sessionId)
  const { lease, killed } = await heldAndKilled(ctx, key.sessionId, ttl, patience)
  const { facts } = await patience.timed(() =>
    rejects(
      () => store.sessions.lease(key, { ttl, owner: 'here' }),
      'conflict',
      'the session right after its holder was killed',
      { owner: 'there' },
    ),
  )
  await patience.timed(() =>
    rejects(() => store.events.append(key, say('x')), 'conflict', 'an append right after that'),
  )
  const left = (facts.expiresAt ?? 0) - killed
  holds(left <= ttl, 'it ends within its ttl', `${left} ms later`)
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, left) + 5))
  const taken = store.sessions.lease(key, { ttl, owner: 'here' })
  const next: Lease = await succeeds(within(5_000, taken, 'to take over'), 'the session after the ttl')
  holds(next.fence > lease.fence, 'the fence grows', [lease.fence, next.fence])
  await rejects(() => store.events.append(key, say('x'), { lease }), 'conflict', 'in the name of who was killed')
  await store.events.append(key, say('here'), { lease: next })
  await next.release()
  equal(idsOf((await loaded(ctx, key)).events), ['there', 'here'], 'the events')
}

/** The lease of a process that was killed once it had renewed it, and when that was. */
async function heldAndKilled(
  ctx: Ctx,
  sessionId: string,
  ttl: number,
  patience: Patience,
): Promise<{ lease: LeaseToken; killed: number }> {
  const key = keyOf(ctx, sessionId)
  const worker = await startWorker(ctx.need('worker'))
  let lease: LeaseToken
  try {
    lease = await patience.timed(() => worker.lease({ key, ttl, owner: 'there' }))
    await worker.call('events.append', key, say('there'), { lease })
    await patience.wait(ttl + 300, () => worker.call('sessions.get', key))
    const asked = () => ctx.store.sessions.lease(key, { ttl, owner: 'here' })
    await patience.timed(() => rejects(asked, 'conflict', 'what lives is renewed', { owner: 'there' }))
  } finally {
    await patience.timed(() => worker.kill())
  }
  return { lease, killed: Date.now() }
}
