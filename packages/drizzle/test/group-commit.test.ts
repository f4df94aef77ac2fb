import { createCalls, defaultLimits, StoreError, type Call } from '@daybook/core'
import { expect, test } from 'vitest'
import { attempt } from '../src/errors.ts'
import { checkedGroupCommit, createGroupCommit } from '../src/group-commit.ts'
import type { Append, Appended, ErrorKind, Failure } from '../src/index.ts'

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }
const calls = createCalls()

const appendOf = (eventId: string, set: Record<string, unknown> = {}): Append => ({
  key,
  events: [
    {
      eventId,
      invocationId: null,
      author: null,
      branch: null,
      errorCode: null,
      timestamp: 1n,
      payload: `{"id":"${eventId}"}`,
    },
  ],
  deltas: {
    session: { set: Object.entries(set).map(([name, value]) => [name, JSON.stringify(value)]), unset: [] },
    user: { set: [], unset: [] },
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
  readonly append: Append
  readonly ids: readonly string[]
  answer(appended?: Appended): void
  fail(error: unknown): void
}

/** A database that answers when it is told to: what a group is, and who gets which answer, is a matter of moments. */
function lane(options?: Parameters<typeof checkedGroupCommit>[0]) {
  const trips: Trip[] = []
  const bounds = checkedGroupCommit(options)
  if (bounds === undefined) throw new Error('nothing to test')
  const run = createGroupCommit(
    { failureOf },
    {
      async send(append, call) {
        call.committing()
        return new Promise((resolve, reject) => {
          const ids = append.events.map(({ eventId }) => eventId)
          trips.push({ append, ids, answer: resolve, fail: reject })
        })
      },
    },
    bounds,
  )
  const dialect = { failureOf, lockWait: 0 }
  /** An append as a method of a store makes it. */
  const append = (
    id: string,
    given: { set?: Record<string, unknown>; alone?: true; signal?: AbortSignal; timeout?: number } = {},
  ) => {
    const { set = {}, alone, ...callOptions } = given
    return calls.run('events.append', callOptions, (call: Call) =>
      attempt({ dialect, missingTables: async () => [] }, call, () =>
        run(appendOf(id, set), call, alone === undefined),
      ),
    )
  }
  const sent = async (count: number) => {
    await expect.poll(() => trips.length).toBe(count)
    const trip = trips[count - 1]
    if (trip === undefined) throw new Error('nothing was sent')
    return trip
  }
  return { append, sent, trips }
}

const codeOf = (error: unknown) => (error instanceof StoreError ? error.code : error)

test('what waits for the first one goes together, and each gets the answer that it would have got alone', async () => {
  const { append, sent } = lane()
  const one = append('a')
  const rest = [append('b', { set: { k: 1 } }), append('c', { set: { k: 2, l: 3 } }), append('d')]
  const first = await sent(1)
  expect([first.ids, first.append.joint]).toEqual([['a'], undefined])
  first.answer({ revision: 2, lastSeq: 1 })
  const second = await sent(2)
  expect(second.ids).toEqual(['b', 'c', 'd'])
  expect(second.append.deltas.session.set).toEqual([
    ['k', '2'],
    ['l', '3'],
  ])
  expect(second.append.joint?.changes).toEqual({ session: 3, user: 0, app: 0 })
  second.answer({ revision: 5, lastSeq: 4 })
  expect(await Promise.all([one, ...rest])).toEqual(
    [2, 3, 4, 5].map((revision) => ({ revision, lastSeq: revision - 1 })),
  )
})

test('one that gave up leaves before the group is sent; the others go', async () => {
  const { append, sent } = lane()
  const abort = new AbortController()
  const one = append('a')
  const left = append('b', { signal: abort.signal }).catch(codeOf)
  const late = append('c', { timeout: 20 }).catch(codeOf)
  const last = append('d')
  const first = await sent(1)
  abort.abort()
  expect(await Promise.all([left, late])).toEqual(['aborted', 'timeout'])
  first.answer({ revision: 2, lastSeq: 1 })
  const second = await sent(2)
  expect([second.ids, second.append.joint]).toEqual([['d'], undefined])
  second.answer({ revision: 3, lastSeq: 2 })
  expect(await Promise.all([one, last])).toHaveLength(2)
})

test('one whose time runs out once the group is sent cannot know; the others do', async () => {
  const { append, sent } = lane()
  const one = append('a')
  const late = append('b', { timeout: 60 }).catch(codeOf)
  const other = append('c')
  ;(await sent(1)).answer({ revision: 2, lastSeq: 1 })
  const group = await sent(2)
  expect(await late).toBe('outcome_unknown')
  group.answer({ revision: 4, lastSeq: 3 })
  expect([await one, await other]).toEqual([
    { revision: 2, lastSeq: 1 },
    { revision: 4, lastSeq: 3 },
  ])
})

test('a group in which one is not as it should be goes one by one', async () => {
  for (const fail of [(trip: Trip) => trip.answer(), (trip: Trip) => trip.fail(new Broken('too_large'))]) {
    const { append, sent } = lane()
    const outcomes = ['a', 'bad', 'c'].map((id) => append(id).catch(codeOf))
    ;(await sent(1)).answer({ revision: 2, lastSeq: 1 })
    fail(await sent(2))
    const bad = await sent(3)
    expect(bad.ids).toEqual(['bad'])
    bad.fail(new Broken('too_large'))
    const good = await sent(4)
    expect(good.ids).toEqual(['c'])
    good.answer({ revision: 3, lastSeq: 2 })
    expect(await Promise.all(outcomes)).toEqual([
      { revision: 2, lastSeq: 1 },
      'limit_exceeded',
      { revision: 3, lastSeq: 2 },
    ])
  }
})

test('a connection lost on the way leaves none of them sure; a deadlock is tried again', async () => {
  const lost = lane()
  const unsure = ['a', 'b', 'c'].map((id) => lost.append(id).catch(codeOf))
  ;(await lost.sent(1)).answer({ revision: 2, lastSeq: 1 })
  ;(await lost.sent(2)).fail(new Broken('connection'))
  expect(await Promise.all(unsure)).toEqual([{ revision: 2, lastSeq: 1 }, 'outcome_unknown', 'outcome_unknown'])

  const strange = lane()
  const puzzled = ['a', 'b', 'c'].map((id) => strange.append(id).catch(codeOf))
  ;(await strange.sent(1)).answer({ revision: 2, lastSeq: 1 })
  ;(await strange.sent(2)).fail(new Error('an error that nobody has heard of'))
  expect(await Promise.all(puzzled)).toEqual([{ revision: 2, lastSeq: 1 }, 'outcome_unknown', 'outcome_unknown'])
  expect(strange.trips).toHaveLength(2)

  const again = lane()
  const outcomes = ['a', 'b', 'c'].map((id) => again.append(id))
  ;(await again.sent(1)).answer({ revision: 2, lastSeq: 1 })
  ;(await again.sent(2)).fail(new Broken('contention'))
  const stored: string[] = []
  for (let n = 3; stored.length < 2; n++) {
    const trip = await again.sent(n)
    stored.push(...trip.ids)
    trip.answer({ revision: 2 + stored.length, lastSeq: 1 + stored.length })
  }
  await Promise.all(outcomes)
  expect(stored.toSorted()).toEqual(['b', 'c'])
})

test('what asks something of the row, and a second event of one id, go by themselves, in their turn', async () => {
  const { append, sent } = lane({ appends: 2 })
  const all = [
    append('a'),
    append('b'),
    append('c', { alone: true }),
    append('d'),
    append('d'),
    append('e'),
    append('f'),
  ]
  const groups: (readonly string[])[] = []
  for (let n = 1, seq = 0; seq < all.length; n++) {
    const trip = await sent(n)
    groups.push(trip.ids)
    seq += trip.ids.length
    trip.answer({ revision: 1 + seq, lastSeq: seq })
  }
  await Promise.all(all)
  expect(groups).toEqual([['a'], ['b'], ['c'], ['d'], ['d', 'e'], ['f']])
})

test('the option is a flag or bounds, and nothing else', () => {
  expect(checkedGroupCommit(false)).toBeUndefined()
  expect(checkedGroupCommit({ bytes: 10 })).toEqual({ appends: 100, bytes: 10 })
  expect(() => checkedGroupCommit('yes')).toThrow('groupCommit')
  expect(() => checkedGroupCommit({ appends: 0 })).toThrow('groupCommit.appends')
})

const idsOf = ({ events }: Append) => events.map(({ eventId }) => eventId)

/** A database that does its work at once, and what became one commit there. */
function heldThread() {
  const bounds = checkedGroupCommit(true)
  if (bounds === undefined) throw new Error('nothing to test')
  const commits: string[][] = []
  const done = { revision: 1, lastSeq: 1 }
  const run = createGroupCommit(
    { failureOf, holdsThread: true },
    {
      async send(append) {
        commits.push(idsOf(append))
        return done
      },
      async sendAll(appends) {
        commits.push(appends.flatMap(idsOf))
        return appends.map(() => done)
      },
    },
    bounds,
  )
  const append = (id: string) => calls.run('events.append', {}, (call) => run(appendOf(id), call, true))
  return { append, commits }
}

const turnOfTheLoop = () => new Promise<void>((resolve) => void setImmediate(resolve))

/** Whether the event loop turned between two appends. A machine may be too slow for them to follow each other. */
async function secondIsKept(): Promise<boolean> {
  const { append, commits } = heldThread()
  const turn = { hasCome: false }
  setImmediate(() => (turn.hasCome = true))
  await append('a')
  await append('b')
  expect(commits).toEqual([['a'], ['b']])
  return turn.hasCome
}

test('where the thread is held, one that follows the answer to another is not kept waiting for the event loop', async () => {
  let tries = 1
  while ((await secondIsKept()) && tries < 100) tries++
  expect(tries).toBeLessThan(100)
})

test('where the thread is held, appends that follow each other without end let the event loop turn', async () => {
  const { append, commits } = heldThread()
  const turn = { afterCommits: 0 }
  setImmediate(() => (turn.afterCommits = commits.length))
  const begun = performance.now()
  for (let i = 0; turn.afterCommits === 0 && performance.now() - begun < 5_000; i++) await append(`e${i}`)
  expect(turn.afterCommits).toBeGreaterThan(0)
})

const arrivals: readonly (readonly [string, () => Promise<void>])[] = [
  ['at once', async () => {}], // nothing to wait for
  ['in one turn of the event loop', turnOfTheLoop],
]

test.for(arrivals)('where the thread is held, those that come %s go together', async ([, arrive]) => {
  const { append, commits } = heldThread()
  const each = ['a', 'b', 'c', 'd'].map(async (id) => {
    await arrive()
    await append(id)
  })
  await Promise.all(each)
  expect(commits).toEqual([['a'], ['b', 'c', 'd']])
})
