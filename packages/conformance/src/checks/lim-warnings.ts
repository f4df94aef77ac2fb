import type { Logger, SessionKey, Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds } from '../expect.ts'
import { keyOf, say } from '../fixtures.ts'

const threshold = 100_000
/** A store may count what it stores, with blanks that its database puts in, or as a codec left it. */
const small = 70_000

/** Everything that leaves a state in the database, each with a document of its own. */
type Way = (store: Store, key: SessionKey, value: string) => Promise<unknown>

const delta = (stateDelta: Record<string, string>) => ({ actions: { stateDelta } })

const ways: readonly (readonly [name: string, way: Way])[] = [
  ['an append, of the session', (store, key, v) => store.events.append(key, say('e', 'x', delta({ v })))],
  ['an append, of the user', (store, key, v) => store.events.append(key, say('e', 'x', delta({ 'user:v': v })))],
  ['an append, of the app', (store, key, v) => store.events.append(key, say('e', 'x', delta({ 'app:v': v })))],
  [
    'a batch',
    (store, key, v) =>
      store.events.append(key, [say('e', 'x', delta({ w: 'w', 'user:w': 'w' })), say('f', 'x', delta({ v }))]),
  ],
  [
    'appends at once',
    (store, key, v) =>
      Promise.all(
        ['a', 'b', 'c', 'd'].map((id) =>
          store.events.append(key, say(id, 'x', delta(id === 'd' ? { v } : { [id]: id }))),
        ),
      ),
  ],
  ['sessions.update', (store, key, v) => store.sessions.update(key, { set: { v } })],
  [
    'state.update of the user',
    (store, key, v) => store.state.update({ appName: key.appName, userId: key.userId }, { set: { v } }),
  ],
  ['state.update of the app', (store, key, v) => store.state.update({ appName: key.appName }, { set: { v } })],
  [
    'create',
    (store, key, v) => store.sessions.create({ ...key, sessionId: `${key.sessionId}-new-${v.length}`, state: { v } }),
  ],
]

const ignore = () => {}

/** A document that is rewritten as a whole at each change should not grow unnoticed, however it grows. */
export async function largeStatesAreWarnedOf(ctx: Ctx): Promise<void> {
  const heard: { readonly bytes: number; readonly message: string }[] = []
  const warn: Logger['warn'] = (facts, message) => {
    if ('bytes' in facts && typeof facts.bytes === 'number') heard.push({ bytes: facts.bytes, message })
  }
  const store = await ctx.open({ logger: { debug: ignore, info: ignore, warn, error: ignore } })
  for (const [i, [name, way]] of ways.entries()) {
    const key = { ...keyOf(ctx, `s${i}`), userId: `user ${i}` }
    await store.sessions.create(key)
    await way(store, key, 'y'.repeat(small))
    equal(heard.splice(0), [], `warnings of ${small} bytes by ${name}`)
    const other = { ...key, sessionId: `${key.sessionId}-other` }
    await store.sessions.create(other)
    await way(store, other, 'y'.repeat(threshold + 1))
    const [warning] = heard.splice(0)
    holds(warning !== undefined, `a warning of ${threshold + 1} bytes by ${name}`, 'none')
    holds(warning.bytes > threshold && warning.bytes < threshold * 2, `the bytes that it tells, by ${name}`, warning)
    holds(!warning.message.includes('yyyy'), `no payload in its message, by ${name}`, warning.message)
    await store.state.update({ appName: key.appName }, { unset: ['v'] })
  }
}
