import type { Lease } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, Inapplicable, rejects, succeeds, within } from '../expect.ts'
import { idsOf, keyOf, loaded, newSession, say } from '../fixtures.ts'
import { startWorker } from '../process.ts'

const ttl = 2_000

/** Another process takes the session, holds it for longer than its ttl, and is killed. */
export async function isFreeAfterItsHolderDied(ctx: Ctx): Promise<void> {
  const { store } = ctx
  if (store.capabilities.persistent === 'no') throw new Inapplicable('data end with the process')
  const key = await newSession(ctx)
  const worker = await startWorker(ctx.need('worker'))
  let lease: Pick<Lease, 'owner' | 'fence'>
  let killed: number
  try {
    lease = await worker.lease({ key: keyOf(ctx), ttl, owner: 'there' })
    await worker.call('events.append', keyOf(ctx), say('there'), { lease })
    await new Promise((resolve) => setTimeout(resolve, ttl + 300))
    await rejects(() => store.sessions.lease(key, { ttl, owner: 'here' }), 'conflict', 'what lives is renewed', {
      owner: 'there',
    })
  } finally {
    await worker.kill()
    killed = Date.now()
  }
  const { facts } = await rejects(
    () => store.sessions.lease(key, { ttl, owner: 'here' }),
    'conflict',
    'the session right after its holder was killed',
    { owner: 'there' },
  )
  await rejects(() => store.events.append(key, say('x')), 'conflict', 'an append right after that')
  const left = (facts.expiresAt ?? 0) - killed
  holds(left <= ttl, 'it ends within its ttl', `${left} ms later`)
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, left) + 5))
  const taken = store.sessions.lease(key, { ttl, owner: 'here' })
  const next = await succeeds(within(5_000, taken, 'to take over'), 'the session after the ttl')
  holds(next.fence > lease.fence, 'the fence grows', [lease.fence, next.fence])
  await rejects(() => store.events.append(key, say('x'), { lease }), 'conflict', 'in the name of who was killed')
  await store.events.append(key, say('here'), { lease: next })
  await next.release()
  equal(idsOf((await loaded(ctx)).events), ['there', 'here'], 'the events')
}
