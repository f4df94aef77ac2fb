import { isStoreError } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { describe, equal, holds, within } from '../expect.ts'
import { keyOf, newSession, say } from '../fixtures.ts'

/** Inside a transaction of the application a call waits for a lock that nobody gives up, and runs out of its time. */
export async function lateInTransaction(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  const lock = ctx.need('lock')
  const key = keyOf(ctx)
  await newSession(ctx)
  await newSession(ctx, 'free', {}, 'bob')
  const held = await lock(key)
  let isHeld = true
  const release = async () => {
    if (isHeld) await held.release()
    isHeld = false
  }
  let late: unknown
  try {
    const outcome = transaction.run(ctx.store, async (joined) => {
      late = await joined.events.append(key, say('late'), { timeout: 400 }).catch((error: unknown) => error)
      await release() // the statement waits on in the database, and the rollback comes after it
      throw late
    })
    const what = 'a transaction whose call runs out of time'
    // Where a writer has the whole database, the transaction does not even begin, and its own error says so.
    const thrown = await within(
      12_000,
      outcome.then(
        () => undefined,
        (error: unknown) => error,
      ),
      what,
    )
    holds(thrown !== undefined, `${what}: it fails`)
    if (late !== undefined) {
      equal(thrown, late, `${what}: the body’s error comes out as it was thrown`)
      const isMapped = isStoreError(late) && ['timeout', 'busy', 'outcome_unknown'].includes(late.code)
      holds(isMapped, `${what}: the call ends with timeout or busy`, describe(late))
    }
  } finally {
    await release()
  }
  const next = transaction.run(ctx.store, async (joined, own) => {
    await own.insert(`${ctx.app}-next`)
    return joined.events.append(key, say('next'))
  })
  const { events } = await within(15_000, next, 'the next transaction')
  equal([events[0]?.seq, events[0]?.duplicate], [1, false], 'an append in the next transaction')
  const rows = (await transaction.rows()).filter((id) => id.startsWith(ctx.app))
  equal(rows, [`${ctx.app}-next`], 'rows of the application: those of the next transaction')
}
