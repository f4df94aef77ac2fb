import type { AgentEvent, AppendResult } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds } from '../expect.ts'
import { loaded, numbers, say, walkEvents } from '../fixtures.ts'
import { isValue, rounds, together, type Round } from '../race.ts'
import { codeOf } from './con-outcome.ts'

// A store may send appends that wait together: to one session, or where a database takes one writer at a time to several.
// Nobody can tell by the answers.

/** Two events with keys of their own, and keys that every one sets. */
const eventsOf = (i: number): AgentEvent[] => [
  say(`e${i}`, 'x', { actions: { stateDelta: { [`k${i}`]: i, last: i, [`user:k${i}`]: i } } }),
  say(`f${i}`, 'x', { actions: { stateDelta: { second: i } } }),
]

interface Written {
  readonly i: number
  readonly answer: AppendResult
}

async function neighbours(ctx: Ctx, { store, other, key, index }: Round): Promise<void> {
  const user = { appName: ctx.app, userId: `n${index}` }
  const session = { ...key, ...user }
  await store.sessions.create(session)
  await store.events.append(session, say('taken'))
  const abort = new AbortController()
  // Of ids that are new, what is said of known ones changes nothing.
  const append = (i: number) => () =>
    (i % 4 === 0 ? other : store).events.append(session, eventsOf(i), {
      onDuplicate: i % 3 === 0 ? 'replace' : 'reject',
    })
  const racing = together<AppendResult>([
    ...numbers(3).map(append),
    () => store.events.append(session, say('taken', 'y', { actions: { stateDelta: { poison: 1, 'user:poison': 1 } } })),
    ...numbers(3, 4).map(append),
    () => store.events.append(session, say('left', 'x'), { signal: abort.signal }),
    () => store.events.append(session, say('stale'), { expectedRevision: 1 }),
    ...numbers(3, 7).map(append),
    () => store.events.append(session, say('asked'), { eventsAfterSeq: 1 }),
  ])
  abort.abort()
  const outcomes = await racing
  const [poisoned, left, stale, asked] = [3, 7, 8, 12].map((place) => outcomes[place] ?? { error: undefined })
  const written = outcomes
    .filter((_, place) => ![3, 7, 8, 12].includes(place))
    .map((outcome, place): Written => {
      holds(isValue(outcome), 'an append is acknowledged, whatever becomes of those beside it', outcome)
      return { i: place + 1, answer: outcome.value }
    })
  equal(
    [codeOf(poisoned ?? { error: 0 }), codeOf(stale ?? { error: 0 })],
    ['conflict', 'conflict'],
    'those that are refused',
  )
  holds(
    left !== undefined && ['ok', 'aborted'].includes(codeOf(left)),
    'one that gave up is aborted, or was written before',
    left,
  )
  holds(asked !== undefined && isValue(asked), 'the one that asks for what others appended', asked)

  const events = await walkEvents(other, session)
  const at = new Map(events.map(({ seq, event }) => [seq, event.id]))
  for (const { i, answer } of written) {
    equal(
      answer.events.map(({ id, seq, duplicate }) => [id, at.get(seq), duplicate]),
      [`e${i}`, `f${i}`].map((id) => [id, id, false]),
      'the events of an append, and what stands at the places that it was told',
    )
    equal(
      (answer.events[1]?.seq ?? 0) - (answer.events[0]?.seq ?? 0),
      1,
      'nobody comes between the events of one append',
    )
  }
  const others = [left, asked].filter((one) => one !== undefined && isValue(one)).map((one) => one.value)
  const byRevision = [...written.map(({ answer }) => answer), ...others].toSorted((a, b) => a.revision - b.revision)
  equal(
    byRevision.map(({ revision }) => revision),
    numbers(byRevision.length, 3),
    'each append has a revision of its own, one after the other',
  )
  const places = byRevision.map(({ events: [first] }) => first?.seq ?? 0)
  equal(
    places,
    [...places].toSorted((a, b) => a - b),
    'revisions and places rise together',
  )
  equal(events.length, 1 + byRevision.reduce((sum, { events: own }) => sum + own.length, 0), 'events, each once')

  const newest = written.toSorted((a, b) => b.answer.revision - a.answer.revision)[0]?.i
  const { state, revision } = await loaded(ctx, session)
  equal(revision, 2 + byRevision.length, 'the revision counts every append')
  equal(
    state,
    {
      last: newest,
      second: newest,
      ...Object.fromEntries(
        written.flatMap(({ i }) => [
          [`k${i}`, i],
          [`user:k${i}`, i],
        ]),
      ),
    },
    'the state is what the appends made of it, one after the other',
  )
  equal((await store.state.get(user))?.revision, written.length, 'the revision of the user’s state counts each change')
  if (isValue(asked)) {
    const { newEvents = [], events: own, state: seenState = {} } = asked.value
    const keysOf = (prefix: string) =>
      Object.keys(seenState)
        .flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []))
        .toSorted()
    equal(keysOf('k'), keysOf('user:k'), 'the state that it is answered is of one moment')
    holds(
      newEvents.every(({ seq, event }) => seq > 1 && event.id !== 'asked' && at.get(seq) === event.id),
      'what others appended, and nothing of its own',
      newEvents,
    )
    const before = numbers((own[0]?.seq ?? 2) - 2, 2)
    const seen = new Set(newEvents.map(({ seq }) => seq))
    equal(
      before.filter((seq) => !seen.has(seq)),
      [],
      'what others appended before it, left out',
    )
  }
}

