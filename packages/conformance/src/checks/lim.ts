import type { AgentEvent, Limits } from '@daybook/core'
import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, rejects } from '../expect.ts'
import { keyOf, loaded, newSession, nothingWritten, numbers, say, someEvents, walkSessions } from '../fixtures.ts'

const limitOf = (limits: Limits, name: keyof Limits) => limits[name]

async function idLimits(ctx: Ctx): Promise<void> {
  const { idCodePoints, idBytes } = ctx.limits
  const emoji = '😀'.repeat(Math.floor(idBytes / 4))
  const fits = ['x'.repeat(idCodePoints), emoji]
  for (const id of fits) {
    await newSession(ctx, id, {}, id)
    equal((await ctx.other.sessions.get(keyOf(ctx, id, id)))?.sessionId, id, 'an id at the limit')
    await ctx.store.events.append(keyOf(ctx, id, id), say(id))
    equal((await ctx.other.events.get(keyOf(ctx, id, id), id))?.event.id, id, 'an event id at the limit')
  }
  await newSession(ctx)
  const over = [['x'.repeat(idCodePoints + 1), { limit: idCodePoints, actual: idCodePoints + 1 }], [`${emoji}x`, { limit: idBytes, actual: idBytes + 1 }]] as const
  await nothingWritten(ctx, async () => {
    for (const [id, facts] of over) {
      await rejects(() => newSession(ctx, id), 'limit_exceeded', 'create with a session id over the limit', facts)
      await rejects(() => newSession(ctx, 's9', {}, id), 'limit_exceeded', 'create with a user id over the limit', facts)
      await rejects(() => ctx.store.sessions.get(keyOf(ctx, id)), 'limit_exceeded', 'get with an id over the limit', { field: 'key.sessionId', ...facts })
      await rejects(() => ctx.store.sessions.list({ appName: id }), 'limit_exceeded', 'list with an app name over the limit', { field: 'appName', ...facts })
      await rejects(() => ctx.store.events.append(keyOf(ctx), say(id)), 'limit_exceeded', 'append with an event id over the limit', facts)
      await rejects(() => ctx.store.sessions.fork(keyOf(ctx), { sessionId: id }), 'limit_exceeded', 'fork to an id over the limit', facts)
    }
  }, 'ids over the limit')
}

async function stringLengths(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  for (const size of [255, 256, 65_535, 65_536, 1024 * 1024]) {
    const text = `${'é'.repeat(size - 1)}!`
    const event = say(`e${size}`, text, { author: text.slice(0, 300), errorMessage: text, actions: { stateDelta: { text } } })
    await ctx.store.events.append(keyOf(ctx), event)
    const got = await ctx.other.events.get(keyOf(ctx), event.id)
    holds(JSON.stringify(got?.event) === JSON.stringify(event), `a text of ${size} characters in an event is exact`, `${JSON.stringify(got?.event).length} characters of JSON, not ${JSON.stringify(event).length}`)
    const { state } = (await ctx.other.sessions.get(keyOf(ctx))) ?? {}
    holds(state?.['text'] === text, `a text of ${size} characters in state is exact`, `${String(state?.['text']).length} characters`)
  }
}

/** An event of exactly so many bytes of JSON. */
function eventOf(bytes: number, id: string): AgentEvent & { id: string } {
  const event = { id, timestamp: 1, content: '' }
  return { ...event, content: 'x'.repeat(bytes - JSON.stringify(event).length) }
}

const stateOf = (bytes: number) => ({ k: 'x'.repeat(bytes - JSON.stringify({ k: '' }).length) })

async function byteLimits(ctx: Ctx): Promise<void> {
  for (const [name, store] of [['the default limits', ctx.store], ['limits of the options', await ctx.open({ limits: { eventBytes: 1000, stateBytes: 500 } })]] as const) {
    const session = await store.sessions.create({ appName: ctx.app, userId: name })
    const { eventBytes, stateBytes } = store.limits
    const event = eventOf(eventBytes, 'at')
    await store.events.append(session, event)
    holds((await ctx.other.events.get(session, 'at'))?.event.content === event.content, `an event of ${eventBytes} bytes round-trips, ${name}`)
    await store.sessions.update(session, { set: stateOf(stateBytes) })
    holds((await ctx.other.sessions.get(session))?.state['k'] === stateOf(stateBytes).k, `a state of ${stateBytes} bytes round-trips, ${name}`)
    const before = await ctx.other.sessions.get(session)
    await rejects(() => store.events.append(session, eventOf(eventBytes + 1, 'over')), 'limit_exceeded', `an event of one byte more, ${name}`, { limit: eventBytes, actual: eventBytes + 1 })
    await rejects(() => store.sessions.update(session, { set: stateOf(stateBytes + 1) }), 'limit_exceeded', `a state of one byte more, ${name}`, { limit: stateBytes })
    await rejects(() => store.events.append(session, say('grow', 'x', { actions: { stateDelta: { more: 1 } } })), 'limit_exceeded', `a delta that makes the state too large, ${name}`, { limit: stateBytes })
    await rejects(() => store.state.update(session, { set: stateOf(stateBytes + 1) }), 'limit_exceeded', `a user state of one byte more, ${name}`, { limit: stateBytes })
    equal((await ctx.other.sessions.get(session))?.revision, before?.revision, `revision after refusals, ${name}`)
    await store.sessions.delete(session)
  }
}

