import type { LoadedSession } from '@daybook/core'
import { check, type CheckOptions, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, present } from '../expect.ts'
import { idsOf, keyOf, loaded, numbers, say, seqsOf, walkEvents } from '../fixtures.ts'
import { isValue, rounds, together, type Round } from '../race.ts'
import { registerHistory } from '../register-history.ts'
import { mixedHistory, processHistory } from '../mixed-history.ts'
import { processesAppend, processTable } from './con-process.ts'
import { neighboursAreTheirOwn, otherSessionsAreTheirOwn } from './con-neighbours.ts'
import { sessionsDoNotBlock, lockIsWaitedFor, shortLock } from './con-locks.ts'
import { codeOf, allAcknowledged } from './con-outcome.ts'

const race: CheckOptions = { engine: 'race', budgetMs: 60_000 }
// Races too, of processes that want a core each.
const inProcesses: CheckOptions = {
  engine: 'process',
  alone: true,
  needs: ['worker'],
  capability: 'persistent',
  budgetMs: 120_000,
}

const writersOnOneSession = (ctx: Ctx) =>
  rounds(ctx, async ({ store, other, key }) => {
    await store.sessions.create(key)
    const answers = await allAcknowledged(
      numbers(6).map((i) => () => (i % 2 === 0 ? store : other).events.append(key, say(`e${i}`))),
      'writers on one session',
    )
    const events = await walkEvents(ctx.other, key)
    equal(
      idsOf(events).toSorted(),
      numbers(6).map((i) => `e${i}`),
      'acknowledged appends, each present once',
    )
    equal(seqsOf(events), numbers(6), 'seq without gaps')
    for (const [
      i,
      {
        events: [own],
      },
    ] of answers.entries())
      equal(events[(own?.seq ?? 0) - 1]?.event.id, `e${i + 1}`, 'the event at the seq that was answered')
  })

const realTimeOrder = (ctx: Ctx) =>
  rounds(ctx, async ({ store, other, key }) => {
    await store.sessions.create(key)
    for (const i of numbers(4))
      await (i % 2 === 0 ? store : other).events.append(key, { id: `e${i}`, timestamp: 1000 - i })
    equal(
      idsOf(await walkEvents(store, key)),
      ['e1', 'e2', 'e3', 'e4'],
      'an append that began after another was acknowledged comes after it',
    )
  })

const deltasSurvive = (ctx: Ctx) =>
  rounds(ctx, async ({ store, other, key, index }) => {
    const user = { appName: ctx.app, userId: `u${index}` }
    const own = { ...key, ...user }
    await store.sessions.create(own)
    await store.state.update(user, { set: { warm: 1 } })
    const names = numbers(4).map((i) => `k${index}x${i}`)
    const at = (i: number) => (i % 2 === 0 ? store : other)
    await allAcknowledged<unknown>(
      names.flatMap((name, i) => [
        () =>
          at(i).events.append(
            own,
            say(name, 'x', { actions: { stateDelta: { [`e${name}`]: i, [`user:e${name}`]: i, [`app:e${name}`]: i } } }),
          ),
        () => at(i + 1).sessions.update(own, { set: { [`s${name}`]: i, [`user:s${name}`]: i } }),
        () => at(i).state.update(user, { set: { [`d${name}`]: i } }),
        () => at(i + 1).state.update({ appName: ctx.app }, { set: { [`d${name}`]: i } }),
      ]),
      'deltas on different keys',
    )
    const { state } = await loaded(ctx, own)
    const expected = names.flatMap((name) => [
      `e${name}`,
      `s${name}`,
      `user:e${name}`,
      `user:s${name}`,
      `user:d${name}`,
      `app:e${name}`,
      `app:d${name}`,
    ])
    equal(
      expected.filter((name) => !Object.hasOwn(state, name)),
      [],
      'keys that were acknowledged and are lost',
    )
  })

const oneWinner = (ctx: Ctx) =>
  rounds(ctx, async ({ store, other, key, index }) => {
    await store.sessions.create(key)
    const appends = await together(
      numbers(4).map(
        (i) => () => (i % 2 === 0 ? store : other).events.append(key, say(`e${i}`), { expectedRevision: 1 }),
      ),
    )
    equal(
      appends.map((outcome) => codeOf(outcome)).toSorted(),
      ['conflict', 'conflict', 'conflict', 'ok'],
      'appends at one expectedRevision',
    )
    equal((await loaded(ctx, key)).lastSeq, 1, 'events of one winner')
    const user = { appName: ctx.app, userId: `u${index}` }
    const states = await together(
      numbers(4).map(
        (i) => () =>
          (i % 2 === 0 ? store : other).state.update(user, { set: { [`k${i}`]: 1 } }, { expectedRevision: 0 }),
      ),
    )
    equal(
      states.map((outcome) => codeOf(outcome)).toSorted(),
      ['conflict', 'conflict', 'conflict', 'ok'],
      'state updates at one expectedRevision',
    )
    equal(Object.keys((await other.state.get(user))?.state ?? {}).length, 1, 'keys of one winner')
  })

