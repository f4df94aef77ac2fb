import type { Store, UserKey } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds } from '../expect.ts'
import { newSession, numbers, someEvents } from '../fixtures.ts'
import { observed, oracleMember, withoutControl } from '../whitebox.ts'

type Call = (store: Store) => Promise<unknown>

/** After everything that a check does. */
const later = Date.now() + 86_400_000

const has = ({ store }: Ctx, area: 'artifacts' | 'memories') => store.capabilities[area] === 'yes'

/** As many as one chunk takes, each with as much in it. */
async function fill(ctx: Ctx, { appName, userId }: UserKey, count: number): Promise<void> {
  for (const i of numbers(count)) {
    const key = { appName, userId, sessionId: `s${i}` }
    await ctx.store.sessions.create({ ...key, state: { 'user:a': 1 } })
    await ctx.store.events.append(key, someEvents(2))
    if (!has(ctx, 'artifacts')) continue
    for (const name of ['a', 'b', `user:${i}`]) await ctx.store.artifacts.save({ ...key, name }, new Uint8Array(10))
    await ctx.store.artifacts.save({ ...key, name: 'a' }, new Uint8Array(11))
  }
  if (!has(ctx, 'memories')) return
  await ctx.store.memories.add(
    { appName, userId },
    numbers(count).map((i) => ({ id: `m${i}`, text: 'alpha', timestamp: 1 })),
  )
}

/** What takes rows away from a user, or an app, that has some of everything. */
const removals = (ctx: Ctx): Readonly<Record<string, (store: Store, user: UserKey) => Promise<unknown>>> => ({
  ...(has(ctx, 'artifacts') && {
    'artifacts.prune of a user': (store, user) => store.artifacts.prune({ ...user, before: later }),
    'artifacts.prune of an app': (store, { appName }) => store.artifacts.prune({ appName, before: later }),
    'artifacts.delete': (store, user) => store.artifacts.delete({ ...user, sessionId: 's1', name: 'a' }),
  }),
  ...(has(ctx, 'memories') && { 'memories.delete': (store, user) => store.memories.delete({ ...user, all: true }) }),
  'sessions.prune of a user': (store, user) => store.sessions.prune({ ...user, before: later }),
  'sessions.prune of an app': (store, { appName }) => store.sessions.prune({ appName, before: later }),
  erase: (store, user) => store.erase(user),
})

export async function removalsAreBulk(ctx: Ctx): Promise<void> {
  const { store, during } = await observed(ctx)
  let apps = 0
  const sentFor = async (call: (store: Store, user: UserKey) => Promise<unknown>, count: number) => {
    const user = { appName: `${ctx.app}-${(apps += 1)}`, userId: 'ann' }
    await fill(ctx, user, count)
    return withoutControl(await during(() => call(store, user))).length
  }
  for (const [name, call] of Object.entries(removals(ctx))) {
    const [few, many] = [await sentFor(call, 2), await sentFor(call, 12)]
    equal(many, few, `${name}: statements for twelve of everything, as for two`)
    holds(few > 0 && few <= 20, `${name}: statements are few`, few)
  }
}

/** A table read from end to end is a fault once it has rows to speak of. */
const isFault = ({ rows = Infinity }: { readonly rows?: number }) => rows > 500

/** 3,000 sessions of one app, of which a few are old, and 4,000 versions of artifacts. */
export async function removalsUseIndexes(ctx: Ctx): Promise<void> {
  const [seed, plan] = [oracleMember(ctx, 'seed'), oracleMember(ctx, 'plan')]
  const appName = 'removed'
  await seed({ appName, sessions: 1500, users: 1500, events: 2000, ...(has(ctx, 'artifacts') && { artifacts: 2000 }) })
  await newSession(ctx)
  const { store, during } = await observed(ctx)
  const [start, second] = [1_700_000_000_000, 1000]
  const calls: Record<string, Call> = {
    'sessions.prune of an app': (one) => one.sessions.prune({ appName, before: start + 40.5 * second, chunk: 20 }),
    'sessions.prune of a user': (one) =>
      one.sessions.prune({ appName, userId: 'ann', before: start + 80.5 * second, chunk: 20 }),
    erase: (one) => one.erase({ appName, userId: 'ann' }),
  }
  for (const [name, call] of Object.entries(calls)) {
    const sent = withoutControl(await during(() => call(store)))
    const each = new Map(sent.map((statement) => [statement.text, statement]))
    for (const statement of each.values()) {
      const { scans, rows = 0, sorts = false } = await plan(statement)
      equal(
        scans.filter((scan) => isFault(scan)).map(({ table }) => table),
        [],
        `${name}: tables read from end to end by ${statement.text}`,
      )
      holds(rows <= 1000 && !sorts, `${name}: rows read stay few, and come in their order`, [rows, statement.text])
    }
  }
}
