import type { Ctx } from '../context.ts'
import { equal, holds, rejects } from '../expect.ts'
import { keyOf, say } from '../fixtures.ts'
import { inAnotherPlace, oracleMember, unlessLacking } from '../whitebox.ts'

/** Somebody took an index or a column away: a deep look names it, and what needs the column says what is wrong. */
export async function damageIsNamed(ctx: Ctx): Promise<void> {
  unlessLacking(ctx, 'schema')
  oracleMember(ctx, 'damage')
  for (const what of ['index', 'column'] as const) {
    await inAnotherPlace(ctx, async (place) => {
      const before = await place.open()
      await before.migrate()
      const session = await before.sessions.create(keyOf(ctx))
      equal((await before.health({ deep: true })).ok, true, 'health of a whole schema')
      const name = (await place.oracle?.damage?.(what)) ?? ''
      const store = await place.open()
      if (what === 'column') {
        const error = await rejects(
          () => store.events.append(session, say('e1', 'x', { branch: 'b' })),
          'schema_mismatch',
          'an append without one of its columns',
        )
        equal(error.retryable, false, 'trying again does not help')
      }
      const { ok, warnings } = await (await place.open()).health({ deep: true })
      holds(
        warnings.some((warning) => warning.includes(name)),
        `health({ deep: true }) names the ${what} ${name}`,
        warnings,
      )
      equal(ok, what === 'index', `health().ok without the ${what}`)
    })
  }
}