const oneCreator = (ctx: Ctx) =>
  rounds(ctx, async ({ store, other, key }) => {
    const outcomes = await together(
      numbers(4).map((i) => () => (i % 2 === 0 ? store : other).sessions.create({ ...key, state: { by: i } })),
    )
    equal(
      outcomes.map((outcome) => codeOf(outcome)).toSorted(),
      ['already_exists', 'already_exists', 'already_exists', 'ok'],
      'creators of one id',
    )
    const winner = outcomes.find(isValue)?.value
    equal((await loaded(ctx, key)).state, winner?.state, 'the state is the winner’s')
  })

async function appendOrDelete(ctx: Ctx, { store, other, key }: Round): Promise<void> {
  await store.sessions.create(key)
  const [gone, ...appends] = await together<unknown>([
    () => store.sessions.delete(key),
    ...numbers(3).map((i) => () => other.events.append(key, say(`e${i}`))),
  ])
  equal(gone, { value: true }, 'the delete')
  for (const outcome of appends)
    holds(
      ['ok', 'not_found'].includes(codeOf(outcome)),
      'an append beside delete is before it, or not_found',
      codeOf(outcome),
    )
  equal([await store.sessions.get(key), (await store.events.list(key)).items], [undefined, []], 'nothing is left')
  await store.sessions.create(key)
  equal((await loaded(ctx, key)).events, [], 'no orphan comes back')
}

const readersSeePrefixes = (ctx: Ctx) =>
  rounds(ctx, async ({ store, other, key }) => {
    await store.sessions.create(key)
    const writing = { isOver: false }
    const write = (writer: number) => async () => {
      for (const n of numbers(4)) await store.events.append(key, say(`e${writer}-${n}`))
    }
    // As long as somebody writes, so that reads fall between any two appends, however long those take here.
    const read = async () => {
      const reads: number[][] = []
      do {
        reads.push(seqsOf((await other.events.list(key)).items))
        await new Promise(setImmediate) // a store that holds the thread would let no writer come
      } while (!writing.isOver && reads.length < 50)
      return reads
    }
    const [, ...reads] = await Promise.all([
      allAcknowledged(numbers(3).map(write), 'appends').finally(() => (writing.isOver = true)),
      ...numbers(4).map(read),
    ])
    for (const seqs of reads.flat()) equal(seqs, numbers(seqs.length), 'a reader beside writers sees a prefix')
  })

const readsAreFresh = (ctx: Ctx) =>
  rounds(ctx, async ({ store, other, key }) => {
    await store.sessions.create({ ...key, state: { n: 0 } })
    for (const n of numbers(3)) {
      const [writer, reader] = n % 2 === 0 ? [other, store] : [store, other]
      await writer.events.append(key, say(`e${n}`, 'x', { actions: { stateDelta: { n, 'user:n': n } } }))
      for (const [name, open] of [
        ['the same open', writer],
        ['the other open', reader],
      ] as const) {
        const seen = present(await open.sessions.get(key, { events: { last: 1 } }), 'the session')
        equal([seen.lastSeq, seen.state['n'], seen.events[0]?.seq], [n, n, n], `what was acknowledged, read by ${name}`)
        equal(seqsOf((await open.events.list(key)).items), numbers(n), `events.list by ${name}`)
      }
    }
  })

const contendedAppState = (ctx: Ctx) =>
  rounds(
    ctx,
    async ({ store, other, index }) => {
      const keys = numbers(4).map((i) => keyOf(ctx, `c${index}x${i}`, `u${i}`))
      await Promise.all(keys.map((key) => store.sessions.create(key)))
      await allAcknowledged(
        keys.map(
          (key, i) => () =>
            (i % 2 === 0 ? store : other).events.append(
              key,
              say('e', 'x', { actions: { stateDelta: { [`app:r${index}x${i}`]: i, [`user:r${index}`]: i } } }),
            ),
        ),
        'app state from many sessions',
      )
      const { state } = present(await other.state.get({ appName: ctx.app }), 'app state')
      equal(
        numbers(4, 0).filter((i) => state[`r${index}x${i}`] !== i),
        [],
        'keys lost from app state',
      )
    },
    Math.ceil(ctx.budget.rounds / 2),
  )

