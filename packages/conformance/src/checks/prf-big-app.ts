import type { SessionKey, Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import type { Oracle, SentStatement, StatementPlan } from '../define.ts'
import { oracleMember, withoutControl } from '../whitebox.ts'

/** 50,000 rows, in proportions that tempt a planner: many sessions of one user, many users of one app, a long session. */
export const size = { sessions: 10_000, users: 30_000, events: 10_000, artifacts: 10_000 } as const

const seededPlaces = new WeakMap<Oracle, Promise<void>>()

/** The app of the 50,000 rows, filled once for each place: a place that a mutant spoils keeps its oracle. */
export async function bigApp(ctx: Ctx): Promise<{ readonly appName: string; readonly long: SessionKey }> {
  const seed = oracleMember(ctx, 'seed')
  const appName = 'big'
  const fill = async () => {
    const { artifacts, ...rest } = size
    const hasArtifacts = ctx.store.capabilities.artifacts === 'yes'
    await seed({ appName, ...rest, ...(hasArtifacts && { artifacts }) })
    await ctx.store.state.update({ appName, userId: 'ann' }, { set: { a: 0 } })
    await ctx.store.state.update({ appName }, { set: { a: 0 } })
  }
  const oracle = ctx.need('oracle')
  const filled = seededPlaces.get(oracle) ?? fill()
  seededPlaces.set(oracle, filled)
  await filled
  return { appName, long: { appName, userId: 'ann', sessionId: 's1' } }
}

/** A table read from end to end is a fault once it has rows to speak of; where nobody tells how many, always. */
export const isFault = ({ rows = Infinity }: StatementPlan['scans'][number]): boolean => rows > 1000

export async function plansOf(ctx: Ctx, statements: readonly SentStatement[]): Promise<readonly StatementPlan[]> {
  const plan = oracleMember(ctx, 'plan')
  const plans: StatementPlan[] = []
  for (const statement of withoutControl(statements)) plans.push(await plan(statement))
  return plans
}

export type Call = (store: Store) => Promise<unknown>

/** What an agent and its screens wait for. Each works as often as it is called. */
export function hotCalls(
  { appName, long }: { readonly appName: string; readonly long: SessionKey },
  prefix: string,
): Record<string, Call> {
  const user = { appName, userId: 'ann' }
  let appended = 0
  const next = () => ({ id: `${prefix}${(appended += 1)}`, timestamp: 1_900_000_000_000 })
  return {
    'sessions.get': (store) => store.sessions.get(long),
    'sessions.get with the last events': (store) => store.sessions.get(long, { events: { last: 5 } }),
    'sessions.get with newer events': (store) =>
      store.sessions.get(long, { events: { afterSeq: size.events - 5, last: 20 } }),
    'events.get': (store) => store.events.get(long, 'e7'),
    'events.list': (store) => store.events.list(long, { limit: 20 }),
    'events.list, newest first': (store) => store.events.list(long, { limit: 20, direction: 'desc' }),
    'sessions.list of a user': (store) => store.sessions.list({ ...user, limit: 20 }),
    'sessions.list of a user with state': (store) => store.sessions.list({ ...user, limit: 20, state: true }),
    'sessions.list of an app by creation': (store) => store.sessions.list({ appName, orderBy: 'createdAt', limit: 20 }),
    'state.get': (store) => store.state.get(user),
    'events.append': (store) => store.events.append(long, next()),
    'events.append that asks for the state': (store) => store.events.append(long, next(), { state: true }),
    'events.append with state of every scope': (store) =>
      store.events.append(long, {
        ...next(),
        actions: { stateDelta: { a: appended, 'user:a': appended, 'app:a': appended } },
      }),
  }
}

/** What tools do about files: among 10,000 names of a session, and 10,000 versions of one. */
export function artifactCalls({ long }: { readonly long: SessionKey }): Record<string, Call> {
  const [one, many] = [
    { ...long, name: 'a77' },
    { ...long, name: 'many' },
  ]
  return {
    // First, so that the newest is one that was saved, whichever check was there before.
    'artifacts.save': (store) => store.artifacts.save(many, new Uint8Array(10)),
    'artifacts.load': (store) => store.artifacts.load(one),
    'artifacts.load of a version': (store) => store.artifacts.load(many, { version: 77 }),
    'artifacts.load of the newest of many': (store) => store.artifacts.load(many),
    'artifacts.versions': (store) => store.artifacts.versions(many, { limit: 20 }),
    'artifacts.versions, newest first': (store) => store.artifacts.versions(many, { limit: 20, direction: 'desc' }),
    'artifacts.list with its page': (store) => store.artifacts.list({ ...long, limit: 20 }),
    'artifacts.prune of an app': (store) => store.artifacts.prune({ appName: long.appName, before: 1 }),
    'artifacts.delete of a version': (store) => store.artifacts.delete(many, { version: 5 }),
  }
}
