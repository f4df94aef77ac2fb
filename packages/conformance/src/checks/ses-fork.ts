import type { Ctx } from '../context.ts'
import { equal, holds, rejects } from '../expect.ts'
import { idsOf, keyOf, loaded, newSession, nothingWritten, say, seqsOf, snapshot } from '../fixtures.ts'

export async function forkCopies(ctx: Ctx): Promise<void> {
  const session = await newSession(ctx, 's1', { n: 0, 'user:u': 1 })
  for (const n of [1, 2, 3, 4])
    await ctx.store.events.append(
      session,
      say(`e${n}`, `t${n}`, { actions: { stateDelta: { n, [`k${n}`]: n }, ...(n === 3 && { stateUnset: ['k1'] }) } }),
    )
  await ctx.store.sessions.update(session, { set: { direct: true } })
  const before = await snapshot(ctx.other, ctx.app)
  const early = await ctx.store.sessions.fork(session, { sessionId: 'early', throughSeq: 3 })
  equal(
    [early.state, early.lastSeq, early.revision],
    [{ n: 3, k2: 2, k3: 3, 'user:u': 1 }, 3, 1],
    'a fork through seq 3',
  )
  const { events } = await loaded(ctx, early)
  equal(
    [idsOf(events), seqsOf(events)],
    [
      ['e1', 'e2', 'e3'],
      [1, 2, 3],
    ],
    'events of the fork',
  )
  const head = await ctx.store.sessions.fork(session)
  equal(head.state, (await loaded(ctx)).state, 'a fork at the head has the current state')
  equal(
    (await ctx.store.sessions.fork(session, { sessionId: 'none', throughSeq: 0 })).state,
    { n: 0, 'user:u': 1 },
    'a fork through seq 0 has the creation state',
  )
  await ctx.store.events.append(early, say('e9'))
  equal((await loaded(ctx, early)).lastSeq, 4, 'the fork goes on by itself')
  for (const id of ['early', head.sessionId, 'none']) await ctx.store.sessions.delete(keyOf(ctx, id))
  equal(await snapshot(ctx.other, ctx.app), before, 'the source is left alone')
  await newSession(ctx, 'taken')
  await nothingWritten(
    ctx,
    () =>
      rejects(
        () => ctx.store.sessions.fork(session, { sessionId: 'taken' }),
        'already_exists',
        'fork to an id that is taken',
      ),
    'fork to a taken id',
  )
  await rejects(() => ctx.store.sessions.fork(session, { throughSeq: 99 }), 'invalid_argument', 'fork beyond the head')
  await rejects(() => ctx.store.sessions.fork(keyOf(ctx, 'missing')), 'not_found', 'fork of a missing session')
}

export async function stateAtEachPoint(ctx: Ctx): Promise<void> {
  const session = await newSession(ctx, 's1', { n: 0, 'app:a': 1 })
  await ctx.store.events.append(session, [
    say('e1', 'x', { actions: { stateDelta: { n: 1 } } }),
    say('e2', 'x', { actions: { stateDelta: { n: 2, m: null } } }),
  ])
  await ctx.store.events.append(session, say('e3', 'x', { actions: { stateUnset: ['m'] } }))
  const states = await Promise.all([0, 1, 2, 3].map((seq) => ctx.other.sessions.stateAt(session, seq)))
  equal(states, [{ n: 0 }, { n: 1 }, { n: 2, m: null }, { n: 2 }], 'the session’s own state after each event')
  await rejects(() => ctx.store.sessions.stateAt(session, 4), 'invalid_argument', 'stateAt beyond the head')
}

export async function beganElsewhere(ctx: Ctx): Promise<void> {
  const createdAt = Date.UTC(2024, 1, 29, 12) + 0.125
  const before = Date.now()
  const given = { ...keyOf(ctx), createdAt, state: { n: 2, 'user:u': 1 }, initialState: { n: 0, old: true } }
  const session = await ctx.store.sessions.create(given)
  const got = await loaded(ctx)
  equal([session.createdAt, got.createdAt, got.lastEventAt], [createdAt, createdAt, createdAt], 'times')
  holds(got.updatedAt >= before - 60_000, 'updatedAt is the store’s clock', got.updatedAt)
  equal([got.state, got.revision], [{ n: 2, 'user:u': 1 }, 1], 'state and revision')
  await ctx.store.events.append(
    session,
    [1, 2].map((n) => say(`e${n}`, 'x', { actions: { stateDelta: { n } } })),
    { deltas: 'record' },
  )
  const states = await Promise.all([0, 1, 2].map((seq) => ctx.other.sessions.stateAt(session, seq)))
  equal(states, [{ n: 0, old: true }, { n: 1, old: true }, { n: 2 }], 'stateAt')
  const fork = await ctx.store.sessions.fork(session, { sessionId: 'fork', throughSeq: 1 })
  equal(fork.state, { n: 1, old: true, 'user:u': 1 }, 'a fork below the head')
  const later = await newSession(ctx, 's2')
  const { items } = await ctx.other.sessions.list({ appName: ctx.app, userId: 'ann', orderBy: 'createdAt' })
  equal(
    items.map(({ sessionId }) => sessionId).filter((id) => id !== 'fork'),
    [later.sessionId, session.sessionId],
    'the list by createdAt',
  )
  for (const bad of [{ createdAt: Number.NaN }, { createdAt: -1 }, { initialState: { 'user:u': 1 } }])
    await rejects(
      () => ctx.store.sessions.create({ ...keyOf(ctx, 'bad'), ...bad }),
      'invalid_argument',
      `create with ${JSON.stringify(bad)}`,
    )
}
