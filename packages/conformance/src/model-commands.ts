import * as fc from 'fast-check'
import type { AgentEvent, SessionKey, Store } from '@daybook/core'
import { equal, present, rejects } from './expect.ts'
import { walkSessions } from './fixtures.ts'
import type { Look } from './model-look.ts'
import * as reducer from './model-state.ts'
import type { Change, Model } from './model-state.ts'
import { poison } from './poison.ts'

/** The store under test, as the commands see it. */
export interface Real {
  store: Store
  /** This run's part of every app name, so that runs do not meet. */
  readonly prefix: string
  readonly look: Look
  reopen(): Promise<void>
}

export type Command = fc.AsyncCommand<Model, Real>

/** Few ids that sloppy databases take for one another. */
const collidingIds = [
  'a',
  'A',
  'a ',
  'a%',
  'a_',
  '1',
  '10',
  'é',
  'e\u0301',
  '😀',
  '😁',
  "'",
  '"',
  '\\',
  '../',
  '__proto__',
] as const

const stateKeys = [
  'a',
  'A',
  'b',
  'a.b',
  '',
  '__proto__',
  'é',
  'e\u0301',
  '\0',
  'app:a',
  'app:b',
  'user:a',
  'user:app:x',
  'temp:t',
] as const

// What random values seldom hit.
const traps = [
  '\0',
  'a\0b',
  '\ud800',
  '😀',
  'e\u0301',
  '[]',
  '',
  [],
  {},
  [[]],
  0.1 + 0.2,
  5e-324,
  2 ** 53 + 2,
  null,
] as const

// Parsing what was written drops what JSON cannot tell apart: -0, and objects without a prototype.
export const json: fc.Arbitrary<unknown> = fc
  .oneof(
    { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }) },
    { weight: 1, arbitrary: fc.constantFrom(...traps) },
  )
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown) // parse answers any

// Most commands meet at a few keys: a store is tested by what comes twice to one place.
const pick = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'a%') },
  { weight: 1, arbitrary: fc.constantFrom(...collidingIds) },
)
const few = fc.oneof({ weight: 5, arbitrary: fc.constant('a') }, { weight: 1, arbitrary: fc.constantFrom('A', 'a ') })
const appNames = fc.oneof({ weight: 5, arbitrary: fc.constant('x') }, { weight: 1, arbitrary: fc.constant('X') })
const keys = fc.record({ appName: appNames, userId: few, sessionId: pick })
const state = fc
  .dictionary(fc.constantFrom(...stateKeys), json, { maxKeys: 4 })
  .map((found): Record<string, unknown> => Object.fromEntries(Object.entries(found)))
const changes: fc.Arbitrary<Change> = fc
  .record({ set: state, unset: fc.uniqueArray(fc.constantFrom(...stateKeys), { maxLength: 2 }) })
  .map(({ set, unset }) => ({ set, unset: unset.filter((key) => !Object.hasOwn(set, key)) }))
const events = fc
  .record({
    id: pick,
    timestamp: fc.integer({ min: 0, max: 4_000_000 }).map((micros) => micros / 1000),
    vendor: json,
    content: json,
    actions: changes,
    hasActions: fc.boolean(),
  })
  .map(({ id, timestamp, vendor, content, actions, hasActions }): AgentEvent & { id: string } => ({
    id,
    timestamp,
    content,
    vendor,
    ...(hasActions && { actions: { stateDelta: actions.set, stateUnset: actions.unset } }),
  }))
const batches = fc.uniqueArray(events, { minLength: 1, maxLength: 3, selector: ({ id }) => id })

const command = (name: string, args: unknown, run: (model: Model, real: Real) => Promise<void>): Command => ({
  check: () => true,
  async run(model, real) {
    await run(model, real)
    await real.look.passed(model, real.store)
  },
  toString: () => `${name}(${JSON.stringify(args)})`,
})

const within = ({ prefix }: Real, key: SessionKey): SessionKey => ({ ...key, appName: `${prefix}${key.appName}` })

const creates = fc.record({ key: keys, state }).map((args) =>
  command('create', args, async (model, real) => {
    const key = within(real, args.key)
    const isNew = reducer.create(model, key, args.state)
    const create = () => real.store.sessions.create({ ...key, state: args.state })
    if (isNew) poison(await create())
    else await rejects(create, 'already_exists', 'create of what exists')
    real.look.session(key)
  }),
)

const appends = fc.record({ key: keys, batch: batches, again: fc.boolean() }).map((args) =>
  command('append', args, async (model, real) => {
    const key = within(real, args.key)
    for (let turn = 0; turn <= Number(args.again); turn += 1) {
      const expected = reducer.append(model, key, args.batch)
      const given = structuredClone(args.batch)
      const append = () => real.store.events.append(key, given)
      if (typeof expected === 'string') await rejects(append, expected, 'append')
      else equal(await append(), expected, 'the answer of append')
      equal(given, args.batch, 'the arguments after append')
      poison(given)
    }
    real.look.session(key)
    real.look.shared({ appName: key.appName })
  }),
)