const nested = (levels: number): unknown => numbers(levels).reduce<unknown>((inner) => [inner], 1)

async function depthLimits(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const { eventDepth, stateDepth } = ctx.limits
  // The event itself and the state document are one level.
  const content = nested(eventDepth - 1)
  await ctx.store.events.append(keyOf(ctx), { id: 'deep', content })
  equal((await ctx.other.events.get(keyOf(ctx), 'deep'))?.event.content, content, `an event of ${eventDepth} levels`)
  const value = nested(stateDepth - 1)
  await ctx.store.sessions.update(keyOf(ctx), { set: { value, 'app:value': value } })
  equal((await loaded(ctx)).state, { value, 'app:value': value }, `a state of ${stateDepth} levels`)
  await nothingWritten(ctx, async () => {
    await rejects(() => ctx.store.events.append(keyOf(ctx), { content: nested(eventDepth) }), 'limit_exceeded', 'an event of one level more', { limit: eventDepth, actual: eventDepth + 1 })
    await rejects(() => ctx.store.sessions.update(keyOf(ctx), { set: { value: nested(stateDepth) } }), 'limit_exceeded', 'a state of one level more', { limit: stateDepth, actual: stateDepth + 1 })
    await rejects(() => ctx.store.state.update({ appName: ctx.app }, { set: { value: nested(stateDepth) } }), 'limit_exceeded', 'an app state of one level more', { limit: stateDepth })
    await rejects(() => ctx.store.events.append(keyOf(ctx), { content: nested(20_000) }), ['limit_exceeded', 'invalid_argument'], 'an event of 20,000 levels')
  }, 'too deep')
}

async function batchLimits(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const { batchEvents } = ctx.limits
  equal((await ctx.store.events.append(keyOf(ctx), [])).events, [], 'a batch of none')
  equal((await ctx.store.events.append(keyOf(ctx), [say('one')])).events.length, 1, 'a batch of one')
  const { events } = await ctx.store.events.append(keyOf(ctx), someEvents(batchEvents))
  equal([events.length, events.at(-1)?.seq], [batchEvents, batchEvents + 1], 'a batch of the largest size')
  equal((await ctx.other.sessions.get(keyOf(ctx)))?.lastSeq, batchEvents + 1, 'lastSeq after it')
  const small = await ctx.open({ limits: { batchBytes: 1000 } })
  await nothingWritten(ctx, async () => {
    await rejects(() => ctx.store.events.append(keyOf(ctx), someEvents(batchEvents + 1, 'n')), 'limit_exceeded', 'a batch of one more', { limit: batchEvents, actual: batchEvents + 1 })
    await rejects(() => small.events.append(keyOf(ctx), [eventOf(600, 'a'), eventOf(401, 'b')]), 'limit_exceeded', 'a batch of too many bytes', { limit: 1000, actual: 1001 })
  }, 'too large a batch')
  equal((await small.events.append(keyOf(ctx), [eventOf(600, 'a'), eventOf(400, 'b')])).events.length, 2, 'a batch of exactly as many bytes as are allowed')
}

const cyclic: Record<string, unknown> = {}
cyclic['self'] = { cyclic }

/** What JSON would lose or falsify, and the path that has to be named. */
const unstorable: readonly (readonly [string, unknown])[] = [
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a BigInt', 10n],
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['a cycle', cyclic],
]

