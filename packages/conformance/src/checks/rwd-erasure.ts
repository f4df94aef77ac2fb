import type { Ctx } from '../context.ts'
import { equal } from '../expect.ts'
import { keyOf, numbers, someEvents, walkEvents, walkSessions } from '../fixtures.ts'

const users = numbers(20).map((i) => `user ${i}`)
const gone = 'user 4'

/** Everything of a user that can be read, as somebody who looks for leftovers would. */
async function everythingOf(ctx: Ctx, userId: string, appName = ctx.app): Promise<unknown> {
  const sessions = await walkSessions(ctx.other, { appName, userId, limit: 2, state: true })
  const events = await Promise.all(sessions.map((session) => walkEvents(ctx.other, session)))
  return { sessions, events, state: await ctx.other.state.get({ appName, userId }) }
}

/** One user of many, in two apps, asks to be forgotten. */
export async function oneUserIsForgotten(ctx: Ctx): Promise<void> {
  const elsewhere = `${ctx.app} elsewhere`
  for (const userId of users) {
    for (const sessionId of ['s1', 's2', 's3']) {
      await ctx.store.sessions.create({
        ...keyOf(ctx, sessionId, userId),
        state: { 'user:name': userId, 'app:users': users.length },
      })
      await ctx.store.events.append(keyOf(ctx, sessionId, userId), someEvents(3))
    }
  }
  await ctx.store.sessions.create({
    ...keyOf(ctx, 's1', gone, elsewhere),
    state: { 'user:name': 'the same, elsewhere' },
  })
  const others = users.filter((userId) => userId !== gone)
  const look = () =>
    Promise.all([everythingOf(ctx, gone, elsewhere), ...others.map((userId) => everythingOf(ctx, userId))])
  const before = await look()

  const receipt = await ctx.store.erase({ appName: ctx.app, userId: gone })
  equal(receipt, { sessions: 3, events: 9, userStates: 1, memories: 0, artifacts: 0, metrics: 0 }, 'the receipt')
  equal(await everythingOf(ctx, gone), { sessions: [], events: [], state: undefined }, 'what is left of the user')
  equal(await look(), before, 'everything of the others, and of the same user in another app')
  equal(await ctx.other.sessions.count({ appName: ctx.app }), 3 * others.length, 'sessions of the app')
  equal((await ctx.other.state.get({ appName: ctx.app }))?.state, { users: users.length }, 'state of the app')

  const back = await ctx.store.sessions.create(keyOf(ctx, 's1', gone))
  equal([back.lastSeq, back.state], [0, { 'app:users': users.length }], 'a user who comes back is a new one')
}
