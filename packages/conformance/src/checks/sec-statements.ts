import type { Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds } from '../expect.ts'
import { keyOf, newSession, say } from '../fixtures.ts'
import { observed, oracleMember, withoutControl } from '../whitebox.ts'

type Call = (store: Store, ctx: Ctx) => Promise<unknown>

/** After everything that a check does. */
const later = Date.now() + 86_400_000

/** Every method that reads or writes a tenant's rows. */
const calls: Readonly<Record<string, Call>> = {
  'sessions.create': (store, ctx) =>
    store.sessions.create({ ...keyOf(ctx, 's2'), state: { a: 1, 'user:a': 1, 'app:a': 1 } }),
  'sessions.get': (store, ctx) => store.sessions.get(keyOf(ctx), { events: 'all' }),
  'sessions.list': (store, ctx) => store.sessions.list({ appName: ctx.app, userId: 'ann', state: true }),
  'sessions.list of an app': (store, ctx) => store.sessions.list({ appName: ctx.app, orderBy: 'createdAt' }),
  'sessions.count': (store, ctx) => store.sessions.count({ appName: ctx.app }),
  'sessions.update': (store, ctx) => store.sessions.update(keyOf(ctx), { set: { b: 1, 'user:b': 1, 'app:b': 1 } }),
  'sessions.fork': (store, ctx) => store.sessions.fork(keyOf(ctx), { sessionId: 'forked' }),
  'sessions.stateAt': (store, ctx) => store.sessions.stateAt(keyOf(ctx), 1),
  'events.append': (store, ctx) =>
    store.events.append(keyOf(ctx), say('e2', 'x', { actions: { stateDelta: { c: 1, 'user:c': 1, 'app:c': 1 } } })),
  'events.append again': (store, ctx) => store.events.append(keyOf(ctx), say('e1')),
  'events.append in place of another': (store, ctx) =>
    store.events.append(keyOf(ctx), say('e1', 'other'), { onDuplicate: 'replace' }),
  'events.get': (store, ctx) => store.events.get(keyOf(ctx), 'e1'),
  'events.list': (store, ctx) => store.events.list(keyOf(ctx), { author: 'user', since: 0 }),
  'state.get': (store, ctx) => store.state.get({ appName: ctx.app, userId: 'ann' }),
  'state.update': (store, ctx) => store.state.update({ appName: ctx.app }, { set: { d: 1 } }),
  'artifacts.save': (store, ctx) => store.artifacts.save({ ...keyOf(ctx), name: 'a' }, new Uint8Array(9)),
  'artifacts.save of the user': (store, ctx) =>
    store.artifacts.save({ ...keyOf(ctx), name: 'user:a' }, new Uint8Array(3_000_000)),
  'artifacts.load': (store, ctx) => store.artifacts.load({ ...keyOf(ctx), name: 'user:a' }),
  'artifacts.list': (store, ctx) => store.artifacts.list(keyOf(ctx)),
  'artifacts.versions': (store, ctx) => store.artifacts.versions({ ...keyOf(ctx), name: 'a' }),
  'artifacts.sweep': (store, ctx) => store.artifacts.sweep({ appName: ctx.app }),
  'artifacts.prune': (store, ctx) => store.artifacts.prune({ appName: ctx.app, userId: 'ann', before: 1 }),
  'artifacts.delete of a version': (store, ctx) =>
    store.artifacts.delete({ ...keyOf(ctx), name: 'user:a' }, { version: 0 }),
  'artifacts.delete': (store, ctx) => store.artifacts.delete({ ...keyOf(ctx), name: 'a' }),
  'sessions.delete': (store, ctx) => store.sessions.delete(keyOf(ctx, 'forked')),
  'sessions.prune': (store, ctx) => store.sessions.prune({ appName: ctx.app, before: 1 }),
  'artifacts.save of more': async (store, ctx) => {
    for (const name of ['b', 'user:b']) await store.artifacts.save({ ...keyOf(ctx), name }, new Uint8Array(9))
  },
  'artifacts.prune of all': (store, ctx) => store.artifacts.prune({ appName: ctx.app, before: later }),
  'sessions.create of more': (store, ctx) => store.sessions.create(keyOf(ctx, 's3')),
  'sessions.prune of all': (store, ctx) => store.sessions.prune({ appName: ctx.app, before: later }),
  'sessions.create of what is erased': async (store, ctx) => {
    for (const id of ['s4', 's5']) await store.sessions.create(keyOf(ctx, id))
  },
  erase: (store, ctx) => store.erase({ appName: ctx.app, userId: 'ann' }),
}

/** What a statement carries may be nested: arrays, and lists that are bound as text. */
const carries = (value: unknown, keys: ReadonlySet<string>): boolean => {
  if (Array.isArray(value)) return value.some((one) => carries(one, keys))
  const text = String(value)
  const numbers = /^\[[\d,]+\]$/.test(text) ? text.slice(1, -1).split(',') : []
  return [text, ...numbers].some((one) => keys.has(one)) || [...keys].some((key) => text.includes(`"${key}"`))
}

export async function statementsCarryTheTenant(ctx: Ctx): Promise<void> {
  const internalKeys = oracleMember(ctx, 'internalKeys')
  const { store, during } = await observed(ctx)
  await newSession(ctx)
  await ctx.store.events.append(keyOf(ctx), say('e1'))
  for (const [name, call] of Object.entries(calls)) {
    const before = await internalKeys(ctx.app)
    const sent = withoutControl(await during(() => call(store, ctx)))
    const keys = new Set([ctx.app, ...before, ...(await internalKeys(ctx.app))])
    holds(sent.length > 0, `${name} sends a statement that is heard`, sent)
    const loose = sent.filter(({ values }) => !values.some((value) => carries(value, keys)))
    equal(
      loose.map(({ text }) => text),
      [],
      `${name}: statements that carry neither the tenant nor one of its keys`,
    )
  }
}
