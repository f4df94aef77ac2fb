import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects } from '../expect.ts'
import {
  idsOf,
  keyOf,
  loaded,
  newSession,
  nothingWritten,
  say,
  seqsOf,
  someEvents,
  tickingClock,
  walkEvents,
} from '../fixtures.ts'

export async function answers(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { a: 1, 'app:p': 1 })
  const { store } = ctx
  const key = keyOf(ctx)
  equal(
    await store.events.append(key, say('e1')),
    { events: [{ id: 'e1', seq: 1, duplicate: false }], revision: 2 },
    'the plain answer',
  )
  const withState = await store.events.append(key, say('e2', 'x', { actions: { stateDelta: { b: 2, 'user:u': 3 } } }), {
    state: true,
  })
  equal(withState.state, { a: 1, b: 2, 'app:p': 1, 'user:u': 3 }, 'merged state when asked')
  await ctx.other.events.append(key, say('o3', 'x', { actions: { stateDelta: { c: 1 } } }))
  const others = await store.events.append(key, say('e4'), { eventsAfterSeq: 2 })
  equal(idsOf(present(others.newEvents, 'newEvents')), ['o3'], 'what others appended after seq 2')
  equal(
    [others.state, others.revision],
    [{ a: 1, b: 2, c: 1, 'app:p': 1, 'user:u': 3 }, 5],
    'state and revision with eventsAfterSeq',
  )
  const bare = await store.events.append(key, { author: 'user' })
  const id = present(bare.events[0], 'an answer for the event').id
  holds(/^[\da-f]{8}-[\da-f]{4}-7/.test(id), 'a default event id is a UUIDv7', id)
  const { event } = present(await ctx.other.events.get(key, id), 'the event by its default id')
  holds(Math.abs(event.timestamp - Date.now()) < 60_000, 'a default timestamp is now', event.timestamp)
}

export async function acknowledgedStay(ctx: Ctx): Promise<void> {
  const store = await ctx.open()
  await newSession(ctx)
  for (const event of someEvents(20)) await store.events.append(keyOf(ctx), event)
  await store.close()
  const again = await ctx.open()
  equal(
    idsOf(await walkEvents(again, keyOf(ctx))),
    someEvents(20).map(({ id }) => id),
    'ids of all acknowledged appends, after reopen',
  )
}

export async function repeatIsHarmless(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  const event = say('e1', 'x', { actions: { stateDelta: { a: 1, 'temp:t': 1 } } })
  const first = await ctx.store.events.append(key, event)
  await ctx.store.sessions.update(key, { set: { a: 2 } })
  await nothingWritten(
    ctx,
    async () => {
      const again = await ctx.other.events.append(key, event)
      equal([again.events, again.revision], [[{ id: 'e1', seq: 1, duplicate: true }], 3], 'the same event again')
      const stale = await ctx.store.events.append(key, event, { expectedRevision: first.revision - 1 })
      equal(stale.events, [{ id: 'e1', seq: 1, duplicate: true }], 'a known event is looked at before expectedRevision')
      const { timestamp: _, ...bare } = event
      const others = { ...bare, actions: { stateDelta: { 'temp:t': 9, a: 1 } } }
      equal(
        (await ctx.store.events.append(key, others)).events,
        [{ id: 'e1', seq: 1, duplicate: true }],
        'temp: keys and an absent timestamp make no other payload',
      )
    },
    'a repeated append',
  )
  await nothingWritten(
    ctx,
    () => rejects(() => ctx.store.events.append(key, say('e1', 'other')), 'conflict', 'the id with another payload'),
    'a known id with another payload',
  )
  const mixed = await ctx.store.events.append(key, [event, say('e2')])
  equal(
    [mixed.events, mixed.revision],
    [
      [
        { id: 'e1', seq: 1, duplicate: true },
        { id: 'e2', seq: 2, duplicate: false },
      ],
      4,
    ],
    'a batch of known and new',
  )
  equal(idsOf(await walkEvents(ctx.other, key)), ['e1', 'e2'], 'events stored')
}

export async function immutableButReplaced(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { n: 0 })
  const key = keyOf(ctx)
  await ctx.store.events.append(key, someEvents(3))
  const before = await walkEvents(ctx.other, key)
  await ctx.store.sessions.update(key, { set: { n: 1 } })
  await ctx.store.events.append(key, say('e4'))
  await ctx.store.sessions.fork(key, { sessionId: 'f' })
  equal((await walkEvents(ctx.other, key)).slice(0, 3), before, 'events after update, append and fork')
  const replaced = await ctx.store.events.append(key, say('e2', 'new', { actions: { stateDelta: { n: 2 } } }), {
    onDuplicate: 'replace',
    state: true,
  })
  equal([replaced.events[0]?.seq, replaced.state], [2, { n: 2 }], 'replace keeps seq and applies the new delta')
  equal(
    await ctx.other.events.get(key, 'e2'),
    { seq: 2, event: say('e2', 'new', { actions: { stateDelta: { n: 2 } } }) },
    'the replaced event',
  )
  equal(seqsOf(await walkEvents(ctx.other, key)), [1, 2, 3, 4], 'seq after a replacement')
  equal((await loaded(ctx)).lastSeq, 4, 'lastSeq after a replacement')
}