export const neighboursAreTheirOwn = (ctx: Ctx): Promise<void> => rounds(ctx, (round) => neighbours(ctx, round))

/** Three sessions of one user and one of another, and those that are refused between the others. */
async function acrossSessions(ctx: Ctx, { store, other, key, index }: Round): Promise<void> {
  const users = [`a${index}`, `a${index}`, `a${index}`, `b${index}`]
  const sessions = users.map((userId, n) => ({ ...key, appName: ctx.app, userId, sessionId: `${key.sessionId}-${n}` }))
  const sessionAt = (i: number) => sessions[i % sessions.length] ?? key
  for (const session of sessions) {
    await store.sessions.create(session)
    await store.events.append(session, say('taken'))
  }
  const append = (i: number) => () => (i % 5 === 0 ? other : store).events.append(sessionAt(i), eventsOf(i))
  const poison = { actions: { stateDelta: { poison: 1, 'user:poison': 1 } } }
  const refused = [
    () => store.events.append(sessionAt(1), say('taken', 'y', poison)),
    () => store.events.append({ ...sessionAt(2), sessionId: 'none' }, say('nowhere', 'x', poison)),
    () => store.events.append(sessionAt(3), say('stale', 'x', poison), { expectedRevision: 1 }),
  ]
  const outcomes = await together<AppendResult>([...numbers(5).map(append), ...refused, ...numbers(8, 6).map(append)])
  equal(
    outcomes.slice(5, 8).map((outcome) => codeOf(outcome)),
    ['conflict', 'not_found', 'conflict'],
    'those that are refused',
  )
  const written = [...outcomes.slice(0, 5), ...outcomes.slice(8)].map((outcome, place): Written => {
    holds(isValue(outcome), 'an append is acknowledged, whatever becomes of those beside it', outcome)
    return { i: place + 1, answer: outcome.value }
  })
  for (const [n, session] of sessions.entries()) {
    const own = written.filter(({ i }) => i % sessions.length === n)
    const byRevision = own.toSorted((a, b) => a.answer.revision - b.answer.revision)
    equal(
      byRevision.map(({ answer }) => answer.revision),
      numbers(own.length, 3),
      'each append to a session has a revision of its own, one after the other',
    )
    equal(
      byRevision.flatMap(({ answer }) => answer.events.map(({ id, seq }) => [seq, id])),
      byRevision.flatMap(({ i }, place) => [
        [2 * place + 2, `e${i}`],
        [2 * place + 3, `f${i}`],
      ]),
      'the places that the appends to a session were told, in the order of their revisions',
    )
    equal(
      (await walkEvents(other, session)).map(({ seq, event }) => [seq, event.id]),
      [[1, 'taken'], ...byRevision.flatMap(({ answer }) => answer.events.map(({ id, seq }) => [seq, id]))],
      'the events of a session stand where the appends were told',
    )
    const ofUser = written.filter(({ i }) => users[i % sessions.length] === session.userId)
    const newest = byRevision.at(-1)?.i
    equal(
      (await loaded(ctx, session)).state,
      {
        last: newest,
        second: newest,
        ...Object.fromEntries(own.map(({ i }) => [`k${i}`, i])),
        ...Object.fromEntries(ofUser.map(({ i }) => [`user:k${i}`, i])),
      },
      'the state is what the appends made of it',
    )
    equal(
      (await store.state.get({ appName: ctx.app, userId: session.userId }))?.revision,
      ofUser.length,
      'the revision of a user’s state counts each change',
    )
  }
}

export const otherSessionsAreTheirOwn = (ctx: Ctx): Promise<void> => rounds(ctx, (round) => acrossSessions(ctx, round))
