import { isStoreError } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { describe, equal, holds, present, rejects, within } from '../expect.ts'
import { keyOf } from '../fixtures.ts'
import { openProxy } from '../faults.ts'

/** A database that is not there is `unavailable`, when it is opened or at the first call. */
export async function absentDatabase(ctx: Ctx): Promise<void> {
  const openAbsent = ctx.need('openAbsent')
  const use = async () => {
    const store = await openAbsent({ timeout: 2000 })
    try {
      await store.sessions.get(keyOf(ctx))
    } finally {
      await store.close()
    }
  }
  await within(6000, rejects(use, 'unavailable', 'a database that is not there'), 'a database that is not there')
}

/** Nobody listens; somebody listens and says nothing; somebody hangs up. No half-open handle is left of any of them. */
export async function unreachableDatabase(ctx: Ctx): Promise<void> {
  const proxy = await openProxy(ctx.need('endpoint'), ctx.place.wire)
  try {
    for (const [what, begin] of [
      ['a server that refuses', () => proxy.refuse()],
      ['a server that says nothing', async () => proxy.mute()],
      ['a server that hangs up', async () => void proxy.inject({ times: Infinity, damage: 'lost' })],
    ] as const) {
      await begin()
      const timeout = 1000
      const begun = performance.now()
      const use = async () => {
        const store = await ctx.place.open({ via: proxy.endpoint, timeout })
        try {
          await store.sessions.get(keyOf(ctx))
        } finally {
          await store.close()
        }
      }
      const outcome = await within(
        5 * timeout,
        use().catch((failure: unknown) => failure),
        `${what}: it ends`,
      )
      const error = present(isStoreError(outcome) ? outcome : undefined, `${what}: ${describe(outcome)}`)
      const took = `${Math.round(performance.now() - begun)} ms`
      holds(
        ['unavailable', 'timeout'].includes(error.code),
        `${what}: unavailable, within its time (${took})`,
        describe(error),
      )
      equal(error.retryable, true, `${what}: retryable`)
      await proxy.mend()
    }
    const gone = async () => {
      while (proxy.connections > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await within(9000, gone(), 'no connection is left behind') // HTTP keeps them for some seconds
  } finally {
    await proxy.close()
  }
}
