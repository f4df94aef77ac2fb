import type { AgentEvent, EventFilter, StoredEvent } from '@daybook/core'
import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects, within } from '../expect.ts'
import { idsOf, keyOf, loaded, newSession, nothingWritten, numbers, say, seqsOf, someEvents, tickingClock, walkEvents } from '../fixtures.ts'
import { startWorker } from '../process.ts'

const rich: AgentEvent & { id: string; timestamp: number } = say('rich', 'x', {
  invocationId: 'inv-1',
  branch: 'root.child',
  content: {
    role: 'model',
    parts: [{ text: 'a' }, { functionCall: { id: 'c1', name: 'f', args: { deep: [1, { x: null }] } } }, { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }],
  },
  actions: { stateDelta: { a: 1, 'temp:t': 1 }, artifactDelta: { 'f.txt': 2 }, transferToAgent: 'other', escalate: false, skipSummarization: true, custom: { kept: [] } },
  turnComplete: true,
  errorCode: 'E1',
  errorMessage: 'no',
  longRunningToolIds: ['t1'],
  groundingMetadata: { sources: [] },
  customMetadata: { any: { thing: 1 } },
  usageMetadata: { promptTokens: 12 },
})

async function readsBack(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  await ctx.store.events.append(keyOf(ctx), [rich, say('plain')])
  const stored = { ...rich, actions: { ...rich.actions, stateDelta: { a: 1 } } }
  equal((await ctx.other.events.get(keyOf(ctx), 'rich'))?.event, stored, 'events.get')
  const listed = await walkEvents(ctx.other, keyOf(ctx))
  equal(listed, [{ seq: 1, event: stored }, { seq: 2, event: say('plain') }], 'events.list')
  equal((await loaded(ctx)).events, listed, 'sessions.get with all events')
}

async function answers(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { a: 1, 'app:p': 1 })
  const { store } = ctx
  const key = keyOf(ctx)
  equal(await store.events.append(key, say('e1')), { events: [{ id: 'e1', seq: 1, duplicate: false }], revision: 2 }, 'the plain answer')
  const withState = await store.events.append(key, say('e2', 'x', { actions: { stateDelta: { b: 2, 'user:u': 3 } } }), { state: true })
  equal(withState.state, { a: 1, b: 2, 'app:p': 1, 'user:u': 3 }, 'merged state when asked')
  await ctx.other.events.append(key, say('o3', 'x', { actions: { stateDelta: { c: 1 } } }))
  const others = await store.events.append(key, say('e4'), { eventsAfterSeq: 2 })
  equal(idsOf(present(others.newEvents, 'newEvents')), ['o3'], 'what others appended after seq 2')
  equal([others.state, others.revision], [{ a: 1, b: 2, c: 1, 'app:p': 1, 'user:u': 3 }, 5], 'state and revision with eventsAfterSeq')
  const bare = await store.events.append(key, { author: 'user' })
  const id = present(bare.events[0], 'an answer for the event').id
  holds(/^[\da-f]{8}-[\da-f]{4}-7/.test(id), 'a default event id is a UUIDv7', id)
  const { event } = present(await ctx.other.events.get(key, id), 'the event by its default id')
  holds(Math.abs(event.timestamp - Date.now()) < 60_000, 'a default timestamp is now', event.timestamp)
}

async function acknowledgedStay(ctx: Ctx): Promise<void> {
  const store = await ctx.open()
  await newSession(ctx)
  for (const event of someEvents(20)) await store.events.append(keyOf(ctx), event)
  await store.close()
  const again = await ctx.open()
  equal(idsOf(await walkEvents(again, keyOf(ctx))), someEvents(20).map(({ id }) => id), 'ids of all acknowledged appends, after reopen')
}

async function repeatIsHarmless(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  const event = say('e1', 'x', { actions: { stateDelta: { a: 1, 'temp:t': 1 } } })
  const first = await ctx.store.events.append(key, event)
  await ctx.store.sessions.update(key, { set: { a: 2 } })
  await nothingWritten(ctx, async () => {
    const again = await ctx.other.events.append(key, event)
    equal([again.events, again.revision], [[{ id: 'e1', seq: 1, duplicate: true }], 3], 'the same event again')
    const stale = await ctx.store.events.append(key, event, { expectedRevision: first.revision - 1 })
    equal(stale.events, [{ id: 'e1', seq: 1, duplicate: true }], 'a known event is looked at before expectedRevision')
    const { timestamp: _, ...bare } = event
    const others = { ...bare, actions: { stateDelta: { 'temp:t': 9, a: 1 } } }
    equal((await ctx.store.events.append(key, others)).events, [{ id: 'e1', seq: 1, duplicate: true }], 'temp: keys and an absent timestamp make no other payload')
  }, 'a repeated append')
  await nothingWritten(ctx, () => rejects(() => ctx.store.events.append(key, say('e1', 'other')), 'conflict', 'the id with another payload'), 'a known id with another payload')
  const mixed = await ctx.store.events.append(key, [event, say('e2')])
  equal([mixed.events, mixed.revision], [[{ id: 'e1', seq: 1, duplicate: true }, { id: 'e2', seq: 2, duplicate: false }], 4], 'a batch of known and new')
  equal(idsOf(await walkEvents(ctx.other, key)), ['e1', 'e2'], 'events stored')
}

