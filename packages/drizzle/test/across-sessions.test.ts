import { createCalls, defaultLimits, StoreError, type Call } from '@daybook/core'
import { expect, test } from 'vitest'
import { acrossSessions } from '../src/across-sessions.ts'
import { attempt } from '../src/errors.ts'
import { checkedGroupCommit } from '../src/group-commit.ts'
import type { Append, Appended, ErrorKind, Failure } from '../src/index.ts'

const calls = createCalls()

/** An append to a session of its own, of the user of that name. */
const appendOf = (name: string, isOfUser: boolean): Append => ({
  key: { appName: 'shop', userId: name.charAt(0), sessionId: name },
  events: [
    {
      eventId: name,
      invocationId: null,
      author: null,
      branch: null,
      errorCode: null,
      timestamp: 1n,
      payload: `{"id":"${name}"}`,
    },
  ],
  deltas: {
    session: { set: [], unset: [] },
    user: { set: isOfUser ? [['k', '1']] : [], unset: [] },
    app: { set: [], unset: [] },
  },
  expectedRevision: undefined,
  lease: undefined,
  now: 1n,
  limits: defaultLimits,
  compactMark: undefined,
})

class Broken extends Error {
  readonly kind: ErrorKind

  constructor(kind: ErrorKind) {
    super(kind)
    this.kind = kind
  }
}
const failureOf = (error: unknown): Failure =>
  error instanceof Broken ? { kind: error.kind } : { kind: 'internal', isUnknown: true }

interface Trip {
  readonly names: readonly string[]
  answer(): void
  answerNothing(): void
  fail(error: unknown): void
}

/** What each is told, by its name. */
const answerTo = (name: string): Appended => ({ revision: Number(name.slice(1)), lastSeq: Number(name.slice(1)) })

/** A database that answers when it is told to. */
function crowd({ atOnce = 2, most = 4, bounds = checkedGroupCommit(true) } = {}) {
  const trips: Trip[] = []
  const trip = <T>(appends: readonly Append[], call: Call, answer: T, nothing: T) => {
    call.committing()
    return new Promise<T>((resolve, reject) => {
      const names = appends.map(({ key }) => key.sessionId)
      trips.push({ names, answer: () => resolve(answer), answerNothing: () => resolve(nothing), fail: reject })
    })
  }
  const send = acrossSessions(
    { failureOf },
    (append, call) => trip([append], call, answerTo(append.key.sessionId), undefined),
    {
      atOnce,
      most,
      takes: ({ key }) => !key.sessionId.endsWith('!'),
      send: (appends, call) =>
        trip<readonly (Appended | undefined)[] | undefined>(
          appends,
          call,
          appends.map(({ key }) => answerTo(key.sessionId)),
          undefined,
        ),
    },
    bounds ?? { appends: 1, bytes: 1 },
  )
  const append = (name: string, { isOfUser = true, ...options }: { isOfUser?: boolean; signal?: AbortSignal } = {}) =>
    calls
      .run('events.append', options, (call: Call) =>
        attempt({ dialect: { failureOf, lockWait: 0 }, missingTables: async () => [] }, call, () =>
          send(appendOf(name, isOfUser), call),
        ),
      )
      .catch((error: unknown) => (error instanceof StoreError ? error.code : error))
  const sent = async (count: number) => {
    await expect.poll(() => trips.length, { interval: 1 }).toBe(count)
    const last = trips[count - 1]
    if (last === undefined) throw new Error('nothing was sent')
    return last
  }
  return { append, sent, trips }
}

test('a few go at once, and what comes meanwhile goes together, in the order of its keys; each gets its own answer', async () => {
  const { append, sent, trips } = crowd()
  const all = ['a1', 'b2', 'd3', 'c4', 'e5'].map((name) => append(name))
  await sent(2)
  trips[1]?.answer()
  expect((await sent(3)).names).toEqual(['c4', 'd3', 'e5'])
  trips[0]?.answer()
  trips[2]?.answer()
  expect(await Promise.all(all)).toEqual(['a1', 'b2', 'd3', 'c4', 'e5'].map(answerTo))
  expect(trips).toHaveLength(3)
})

