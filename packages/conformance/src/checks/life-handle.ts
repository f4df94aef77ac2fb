import { isStoreError, type Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import type { Handle } from '../define.ts'
import { equal, holds, rejects, succeeds, Unproven } from '../expect.ts'
import { keyOf, say, someEvents } from '../fixtures.ts'

async function withHandle<T>({ place }: Ctx, body: (handle: Handle) => Promise<T>): Promise<T> {
  if (place.handle === undefined) throw new Unproven('option not honoured', 'handle')
  const handle = await place.handle()
  try {
    return await body(handle)
  } finally {
    await handle.store.close()
    await handle.close()
  }
}

/** Answers and codes of a walk through the contract, without what differs from run to run. */
async function story(store: Store, ctx: Ctx, sessionId: string): Promise<unknown[]> {
  const key = keyOf(ctx, sessionId)
  const told: unknown[] = []
  const tell = async (call: () => Promise<unknown>) => {
    const outcome = await call().catch((error: unknown) =>
      isStoreError(error) ? { code: error.code, facts: Object.keys(error.facts).toSorted() } : error,
    )
    told.push(
      JSON.parse(
        JSON.stringify(outcome ?? null, (name, value: unknown) =>
          /At$|Cursor$|^sessionId$|^timestamp$/.test(name) ? typeof value : value,
        ),
      ),
    )
  }
  const at = { now: 1_700_000_000_000 }
  await tell(() => store.sessions.get(key))
  await tell(() => store.events.append(key, say('e1')))
  await tell(() => store.sessions.create({ ...key, state: { a: [1, null], 'user:u': 'x' } }))
  await tell(() => store.sessions.create(key))
  await tell(() => store.events.append(key, someEvents(5), { eventsAfterSeq: 0 }))
  await tell(() => store.events.append(key, say('e1', 'another payload')))
  await tell(() => store.events.append(key, say('late', 'x', { timestamp: at.now }), { expectedRevision: 1 }))
  await tell(() => store.events.list(key, { limit: 2, direction: 'desc' }))
  await tell(() => store.sessions.list({ appName: ctx.app, userId: 'ann', limit: -1 }))
  await tell(() => store.sessions.get(key, { events: { last: 2 } }))
  await tell(() => store.sessions.update(key, { set: { b: 1 }, unset: ['a'] }))
  await tell(() => store.sessions.stateAt(key, 3))
  await tell(() => store.sessions.delete(key))
  await tell(() => store.sessions.delete(key))
  return told
}

export const bothWaysAlike = (ctx: Ctx): Promise<void> =>
  withHandle(ctx, async ({ store }) => {
    const opened = await ctx.place.open() // with no option, as the one over the handle
    try {
      equal({ ...store.capabilities }, { ...opened.capabilities }, 'capabilities over a handle')
      equal({ ...store.limits }, { ...opened.limits }, 'limits over a handle')
      equal(await story(store, ctx, 'handed'), await story(opened, ctx, 'opened'), 'what a store over a handle answers')
      const [one, other] = [await store.health(), await opened.health()]
      equal(
        [one.ok, one.flavour, one.version, one.schemaVersion],
        [other.ok, other.flavour, other.version, other.schemaVersion],
        'health over a handle',
      )
    } finally {
      await opened.close()
    }
  })

export const handlesStayOpen = (ctx: Ctx): Promise<void> =>
  withHandle(ctx, async ({ store, works }) => {
    await store.sessions.create(keyOf(ctx))
    await store.events.append(keyOf(ctx), say('e1'))
    await store.close()
    holds(
      await succeeds(works(), 'the handle answers after the store was closed'),
      'the handle answers after the store was closed',
    )
    await rejects(() => store.sessions.get(keyOf(ctx)), 'closed', 'the store itself')
  })