async function unstorableValues(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  await nothingWritten(ctx, async () => {
    for (const [name, value] of unstorable) {
      const inEvent = await rejects(() => ctx.store.events.append(keyOf(ctx), { content: { parts: [{ value }] } }), 'invalid_argument', `${name} in an event`)
      holds(inEvent.facts.field?.includes('content.parts[0].value') === true, `the path of ${name} is named`, inEvent.facts)
      const inState = await rejects(() => ctx.store.sessions.update(keyOf(ctx), { set: { a: { value } } }), 'invalid_argument', `${name} in state`)
      holds(inState.facts.field?.includes('a.value') === true, `the path of ${name} in state is named`, inState.facts)
      await rejects(() => ctx.store.sessions.create({ ...keyOf(ctx, 'n'), state: { value } }), 'invalid_argument', `${name} at creation`)
      await rejects(() => ctx.store.state.update({ appName: ctx.app }, { replace: { value } }), 'invalid_argument', `${name} in app state`)
    }
  }, 'values that JSON cannot hold')
  const date = new Date(86_400_000)
  await ctx.store.events.append(keyOf(ctx), { id: 'd', content: { date, gone: undefined, list: [undefined, 1] }, actions: { stateDelta: { date, gone: undefined } } })
  equal((await ctx.other.events.get(keyOf(ctx), 'd'))?.event.content, { date: '1970-01-02T00:00:00.000Z', list: [null, 1] }, 'undefined is dropped and toJSON applied, in an event')
  equal((await loaded(ctx)).state, { date: '1970-01-02T00:00:00.000Z' }, 'undefined is dropped and toJSON applied, in state')
}

const badIds: readonly unknown[] = [undefined, null, '', 1, {}, ['s1'], 'a\0b', '\ud800', 'x\udc00y']

async function malformedIds(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  await nothingWritten(ctx, async () => {
    for (const bad of badIds) {
      const id = bad as string // what the types forbid is what is tried
      const name = JSON.stringify(bad) ?? 'undefined'
      await rejects(() => ctx.store.sessions.get({ ...keyOf(ctx), sessionId: id }), 'invalid_argument', `get with session id ${name}`, { field: 'key.sessionId' })
      await rejects(() => ctx.store.sessions.delete({ ...keyOf(ctx), userId: id }), 'invalid_argument', `delete with user id ${name}`, { field: 'key.userId' })
      await rejects(() => ctx.store.events.list({ ...keyOf(ctx), appName: id }), 'invalid_argument', `events.list with app name ${name}`, { field: 'key.appName' })
      await rejects(() => ctx.store.sessions.list({ appName: id }), 'invalid_argument', `sessions.list with app name ${name}`, { field: 'appName' })
      await rejects(() => ctx.store.events.get(keyOf(ctx), id), 'invalid_argument', `events.get with id ${name}`)
      await rejects(() => ctx.store.erase({ appName: ctx.app, userId: id }), 'invalid_argument', `erase with user id ${name}`)
      await rejects(() => ctx.store.state.get({ appName: id }), 'invalid_argument', `state.get with app name ${name}`)
      if (bad === undefined) continue
      await rejects(() => ctx.store.events.append(keyOf(ctx), { id }), 'invalid_argument', `append with event id ${name}`)
      await rejects(() => newSession(ctx, id), 'invalid_argument', `create with session id ${name}`, { field: 'session.sessionId' })
    }
    await rejects(() => ctx.store.sessions.get(null as unknown as ReturnType<typeof keyOf>), 'invalid_argument', 'get without a key') // what the types forbid
  }, 'malformed ids')
}

const hostile = (): Record<string, unknown> => ({
  get trap() {
    throw new Error('trap')
  },
})

async function oddObjects(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const sparse: unknown[] = [1]
  sparse[3] = 2
  const proxy = new Proxy({ a: 1 }, {})
  await ctx.store.events.append(keyOf(ctx), { id: 'odd', content: { sparse, proxy, bare: Object.assign(Object.create(null) as object, { b: 1 }) } })
  equal((await ctx.other.events.get(keyOf(ctx), 'odd'))?.event.content, { sparse: [1, null, null, 2], proxy: { a: 1 }, bare: { b: 1 } }, 'sparse arrays, proxies, objects without a prototype')
  await nothingWritten(ctx, async () => {
    await rejects(() => ctx.store.events.append(keyOf(ctx), { content: hostile() }), 'invalid_argument', 'a getter that throws')
    await rejects(() => ctx.store.sessions.update(keyOf(ctx), { set: { x: hostile() } }), 'invalid_argument', 'a getter that throws, in state')
    await rejects(() => ctx.store.events.append(keyOf(ctx), { content: new Map([[1, 2]]) }), 'invalid_argument', 'a Map')
  }, 'odd objects')
}