export async function batchesAreWhole(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  const batch = await ctx.store.events.append(key, someEvents(5))
  equal(
    [batch.events.map(({ seq }) => seq), batch.revision],
    [[1, 2, 3, 4, 5], 2],
    'a batch keeps its order and is one revision',
  )
  equal(idsOf(await walkEvents(ctx.other, key)), ['e1', 'e2', 'e3', 'e4', 'e5'], 'order of the batch')
  await nothingWritten(
    ctx,
    async () => {
      await rejects(
        () =>
          ctx.store.events.append(key, [
            say('n1', 'x', { actions: { stateDelta: { a: 1 } } }),
            say('e3', 'other'),
            say('n2'),
          ]),
        'conflict',
        'a batch with one conflict',
      )
      await rejects(
        () => ctx.store.events.append(key, [say('n1'), { id: 'n2', content: NaN }]),
        'invalid_argument',
        'a batch with one bad event',
      )
      await rejects(
        () => ctx.store.events.append(key, [say('n1'), say('n1', 'other')]),
        ['conflict', 'invalid_argument'],
        'a batch with one id and two payloads',
      )
    },
    'a batch that fails',
  )
  equal(await ctx.store.events.append(key, []), { events: [], revision: 2 }, 'an empty batch')
}

export async function staleCopies(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  const [mine, theirs] = await Promise.all([ctx.store.sessions.get(key), ctx.other.sessions.get(key)])
  equal((await ctx.store.events.append(present(mine, 'mine'), say('a'))).events[0]?.seq, 1, 'the first append')
  equal(
    (await ctx.other.events.append(present(theirs, 'theirs'), say('b'))).events[0]?.seq,
    2,
    'an append with an old copy',
  )
  await nothingWritten(
    ctx,
    () =>
      rejects(
        () => ctx.other.events.append(key, say('c'), { expectedRevision: 1 }),
        'conflict',
        'a stale expectedRevision',
        { revision: 3 },
      ),
    'a stale expectedRevision',
  )
  equal(
    (await ctx.other.events.append(key, say('c'), { expectedRevision: 3 })).revision,
    4,
    'the right expectedRevision',
  )
}

export async function sessionMoves(ctx: Ctx): Promise<void> {
  const clock = tickingClock(1_700_000_000_000)
  const store = await ctx.open({ now: clock.now })
  const created = await store.sessions.create(keyOf(ctx))
  clock.set(1_700_000_005_000)
  const { revision } = await store.events.append(created, say('e1', 'x', { timestamp: 42.5 }))
  const after = await loaded(ctx)
  equal(
    [after.revision, after.revision, after.lastSeq, after.lastEventAt],
    [revision, 2, 1, 42.5],
    'revision, lastSeq and lastEventAt after an append',
  )
  holds(after.updatedAt > created.updatedAt, 'updatedAt after an append', [created.updatedAt, after.updatedAt])
  equal(after.createdAt, created.createdAt, 'createdAt after an append')
}

export async function historyIsOnlyRecorded(ctx: Ctx): Promise<void> {
  const session = await newSession(ctx, 's1', { n: 9, gone: true, 'user:u': 9, 'app:p': 9 })
  const event = say('e1', 'x', {
    actions: { stateDelta: { n: 1, 'user:u': 1, 'app:p': 1, 'app:q': 1, 'temp:t': 1 }, stateUnset: ['gone'] },
  })
  const { actions } = say('e1', 'x', {
    actions: { stateDelta: { n: 1, 'user:u': 1, 'app:p': 1, 'app:q': 1 }, stateUnset: ['gone'] },
  })
  const state = { n: 9, gone: true, 'user:u': 9, 'app:p': 9 }
  const first = await ctx.store.events.append(session, event, { deltas: 'record', state: true })
  equal([first.revision, first.state], [2, state], 'revision and merged state')
  const batch = [event, say('e2', 'x', { actions: { stateDelta: { n: 2 } } })]
  const second = await ctx.store.events.append(session, batch, { deltas: 'record', state: true })
  equal(
    [second.events.map(({ duplicate }) => duplicate), second.state],
    [[true, false], state],
    'a batch with a known event',
  )
  equal((await ctx.other.events.get(session, 'e1'))?.event, { ...event, actions }, 'the event, its delta with it')
  const states = await Promise.all([0, 1, 2].map((seq) => ctx.other.sessions.stateAt(session, seq)))
  equal(states, [{ n: 9, gone: true }, { n: 1 }, { n: 9, gone: true }], 'stateAt follows the deltas below the head')
  await ctx.store.events.append(session, say('e3', 'x', { actions: { stateDelta: { n: 3 } } }), { deltas: 'apply' })
  equal((await loaded(ctx)).state, { ...state, n: 3 }, 'state after an append that applies its delta')
}