async function immutableButReplaced(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { n: 0 })
  const key = keyOf(ctx)
  await ctx.store.events.append(key, someEvents(3))
  const before = await walkEvents(ctx.other, key)
  await ctx.store.sessions.update(key, { set: { n: 1 } })
  await ctx.store.events.append(key, say('e4'))
  await ctx.store.sessions.fork(key, { sessionId: 'f' })
  equal((await walkEvents(ctx.other, key)).slice(0, 3), before, 'events after update, append and fork')
  const replaced = await ctx.store.events.append(key, say('e2', 'new', { actions: { stateDelta: { n: 2 } } }), { onDuplicate: 'replace', state: true })
  equal([replaced.events[0]?.seq, replaced.state], [2, { n: 2 }], 'replace keeps seq and applies the new delta')
  equal((await ctx.other.events.get(key, 'e2')), { seq: 2, event: say('e2', 'new', { actions: { stateDelta: { n: 2 } } }) }, 'the replaced event')
  equal(seqsOf(await walkEvents(ctx.other, key)), [1, 2, 3, 4], 'seq after a replacement')
  equal((await loaded(ctx)).lastSeq, 4, 'lastSeq after a replacement')
}

/** Index 0…5; times 10 20 20 30 40 50. */
const filterable = [10, 20, 20, 30, 40, 50].map((time, i) =>
  say(`e${i + 1}`, 'x', { timestamp: time, author: i % 2 === 0 ? 'user' : 'agent', invocationId: i < 3 ? 'i1' : 'i2', ...(i === 4 && { branch: 'b' }) }),
)
const filters: readonly (readonly [EventFilter, readonly number[]])[] = [
  [{}, [1, 2, 3, 4, 5, 6]],
  [{ since: 20 }, [2, 3, 4, 5, 6]],
  [{ after: 20 }, [4, 5, 6]],
  [{ afterSeq: 4 }, [5, 6]],
  [{ afterSeq: 6 }, []],
  [{ author: 'user' }, [1, 3, 5]],
  [{ author: 'User' }, []],
  [{ invocationId: 'i2' }, [4, 5, 6]],
  [{ branch: 'b' }, [5]],
  [{ since: 20, author: 'agent', afterSeq: 2 }, [4, 6]],
]

async function filtersAreExact(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  await ctx.store.events.append(keyOf(ctx), filterable)
  for (const [filter, expected] of filters) {
    const name = JSON.stringify(filter)
    equal(seqsOf((await ctx.other.events.list(keyOf(ctx), filter)).items), [...expected], `events.list ${name}`)
    const got = present(await ctx.other.sessions.get(keyOf(ctx), { events: filter }), 'the session')
    equal(seqsOf(got.events), [...expected], `sessions.get with events ${name}`)
    const last = (await ctx.other.events.list(keyOf(ctx), { ...filter, last: 2 })).items
    equal(seqsOf(last), expected.slice(-2), `events.list ${name} with last: 2`)
    const limited = await ctx.other.events.list(keyOf(ctx), { ...filter, limit: 2, direction: 'desc' })
    equal(seqsOf(limited.items), expected.toReversed().slice(0, 2), `events.list ${name}, limit 2, desc`)
  }
}

async function batchesAreWhole(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  const batch = await ctx.store.events.append(key, someEvents(5))
  equal([batch.events.map(({ seq }) => seq), batch.revision], [[1, 2, 3, 4, 5], 2], 'a batch keeps its order and is one revision')
  equal(idsOf(await walkEvents(ctx.other, key)), ['e1', 'e2', 'e3', 'e4', 'e5'], 'order of the batch')
  await nothingWritten(ctx, async () => {
    await rejects(() => ctx.store.events.append(key, [say('n1', 'x', { actions: { stateDelta: { a: 1 } } }), say('e3', 'other'), say('n2')]), 'conflict', 'a batch with one conflict')
    await rejects(() => ctx.store.events.append(key, [say('n1'), { id: 'n2', content: NaN }]), 'invalid_argument', 'a batch with one bad event')
    await rejects(() => ctx.store.events.append(key, [say('n1'), say('n1', 'other')]), ['conflict', 'invalid_argument'], 'a batch with one id and two payloads')
  }, 'a batch that fails')
  equal(await ctx.store.events.append(key, []), { events: [], revision: 2 }, 'an empty batch')
}