async function manyKeys(ctx: Ctx): Promise<void> {
  const state = Object.fromEntries(numbers(1000).map((i) => [`key${i}`, i]))
  await newSession(ctx, 's1', state)
  await ctx.store.events.append(keyOf(ctx), say('e1', 'x', { actions: { stateDelta: { key500: 'changed' } } }))
  equal((await loaded(ctx)).state, { ...state, key500: 'changed' }, 'a state of 1,000 keys')
  const count = ctx.budget.name === 'cert' ? 10_000 : 500
  for (let from = 0; from < count; from += 50) await Promise.all(numbers(50, from).map((i) => newSession(ctx, `many${i}`, {}, 'bob')))
  equal((await walkSessions(ctx.other, { appName: ctx.app, userId: 'bob', limit: ctx.limits.pageMax })).length, count, 'many sessions')
}

async function unknownOptions(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const odd = { surprise: 1 } as object
  const { sessions, events, state } = ctx.store
  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['sessions.create', () => sessions.create(keyOf(ctx, 'n'), odd)],
    ['sessions.get', () => sessions.get(keyOf(ctx), odd)],
    ['sessions.list', () => sessions.list({ appName: ctx.app, ...odd })],
    ['sessions.count', () => sessions.count({ appName: ctx.app, ...odd })],
    ['sessions.update', () => sessions.update(keyOf(ctx), { set: { a: 1 } }, odd)],
    ['sessions.delete', () => sessions.delete(keyOf(ctx), odd)],
    ['sessions.fork', () => sessions.fork(keyOf(ctx), odd)],
    ['sessions.stateAt', () => sessions.stateAt(keyOf(ctx), 0, odd)],
    ['sessions.prune', () => sessions.prune({ appName: ctx.app, before: 0, ...odd })],
    ['events.append', () => events.append(keyOf(ctx), say('e'), odd)],
    ['events.get', () => events.get(keyOf(ctx), 'e', odd)],
    ['events.list', () => events.list(keyOf(ctx), odd)],
    ['state.get', () => state.get({ appName: ctx.app }, odd)],
    ['state.update', () => state.update({ appName: ctx.app }, { set: { a: 1 } }, odd)],
    ['erase', () => ctx.store.erase({ appName: ctx.app, userId: 'ann' }, odd)],
    ['migrate', () => ctx.store.migrate(odd)],
    ['health', () => ctx.store.health(odd)],
  ]
  await nothingWritten(ctx, async () => {
    for (const [name, call] of calls) await rejects(call, 'invalid_argument', `${name} with an unknown option`)
  }, 'unknown options')
}

async function messages(ctx: Ctx): Promise<void> {
  const secret = 'hunter2-payload'
  const store = await ctx.open({ limits: { eventBytes: 300, stateBytes: 300 } })
  await newSession(ctx)
  const errors = [
    await rejects(() => store.events.append(keyOf(ctx), { content: secret.repeat(50) }), 'limit_exceeded', 'an event over the limit'),
    await rejects(() => store.sessions.update(keyOf(ctx), { set: { a: secret.repeat(50) } }), 'limit_exceeded', 'a state over the limit'),
    await rejects(() => store.sessions.get(keyOf(ctx, `${secret}${'x'.repeat(limitOf(ctx.limits, 'idCodePoints'))}`)), 'limit_exceeded', 'an id over the limit'),
  ]
  for (const { message, facts } of errors) {
    const { field, limit, actual } = facts
    holds(field !== undefined && limit !== undefined && actual !== undefined && actual > limit, 'field, limit and actual are facts', facts)
    holds(message.includes(String(limit)) && message.includes(field), 'the message names field and limit', message)
    holds(!message.includes(secret), 'the message does not carry the payload', message)
  }
}

export const LIM: Checks = [
  check('LIM-01', 'ids of 191 code points and of 512 bytes pass; one more is limit_exceeded', idLimits),
  check('LIM-02', 'strings of 255, 256, 65,535, 65,536 characters and 1 Mi are exact', stringLengths, { budgetMs: 60_000 }),
  check('LIM-03', 'events and states at their limit of bytes round-trip; one more is refused before writing', byteLimits, { budgetMs: 60_000 }),
  check('LIM-04', 'depth at the limit round-trips; one more is refused', depthLimits),
  check('LIM-05', 'batches of none, one, the most; one more is refused', batchLimits, { budgetMs: 60_000 }),
  check('LIM-06', 'what JSON cannot hold is refused with its path, before any I/O; undefined dropped, toJSON applied', unstorableValues),
  check('LIM-07', 'missing, null, empty, non-string ids, NUL or a lone surrogate: invalid_argument naming the field', malformedIds),
  check('LIM-08', 'sparse arrays, throwing getters, proxies', oddObjects),
  check('LIM-09', '1,000 keys in a state; thousands of sessions', manyKeys, { budgetMs: 120_000 }),
  check('LIM-11', 'unknown options are refused', unknownOptions),
  check('LIM-12', 'messages name field, limit and actual, never the payload', messages),
]
