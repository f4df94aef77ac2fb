import { isStoreError, type Store } from '@daybook/core'
import {
  BaseSessionService,
  createEvent,
  createSession as adkSession,
  State,
  type Event,
  type Session,
} from '@google/adk'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { DaybookSessionService } from '../src/index.ts'
import { benchOn, databases } from './databases.ts'

/** What somebody else would read now. */
async function reloaded(service: DaybookSessionService, { id: sessionId, appName, userId }: Session): Promise<Session> {
  const session = await service.getSession({ appName, userId, sessionId })
  if (session === undefined) throw new Error(`no session ${sessionId}`)
  return session
}

const idsOf = ({ events }: Pick<Session, 'events'>) => events.map(({ id }) => id)
const setting = (stateDelta: Record<string, unknown>, more: Partial<Event> = {}): Event =>
  createEvent({ author: 'agent', invocationId: 'i1', ...more, actions: { stateDelta } })

/** As an event comes out of JSON: without the brand, and with plain maps. */
const asStored = (event: Event): unknown => JSON.parse(JSON.stringify(event))

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const [result] = await Promise.allSettled([work])
  if (result?.status !== 'rejected') throw new Error('it did not fail')
  return result.reason as Error // nothing else is thrown here
}

const saying = (words: string) => ({ content: { parts: [{ text: words }] } })

interface Transacting {
  readonly transaction: (body: (tx: unknown, store: Pick<Store, 'events'>) => Promise<void>) => Promise<void>
}

const pageNumbers = ({ page: p, limit, totalItems, totalPages }: Record<string, number>) =>
  [p, limit, totalItems, totalPages].join()

