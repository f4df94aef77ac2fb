import type { AgentEvent } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal } from '../expect.ts'
import { idsOf, keyOf, loaded, numbers, say, seqsOf, walkEvents } from '../fixtures.ts'

const agents = ['root', 'root.research', 'root.write'] as const

const step = (id: string, branch: string, more: AgentEvent = {}) => say(id, id, { author: branch, branch, ...more })

/**
 * A coordinator hands a task to two agents, who work at the same time in branches of their own and hand back. Each sees its own
 * branch, and all see one history and one state.
 */
export async function threeAgents(ctx: Ctx): Promise<void> {
  const key = keyOf(ctx, 'task')
  await ctx.store.sessions.create({ ...key, state: { plan: ['research', 'write'] } })
  await ctx.store.events.append(key, [
    say('task', 'Write about fjords'),
    step('to-research', 'root', { actions: { transferToAgent: 'research' } }),
    step('to-write', 'root', { actions: { transferToAgent: 'write' } }),
  ])
  const handedOff = (await loaded(ctx, key)).lastSeq
  const works = async (branch: string, store: Ctx['store']) => {
    for (const i of numbers(10)) {
      const stateDelta = { [`${branch}:done`]: i, [`${branch}:note${i}`]: `by ${branch}` }
      await store.events.append(key, step(`${branch}-${i}`, branch, { actions: { stateDelta } }))
    }
    await store.events.append(
      key,
      step(`${branch}-end`, branch, { actions: { escalate: true, transferToAgent: 'root' } }),
    )
  }
  await Promise.all([works('root.research', ctx.store), works('root.write', ctx.other)])
  await ctx.store.events.append(key, step('answer', 'root', { turnComplete: true }))

  const all = await walkEvents(ctx.other, key, 7)
  equal(seqsOf(all), numbers(26), 'one history without gaps')
  for (const branch of agents) {
    const { items } = await ctx.other.events.list(key, { branch })
    equal(idsOf(items), idsOf(all.filter(({ event }) => event.branch === branch)), `what ${branch} sees, in order`)
  }
  const { items } = await ctx.store.events.list(key, { branch: 'root.research' })
  equal(
    idsOf(items),
    [...numbers(10).map((i) => `root.research-${i}`), 'root.research-end'],
    'each agent finds what it did, in the order in which it did it, and nothing of a branch with another name',
  )
  const { state } = await loaded(ctx, key)
  equal(
    [state['root.research:done'], state['root.write:done'], Object.keys(state).length],
    [10, 10, 23],
    'what both agents noted is there',
  )
  await tryAgain(ctx, handedOff)
}

/** The task again from the hand-off, in a fork: what came afterwards is not in it, and the first attempt stays as it was. */
async function tryAgain(ctx: Ctx, handedOff: number): Promise<void> {
  const key = keyOf(ctx, 'task')
  const before = await loaded(ctx, key)
  const fork = await ctx.store.sessions.fork(key, { sessionId: 'again', throughSeq: handedOff })
  equal(fork.state, { plan: ['research', 'write'] }, 'state of the fork: as it was at the hand-off')
  await ctx.store.events.append(
    fork,
    step('root.research-1', 'root.research', { actions: { stateDelta: { again: 1 } } }),
  )
  equal(
    idsOf((await loaded(ctx, keyOf(ctx, 'again'))).events),
    ['task', 'to-research', 'to-write', 'root.research-1'],
    'the fork has its own events after the hand-off, though their ids are those of the first attempt',
  )
  equal(await loaded(ctx, key), before, 'the first attempt is as it was')
}