const updates = fc.record({ key: keys, change: changes }).map((args) =>
  command('update', args, async (model, real) => {
    const key = within(real, args.key)
    const update = () => real.store.sessions.update(key, args.change)
    if (reducer.update(model, key, args.change)) poison(await update())
    else await rejects(update, 'not_found', 'update of a missing session')
    real.look.session(key)
  }),
)

const plainState = state.map((found) => Object.fromEntries(Object.entries(found)))
const sharedUpdates = fc
  .record({
    appName: appNames,
    userId: fc.option(few, { nil: undefined }),
    change: fc.oneof(changes, fc.record({ replace: plainState })),
  })
  .map((args) =>
    command('state.update', args, async (model, real) => {
      const appName = `${real.prefix}${args.appName}`
      const key = args.userId === undefined ? { appName } : { appName, userId: args.userId }
      const revision = reducer.updateShared(model, key, args.change)
      const answer = await real.store.state.update(key, args.change)
      equal(answer.revision, revision, 'the revision that state.update answered')
      poison(answer)
      real.look.shared(key)
    }),
  )

const deletes = keys.map((args) =>
  command('delete', args, async (model, real) => {
    const key = within(real, args)
    const was = reducer.remove(model, key)
    equal(await real.store.sessions.delete(key), was, 'the answer of delete')
    equal((await real.store.events.list(key)).items, [], 'events after delete')
  }),
)

const forks = fc
  .record({ key: keys, to: pick, through: fc.option(fc.nat({ max: 3 }), { nil: undefined }) })
  .map((args) =>
    command('fork', args, async (model, real) => {
      const key = within(real, args.key)
      const source = reducer.sessionIn(model, key)
      if (source === undefined) {
        await rejects(
          () => real.store.sessions.fork(key, { sessionId: args.to }),
          'not_found',
          'fork of a missing session',
        )
        return
      }
      const through = args.through === undefined ? undefined : Math.min(args.through, source.events.length)
      const fork = () =>
        real.store.sessions.fork(key, { sessionId: args.to, ...(through !== undefined && { throughSeq: through }) })
      if (reducer.fork(model, key, args.to, through)) poison(await fork())
      else await rejects(fork, 'already_exists', 'fork to an id that is taken')
      real.look.session({ ...key, sessionId: args.to })
      real.look.session(key)
      const seq = Math.min(1, source.events.length)
      equal(await real.store.sessions.stateAt(key, seq), reducer.stateAt(source, seq), 'stateAt')
    }),
  )

const shown = (key: SessionKey, seen: unknown) => [JSON.stringify([key.userId, key.sessionId]), seen] as const
const byName = (a: readonly [string, unknown], b: readonly [string, unknown]) => (a[0] < b[0] ? -1 : 1)

const lists = fc.record({ appName: appNames, limit: fc.integer({ min: 1, max: 4 }) }).map((args) =>
  command('list', args, async (model, real) => {
    const appName = `${real.prefix}${args.appName}`
    const found = await walkSessions(real.store, { appName, limit: args.limit, state: true })
    const own = [...model.sessions.values()].filter(({ key }) => key.appName === appName)
    equal(
      found.map((one) => shown(one, one.state)).toSorted(byName),
      own.map((one) => shown(one.key, reducer.merged(model, one))).toSorted(byName),
      'sessions of the app',
    )
    equal(await real.store.sessions.count({ appName }), own.length, 'count')
  }),
)

const reopens = fc.constant(command('reopen', null, (_model, real) => real.reopen()))

const points = keys.map((args) =>
  command('events.get', args, async (model, real) => {
    const key = within(real, args)
    const session = reducer.sessionIn(model, key)
    const last = session?.events.at(-1)
    if (session === undefined || last === undefined) return
    equal(
      present(await real.store.events.get(key, last.id), 'the last event').seq,
      session.events.length,
      'seq by events.get',
    )
    await rejects(
      () => real.store.events.append(key, { id: '', content: 1 }),
      'invalid_argument',
      'an event with an empty id',
    )
    real.look.session(key)
  }),
)

/** A session that is there from the start, at the key that most commands meet. */
export async function firstSession(model: Model, real: Real): Promise<void> {
  const key = within(real, { appName: 'x', userId: 'a', sessionId: 'a' })
  reducer.create(model, key, { a: 1 })
  await real.store.sessions.create({ ...key, state: { a: 1 } })
  const event = { id: 'first', timestamp: 1, content: 'first' }
  reducer.append(model, key, [event])
  await real.store.events.append(key, event)
}

export const commandsOf = (
  kind: 'sessions' | 'state',
  maxCommands: number,
  replayPath?: string,
): fc.Arbitrary<Iterable<Command>> =>
  fc.commands(
    kind === 'sessions'
      ? [creates, creates, appends, appends, deletes, deletes, forks, lists, reopens, points]
      : [creates, appends, appends, updates, updates, sharedUpdates, sharedUpdates, lists],
    { maxCommands, size: 'max', ...(replayPath !== undefined && { replayPath }) },
  )