test('nobody waits long for what is under way', async () => {
  const { append, sent, trips } = crowd()
  const all = ['a1', 'b2', 'c3', 'd4', 'e5', 'f6', 'g7'].map((name) => append(name))
  await sent(4)
  expect(trips.slice(2).map(({ names }) => names)).toEqual([['c3', 'd4', 'e5', 'f6'], ['g7']])
  for (const trip of trips) trip.answer()
  await Promise.all(all)
})

test('those that went because they waited long leave no more under way for good', async () => {
  const { append, sent, trips } = crowd()
  const all = ['a1', 'b2', 'c3', 'd4', 'e5', 'f6', 'g7'].map((name) => append(name))
  await sent(4)
  const later = append('h8')
  trips[0]?.answer()
  await all[0]
  expect(trips).toHaveLength(4)
  for (const trip of trips) trip.answer()
  expect((await sent(5)).names).toEqual(['h8'])
  trips[4]?.answer()
  await Promise.all([...all, later])
})

test('of one user only one goes that changes its state; what asks something of the row goes by itself', async () => {
  const { append, sent, trips } = crowd()
  const first = [append('a1'), append('b2')]
  const rest = [append('c3'), append('c4'), append('c5', { isOfUser: false }), append('d6!')]
  expect((await sent(3)).names).toEqual(['d6!'])
  trips[0]?.answer()
  expect((await sent(4)).names).toEqual(['c3', 'c5'])
  trips[1]?.answer()
  expect((await sent(5)).names).toEqual(['c4'])
  for (const trip of trips) trip.answer()
  await Promise.all([...first, ...rest])
})

test('a group in which one is not as it should be goes one by one, all at once', async () => {
  for (const fail of [
    (trip: Trip) => trip.answerNothing(),
    (trip: Trip) => trip.fail(new Broken('locked')),
    (trip: Trip) => trip.fail(new Broken('too_large')),
  ]) {
    const { append, sent, trips } = crowd({ atOnce: 1 })
    const all = ['a1', 'b2', 'c3', 'd4'].map((name) => append(name))
    ;(await sent(1)).answer()
    fail(await sent(2))
    await sent(5)
    expect(trips.slice(2).map(({ names }) => names)).toEqual([['b2'], ['c3'], ['d4']])
    trips[2]?.fail(new Broken('too_large'))
    trips[3]?.answer()
    trips[4]?.answer()
    expect(await Promise.all(all)).toEqual([answerTo('a1'), 'limit_exceeded', answerTo('c3'), answerTo('d4')])
  }
})

test('one that gave up leaves before the group is sent; a connection lost on the way leaves none of them sure', async () => {
  const { append, sent } = crowd({ atOnce: 1 })
  const abort = new AbortController()
  const first = append('a1')
  const left = append('b2', { signal: abort.signal })
  const others = [append('c3'), append('d4')]
  await sent(1)
  abort.abort()
  expect(await left).toBe('aborted')
  ;(await sent(1)).answer()
  const group = await sent(2)
  expect(group.names).toEqual(['c3', 'd4'])
  group.fail(new Broken('connection'))
  expect(await Promise.all([first, ...others])).toEqual([answerTo('a1'), 'outcome_unknown', 'outcome_unknown'])
})

test('what nobody knows of a commit leaves all of them unsure, and none is sent again', async () => {
  const { append, sent, trips } = crowd({ atOnce: 1 })
  const all = ['a1', 'b2', 'c3'].map((name) => append(name))
  ;(await sent(1)).answer()
  ;(await sent(2)).fail(new Error('an error that nobody has heard of'))
  expect(await Promise.all(all)).toEqual([answerTo('a1'), 'outcome_unknown', 'outcome_unknown'])
  expect(trips).toHaveLength(2)
})

test('where a group may have one append, none waits for others', async () => {
  const { append, sent, trips } = crowd({ atOnce: 1, bounds: checkedGroupCommit({ appends: 1 }) })
  const all = ['a1', 'b2', 'c3'].map((name) => append(name))
  expect(trips).toHaveLength(3)
  await sent(3)
  for (const trip of trips) trip.answer()
  await Promise.all(all)
})