async function staleCopies(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  const [mine, theirs] = await Promise.all([ctx.store.sessions.get(key), ctx.other.sessions.get(key)])
  equal((await ctx.store.events.append(present(mine, 'mine'), say('a'))).events[0]?.seq, 1, 'the first append')
  equal((await ctx.other.events.append(present(theirs, 'theirs'), say('b'))).events[0]?.seq, 2, 'an append with an old copy')
  await nothingWritten(ctx, () => rejects(() => ctx.other.events.append(key, say('c'), { expectedRevision: 1 }), 'conflict', 'a stale expectedRevision', { revision: 3 }), 'a stale expectedRevision')
  equal((await ctx.other.events.append(key, say('c'), { expectedRevision: 3 })).revision, 4, 'the right expectedRevision')
}

async function sessionMoves(ctx: Ctx): Promise<void> {
  const clock = tickingClock(1_700_000_000_000)
  const store = await ctx.open({ now: clock.now })
  const created = await store.sessions.create(keyOf(ctx))
  clock.set(1_700_000_005_000)
  const { revision } = await store.events.append(created, say('e1', 'x', { timestamp: 42.5 }))
  const after = await loaded(ctx)
  equal([after.revision, after.revision, after.lastSeq, after.lastEventAt], [revision, 2, 1, 42.5], 'revision, lastSeq and lastEventAt after an append')
  holds(after.updatedAt > created.updatedAt, 'updatedAt after an append', [created.updatedAt, after.updatedAt])
  equal(after.createdAt, created.createdAt, 'createdAt after an append')
}

export async function collect(events: AsyncIterable<StoredEvent>, count: number, into: StoredEvent[] = []): Promise<StoredEvent[]> {
  for await (const item of events) if (into.push(item) >= count) break
  return into
}