const oneEventRaced = (ctx: Ctx) =>
  rounds(ctx, async ({ store, other, key }) => {
    await store.sessions.create(key)
    const event = say('e1', 'x', { actions: { stateDelta: { a: 1 } } })
    const answers = await allAcknowledged(
      numbers(4).map((i) => () => (i % 2 === 0 ? store : other).events.append(key, event)),
      'one event raced with itself',
    )
    equal(
      answers.map(({ events: [one] }) => one?.seq),
      [1, 1, 1, 1],
      'the same seq for all',
    )
    equal(answers.filter(({ events: [one] }) => one?.duplicate === false).length, 1, 'one of them stored it')
    const seen = await loaded(ctx, key)
    equal([seen.events.length, seen.revision], [1, 2], 'rows and revision')
  })

const oneView = (ctx: Ctx) =>
  rounds(ctx, async ({ store, other, key }) => {
    await store.sessions.create({ ...key, state: { n: 0 } })
    const writing = { isOver: false }
    const write = async () => {
      for (const n of numbers(6)) await store.events.append(key, say(`e${n}`, 'x', { actions: { stateDelta: { n } } }))
    }
    // As long as somebody writes, so that looks fall between any two of its steps, however long they take here.
    const look = async () => {
      const looks: (LoadedSession | undefined)[] = []
      do {
        looks.push(await other.sessions.get(key, { events: 'all' }))
        await new Promise(setImmediate) // a store that holds the thread would let no writer come
      } while (!writing.isOver && looks.length < 50)
      return looks
    }
    const [, ...looked] = await Promise.all([write().finally(() => (writing.isOver = true)), look(), look(), look()])
    const seen = looked.flat()
    for (const one of seen) {
      const { state, events, lastSeq, revision } = present(one, 'the session')
      equal(
        [state['n'], events.length, lastSeq, revision],
        [events.length, events.length, events.length, events.length + 1],
        'state, events, lastSeq and revision are of one view',
      )
    }
  })

export const CON: Checks = [
  check('CON-01', 'writers on one session: all acknowledged present once, seq gapless', writersOnOneSession, race),
  check('CON-01', 'writers in two processes: all acknowledged present once, seq gapless', processesAppend, {
    ...inProcesses,
    variant: 'process',
  }),
  check('CON-02', 'real-time order is kept', realTimeOrder, race),
  check('CON-03', 'deltas on different keys all survive, in every scope', deltasSurvive, race),
  check('CON-04', 'one winner for each expectedRevision', oneWinner, race),
  check('CON-05', 'of two creators one wins, the other gets already_exists', oneCreator, race),
  check(
    'CON-06',
    'append beside delete: before it, or not_found; never an orphan',
    (ctx) => rounds(ctx, (round) => appendOrDelete(ctx, round)),
    race,
  ),
  check('CON-07', 'readers see a prefix, never a gap', readersSeePrefixes, race),
  check('CON-08', 'reads are fresh: by the same open and by the other', readsAreFresh, race),
  check('CON-09', 'two sessions do not block each other', sessionsDoNotBlock, {
    ...race,
    capability: 'concurrentWriters',
  }),
  check('CON-10', 'app state contended from many sessions: no lost update, no raw error', contendedAppState, race),
  check('CON-11', 'one event raced with itself: one row, the same answer', oneEventRaced, race),
  check('CON-12', 'the same table across processes', processTable, inProcesses),
  check(
    'CON-13',
    'of two deletes one says true',
    (ctx) =>
      rounds(ctx, async ({ store, other, key }) => {
        await store.sessions.create(key)
        const answers = await allAcknowledged(
          [() => store.sessions.delete(key), () => other.sessions.delete(key)],
          'two deletes',
        )
        equal(answers.map(String).toSorted(), ['false', 'true'], 'answers of two deletes')
      }),
    race,
  ),
  check('CON-14', 'a mixed history of five callers passes the checker', mixedHistory, { ...race, budgetMs: 120_000 }),
  check('CON-14', 'reads and writes of one key by five callers have an order that explains them', registerHistory, {
    ...race,
    variant: 'register',
  }),
  check('CON-14', 'a mixed history across processes passes the checker', processHistory, {
    ...inProcesses,
    variant: 'process',
  }),
  check(
    'CON-15',
    'a writer that finds a lock waits for its timeout, then busy or timeout; the event loop stays alive',
    lockIsWaitedFor,
    race,
  ),
  check('CON-15', 'a lock that is given back in time is waited for', shortLock, { ...race, variant: 'short' }),
  check('CON-16', 'sessions.get with events and state is one view', oneView, race),
  check(
    'CON-17',
    'appends that wait for one session: each its own answer, whatever becomes of those beside it',
    neighboursAreTheirOwn,
    race,
  ),
  check(
    'CON-17',
    'appends that come at once to several sessions: each its own answer, whatever becomes of those beside it',
    otherSessionsAreTheirOwn,
    { ...race, variant: 'sessions' },
  ),
]
