import type { Limits } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, rejects } from '../expect.ts'
import { keyOf, loaded, newSession, nothingWritten, say, wrong } from '../fixtures.ts'

const limitOf = (limits: Limits, name: keyof Limits) => limits[name]

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

export async function unstorableValues(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const refused = async () => {
    for (const [name, value] of unstorable) await refusesValue(ctx, name, value)
  }
  await nothingWritten(ctx, refused, 'values that JSON cannot hold')
  const date = new Date(86_400_000)
  await ctx.store.events.append(keyOf(ctx), {
    id: 'd',
    content: { date, gone: undefined, list: [undefined, 1] },
    actions: { stateDelta: { date, gone: undefined } },
  })
  const stored = { date: '1970-01-02T00:00:00.000Z' }
  const { content } = (await ctx.other.events.get(keyOf(ctx), 'd'))?.event ?? {}
  equal(content, { ...stored, list: [null, 1] }, 'undefined is dropped and toJSON applied, in an event')
  equal((await loaded(ctx)).state, stored, 'undefined is dropped and toJSON applied, in state')
}

async function refusesValue(ctx: Ctx, name: string, value: unknown): Promise<void> {
  const { sessions, events, state } = ctx.store
  const inEvent = () => events.append(keyOf(ctx), { content: { parts: [{ value }] } })
  const eventPath = (await rejects(inEvent, 'invalid_argument', `${name} in an event`)).facts.field
  holds(eventPath?.includes('content.parts[0].value') === true, `the path of ${name} is named`, eventPath)
  const inState = () => sessions.update(keyOf(ctx), { set: { a: { value } } })
  const statePath = (await rejects(inState, 'invalid_argument', `${name} in state`)).facts.field
  holds(statePath?.includes('a.value') === true, `the path of ${name} in state is named`, statePath)
  const atBirth = () => sessions.create({ ...keyOf(ctx, 'n'), state: { value } })
  await rejects(atBirth, 'invalid_argument', `${name} at creation`)
  const inApp = () => state.update({ appName: ctx.app }, { replace: { value } })
  await rejects(inApp, 'invalid_argument', `${name} in app state`)
}

const badIds: readonly unknown[] = [undefined, null, '', 1, {}, ['s1'], 'a\0b', '\ud800', 'x\udc00y']

/** Where an id is an argument, and what the refusal names. `optional`: left out, it is given by the store. */
const idPlaces: readonly {
  readonly where: string
  readonly field?: string
  readonly optional?: true
  readonly call: (ctx: Ctx, id: string) => Promise<unknown>
}[] = [
  {
    where: 'sessions.get, session id',
    field: 'key.sessionId',
    call: (ctx, sessionId) => ctx.store.sessions.get({ ...keyOf(ctx), sessionId }),
  },
  {
    where: 'sessions.get, session id, and a filter that is none',
    field: 'key.sessionId',
    call: (ctx, sessionId) => ctx.store.sessions.get({ ...keyOf(ctx), sessionId }, { events: { last: -1 } }),
  },
  {
    where: 'sessions.delete, user id',
    field: 'key.userId',
    call: (ctx, userId) => ctx.store.sessions.delete({ ...keyOf(ctx), userId }),
  },
  {
    where: 'events.list, app name',
    field: 'key.appName',
    call: (ctx, appName) => ctx.store.events.list({ ...keyOf(ctx), appName }),
  },
  { where: 'sessions.list, app name', field: 'appName', call: (ctx, appName) => ctx.store.sessions.list({ appName }) },
  { where: 'events.get, event id', call: (ctx, id) => ctx.store.events.get(keyOf(ctx), id) },
  { where: 'erase, user id', call: (ctx, userId) => ctx.store.erase({ appName: ctx.app, userId }) },
  { where: 'state.get, app name', call: (ctx, appName) => ctx.store.state.get({ appName }) },
  { where: 'events.append, event id', optional: true, call: (ctx, id) => ctx.store.events.append(keyOf(ctx), { id }) },
  {
    where: 'sessions.create, session id',
    field: 'session.sessionId',
    optional: true,
    call: (ctx, sessionId) => ctx.store.sessions.create({ ...keyOf(ctx), sessionId }),
  },
]

export async function malformedIds(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const refused = async () => {
    for (const bad of badIds) {
      for (const { where, field, optional, call } of idPlaces) {
        if (bad === undefined && optional === true) continue
        const id = bad as string // what the types forbid is what is tried
        const facts = field === undefined ? {} : { field }
        await rejects(() => call(ctx, id), 'invalid_argument', `${where} ${JSON.stringify(bad) ?? 'undefined'}`, facts)
      }
    }
    await rejects(() => ctx.store.sessions.get(wrong(null)), 'invalid_argument', 'get without a key')
  }
  await nothingWritten(ctx, refused, 'malformed ids')
}

const hostile = (): Record<string, unknown> => ({
  get trap() {
    throw new Error('trap')
  },
})

export async function oddObjects(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const sparse: unknown[] = [1]
  sparse[3] = 2
  const proxy = new Proxy({ a: 1 }, {})
  await ctx.store.events.append(keyOf(ctx), {
    id: 'odd',
    content: { sparse, proxy, bare: Object.assign(Object.create(null) as object, { b: 1 }) }, // create answers any
  })
  equal(
    (await ctx.other.events.get(keyOf(ctx), 'odd'))?.event.content,
    { sparse: [1, null, null, 2], proxy: { a: 1 }, bare: { b: 1 } },
    'sparse arrays, proxies, objects without a prototype',
  )
  await nothingWritten(
    ctx,
    async () => {
      await rejects(
        () => ctx.store.events.append(keyOf(ctx), { content: hostile() }),
        'invalid_argument',
        'a getter that throws',
      )
      await rejects(
        () => ctx.store.sessions.update(keyOf(ctx), { set: { x: hostile() } }),
        'invalid_argument',
        'a getter that throws, in state',
      )
      await rejects(
        () => ctx.store.events.append(keyOf(ctx), { content: new Map([[1, 2]]) }),
        'invalid_argument',
        'a Map',
      )
    },
    'odd objects',
  )
}

export async function unknownOptions(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const odd = { surprise: 1 } as object // without its member, which the types refuse
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
  await nothingWritten(
    ctx,
    async () => {
      for (const [name, call] of calls) await rejects(call, 'invalid_argument', `${name} with an unknown option`)
    },
    'unknown options',
  )
}

export async function messages(ctx: Ctx): Promise<void> {
  const secret = 'hunter2-payload'
  const store = await ctx.open({ limits: { eventBytes: 300, stateBytes: 300 } })
  await newSession(ctx)
  const errors = [
    await rejects(
      () => store.events.append(keyOf(ctx), { content: secret.repeat(50) }),
      'limit_exceeded',
      'an event over the limit',
    ),
    await rejects(
      () => store.sessions.update(keyOf(ctx), { set: { a: secret.repeat(50) } }),
      'limit_exceeded',
      'a state over the limit',
    ),
    await rejects(
      () => store.sessions.get(keyOf(ctx, `${secret}${'x'.repeat(limitOf(ctx.limits, 'idCodePoints'))}`)),
      'limit_exceeded',
      'an id over the limit',
    ),
  ]
  for (const { message, facts } of errors) {
    const { field, limit, actual } = facts
    holds(
      field !== undefined && limit !== undefined && actual !== undefined && actual > limit,
      'field, limit and actual are facts',
      facts,
    )
    holds(message.includes(String(limit)) && message.includes(field), 'the message names field and limit', message)
    holds(!message.includes(secret), 'the message does not carry the payload', message)
  }
}