describe.each(databases)('on $name', (database) => {
  const bench = benchOn(database)
  const ann = () => ({ appName: bench.app(), userId: 'ann' })

  const listed = async (times: readonly number[]) => {
    const key = ann()
    for (const [i, timestamp] of times.entries()) {
      const session = await bench.service.createSession({ ...key, sessionId: `s${i}`, state: { i, 'app:a': 1 } })
      await bench.service.appendEvent({ session, event: setting({ 'user:u': 1 }, { timestamp }) })
    }
    return key
  }

  describe('a session', () => {
    test('is known by all three parts of its key, and an event id only inside it [§1 key; §5 events of another user]', async () => {
      const { service } = bench
      const [one, two] = [bench.app(), bench.app()]
      const keys = [one, two].flatMap((appName) =>
        ['ann', 'bob'].map((userId) => ({ appName, userId, sessionId: 's' })),
      )
      for (const [i, key] of keys.entries()) {
        const session = await service.createSession({ ...key, state: { own: i } })
        await service.appendEvent({ session, event: setting({ last: i }, { id: 'e' }) })
      }
      for (const [i, key] of keys.entries()) {
        const session = await service.getSession(key)
        expect(session).toMatchObject({ id: 's', appName: key.appName, userId: key.userId, state: { own: i, last: i } })
        expect(idsOf(session ?? { events: [] })).toEqual(['e'])
      }
      await service.deleteSession(keys[0] ?? { appName: '', userId: '', sessionId: '' })
      const left = await Promise.all(keys.map((key) => service.getSession(key)))
      expect(left.map((session) => session !== undefined)).toEqual([false, true, true, true])
    })

    test('has ids verbatim: case, spaces and accents count [§1 ids; §5 ids trimmed]', async () => {
      const { service } = bench
      const appName = bench.app()
      const ids = [
        'a',
        'A',
        ' a',
        'a ',
        'é',
        'e\u0301',
        '😀',
        '😁',
        '__proto__',
        'constructor',
        '/../x',
        '😀'.repeat(128),
      ]
      for (const sessionId of ids) await service.createSession({ appName, userId: 'Alice', sessionId })
      const { sessions } = await service.listSessions({ appName, userId: 'Alice' })
      expect(sessions.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
      expect(await service.listSessions({ appName, userId: 'alice' })).toMatchObject({ totalItems: 0 })
    })

    test.each(['appName', 'userId', 'sessionId'] as const)(
      'is refused where %s is too long, by a message that names field and limit [§1 ids; §5 key too long]',
      async (field) => {
        const key = { ...ann(), sessionId: 's', [field]: 'x'.repeat(192) }
        for (const work of [bench.service.createSession(key), bench.service.getSession(key)]) {
          expect((await failureOf(work)).message).toMatch(
            new RegExp(`${field} has 192 code points, and 191 are allowed`),
          )
        }
      },
    )

    test('gets an id where none is given, or an empty one [§1 create without id; §1 createSession]', async () => {
      const key = ann()
      const created = [
        await bench.service.createSession(key),
        await bench.service.createSession({ ...key, sessionId: '' }),
      ]
      expect(new Set(created.map(({ id }) => id)).size).toBe(2)
      for (const { id: sessionId } of created)
        expect(await bench.service.getSession({ ...key, sessionId })).toBeDefined()
    })

    test('that exists is not created again, and the error has ADK’s text [§5 duplicate create; §0 taken id; §0 errors]', async () => {
      const key = { ...ann(), sessionId: 's1' }
      await bench.service.createSession({ ...key, state: { first: true } })
      const error = await failureOf(bench.service.createSession({ ...key, state: { second: true } }))
      expect(error.message).toBe('Session with id s1 already exists.')
      expect(error.cause).toMatchObject({ code: 'already_exists' })
      expect(await bench.service.getSession(key)).toMatchObject({ state: { first: true } })
    })

    test('begins with its state split into scopes, and temp: keys dropped whatever they hold [§1 create state; §0 shared keys in the initial state]', async () => {
      const { service } = bench
      const key = ann()
      const state = {
        topic: 'shoes',
        'user:size': 39,
        'app:open': true,
        'temp:fn': () => 1,
        gone: undefined,
        none: null,
      }
      const session = await service.createSession({ ...key, state })
      const seen = { topic: 'shoes', 'user:size': 39, 'app:open': true, none: null }
      expect(session.state).toEqual(seen)
      expect((await reloaded(service, session)).state).toEqual(seen)
      expect((await service.createSession(key)).state).toEqual({ 'user:size': 39, 'app:open': true })
      const bob = await service.createSession({ ...key, userId: 'bob' })
      expect(bob.state).toEqual({ 'app:open': true })
    })

    test('comes with its merged state and the time of its creation [§1 create result]', async () => {
      const before = Date.now()
      const session = await bench.service.createSession({ ...ann(), state: { a: { b: [1] } } })
      expect(session).toMatchObject({ userId: 'ann', state: { a: { b: [1] } }, events: [] })
      expect(Object.keys(session).toSorted()).toEqual(['appName', 'events', 'id', 'lastUpdateTime', 'state', 'userId'])
      expect(session.lastUpdateTime).toBeGreaterThanOrEqual(before - 1)
      expect(session.lastUpdateTime).toBeLessThanOrEqual(Date.now() + 1)
      expect((await reloaded(bench.service, session)).lastUpdateTime).toBe(session.lastUpdateTime)
    })

    test('that is missing is undefined [§1 get missing; §1 getSession]', async () => {
      const session = await bench.service.createSession({ ...ann(), sessionId: 's' })
      const { appName } = session
      const others = [{ appName: bench.app() }, { userId: 'bob' }, { sessionId: 't' }]
      for (const other of others)
        expect(await bench.service.getSession({ appName, userId: 'ann', sessionId: 's', ...other })).toBeUndefined()
    })

    test('is got or created, once, by many at the same time [§1 getOrCreateSession; §2 getOrCreateSession at once; §6.5]', async () => {
      const key = { ...ann(), sessionId: 'shared' }
      const services = [bench.service, bench.another()]
      const got = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          (services[i % 2] ?? bench.service).getOrCreateSession({ ...key, state: { by: i, 'app:x': i, 'user:y': i } }),
        ),
      )
      expect(new Set(got.map(({ state }) => state['by'])).size).toBe(1)
      expect(new Set(got).size).toBe(20)
      expect((await bench.service.getOrCreateSession(ann())).id).not.toBe('shared')
    })

    test('is created by many at once under an app that nobody used [§5 first use; §5 user-state row; §6.5]', async () => {
      const { service } = bench
      const key = ann()
      const sessions = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          service.createSession({ ...key, state: { [`app:${i}`]: i, [`user:${i}`]: i } }),
        ),
      )
      const { state } = await reloaded(service, sessions[0] ?? adkSession({ id: '', appName: '' }))
      expect(Object.keys(state)).toHaveLength(80)
    })

    test('is deleted with its events, quietly where it is missing, and shared state stays [§1 delete; §1 deleteSession; §5 delete]', async () => {
      const { service } = bench
      const session = await service.createSession({
        ...ann(),
        sessionId: 's',
        state: { 'user:u': 1, 'app:a': 1, own: 1 },
      })
      const { appName, userId } = session
      await service.appendEvent({ session, event: setting({ x: 1 }) })
      for (let i = 0; i < 2; i++) await service.deleteSession({ appName, userId, sessionId: 's' })
      expect(await service.getSession({ appName, userId, sessionId: 's' })).toBeUndefined()
      const again = await service.createSession({ appName, userId, sessionId: 's' })
      expect(again).toMatchObject({ state: { 'user:u': 1, 'app:a': 1 }, events: [] })
      expect((await reloaded(service, again)).events).toEqual([])
    })
  })

  describe('events', () => {
    test('come back in append order, also with equal or backward timestamps [§1 get events; §2 order of events; §5 equal times; §6.1]', async () => {
      const { service } = bench
      const session = await service.createSession(ann())
      const times = [5000, 5000, 5000, 4000, 4000.25, 1, 9000]
      for (const timestamp of times) await service.appendEvent({ session, event: createEvent({ timestamp }) })
      const stored = await reloaded(service, session)
      expect(idsOf(stored)).toEqual(idsOf(session))
      expect(stored.events.map(({ timestamp }) => timestamp)).toEqual(times)
    })

    test('are filtered by the newest n, where 0 is none, and by a time that is exclusive [§1 get events; §5 0 recent events; §0 afterTimestamp; §0 numRecentEvents 0]', async () => {
      const { service } = bench
      const session = await service.createSession({ ...ann(), state: { a: 1 } })
      const { appName, userId, id: sessionId } = session
      for (const timestamp of [10, 20, 30, 30, 40])
        await service.appendEvent({ session, event: createEvent({ timestamp }) })
      const got = async (config: object) => {
        const filtered = await service.getSession({ appName, userId, sessionId, config })
        expect(filtered).toMatchObject({ state: { a: 1 }, lastUpdateTime: 40 })
        return filtered?.events.map(({ timestamp }) => timestamp)
      }
      expect(await got({})).toEqual([10, 20, 30, 30, 40])
      expect(await got({ numRecentEvents: 2 })).toEqual([30, 40])
      expect(await got({ numRecentEvents: 0 })).toEqual([])
      expect(await got({ numRecentEvents: 50 })).toEqual([10, 20, 30, 30, 40])
      expect(await got({ afterTimestamp: 30 })).toEqual([40])
      expect(await got({ afterTimestamp: 0 })).toEqual([10, 20, 30, 30, 40])
      expect(await got({ afterTimestamp: 10, numRecentEvents: 3 })).toEqual([30, 30, 40])
      expect(await failureOf(got({ numRecentEvents: -1 }))).toMatchObject({ code: 'invalid_argument' })
    })

    test('are whole: free-form keys keep their case, ids may be long or empty [§1 event body; §2 complete events; §5 column too short; §5 missing invocationId; §6.6; §6.9]', async () => {
      const { service } = bench
      const session = await service.createSession(ann())
      const events = [
        createEvent({
          author: 'node',
          invocationId: 'i'.repeat(3000),
          branch: 'a.b',
          content: {
            role: 'model',
            parts: [{ functionCall: { id: 'f1', name: 'x', args: { snake_key: { camelKey: null } } } }],
          },
          longRunningToolIds: ['f1'],
          errorCode: 'E',
          errorMessage: 'm'.repeat(5000),
          customMetadata: { snake_key: 1, camelKey: { 'a.b': true } },
          output: { snake_key: [1, null] },
          route: ['left', 2, true],
          nodeInfo: { path: 'wf.n.0', outputFor: ['wf.n', 'wf'], messageAsOutput: true },
          isolationScope: 'scope',
          turnComplete: false,
          interrupted: true,
          usageMetadata: { promptTokenCount: 3 },
          actions: {
            stateDelta: { snake_key: 1 },
            artifactDelta: { 'a_b.png': 2 },
            agentState: { deep_er: { x: 1 } },
            endOfAgent: true,
            escalate: false,
            transferToAgent: 'other',
            skipSummarization: true,
            requestedToolConfirmations: {},
          },
        }),
        createEvent({
          invocationId: '',
          content: { parts: [{ text: '\u0000 \ud800 😀 \u2028', partMetadata: { snake_key: 1 } }] },
        }),
      ]
      for (const event of events) await service.appendEvent({ session, event })
      expect((await reloaded(service, session)).events).toEqual(events.map(asStored))
      expect((await reloaded(bench.another(), session)).events).toEqual(events.map(asStored))
    })

    test('are stored without ADK’s brand [§1 brand]', async () => {
      const brand = Symbol.for('google.adk.event')
      const session = await bench.service.createSession(ann())
      await bench.service.appendEvent({ session, event: createEvent() })
      expect(session.events.map((event) => brand in event)).toEqual([true])
      expect((await reloaded(bench.service, session)).events.map((event) => brand in event)).toEqual([false])
    })

    test('that are summaries of others survive [§1 compaction]', async () => {
      const session = await bench.service.createSession(ann())
      const summary = { isCompacted: true, startTime: 1, endTime: 2.5, compactedContent: 'so far', isScratchpad: true }
      await bench.service.appendEvent({ session, event: Object.assign(createEvent({ author: 'system' }), summary) })
      expect((await reloaded(bench.service, session)).events).toMatchObject([summary])
    })

    test('of 400 KB and of deep nesting are kept and read again [§5 column too short; §6.2]', async () => {
      const session = await bench.service.createSession(ann())
      const deep = Array.from({ length: 90 }).reduce<object>((inner) => ({ inner }), {})
      const inlineData = { mimeType: 'image/png', data: 'A'.repeat(400_000) }
      for (const part of [{ inlineData }, { functionResponse: { name: 'f', response: { deep } } }])
        await bench.service.appendEvent({ session, event: createEvent({ content: { parts: [part] } }) })
      expect((await reloaded(bench.service, session)).events).toEqual(session.events.map(asStored))
    })

    test('of one id replace each other in place, and the same again changes nothing [§1 append same event id; §5 event ids clash]', async () => {
      const { service } = bench
      const session = await service.createSession(ann())
      for (const id of ['e1', 'e2', 'e3'])
        await service.appendEvent({ session, event: setting({ [id]: 1 }, { id, ...saying('first') }) })
      const revised = setting({ e2: 2, more: true }, { id: 'e2', timestamp: 77, ...saying('second') })
      await service.appendEvent({ session, event: revised })
      for (const one of [session, await reloaded(service, session)]) {
        expect(idsOf(one)).toEqual(['e1', 'e2', 'e3'])
        expect(one.events[1]).toMatchObject(saying('second'))
        expect(one.state).toEqual({ e1: 1, e2: 2, e3: 1, more: true })
      }
      expect(session.events[1]).toBe(revised)
      await service.appendEvent({ session, event: setting({ e2: 3 }) })
      await service.appendEvent({ session, event: revised })
      for (const one of [session, await reloaded(service, session)]) {
        expect(one.events).toHaveLength(4)
        expect(one.state).toMatchObject({ e2: 3 })
      }
    })

    test('without an id get a fresh one [§1 append empty event id; §5 event ids clash]', async () => {
      const session = await bench.service.createSession(ann())
      const events = [1, 2].map((n) => Object.assign(createEvent({ timestamp: n }), { id: '' }))
      for (const event of events) await bench.service.appendEvent({ session, event })
      expect(new Set(idsOf(session)).size).toBe(2)
      expect(idsOf(session)).not.toContain('')
      expect(idsOf(await reloaded(bench.service, session))).toEqual(idsOf(session))
    })

    test('that hold what JSON cannot are refused by path, and nothing has moved [§1.1 check first; §5 values not serialisable]', async () => {
      const { service } = bench
      const session = await service.createSession(ann())
      const cycle: Record<string, unknown> = {}
      cycle['self'] = cycle
      for (const [value, path] of [
        [10n, ''],
        [() => 1, ''],
        [Number.NaN, ''],
        [cycle, '.self'],
        [new Map(), ''],
      ] as const) {
        const event = setting({ 'temp:t': 1, bad: { x: value } })
        const error = await failureOf(service.appendEvent({ session, event }))
        expect(error.message).toContain(`event.actions.stateDelta.bad.x${path} is `)
        expect(error).toMatchObject({ code: 'invalid_argument' })
        expect(Object.keys(event.actions.stateDelta)).toEqual(['temp:t', 'bad'])
      }
      expect(session).toMatchObject({ events: [], state: {} })
      expect(await reloaded(service, session)).toEqual(session)
    })
  })

  describe('an append', () => {
    test('of a partial event answers it untouched, and moves nothing [§1 append partial; §1.1 partial; §6.11]', async () => {
      const { service } = bench
      const session = await service.createSession(ann())
      const before = structuredClone(session)
      const event = setting({ x: 1, 'temp:y': 2, 'app:z': 3 }, { partial: true, timestamp: 5 })
      expect(await service.appendEvent({ session, event })).toBe(event)
      expect(event.actions.stateDelta).toEqual({ x: 1, 'temp:y': 2, 'app:z': 3 })
      expect(session).toEqual(before)
      expect(await reloaded(service, session)).toEqual(before)
    })

    test('answers the same event, its delta without temp: keys [§1 append result; §1 appendEvent; §1.1 answer]', async () => {
      const session = await bench.service.createSession(ann())
      const event = setting({ a: 1, 'temp:b': 2 })
      expect(await bench.service.appendEvent({ session, event })).toBe(event)
      expect(event.actions.stateDelta).toEqual({ a: 1 })
      expect(Object.getPrototypeOf(event.actions.stateDelta)).toBeNull()
    })

    test('moves the live object in place, and never replaces its state or its events [§1 append live object; §2 state in place; §6.7; §0 live session object]', async () => {
      const { service } = bench
      const session = await service.createSession({ ...ann(), state: { n: { deep: 1 } } })
      const { state, events } = session
      const value = { deep: 2 }
      const event = setting({ n: value, 'user:u': 1, 'app:a': 2 }, { timestamp: 123_456 })
      await service.appendEvent({ session, event })
      expect(session.state).toBe(state)
      expect(session.events).toBe(events)
      expect(events).toEqual([event])
      expect(events[0]).toBe(event)
      expect(state['n']).toBe(value)
      expect(state).toEqual({ n: { deep: 2 }, 'user:u': 1, 'app:a': 2 })
    })

    test('sets lastUpdateTime to the time of the event, even where that is earlier [§1 lastUpdateTime; §1 append live object]', async () => {
      const { service } = bench
      const session = await service.createSession(ann())
      for (const timestamp of [9_000_000, 1000.5]) {
        await service.appendEvent({ session, event: createEvent({ timestamp }) })
        expect(session.lastUpdateTime).toBe(timestamp)
        expect((await reloaded(service, session)).lastUpdateTime).toBe(timestamp)
        const { sessions } = await service.listSessions({ appName: session.appName })
        expect(sessions.map(({ lastUpdateTime }) => lastUpdateTime)).toEqual([timestamp])
      }
    })

    test('sets whole values: nothing is merged into a value, null is one, undefined removes [§1 delta; §5 json_patch]', async () => {
      const { service } = bench
      const session = await service.createSession({
        ...ann(),
        state: { a: { x: 1, y: 2 }, b: 1, c: 1, list: [1, 2, 3] },
      })
      await service.appendEvent({
        session,
        event: setting({ a: { x: 9 }, b: null, c: undefined, list: [4], inner: { gone: undefined } }),
      })
      expect((await reloaded(service, session)).state).toEqual({ a: { x: 9 }, b: null, list: [4], inner: {} })
    })

    test('stores no temp: key, and leaves it on the live state, whatever it holds [§1 temp:; §2 temp: outlives appends; §5 temp: not visible]', async () => {
      const { service } = bench
      const session = await service.createSession(ann())
      const scratch = { fn: () => 1 }
      const first = setting({})
      new State(session.state, first.actions.stateDelta).set('temp:scratch', scratch)
      for (const event of [first, setting({ a: 1 }), setting({ 'temp:other': 1 })])
        await service.appendEvent({ session, event })
      expect(session.state).toEqual({ 'temp:scratch': scratch, a: 1 })
      const stored = await reloaded(service, session)
      expect(stored.state).toEqual({ a: 1 })
      expect(JSON.stringify(stored)).not.toContain('temp:')
    })

    test('that fails leaves object and event as they were, and may be repeated [§1.1 commit first; §5 live object moved; §0 append to a missing session; §0 errors]', async () => {
      const { service } = bench
      const session = await service.createSession({ ...ann(), sessionId: 's' })
      const { appName, userId, id: sessionId } = session
      await service.appendEvent({ session, event: setting({ a: 1 }) })
      await service.deleteSession({ appName, userId, sessionId })
      const [events, state] = [[...session.events], { ...session.state }]
      const event = setting({ a: 2, 'temp:t': 1 })
      const { stateDelta } = event.actions
      const error = await failureOf(service.appendEvent({ session, event }))
      expect(error.message).toBe('Session s not found for appendEvent')
      expect(isStoreError(error.cause) && error.cause.code).toBe('not_found')
      expect([session.events, session.state]).toEqual([events, state])
      expect(event.actions.stateDelta).toBe(stateDelta)
      expect(stateDelta).toEqual({ a: 2, 'temp:t': 1 })
      await service.createSession({ appName, userId, sessionId })
      await service.appendEvent({ session, event })
      expect(session.state).toMatchObject({ a: 2 })
      expect((await reloaded(service, session)).events).toHaveLength(1)
    })

    test('takes what is hostile for what it is: keys [§5 __proto__ keys; §6.8; §0 hostile keys]', async () => {
      const { service } = bench
      const hostile = JSON.parse(
        '{"__proto__": {"admin": true}, "constructor": 1, "user:__proto__": 2, "app:__proto__": 3}',
      ) as object
      const session = await service.createSession({ ...ann(), state: { ...hostile } })
      await service.appendEvent({ session, event: setting({ ...hostile, toString: 4 }) })
      for (const { state } of [session, await reloaded(service, session)]) {
        expect(Object.getPrototypeOf(state)).toBe(Object.prototype)
        expect(Object.getOwnPropertyDescriptor(state, '__proto__')?.value).toEqual({ admin: true })
        expect(Object.keys(state).toSorted()).toEqual([
          '__proto__',
          'app:__proto__',
          'constructor',
          'toString',
          'user:__proto__',
        ])
        expect('admin' in state).toBe(false)
      }
      expect('admin' in {}).toBe(false)
    })

    test('keeps NUL and lone surrogates, in state and in events [§5 U+0000; §6.6]', async () => {
      const { service } = bench
      const text = 'a\u0000b\ud800c\u0001'
      const session = await service.createSession({ ...ann(), state: { [text]: text } })
      await service.appendEvent({ session, event: setting({ [`user:${text}`]: [text] }, { errorMessage: text }) })
      const stored = await reloaded(service, session)
      expect(stored.state).toEqual({ [text]: text, [`user:${text}`]: [text] })
      expect(stored.events).toMatchObject([{ errorMessage: text }])
    })

    test('keeps the whole fraction of a time, whatever zone the process is in [§5 time zones; §5 equal times; §6.2]', async () => {
      const { service } = bench
      const session = await service.createSession(ann())
      // Both sides of the hour that the clocks of Europe have twice.
      const times = [1_793_491_199_999, 1_793_491_200_000.125, 1_793_494_800_000, 253_402_300_799_000]
      for (const timestamp of times) await service.appendEvent({ session, event: createEvent({ timestamp }) })
      const stored = await reloaded(service, session)
      expect([stored.events.map(({ timestamp }) => timestamp), stored.lastUpdateTime]).toEqual([times, times.at(-1)])
    })

    test('is in no need of a table of its own code: what is stored is JSON [§5 pickled actions]', async () => {
      const session = await bench.service.createSession(ann())
      const dated = setting({ at: new Date(0) }, { content: { parts: [{ text: '{"$type":"Function"}' }] } })
      await bench.service.appendEvent({ session, event: dated })
      const stored = await reloaded(bench.service, session)
      expect(stored.state).toEqual({ at: '1970-01-01T00:00:00.000Z' })
      expect(stored.events[0]?.content).toEqual(dated.content)
    })
  })

  describe('concurrent appends', () => {
    test('on one object are stored, and move it, in the order of the calls [§1.1 call order; §2 concurrent appendEvent]', async () => {
      const { service } = bench
      const session = await service.createSession(ann())
      const events = Array.from({ length: 60 }, (_, i) => setting({ [`k${i}`]: i, last: i }, { id: `e${i}` }))
      const order: string[] = []
      await Promise.all(events.map(async (event) => order.push((await service.appendEvent({ session, event })).id)))
      const ids = events.map(({ id }) => id)
      expect(order).toEqual(ids)
      expect(idsOf(session)).toEqual(ids)
      const stored = await reloaded(service, session)
      expect(idsOf(stored)).toEqual(ids)
      expect(stored.state).toEqual(session.state)
      expect(stored.state).toMatchObject({ last: 59, k0: 0, k59: 59 })
    })

    test('on one object fail alone [§1.1 call order]', async () => {
      const { service } = bench
      const session = await service.createSession(ann())
      const tooLong = 'x'.repeat(192)
      const ids = ['a', 'b', tooLong, 'c', 'b', 'd']
      const results = await Promise.allSettled(
        ids.map((id, i) => service.appendEvent({ session, event: setting({ [`k${i}`]: i }, { id }) })),
      )
      expect(results.map(({ status }) => status)).toEqual(ids.map((id) => (id === tooLong ? 'rejected' : 'fulfilled')))
      for (const one of [session, await reloaded(service, session)]) {
        expect(idsOf(one)).toEqual(['a', 'b', 'c', 'd'])
        expect(one.state).toEqual({ k0: 0, k1: 1, k3: 3, k4: 4, k5: 5 })
      }
    })

    test('of 16 stale copies all succeed, and every event and every key is kept [§1.1 stale copy; §5 stale errors; §5 app or user state lost; §6.3]', async () => {
      const created = await bench.service.createSession(ann())
      const services = [bench.service, bench.another()]
      const copies = await Promise.all(
        Array.from({ length: 16 }, (_, i) => reloaded(services[i % 2] ?? bench.service, created)),
      )
      await Promise.all(
        copies.map(async (session, i) => {
          const service = services[i % 2] ?? bench.service
          for (let n = 0; n < 3; n++)
            await service.appendEvent({
              session,
              event: setting({ [`s${i}.${n}`]: n, [`user:u${i}.${n}`]: n, [`app:a${i}.${n}`]: n }),
            })
        }),
      )
      const stored = await reloaded(bench.service, created)
      expect(stored.events).toHaveLength(48)
      expect(Object.keys(stored.state)).toHaveLength(3 * 48)
      // A copy has what was there when it last appended, in the same order, and catches up with the next append.
      for (const [i, session] of copies.entries()) {
        const service = services[i % 2] ?? bench.service
        expect(idsOf(session)).toEqual(idsOf(stored).slice(0, session.events.length))
        await service.appendEvent({ session, event: createEvent() })
        const now = await reloaded(service, session)
        expect(idsOf(session)).toEqual(idsOf(now))
        expect(session.state).toEqual(now.state)
      }
    })

    test('of two runs of one user under new apps keep each key of shared state [§6.3]', async () => {
      const { service } = bench
      const appName = bench.app()
      const sessions = await Promise.all(
        Array.from({ length: 8 }, (_, i) => service.createSession({ appName, userId: `u${i % 2}` })),
      )
      await Promise.all(
        sessions.map((session, i) =>
          service.appendEvent({ session, event: setting({ [`app:k${i}`]: i, [`user:k${i}`]: i }) }),
        ),
      )
      const { state } = await reloaded(service, sessions[0] ?? adkSession({ id: '', appName }))
      expect(Object.keys(state)).toHaveLength(8 + 4)
    })

    test('wait for a shared scope only where they set a key of it, and reads for nobody [§5 app_states locked; §5 reads take write transactions]', async ({
      skip,
    }) => {
      const { service } = bench
      const appName = bench.app()
      const [held, free] = [
        await service.createSession({ appName, userId: 'ann', state: { 'app:k': 0, 'user:k': 0 } }),
        await service.createSession({ appName, userId: 'ann' }),
      ]
      const store = await bench.store()
      if (store.capabilities.concurrentWriters === 'no') skip('writers of this store take turns')
      const key = { appName, userId: 'ann', sessionId: held.id }
      let waiting: Promise<Event> | undefined
      const { transaction } = store as Store & Transacting // one of ours over Drizzle: that in memory has been skipped
      await transaction(async (_, { events }) => {
        await events.append(key, { id: 'e', actions: { stateDelta: { 'app:k': 1, 'user:k': 1 } } })
        expect(await reloaded(service, held)).toMatchObject({ events: [], state: { 'app:k': 0, 'user:k': 0 } })
        expect((await service.listSessions({ appName })).totalItems).toBe(2)
        await service.appendEvent({ session: free, event: setting({ own: 1 }) })
        waiting = service.appendEvent({ session: free, event: setting({ 'app:k': 2 }) })
      })
      await waiting
      expect((await reloaded(service, free)).state).toEqual({ own: 1, 'app:k': 2, 'user:k': 1 })
    })

    test('and reads show no torn session: events and state are of one moment [§6.4; §5 reads take write transactions]', async () => {
      const { service } = bench
      const session = await service.createSession({ ...ann(), state: { n: 0 } })
      const other = bench.another()
      const writing = (async () => {
        for (let n = 1; n <= 25; n++) await service.appendEvent({ session, event: setting({ n }, { timestamp: n }) })
      })()
      for (let n = 0; n < 25; n++) {
        const { state, events, lastUpdateTime } = await reloaded(other, session)
        expect(state['n']).toBe(events.length)
        expect(events.length === 0 || lastUpdateTime === events.length).toBe(true)
      }
      await writing
    })
  })

  describe('a stale copy', () => {
    test('gets only what is new, in order, before its own event, in place [§1.1 stale copy; §5 reload mixes two runs; §5 whole history re-read; §0 stale copy]', async () => {
      const { service } = bench
      const mine = await service.createSession({ ...ann(), state: { a: 1, b: 1, 'temp:x': 1 } })
      await service.appendEvent({ session: mine, event: setting({ c: 1 }, { id: 'e1' }) })
      const recent = await service.getSession({ ...mine, sessionId: mine.id, config: { numRecentEvents: 0 } })
      const yours = await reloaded(bench.another(), mine)
      const other = bench.another()
      const { state, events } = mine
      const held = events[0]
      state['temp:mine'] = 'kept'
      for (const id of ['y1', 'y2'])
        await other.appendEvent({ session: yours, event: setting({ a: id, 'app:z': id }, { id }) })
      for (const session of [mine, recent ?? mine]) {
        await service.appendEvent({ session, event: setting({ b: 2 }, { id: session === mine ? 'm' : 'r' }) })
      }
      expect(mine.state).toBe(state)
      expect(mine.events).toBe(events)
      expect(idsOf(mine)).toEqual(['e1', 'y1', 'y2', 'm'])
      expect(mine.events[0]).toBe(held)
      expect(mine.state).toEqual({ a: 'y2', b: 2, c: 1, 'app:z': 'y2', 'temp:mine': 'kept' })
      expect(recent && idsOf(recent)).toEqual(['y1', 'y2', 'm', 'r'])
    })

    test('keeps what was written into its state and is not appended yet [§1.1 stamps]', async () => {
      const { service } = bench
      const mine = await service.createSession({ ...ann(), state: { a: 1, b: 1 } })
      const pending = setting({})
      new State(mine.state, pending.actions.stateDelta).set('a', 'mine')
      const other = bench.another()
      const yours = await reloaded(other, mine)
      await other.appendEvent({ session: yours, event: setting({ a: 'yours', b: 'yours' }) })
      await service.appendEvent({ session: mine, event: setting({ c: 1 }) })
      expect(mine.state).toEqual({ a: 'mine', b: 'yours', c: 1 })
      await service.appendEvent({ session: mine, event: pending })
      for (const one of [mine, await reloaded(service, mine)])
        expect(one.state).toEqual({ a: 'mine', b: 'yours', c: 1 })
    })

    test('loses a key that another program took away [§1.1 stale copy]', async () => {
      const { service } = bench
      const mine = await service.createSession({ ...ann(), state: { a: 1, b: 1 } })
      const yours = await reloaded(bench.another(), mine)
      await bench.another().appendEvent({ session: yours, event: setting({ a: undefined }) })
      await service.appendEvent({ session: mine, event: createEvent() })
      expect(mine.state).toEqual({ b: 1 })
    })

    test('that did not come from the service gets what comes after the newest event in it [§1.1 stale copy]', async () => {
      const { service } = bench
      const made = await service.createSession({ ...ann(), state: { a: 1 } })
      for (const id of ['e1', 'e2', 'e3'])
        await service.appendEvent({ session: made, event: setting({ [id]: 1 }, { id }) })
      const bare = adkSession({ id: made.id, appName: made.appName, userId: 'ann' })
      const clone = structuredClone({ ...made, events: made.events.slice(1, 2) })
      await service.appendEvent({ session: bare, event: createEvent({ id: 'e4' }) })
      await service.appendEvent({ session: clone, event: createEvent({ id: 'e5' }) })
      expect(idsOf(bare)).toEqual(['e1', 'e2', 'e3', 'e4'])
      expect(idsOf(clone)).toEqual(['e2', 'e3', 'e4', 'e5'])
      for (const { state } of [bare, clone]) expect(state).toEqual({ a: 1, e1: 1, e2: 1, e3: 1 })
    })

    test('is rejected where that was asked for, and the error says what to do [§5 reload mixes two runs; §5 stale errors]', async () => {
      const strict = bench.another({ onStale: 'reject' })
      const mine = await strict.createSession(ann())
      await strict.appendEvent({ session: mine, event: setting({ a: 1 }) })
      await Promise.all([1, 2, 3].map((n) => strict.appendEvent({ session: mine, event: setting({ [`k${n}`]: n }) })))
      const yours = await reloaded(strict, mine)
      await strict.appendEvent({ session: yours, event: setting({ a: 2 }) })
      const before = structuredClone(mine.state)
      const event = setting({ a: 3, 'temp:t': 1 })
      const error = await failureOf(strict.appendEvent({ session: mine, event }))
      expect(error).toMatchObject({ code: 'conflict', facts: { revision: 5 } })
      expect(error.message).toContain('load it again with getSession')
      expect([mine.state, event.actions.stateDelta]).toEqual([before, { a: 3, 'temp:t': 1 }])
      const fresh = await reloaded(strict, mine)
      await strict.appendEvent({ session: fresh, event })
      expect(fresh.state).toMatchObject({ a: 3 })
      const unknown = await failureOf(
        strict.appendEvent({ session: structuredClone({ ...fresh, events: [] }), event: createEvent() }),
      )
      expect(unknown).toMatchObject({ code: 'invalid_argument' })
    })
  })

  describe('the write-order stamps of ADK', () => {
    test('hold: a late commit of an older delta does not undo a newer live value [§2 write-order stamps; §1.1 stamps; §5 late commit]', async () => {
      const { service } = bench
      const session = await service.createSession({ ...ann(), state: { n: 0 } })
      const [older, newer] = [setting({}), setting({})]
      new State(session.state, older.actions.stateDelta).set('n', 1)
      new State(session.state, newer.actions.stateDelta).set('n', 2)
      await service.appendEvent({ session, event: older })
      expect(session.state['n']).toBe(2)
      await service.appendEvent({ session, event: newer })
      for (const one of [session, await reloaded(service, session)]) expect(one.state['n']).toBe(2)
    })
  })

  describe('the events array', () => {
    test('belongs to the caller: what was pushed or cut there is not what is stored [§2 events array]', async () => {
      const { service } = bench
      const session = await service.createSession(ann())
      for (const id of ['e1', 'e2', 'e3']) await service.appendEvent({ session, event: createEvent({ id }) })
      const summary = createEvent({ id: 'sum', author: 'system' })
      session.events.splice(0, 2)
      session.events.push(summary)
      await service.appendEvent({ session, event: summary })
      await service.appendEvent({ session, event: createEvent({ id: 'e4' }) })
      expect(idsOf(session)).toEqual(['e3', 'sum', 'e4'])
      expect(idsOf(await reloaded(service, session))).toEqual(['e1', 'e2', 'e3', 'sum', 'e4'])
    })
  })

  describe('a list', () => {
    test('has merged state, no events, all users or one, and refuses an empty user id [§1 list; §1 listSessions; §5 list; §6.9; §0 state in a list]', async () => {
      const { service } = bench
      const key = await listed([1, 2])
      await service.createSession({ ...key, userId: 'bob', sessionId: 's0' })
      const { sessions } = await service.listSessions({ ...key, order: 'asc' })
      expect(sessions).toEqual(
        [0, 1].map((i) => ({
          id: `s${i}`,
          ...key,
          state: { i, 'app:a': 1, 'user:u': 1 },
          events: [],
          lastUpdateTime: i + 1,
        })),
      )
      expect((await service.listSessions({ appName: key.appName })).sessions).toHaveLength(3)
      expect(await failureOf(service.listSessions({ appName: key.appName, userId: '' }))).toMatchObject({
        code: 'invalid_argument',
      })
    })

    test('counts its pages as ADK does [§1 list pages]', async () => {
      const key = await listed([1, 2, 3, 4, 5])
      const page = async (request: object) => {
        const { sessions, ...numbers } = await bench.service.listSessions({ ...key, order: 'asc', ...request })
        return [sessions.map(({ id }) => id).join(), Object.values(numbers).join()]
      }
      expect(Object.keys(await bench.service.listSessions(key))).toEqual([
        'sessions',
        'page',
        'limit',
        'totalItems',
        'totalPages',
      ])
      expect(await page({})).toEqual(['s0,s1,s2,s3,s4', '1,5,5,1'])
      expect(await page({ limit: 2 })).toEqual(['s0,s1', '1,2,5,3'])
      expect(await page({ limit: 2, page: 3 })).toEqual(['s4', '3,2,5,3'])
      expect(await page({ limit: 2, page: 9 })).toEqual(['', '9,2,5,3'])
      expect(await page({ limit: 2, offset: 3 })).toEqual(['s3,s4', '2,2,5,3'])
      expect(await page({ limit: 2, offset: 3, page: 1 })).toEqual(['s0,s1', '1,2,5,3'])
      expect(await page({ limit: 0 })).toEqual(['', '1,0,5,0'])
      expect(await page({ offset: 3 })).toEqual(['s3,s4', '1,5,5,1'])
      expect(await page({ page: 2 })).toEqual(['s0,s1,s2,s3,s4', '1,5,5,1'])
      const nobody = await bench.service.listSessions({ ...key, userId: 'nobody' })
      expect(pageNumbers({ ...nobody, sessions: 0 })).toBe('1,0,0,0')
      for (const request of [{ limit: -1 }, { limit: 1.5 }, { limit: 1, page: 0 }, { offset: -1 }])
        expect(await failureOf(page(request))).toMatchObject({ code: 'invalid_argument' })
    })

    test('is ordered by lastUpdateTime, ties by id ascending in both directions [§1 list order; §5 list]', async () => {
      const key = await listed([5, 1, 5, 3])
      const order = async (direction?: 'asc' | 'desc') =>
        (await bench.service.listSessions({ ...key, ...(direction && { order: direction }) })).sessions
          .map(({ id }) => id)
          .join()
      expect(await order('asc')).toBe('s1,s3,s0,s2')
      expect(await order('desc')).toBe('s0,s2,s3,s1')
      expect(await order()).toBe(await order())
    })
  })

  test(
    'a session of 10,000 events is loaded, read in part, and appended to [§5 get slow; §5 whole history re-read; §6.2]',
    { timeout: 240_000 },
    async () => {
      const { service } = bench
      const session = await service.createSession({ ...ann(), state: { n: 0 } })
      const at = 1_700_000_000_000
      await Promise.all(
        Array.from({ length: 10_000 }, (_, i) =>
          service.appendEvent({
            session,
            event: setting(i % 100 === 0 ? { n: i } : {}, { id: `e${i}`, timestamp: at }),
          }),
        ),
      )
      const other = bench.another()
      const whole = await reloaded(other, session)
      expect(idsOf(whole)).toEqual(Array.from({ length: 10_000 }, (_, i) => `e${i}`))
      expect(whole.state).toEqual({ n: 9900 })
      const recent = await other.getSession({ ...whole, sessionId: whole.id, config: { numRecentEvents: 3 } })
      expect(recent && idsOf(recent)).toEqual(['e9997', 'e9998', 'e9999'])
      for (const id of ['x1', 'x2']) await other.appendEvent({ session: whole, event: createEvent({ id }) })
      await service.appendEvent({ session, event: createEvent({ id: 'x3' }) })
      expect(idsOf(session).slice(-4)).toEqual(['e9999', 'x1', 'x2', 'x3'])
    },
  )

  test('two services over one store know nothing of each other, and agree [§1.1 stale copy]', async () => {
    const [one, two] = [bench.service, bench.another()]
    const session = await one.createSession(ann())
    await two.appendEvent({ session, event: setting({ a: 1 }, { id: 'e1' }) })
    await one.appendEvent({ session, event: setting({ b: 2 }, { id: 'e2' }) })
    expect(idsOf(session)).toEqual(['e1', 'e2'])
    expect(session.state).toEqual({ a: 1, b: 2 })
  })
})

test('the service extends ADK’s base class, which has no rewind in this version [§1 rewind; §1 extends; §1 peer dependency]', () => {
  const { prototype } = BaseSessionService
  expect(Object.getOwnPropertyNames(prototype)).not.toContain('rewind')
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    peerDependencies: object
    dependencies: object
  }
  expect(Object.keys(manifest.peerDependencies)).toContain('@google/adk')
  expect(Object.keys(manifest.dependencies)).toEqual(['@daybook/core'])
})
