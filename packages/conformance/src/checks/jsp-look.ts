import type { SessionQuery, StateCondition } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal } from '../expect.ts'
import { newSession, sessionIdsOf, walkSessions } from '../fixtures.ts'

export type Documents = Readonly<Record<string, Record<string, unknown>>>

export async function seedStates(ctx: Ctx, documents: Documents): Promise<void> {
  for (const [id, state] of Object.entries(documents)) await newSession(ctx, id, state)
}

/** Ids of the sessions that a filter finds, in ascending order; `count` and the other open agree. */
export async function foundBy(
  ctx: Ctx,
  where: readonly StateCondition[],
  more: Omit<SessionQuery, 'appName'> = {},
): Promise<string[]> {
  const query = { appName: ctx.app, where, ...more }
  const ids = sessionIdsOf(await walkSessions(ctx.other, query)).toSorted()
  const { userId } = more
  const filter = { appName: ctx.app, where, ...(userId !== undefined && { userId }) }
  equal(await ctx.store.sessions.count(filter), ids.length, `count of ${shown(where)}`)
  return ids
}

export const shown = (where: readonly StateCondition[]): string => JSON.stringify(where).slice(0, 300)
