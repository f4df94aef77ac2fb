import type { AgentEvent, EventFilter } from '@daybook/core'
import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, present, rejects } from '../expect.ts'
import { keyOf, loaded, newSession, nothingWritten, numbers, say, seqsOf, someEvents, walkEvents } from '../fixtures.ts'
import { tails, tailsAcrossProcesses } from './evt-tail.ts'
import {
  answers,
  acknowledgedStay,
  repeatIsHarmless,
  immutableButReplaced,
  batchesAreWhole,
  staleCopies,
  sessionMoves,
  historyIsOnlyRecorded,
} from './evt-append.ts'

const rich: AgentEvent & { id: string; timestamp: number } = say('rich', 'x', {
  invocationId: 'inv-1',
  branch: 'root.child',
  content: {
    role: 'model',
    parts: [
      { text: 'a' },
      { functionCall: { id: 'c1', name: 'f', args: { deep: [1, { x: null }] } } },
      { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } },
    ],
  },
  actions: {
    stateDelta: { a: 1, 'temp:t': 1 },
    artifactDelta: { 'f.txt': 2 },
    transferToAgent: 'other',
    escalate: false,
    skipSummarization: true,
    custom: { kept: [] },
  },
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
  equal(
    listed,
    [
      { seq: 1, event: stored },
      { seq: 2, event: say('plain') },
    ],
    'events.list',
  )
  equal((await loaded(ctx)).events, listed, 'sessions.get with all events')
}

/** Index 0…5; times 10 20 20 30 40 50. */
const filterable = [10, 20, 20, 30, 40, 50].map((time, i) =>
  say(`e${i + 1}`, 'x', {
    timestamp: time,
    author: i % 2 === 0 ? 'user' : 'agent',
    invocationId: i < 3 ? 'i1' : 'i2',
    ...(i === 4 && { branch: 'b' }),
  }),
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

async function newestFirstOldestShown(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  await ctx.store.events.append(keyOf(ctx), someEvents(7))
  for (const [last, expected] of [
    [0, []],
    [1, [7]],
    [3, [5, 6, 7]],
    [7, numbers(7)],
    [100, numbers(7)],
  ] as const) {
    equal(
      seqsOf(present(await ctx.other.sessions.get(keyOf(ctx), { events: { last } }), 'the session').events),
      [...expected],
      `sessions.get with last: ${last}`,
    )
    equal(
      seqsOf((await ctx.other.events.list(keyOf(ctx), { last })).items),
      [...expected],
      `events.list with last: ${last}`,
    )
  }
}

const big = (size: number) => 'x'.repeat(size)

export const EVT: Checks = [
  check('EVT-01', 'append, then read: deep-equal, temp: keys aside', readsBack),
  check('EVT-02', 'append answers id, seq, revision, and merged state when asked', answers),
  check('EVT-03', 'every acknowledged append is there after reopen', acknowledgedStay),
  check('EVT-04', 'append to a missing session: not_found, nothing written', (ctx) =>
    nothingWritten(
      ctx,
      () =>
        rejects(
          () =>
            ctx.store.events.append(
              keyOf(ctx),
              say('e1', 'x', { actions: { stateDelta: { 'app:a': 1, 'user:u': 1 } } }),
            ),
          'not_found',
          'append',
        ),
      'append to a missing session',
    ),
  ),
  check('EVT-05', 'a duplicate id never makes a second row', async (ctx) => {
    await newSession(ctx)
    for (const store of [ctx.store, ctx.other, ctx.store]) await store.events.append(keyOf(ctx), say('e1'))
    await ctx.store.events.append(keyOf(ctx), say('e1', 'y')).catch(() => {}) // refused; what counts is the number of rows
    await ctx.store.events.append(keyOf(ctx), say('e1', 'z'), { onDuplicate: 'replace' })
    equal(seqsOf(await walkEvents(ctx.other, keyOf(ctx))), [1], 'rows of one id')
  }),
  check(
    'EVT-06',
    'same id and payload: the stored event, revision unchanged; another payload: conflict',
    repeatIsHarmless,
  ),
  check('EVT-07', 'no method changes an event but onDuplicate: replace, which keeps seq', immutableButReplaced),
  check('EVT-08', 'filters are exact at the boundary', filtersAreExact),
  check('EVT-09', 'unknown members are preserved, at any depth', async (ctx) => {
    await newSession(ctx)
    const event = say('e1', 'x', {
      vendor: { a: [{ b: null }] },
      _private: 1,
      actions: { stateDelta: {}, unheardOf: ['kept'] },
    })
    await ctx.store.events.append(keyOf(ctx), event)
    equal((await ctx.other.events.get(keyOf(ctx), 'e1'))?.event, event, 'the event')
    equal((await loaded(ctx)).events, [{ seq: 1, event }], 'the event by sessions.get')
  }),
  check('EVT-10', 'large parts, binary parts, tool calls, errors, three-valued flags round-trip', async (ctx) => {
    await newSession(ctx)
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('base64')
    const flags = [{}, { partial: true }, { partial: false, turnComplete: false, interrupted: true }]
    const events = [
      say('big', big(300_000)),
      say('bin', 'x', { content: { parts: [{ inlineData: { data: bytes } }] } }),
      ...flags.map((more, i) => say(`f${i}`, 'x', more)),
      say('err', 'x', { errorCode: 'E', errorMessage: '' }),
    ]
    await ctx.store.events.append(keyOf(ctx), events)
    equal(
      (await walkEvents(ctx.other, keyOf(ctx))).map(({ event }) => event),
      events,
      'events',
    )
  }),
  check('EVT-11', 'a batch keeps its order, is one revision, and is all or nothing', batchesAreWhole),
  check(
    'EVT-12',
    'two stale copies both append; a wrong expectedRevision is a conflict with the current revision',
    staleCopies,
  ),
  check(
    'EVT-13',
    'append changes updatedAt, lastEventAt, lastSeq and revision of the session in the same commit',
    sessionMoves,
  ),
  check('EVT-14', 'list after seq n answers only newer ones, without a gap', async (ctx) => {
    await newSession(ctx)
    await ctx.store.events.append(keyOf(ctx), someEvents(10))
    for (const afterSeq of [0, 1, 5, 9, 10, 11])
      equal(
        seqsOf((await ctx.other.events.list(keyOf(ctx), { afterSeq })).items),
        numbers(10).slice(afterSeq),
        `after seq ${afterSeq}`,
      )
  }),
  check('EVT-15', 'tail is gap-free, resumes by seq, and ends on signal, close and deletion', tails, {
    budgetMs: 60_000,
  }),
  check('EVT-15', 'tail sees the appends of another process', tailsAcrossProcesses, {
    variant: 'process',
    engine: 'process',
    needs: ['worker'],
    capability: 'persistent',
    budgetMs: 60_000,
  }),
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
  check('EVT-18', 'deltas: record keeps events with their deltas, and changes no state', historyIsOnlyRecorded),
]