async function tails(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = keyOf(ctx)
  await ctx.other.events.append(key, someEvents(3, 'a'))
  const seen = collect(ctx.store.events.tail(key, { pollInterval: 20 }), 8)
  for (const event of someEvents(5, 'b')) await ctx.other.events.append(key, event)
  equal(seqsOf(await within(5000, seen, 'tail sees appends of the other open')), numbers(8), 'seq of the tail')
  equal(seqsOf(await within(10_000, collect(ctx.store.events.tail(key, { afterSeq: 5, pollInterval: 20 }), 3), 'a resumed tail')), [6, 7, 8], 'a tail after seq 5')
  const controller = new AbortController()
  const tail = collect(ctx.store.events.tail(key, { afterSeq: 8, signal: controller.signal, pollInterval: 20 }), 1)
  controller.abort()
  equal(await within(5000, tail, 'a tail ends on abort'), [], 'an aborted tail ends quietly')
  const closing = await ctx.open()
  const until = collect(closing.events.tail(key, { afterSeq: 8, pollInterval: 20 }), 1)
  await closing.events.list(key)
  await within(10_000, closing.close(), 'close() with a running tail')
  equal(await within(5000, until, 'a tail ends on close()'), [], 'a tail of a closed store ends quietly')
  const seenBefore: StoredEvent[] = []
  const gone = collect(ctx.store.events.tail(key, { afterSeq: 7, pollInterval: 20 }), 2, seenBefore)
  // Only a tail that has looked knows which session it follows.
  while (seenBefore.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await ctx.other.sessions.delete(key)
  await newSession(ctx)
  equal(seqsOf(await within(5000, gone, 'a tail ends on deletion')), [8], 'a tail of a deleted session ends quietly')
}

async function tailsAcrossProcesses(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const worker = await startWorker(ctx.need('worker'))
  try {
    const seen = collect(ctx.store.events.tail(keyOf(ctx), { pollInterval: 50 }), 20)
    await worker.appends({ key: keyOf(ctx), prefix: 'w', count: 20 })
    equal(seqsOf(await within(10_000, seen, 'tail sees appends of another process')), numbers(20), 'seq of the tail')
  } finally {
    await worker.stop()
  }
}

async function newestFirstOldestShown(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  await ctx.store.events.append(keyOf(ctx), someEvents(7))
  for (const [last, expected] of [[0, []], [1, [7]], [3, [5, 6, 7]], [7, numbers(7)], [100, numbers(7)]] as const) {
    equal(seqsOf(present(await ctx.other.sessions.get(keyOf(ctx), { events: { last } }), 'the session').events), [...expected], `sessions.get with last: ${last}`)
    equal(seqsOf((await ctx.other.events.list(keyOf(ctx), { last })).items), [...expected], `events.list with last: ${last}`)
  }
}

const big = (size: number) => 'x'.repeat(size)

export const EVT: Checks = [
  check('EVT-01', 'append, then read: deep-equal, temp: keys aside', readsBack),
  check('EVT-02', 'append answers id, seq, revision, and merged state when asked', answers),
  check('EVT-03', 'every acknowledged append is there after reopen', acknowledgedStay),
  check('EVT-04', 'append to a missing session: not_found, nothing written', (ctx) =>
    nothingWritten(ctx, () => rejects(() => ctx.store.events.append(keyOf(ctx), say('e1', 'x', { actions: { stateDelta: { 'app:a': 1, 'user:u': 1 } } })), 'not_found', 'append'), 'append to a missing session')),
  check('EVT-05', 'a duplicate id never makes a second row', async (ctx) => {
    await newSession(ctx)
    for (const store of [ctx.store, ctx.other, ctx.store]) await store.events.append(keyOf(ctx), say('e1'))
    await ctx.store.events.append(keyOf(ctx), say('e1', 'y')).catch(() => {}) // refused; what counts is the number of rows
    await ctx.store.events.append(keyOf(ctx), say('e1', 'z'), { onDuplicate: 'replace' })
    equal(seqsOf(await walkEvents(ctx.other, keyOf(ctx))), [1], 'rows of one id')
  }),
  check('EVT-06', 'same id and payload: the stored event, revision unchanged; another payload: conflict', repeatIsHarmless),
  check('EVT-07', 'no method changes an event but onDuplicate: replace, which keeps seq', immutableButReplaced),
  check('EVT-08', 'filters are exact at the boundary', filtersAreExact),
  check('EVT-09', 'unknown members are preserved, at any depth', async (ctx) => {
    await newSession(ctx)
    const event = say('e1', 'x', { vendor: { a: [{ b: null }] }, _private: 1, actions: { stateDelta: {}, unheardOf: ['kept'] } })
    await ctx.store.events.append(keyOf(ctx), event)
    equal((await ctx.other.events.get(keyOf(ctx), 'e1'))?.event, event, 'the event')
    equal((await loaded(ctx)).events, [{ seq: 1, event }], 'the event by sessions.get')
  }),
  check('EVT-10', 'large parts, binary parts, tool calls, errors, three-valued flags round-trip', async (ctx) => {
    await newSession(ctx)
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('base64')
    const flags = [{}, { partial: true }, { partial: false, turnComplete: false, interrupted: true }]
    const events = [say('big', big(300_000)), say('bin', 'x', { content: { parts: [{ inlineData: { data: bytes } }] } }), ...flags.map((more, i) => say(`f${i}`, 'x', more)), say('err', 'x', { errorCode: 'E', errorMessage: '' })]
    await ctx.store.events.append(keyOf(ctx), events)
    equal((await walkEvents(ctx.other, keyOf(ctx))).map(({ event }) => event), events, 'events')
  }),
  check('EVT-11', 'a batch keeps its order, is one revision, and is all or nothing', batchesAreWhole),
  check('EVT-12', 'two stale copies both append; a wrong expectedRevision is a conflict with the current revision', staleCopies),
  check('EVT-13', 'append changes updatedAt, lastEventAt, lastSeq and revision of the session in the same commit', sessionMoves),
  check('EVT-14', 'list after seq n answers only newer ones, without a gap', async (ctx) => {
    await newSession(ctx)
    await ctx.store.events.append(keyOf(ctx), someEvents(10))
    for (const afterSeq of [0, 1, 5, 9, 10, 11]) equal(seqsOf((await ctx.other.events.list(keyOf(ctx), { afterSeq })).items), numbers(10).slice(afterSeq), `after seq ${afterSeq}`)
  }),
  check('EVT-15', 'tail is gap-free, resumes by seq, and ends on signal, close and deletion', tails, { budgetMs: 60_000 }),
  check('EVT-15', 'tail sees the appends of another process', tailsAcrossProcesses, { variant: 'process', engine: 'process', needs: ['worker'], capability: 'persistent', budgetMs: 60_000 }),
  check('EVT-16', 'get needs the full key; one event id in two sessions is two events', async (ctx) => {
    await newSession(ctx)
    await newSession(ctx, 's2')
    await newSession(ctx, 's1', {}, 'bob')
    await ctx.store.events.append(keyOf(ctx), say('e1', 'one'))
    await ctx.store.events.append(keyOf(ctx, 's2'), say('e1', 'two'))
    equal((await ctx.other.events.get(keyOf(ctx), 'e1'))?.event, say('e1', 'one'), 'of the first session')
    equal((await ctx.other.events.get(keyOf(ctx, 's2'), 'e1'))?.event, say('e1', 'two'), 'of the second session')
    equal(await ctx.other.events.get(keyOf(ctx, 's1', 'bob'), 'e1'), undefined, 'of the session of another user')
  }),
  check('EVT-17', 'last: the newest n, oldest first; last: 0 is none', newestFirstOldestShown),
]
