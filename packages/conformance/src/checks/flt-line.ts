import { isStoreError, type SessionKey, type Store, type StoreError } from '@daybook/core'
import type { Ctx } from '../context.ts'
import type { OpenOptions } from '../define.ts'
import { CheckFailure, describe, equal, holds, Unproven, within } from '../expect.ts'
import { openProxy, type Fault, type Injected, type Proxy } from '../faults.ts'
import type { Phase } from '../wire.ts'
import type { Write } from './flt-writes.ts'

/** A store whose connections can be cut. */
export interface Line {
  readonly proxy: Proxy
  readonly store: Store
}

/** Opens a store by way of a proxy, warm, with a small pool where the subject can have one. */
export async function onLine<T>(ctx: Ctx, body: (line: Line) => Promise<T>, options: OpenOptions = {}): Promise<T> {
  const proxy = await openProxy(ctx.need('endpoint'), ctx.place.wire)
  const { honours = [] } = ctx.place
  try {
    const small = honours.includes('poolMax') && { poolMax: 2 }
    const store = await ctx.open({ via: proxy.endpoint, timeout: patience(ctx), ...small, ...options })
    await store.sessions.get({ appName: ctx.app, userId: 'warm', sessionId: 'warm' })
    if (proxy.connections === 0) throw new Unproven('no endpoint', 'the store does not go by way of OpenOptions.via')
    const answer = await body({ proxy, store })
    await proxy.mend()
    await within(8000, store.close(), 'close() after faults')
    return answer
  } finally {
    await proxy.close()
  }
}

/** Milliseconds for a call whose connection may be lost. */
const patience = ({ place }: Ctx): number => 5000 + 3 * (place.keepsLost ?? 0)

/** Where a fault takes long to get over, or the budget is small, some of the cases, drawn by the seed. */
export function some<T>(ctx: Ctx, cases: readonly T[], count: number): readonly T[] {
  if (ctx.budget.name === 'cert' && ctx.place.keepsLost === undefined) return cases
  const rest = [...cases]
  const drawn = ctx.place.keepsLost === undefined ? count : 1
  return Array.from({ length: Math.min(drawn, rest.length) }, () =>
    rest.splice(Math.floor(ctx.random() * rest.length), 1),
  ).flat()
}

/** A write without a fault: what it sends, and what is there before and after it. */
export interface Rehearsal {
  readonly phases: readonly Phase[]
  /** Where its last commit is among what it sends. */
  readonly commit: number
  readonly before: unknown
  readonly after: unknown
  /** How long it took. */
  readonly ms: number
}

let apps = 0
export const freshKey = (ctx: Ctx): SessionKey => ({
  appName: `${ctx.app}.${(apps += 1)}`,
  userId: 'ann',
  sessionId: 's1',
})

export async function rehearse(ctx: Ctx, { proxy, store }: Line, write: Write): Promise<Rehearsal> {
  ctx.need('wire')
  // What a call sends may depend on how the one before it went.
  const first = freshKey(ctx)
  await write.before(ctx.store, first)
  await write.call(store, first)
  const key = freshKey(ctx)
  await write.before(ctx.store, key)
  const before = await write.look(ctx.other, key)
  const begun = performance.now()
  const phases = await proxy.trace(() => write.call(store, key))
  const ms = Math.ceil(performance.now() - begun)
  const after = await write.look(ctx.other, key)
  holds(JSON.stringify(before) !== JSON.stringify(after), `${write.name} changes what the check looks at`, after)
  const commit = phases.lastIndexOf('commit')
  if (commit === -1) throw new Unproven('no wire', `${write.name} shows no commit, only ${phases.join(' ')}`)
  return { phases, commit, before, after, ms }
}

/** The statement of a write at that place. A new connection has more to say before it, so a commit is told by what it is. */
export const statementAt = ({ phases }: Rehearsal, place: number): Pick<Fault, 'at' | 'after'> =>
  phases[place] === 'commit'
    ? { at: 'commit', after: phases.slice(0, place).filter((phase) => phase === 'commit').length }
    : { after: place }

/** What became of a write that a fault hit. */
export interface Hit {
  readonly key: SessionKey
  readonly error: StoreError | undefined
  readonly found: 'nothing' | 'all'
  /** For messages. */
  readonly what: string
}

/** Has a fault hit a write in an app of its own. It has to end, with an error of the contract or none, and be there as a whole or not at all. */
export async function hit(ctx: Ctx, line: Line, write: Write, rehearsed: Rehearsal, fault: Fault): Promise<Hit> {
  const key = freshKey(ctx)
  const at = fault.at ?? `statement ${(fault.after ?? 0) + 1} (${rehearsed.phases[fault.after ?? 0] ?? ''})`
  const what = `${write.name}, ${at} ${fault.damage}, ${fault.end ?? 'RST'}`
  await write.before(ctx.store, key)
  const injected: Injected = line.proxy.inject(fault)
  const error = await failureOf(write.call(line.store, key), what)
  if (injected.hits === 0) throw new Unproven('no wire', `${what}: the fault hit nothing`)
  await line.proxy.mend()
  const look = () => write.look(ctx.other, key)
  let seen = await look()
  // A look is several reads, and a server that got the commit may finish it between two of them; what is torn stays so.
  if (![rehearsed.before, rehearsed.after].some((whole) => same(seen, whole))) seen = await look()
  const isAll = same(seen, rehearsed.after)
  if (!isAll) equal(seen, rehearsed.before, `${what}: it is there as a whole, or not at all (${nameOf(error)})`)
  return { key, error, found: isAll ? 'all' : 'nothing', what }
}

/** The same call once more, and after it everything is there exactly once. */
export async function repeats(
  ctx: Ctx,
  { store }: Line,
  write: Write,
  { after }: Rehearsal,
  { key, found, what }: Hit,
): Promise<void> {
  const error = await failureOf(write.call(store, key), `${what}: the same call again`)
  if (error !== undefined && (found === 'nothing' || error.code !== write.again))
    throw new CheckFailure(
      `${what}: the same call again, with ${found} there`,
      write.again ?? 'success',
      describe(error),
    )
  equal(await write.look(ctx.other, key), after, `${what}: after the same call again it is there exactly once`)
}

export async function failureOf(call: Promise<unknown>, what: string): Promise<StoreError | undefined> {
  try {
    await call
    return undefined
  } catch (error) {
    if (isStoreError(error)) return error
    throw new CheckFailure(`${what}: an error of the contract`, 'StoreError', describe(error), { cause: error })
  }
}

export const nameOf = (error: StoreError | undefined): string =>
  error === undefined ? 'it succeeded' : describe(error)

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
