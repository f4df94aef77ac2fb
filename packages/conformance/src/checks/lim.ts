import { isJsonObject, type AgentEvent, type Limits } from '@daybook/core'
import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, rejects } from '../expect.ts'
import { keyOf, loaded, newSession, nothingWritten, numbers, say, someEvents, walkSessions } from '../fixtures.ts'
import { largeStatesAreWarnedOf } from './lim-warnings.ts'
import { unstorableValues, malformedIds, oddObjects, unknownOptions, messages } from './lim-arguments.ts'

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
  const over = [
    ['x'.repeat(idCodePoints + 1), { limit: idCodePoints, actual: idCodePoints + 1 }],
    [`${emoji}x`, { limit: idBytes, actual: idBytes + 1 }],
  ] as const
  const { sessions, events } = ctx.store
  const refused = async () => {
    for (const [id, facts] of over) {
      const isRefused = (call: () => Promise<unknown>, what: string, field: object = {}) =>
        rejects(call, 'limit_exceeded', `${what} over the limit`, { ...facts, ...field })
      await isRefused(() => newSession(ctx, id), 'create with a session id')
      await isRefused(() => newSession(ctx, 's9', {}, id), 'create with a user id')
      await isRefused(() => sessions.get(keyOf(ctx, id)), 'get with an id', { field: 'key.sessionId' })
      await isRefused(() => sessions.list({ appName: id }), 'list with an app name', { field: 'appName' })
      await isRefused(() => events.append(keyOf(ctx), say(id)), 'append with an event id')
      await isRefused(() => sessions.fork(keyOf(ctx), { sessionId: id }), 'fork to an id')
    }
  }
  await nothingWritten(ctx, refused, 'ids over the limit')
}

/** An event that has the text wherever one may be; where events may not be that large, one for each of those places. */
function eventsWith(text: string, id: string, limits: Limits): readonly ReturnType<typeof say>[] {
  const author = text.slice(0, Math.min(300, Math.floor(limits.eventNameBytes / 2))) // two bytes a character
  const actions = { stateDelta: { text } }
  const whole = say(id, text, { author, errorMessage: text, actions })
  if (Buffer.byteLength(JSON.stringify(whole)) <= limits.eventBytes) return [whole]
  return [
    say(id, text, { author }),
    say(`${id}-error`, 'x', { errorMessage: text }),
    say(`${id}-state`, 'x', { actions }),
  ]
}

/** What an event or a state has beside its one long text. */
const besides = 2000

async function stringLengths(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const { eventBytes, stateBytes } = ctx.limits
  const longest = Math.floor((Math.min(eventBytes, stateBytes) - besides) / 2) // two bytes a character
  const sizes = [255, 256, 65_535, 65_536, 1024 * 1024].map((size) => Math.min(size, longest))
  for (const size of new Set(sizes)) {
    const text = `${'é'.repeat(size - 1)}!`
    for (const event of eventsWith(text, `e${size}`, ctx.limits)) {
      await ctx.store.events.append(keyOf(ctx), event)
      const got = await ctx.other.events.get(keyOf(ctx), event.id)
      holds(
        JSON.stringify(got?.event) === JSON.stringify(event),
        `a text of ${size} characters in an event is exact`,
        `${JSON.stringify(got?.event).length} characters of JSON, not ${JSON.stringify(event).length}`,
      )
    }
    const { state } = (await ctx.other.sessions.get(keyOf(ctx))) ?? {}
    holds(
      state?.['text'] === text,
      `a text of ${size} characters in state is exact`,
      `${String(state?.['text']).length} characters`,
    )
  }
}

/** The longest key that MySQL's JSON holds, in bytes. */
const longestKey = 65_535

/** A key is exact, or where a database has no room for it, it is refused as too large: in whatever way it comes. */
async function keyLengths(ctx: Ctx): Promise<void> {
  for (const size of [longestKey, longestKey + 1]) {
    const name = 'k'.repeat(Math.min(size, ctx.limits.stateBytes - besides))
    const key = keyOf(ctx, `of ${size}`)
    const nested = { inner: { [name]: size } }
    const ways = {
      'a session that is created': () => newSession(ctx, `new ${size}`, { [name]: size, ...nested }),
      'an event': () =>
        ctx.store.events.append(key, say(`e${size}`, 'x', { actions: { stateDelta: { [name]: size } } })),
      'an update': () => ctx.store.sessions.update(key, { set: nested }),
      'the state of the app': () => ctx.store.state.update({ appName: ctx.app }, { set: { [name]: size } }),
    }
    await newSession(ctx, key.sessionId)
    const refused: string[] = []
    for (const [way, write] of Object.entries(ways)) {
      try {
        await write()
      } catch (error) {
        await rejects(() => Promise.reject(error), 'limit_exceeded', `a key of ${size} bytes in ${way}`)
        refused.push(way)
      }
    }
    if (size === longestKey) equal(refused, [], `where a key of ${size} bytes is refused`)
    const states = [
      (await ctx.other.sessions.get(keyOf(ctx, `new ${size}`)))?.state,
      (await ctx.other.sessions.get(key))?.state,
      (await ctx.other.state.get({ appName: ctx.app }))?.state,
    ]
    const found = states.flatMap((state) => [state?.[name], isJsonObject(state?.['inner']) && state['inner'][name]])
    const count = found.filter((value) => value === size).length
    equal(
      count,
      5 - refused.length - (refused.includes('a session that is created') ? 1 : 0),
      `keys of ${size} bytes that are kept`,
    )
  }
}

