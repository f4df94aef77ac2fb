import { createInMemoryStore } from '@daybook/core'
import {
  createEvent,
  DatabaseSessionService,
  InMemorySessionService,
  type BaseSessionService,
  type Session,
} from '@google/adk'
import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { needsServer } from '../../../tools/servers/needs-server.ts'
import { DaybookSessionService } from '../src/index.ts'
import { benchOn, databases } from './databases.ts'

interface Call {
  readonly name: 'create' | 'get' | 'list' | 'delete' | 'append'
  readonly who: { readonly appName: string; readonly userId: string; readonly sessionId: string }
  readonly state: Record<string, unknown>
  readonly config: { readonly numRecentEvents?: number; readonly afterTimestamp?: number }
  readonly list: {
    readonly limit?: number
    readonly offset?: number
    readonly page?: number
    readonly order: 'asc' | 'desc'
  }
  readonly isOfUser: boolean
  /** Which event id an append uses, where an id may come again: few. */
  readonly event: number
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const values = fc.oneof(
  fc.integer(),
  fc.constantFrom('', 'text', '1', 'Ærø 😀', null, true, undefined),
  fc.record({ snake_key: fc.integer(), camelKey: fc.constant([null, { a: 1 }]) }),
)
const keys = fc.constantFrom('a', 'b', 'app:a', 'app:b', 'user:a', 'user:b', 'temp:a', 'snake_key', 'other:a')
const withoutUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T // of optional members

const calls = fc.record({
  name: fc.constantFrom('create', 'create', 'get', 'list', 'delete', 'append', 'append', 'append', 'append'),
  who: fc.record({
    appName: fc.constantFrom('one', 'two'),
    userId: fc.constantFrom('ann', 'bob'),
    sessionId: fc.constantFrom('s1', 's2'),
  }),
  state: fc.dictionary(keys, values, { maxKeys: 4 }),
  config: fc
    .record({ numRecentEvents: optional(fc.nat(5)), afterTimestamp: optional(fc.nat(40)) })
    .map(withoutUndefined),
  list: fc
    .record({
      limit: optional(fc.nat(4)),
      offset: optional(fc.nat(4)),
      page: optional(fc.integer({ min: 1, max: 3 })),
      order: fc.constantFrom('asc', 'desc'),
    })
    .map(withoutUndefined),
  isOfUser: fc.boolean(),
  event: fc.nat(12),
}) as fc.Arbitrary<Call> // members that are undefined were taken out

/** Which answers of a service of ADK are ours: `adk.md` says where they differ from each other, and whom we follow. */
interface Reference {
  readonly name: string
  readonly make: () => BaseSessionService
  readonly close: (service: BaseSessionService) => Promise<void>
  /** Puts initial `app:` and `user:` keys into their scopes, refuses ids that are taken, and lists with state. */
  readonly isDatabase: boolean
}

const stored = (state: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(state).filter(([key, value]) => value !== undefined && !key.startsWith('temp:')))

const seen = (session: Session | undefined) =>
  session && {
    ...session,
    state: stored(session.state),
    events: session.events.map(({ id, timestamp, actions }) => [id, timestamp, stored(actions.stateDelta)]),
  }

/** What a service answers to each call, and what its live objects are afterwards. */
async function answers(
  service: BaseSessionService,
  sequence: readonly Call[],
  app: string,
  { isDatabase }: Pick<Reference, 'isDatabase'>,
): Promise<unknown[]> {
  const live = new Map<string, Session>()
  const given: unknown[] = []
  let now = 1000
  const own = (state: Record<string, unknown>) =>
    isDatabase
      ? state
      : Object.fromEntries(
          Object.entries(state).filter(([key, value]) => !/^(app|user):/.test(key) && value !== undefined),
        )
  // ADK's database orders by time, so an event that is replaced moves there. What is replaced here keeps the session's time:
  // a later read says the time of the event that was appended last, and ADK's that of the one written last.
  const append = async (session: Session, wanted: string, state: Record<string, unknown>) => {
    now += 10
    const id = isDatabase ? `e${now}` : wanted
    const isKnown = session.events.some((event) => event.id === id)
    const timestamp = isKnown ? session.lastUpdateTime : now
    await service.appendEvent({
      session,
      event: createEvent({ id, timestamp, author: 'a', actions: { stateDelta: { ...state } } }),
    })
    return seen(session)
  }
  const answer = async ({ name, who, state, config, list, isOfUser, event }: Call): Promise<unknown> => {
    const key = { ...who, appName: `${app}.${who.appName}` }
    const id = JSON.stringify(who)
    const before = live.get(id)
    switch (name) {
      case 'create': {
        if (before !== undefined && !isDatabase) return 'memory overwrites what is there'
        // ADK's database takes `undefined` at creation for the end of a key of the app or the user, which others set; here it is none.
        const wanted = Object.fromEntries(Object.entries(own(state)).filter(([, value]) => value !== undefined))
        const session = await service.createSession({ ...key, state: wanted })
        live.set(id, session)
        // The time of a creation is another in every service; that of an event is ours.
        return append(session, 'e0', {})
      }
      case 'get': {
        const { numRecentEvents, afterTimestamp } = config
        const asks = isDatabase ? config : { ...(numRecentEvents && { numRecentEvents }) }
        const after = afterTimestamp === undefined || !isDatabase ? {} : { afterTimestamp: afterTimestamp * 10 + 1000 }
        return seen(await service.getSession({ ...key, config: { ...asks, ...after } }))
      }
      case 'list': {
        const { sessions, ...page } = await service.listSessions({
          appName: key.appName,
          ...(isOfUser && { userId: key.userId }),
          ...list,
        })
        return {
          ...page,
          sessions: sessions.map((session) => ({ ...seen(session), ...(!isDatabase && { state: {} }) })),
        }
      }
      case 'delete':
        live.delete(id)
        await service.deleteSession(key)
        return 'deleted'
      default:
        return before === undefined
          ? 'nothing to append to'
          : append(before, `e${event}`, isDatabase ? state : own(state))
    }
  }
  for (const call of sequence) {
    given.push(await answer(call).catch((error: unknown) => (error instanceof Error ? error.message : error)))
  }
  return given
}

async function expectSameAnswers(
  ours: BaseSessionService,
  app: () => string,
  reference: Reference,
  numRuns: number,
): Promise<void> {
  const theirs = reference.make()
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(calls, { minLength: 5, maxLength: 30 }), async (sequence) => {
        const name = app()
        expect(await answers(ours, sequence, name, reference)).toEqual(await answers(theirs, sequence, name, reference))
      }),
      { numRuns, endOnFailure: true },
    )
  } finally {
    await reference.close(theirs)
  }
}

