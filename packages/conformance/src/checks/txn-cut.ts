import { isStoreError } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { describe, equal, holds } from '../expect.ts'
import { idsOf, keyOf, loaded, newSession, numbers, say } from '../fixtures.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** From before the first statement of a call to after its last one, on databases that are near. */
const moments: readonly (() => Promise<void>)[] = [
  ...numbers(12).map((turns) => async () => {
    for (let i = 0; i < turns; i++) await turn()
  }),
  ...numbers(12).map((ms) => () => wait(ms / 2)),
]

/**
 * The caller gives up a call inside its transaction at any moment, writes a row of its own and commits: of the call that was
 * cut off nothing is among that, and nothing of the caller's is undone with it.
 */
export async function cutCallsAreUndone(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  const key = keyOf(ctx)
  await newSession(ctx, 's1', { 'user:n': 0, 'app:n': 0 })
  const kept: number[] = []
  for (const [i, moment] of moments.entries()) {
    const abort = new AbortController()
    const delta = { [`k${i}`]: i, [`user:k${i}`]: i, [`app:k${i}`]: i }
    const batch = [say(`a${i}`), say(`b${i}`, 'x', { actions: { stateDelta: delta } })]
    await transaction.run(ctx.store, async (joined, own) => {
      const appending = joined.events.append(key, batch, { signal: abort.signal }).then(
        () => kept.push(i),
        (error: unknown) => {
          const isCut = isStoreError(error) && error.code === 'aborted'
          holds(isCut, 'a call that its caller gives up ends with aborted', describe(error))
        },
      )
      const cut = moment().then(() => abort.abort())
      await appending
      await own.insert(`${ctx.app}-${i}`)
      await cut
    })
  }
  const { events, state } = await loaded(ctx)
  equal(
    idsOf(events),
    kept.flatMap((i) => [`a${i}`, `b${i}`]),
    'events after the commits: those of the calls that were not cut off',
  )
  const keys = ['user:n', 'app:n', ...kept.flatMap((i) => [`k${i}`, `user:k${i}`, `app:k${i}`])]
  equal(Object.keys(state).toSorted(), keys.toSorted(), 'keys of state after the commits')
  const rows = (await transaction.rows()).filter((id) => id.startsWith(`${ctx.app}-`))
  equal(rows.toSorted(), moments.map((_, i) => `${ctx.app}-${i}`).toSorted(), 'rows of the application')
}