/** An event of exactly so many bytes of JSON. */
function eventOf(bytes: number, id: string): AgentEvent & { id: string } {
  const event = { id, timestamp: 1, content: '' }
  return { ...event, content: 'x'.repeat(bytes - JSON.stringify(event).length) }
}

const stateOf = (bytes: number) => ({ k: 'x'.repeat(bytes - JSON.stringify({ k: '' }).length) })

async function byteLimits(ctx: Ctx): Promise<void> {
  for (const [name, store] of [
    ['the default limits', ctx.store],
    ['limits of the options', await ctx.open({ limits: { eventBytes: 1000, stateBytes: 500 } })],
  ] as const) {
    const session = await store.sessions.create({ appName: ctx.app, userId: name })
    const { eventBytes, stateBytes } = store.limits
    const event = eventOf(eventBytes, 'at')
    await store.events.append(session, event)
    holds(
      (await ctx.other.events.get(session, 'at'))?.event.content === event.content,
      `an event of ${eventBytes} bytes round-trips, ${name}`,
    )
    await store.sessions.update(session, { set: stateOf(stateBytes) })
    holds(
      (await ctx.other.sessions.get(session))?.state['k'] === stateOf(stateBytes).k,
      `a state of ${stateBytes} bytes round-trips, ${name}`,
    )
    const before = await ctx.other.sessions.get(session)
    await rejects(
      () => store.events.append(session, eventOf(eventBytes + 1, 'over')),
      'limit_exceeded',
      `an event of one byte more, ${name}`,
      { limit: eventBytes, actual: eventBytes + 1 },
    )
    await rejects(
      () => store.sessions.update(session, { set: stateOf(stateBytes + 1) }),
      'limit_exceeded',
      `a state of one byte more, ${name}`,
      { limit: stateBytes },
    )
    await rejects(
      () => store.events.append(session, say('grow', 'x', { actions: { stateDelta: { more: 1 } } })),
      'limit_exceeded',
      `a delta that makes the state too large, ${name}`,
      { limit: stateBytes },
    )
    await rejects(
      () => store.state.update(session, { set: stateOf(stateBytes + 1) }),
      'limit_exceeded',
      `a user state of one byte more, ${name}`,
      { limit: stateBytes },
    )
    equal((await ctx.other.sessions.get(session))?.revision, before?.revision, `revision after refusals, ${name}`)
    await store.sessions.delete(session)
  }
}

const names = ['author', 'branch', 'invocationId', 'errorCode'] as const