const orm = (service: BaseSessionService) => (service as unknown as { orm?: { close(): Promise<void> } }).orm // it has no close of its own

describe.each(databases)('on $name, any sequence of calls', (database) => {
  const bench = benchOn(database)

  test('is answered as by ADK’s service in memory, where we follow that', { timeout: 120_000 }, async () => {
    const memory = {
      name: 'memory',
      make: () => new InMemorySessionService(),
      close: async () => {},
      isDatabase: false,
    }
    await expectSameAnswers(bench.service, bench.app, memory, database.name === 'memory' ? 100 : 15)
  })
})

describe('beside ADK’s database service', () => {
  const bench = benchOn(
    databases.find(({ name }) => name === 'pg') ??
      databases[0] ?? { name: '', fresh: async () => ({ url: undefined, drop: async () => {} }) },
  )
  beforeEach(needsServer('pg'))

  test('any sequence of calls is answered alike, the texts of errors included', { timeout: 240_000 }, async () => {
    const reference = {
      name: 'database',
      make: () => new DatabaseSessionService(bench.url),
      close: async (service: BaseSessionService) => orm(service)?.close(),
      isDatabase: true,
    }
    await expectSameAnswers(bench.service, bench.app, reference, 15)
    await expectSameAnswers(new DaybookSessionService(createInMemoryStore()), bench.app, reference, 8)
  })
})
