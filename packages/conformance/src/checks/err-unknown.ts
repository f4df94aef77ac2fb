import type { Ctx } from '../context.ts'
import { equal, holds, rejects, within } from '../expect.ts'
import { keyOf, newSession, nothingWritten, say } from '../fixtures.ts'

/** The database refuses the last statement of an append with an error that no table of codes knows. */
export async function unknownError(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { own: 1, 'user:u': 1, 'app:a': 1 })
  const actions = { stateDelta: { own: 2, 'user:u': 2, 'app:a': 2 } }
  const call = () => ctx.store.events.append(keyOf(ctx), say('e1', 'sentinel-payload', { actions }))
  const held = await ctx.need('refuse')()
  try {
    const refused = async () => {
      const what = 'an append that the database refuses for a reason of its own'
      const error = await within(5000, rejects(call, 'internal', what), what)
      equal(error.retryable, false, 'retryable of internal')
      holds(error.cause instanceof Error, 'its cause is the driver’s error', error.cause)
      holds(!`${error.message}${JSON.stringify(error)}`.includes('sentinel'), 'no payload in it', error.message)
    }
    await nothingWritten(ctx, refused, 'an append that was refused at its last statement')
  } finally {
    await held.release()
  }
  equal((await call()).events[0]?.seq, 1, 'the same call of the same store afterwards')
}