/** What filters read has a column of its own, and a column may end where the event does not. */
async function nameLimits(ctx: Ctx): Promise<void> {
  for (const [what, store] of [
    ['the default limits', ctx.store],
    [
      'limits of the options',
      await ctx.open({ limits: { eventNameBytes: Math.min(300, ctx.limits.eventNameBytes - 1) } }),
    ],
  ] as const) {
    const session = await store.sessions.create({ appName: ctx.app, userId: what })
    const limit = store.limits.eventNameBytes
    for (const name of names) {
      const most = 'é'.repeat(Math.floor(limit / 2)).padEnd(limit - Math.floor(limit / 2), 'x')
      await store.events.append(session, { id: name, [name]: most })
      equal((await ctx.other.events.get(session, name))?.event[name], most, `${name} of ${limit} bytes, ${what}`)
      if (name !== 'errorCode')
        equal((await ctx.other.events.list(session, { [name]: most })).items.length, 1, `a filter by it, ${name}`)
      for (const events of [{ id: 'over', [name]: `${most}x` }, [say('before'), { id: 'over', [name]: `${most}é` }]])
        await rejects(() => store.events.append(session, events), 'limit_exceeded', `${name} of more, ${what}`, {
          field: Array.isArray(events) ? `events[1].${name}` : `event.${name}`,
          limit,
          actual: limit + (Array.isArray(events) ? 2 : 1),
        })
    }
    equal((await ctx.other.sessions.get(session))?.lastSeq, names.length, `events after refusals, ${what}`)
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
  await nothingWritten(
    ctx,
    async () => {
      await rejects(
        () => ctx.store.events.append(keyOf(ctx), { content: nested(eventDepth) }),
        'limit_exceeded',
        'an event of one level more',
        { limit: eventDepth, actual: eventDepth + 1 },
      )
      await rejects(
        () => ctx.store.sessions.update(keyOf(ctx), { set: { value: nested(stateDepth) } }),
        'limit_exceeded',
        'a state of one level more',
        { limit: stateDepth, actual: stateDepth + 1 },
      )
      await rejects(
        () => ctx.store.state.update({ appName: ctx.app }, { set: { value: nested(stateDepth) } }),
        'limit_exceeded',
        'an app state of one level more',
        { limit: stateDepth },
      )
      await rejects(
        () => ctx.store.events.append(keyOf(ctx), { content: nested(20_000) }),
        ['limit_exceeded', 'invalid_argument'],
        'an event of 20,000 levels',
      )
    },
    'too deep',
  )
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
  await nothingWritten(
    ctx,
    async () => {
      await rejects(
        () => ctx.store.events.append(keyOf(ctx), someEvents(batchEvents + 1, 'n')),
        'limit_exceeded',
        'a batch of one more',
        { limit: batchEvents, actual: batchEvents + 1 },
      )
      await rejects(
        () => small.events.append(keyOf(ctx), [eventOf(600, 'a'), eventOf(401, 'b')]),
        'limit_exceeded',
        'a batch of too many bytes',
        { limit: 1000, actual: 1001 },
      )
    },
    'too large a batch',
  )
  equal(
    (await small.events.append(keyOf(ctx), [eventOf(600, 'a'), eventOf(400, 'b')])).events.length,
    2,
    'a batch of exactly as many bytes as are allowed',
  )
}

async function manyKeys(ctx: Ctx): Promise<void> {
  const state = Object.fromEntries(numbers(1000).map((i) => [`key${i}`, i]))
  await newSession(ctx, 's1', state)
  await ctx.store.events.append(keyOf(ctx), say('e1', 'x', { actions: { stateDelta: { key500: 'changed' } } }))
  equal((await loaded(ctx)).state, { ...state, key500: 'changed' }, 'a state of 1,000 keys')
  const count = ctx.budget.name === 'cert' ? 10_000 : 500
  for (let from = 0; from < count; from += 50)
    await Promise.all(numbers(50, from).map((i) => newSession(ctx, `many${i}`, {}, 'bob')))
  equal(
    (await walkSessions(ctx.other, { appName: ctx.app, userId: 'bob', limit: ctx.limits.pageMax })).length,
    count,
    'many sessions',
  )
}

export const LIM: Checks = [
  check('LIM-01', 'ids of 191 code points and of 512 bytes pass; one more is limit_exceeded', idLimits),
  check('LIM-02', 'strings of 255, 256, 65,535, 65,536 characters and 1 Mi are exact', stringLengths, {
    budgetMs: 60_000,
  }),
  check('LIM-02', 'keys of 65,535 bytes are exact; longer ones are too, or limit_exceeded', keyLengths, {
    variant: 'keys',
  }),
  check(
    'LIM-03',
    'events and states at their limit of bytes round-trip; one more is refused before writing',
    byteLimits,
    { budgetMs: 60_000 },
  ),
  check(
    'LIM-03',
    'what events are filtered by round-trips at the limit of its bytes; one more is refused before anything is written',
    nameLimits,
    { variant: 'names' },
  ),
  check('LIM-04', 'depth at the limit round-trips; one more is refused', depthLimits),
  check('LIM-05', 'batches of none, one, the most; one more is refused', batchLimits, { budgetMs: 60_000 }),
  check(
    'LIM-06',
    'what JSON cannot hold is refused with its path, before any I/O; undefined dropped, toJSON applied',
    unstorableValues,
  ),
  check(
    'LIM-07',
    'missing, null, empty, non-string ids, NUL or a lone surrogate: invalid_argument naming the field',
    malformedIds,
  ),
  check('LIM-08', 'sparse arrays, throwing getters, proxies', oddObjects),
  check('LIM-09', '1,000 keys in a state; thousands of sessions', manyKeys, { budgetMs: 120_000 }),
  check('LIM-11', 'unknown options are refused', unknownOptions),
  check('LIM-12', 'messages name field, limit and actual, never the payload', messages),
  check('LIM-13', 'the logger is warned of a state above 100 kB, and of none below', largeStatesAreWarnedOf),
]
