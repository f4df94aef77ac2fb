import type { Store } from '@daybook/core'
import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects, Unproven, within } from '../expect.ts'
import { keyOf, loaded, newSession, nothingWritten, numbers, say, someEvents, walkEvents, wrong } from '../fixtures.ts'
import { poison } from '../poison.ts'
import { isValue, together } from '../race.ts'
import { connectionsComeBack } from './res-connections.ts'
import { handlesStayOpen } from './life-handle.ts'
import { heapIsFlat } from './res-heap.ts'

type Call = readonly [
  string,
  (store: Store, ctx: Ctx, options?: { signal?: AbortSignal; timeout?: number }) => Promise<unknown>,
]

/** Every method of the contract that takes call options. */
const reads: readonly Call[] = [
  ['sessions.get', (store, ctx, options) => store.sessions.get(keyOf(ctx), options)],
  ['sessions.list', (store, ctx, options) => store.sessions.list({ appName: ctx.app, ...options })],
  ['sessions.count', (store, ctx, options) => store.sessions.count({ appName: ctx.app, ...options })],
  ['sessions.stateAt', (store, ctx, options) => store.sessions.stateAt(keyOf(ctx), 0, options)],
  ['events.get', (store, ctx, options) => store.events.get(keyOf(ctx), 'e1', options)],
  ['events.list', (store, ctx, options) => store.events.list(keyOf(ctx), options)],
  ['state.get', (store, ctx, options) => store.state.get({ appName: ctx.app }, options)],
  ['health', (store, _ctx, options) => store.health(options)],
]
const memoryReads: readonly Call[] = [
  ['memories.get', (store, ctx, options) => store.memories.get({ appName: ctx.app }, 'm1', options)],
  ['memories.list', (store, ctx, options) => store.memories.list({ appName: ctx.app, ...options })],
]
const memorySearch: Call = [
  'memories.search',
  (store, ctx, options) => store.memories.search({ appName: ctx.app, query: 'x', ...options }),
]
const memoryWrites: readonly Call[] = [
  ['memories.add', (store, ctx, options) => store.memories.add({ appName: ctx.app }, { text: 'x' }, options)],
  ['memories.delete', (store, ctx, options) => store.memories.delete({ appName: ctx.app, all: true, ...options })],
]
const artifactOf = (ctx: Ctx) => ({ ...keyOf(ctx), name: 'a' })
const artifactReads: readonly Call[] = [
  ['artifacts.load', (store, ctx, options) => store.artifacts.load(artifactOf(ctx), options)],
  ['artifacts.list', (store, ctx, options) => store.artifacts.list({ ...keyOf(ctx), ...options })],
  ['artifacts.versions', (store, ctx, options) => store.artifacts.versions(artifactOf(ctx), options)],
]
const artifactWrites: readonly Call[] = [
  ['artifacts.save', (store, ctx, options) => store.artifacts.save(artifactOf(ctx), new Uint8Array(9), options)],
  ['artifacts.delete', (store, ctx, options) => store.artifacts.delete(artifactOf(ctx), options)],
  ['artifacts.prune', (store, ctx, options) => store.artifacts.prune({ appName: ctx.app, before: 2e12, ...options })],
  ['artifacts.sweep', (store, ctx, options) => store.artifacts.sweep({ appName: ctx.app, ...options })],
]
const metricReads: readonly Call[] = [
  ['metrics.query', (store, ctx, options) => store.metrics.query({ appName: ctx.app, ...options })],
  [
    'metrics.aggregate',
    (store, ctx, options) => store.metrics.aggregate({ appName: ctx.app, measures: { n: 'count' }, ...options }),
  ],
]
const metricWrites: readonly Call[] = [
  [
    'metrics.record',
    (store, ctx, options) => store.metrics.record([{ appName: ctx.app, operationName: 'answer' }], options),
  ],
  ['metrics.prune', (store, ctx, options) => store.metrics.prune({ appName: ctx.app, before: 2e12, ...options })],
]
const writes: readonly Call[] = [
  ['sessions.create', (store, ctx, options) => store.sessions.create(keyOf(ctx, 'new'), options)],
  ['sessions.update', (store, ctx, options) => store.sessions.update(keyOf(ctx), { set: { a: 1 } }, options)],
  ['sessions.delete', (store, ctx, options) => store.sessions.delete(keyOf(ctx), options)],
  ['sessions.fork', (store, ctx, options) => store.sessions.fork(keyOf(ctx), options)],
  ['sessions.prune', (store, ctx, options) => store.sessions.prune({ appName: ctx.app, before: 2e12, ...options })],
  ['events.append', (store, ctx, options) => store.events.append(keyOf(ctx), say('e2'), options)],
  ['state.update', (store, ctx, options) => store.state.update({ appName: ctx.app }, { set: { a: 1 } }, options)],
  ['erase', (store, ctx, options) => store.erase({ appName: ctx.app, userId: 'ann' }, options)],
  ['migrate', (store, _ctx, options) => store.migrate(options)],
]
const areas: readonly Call[] = [
  ...memoryReads,
  memorySearch,
  ...memoryWrites,
  ...artifactReads,
  ...artifactWrites,
  ...metricReads,
  ...metricWrites,
  ['sessions.lease', (store, ctx) => store.sessions.lease(keyOf(ctx), { ttl: 1000, owner: 'me' })],
]

/** Those of the areas that the store has. */
const optional = ({ store: { capabilities } }: Ctx): readonly Call[] => [
  ...(capabilities.memories === 'yes' ? [...memoryReads, ...memoryWrites] : []),
  ...(capabilities.fullTextSearch === 'yes' ? [memorySearch] : []),
  ...(capabilities.artifacts === 'yes' ? [...artifactReads, ...artifactWrites] : []),
  ...(capabilities.metrics === 'yes' ? [...metricReads, ...metricWrites] : []),
]

async function closedRejects(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const store = await ctx.open()
  const { sessions } = store
  await store.sessions.get(keyOf(ctx))
  await within(10_000, store.close(), 'close() of an idle store')
  for (const [name, call] of [...reads, ...writes, ...areas]) {
    await within(
      2000,
      rejects(() => call(store, ctx), 'closed', `${name} after close()`),
      `${name} after close() answers at once`,
    )
  }
  const tail = store.events.tail(keyOf(ctx))[Symbol.asyncIterator]()
  await within(
    2000,
    rejects(() => tail.next(), 'closed', 'events.tail after close()'),
    'events.tail after close() answers at once',
  )
  await rejects(() => sessions.get(keyOf(ctx)), 'closed', 'a method kept from before')
  equal((await loaded(ctx)).lastSeq, 0, 'the other opens go on')
}

async function closeWaits(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const store = await ctx.open()
  const running = numbers(8).map((i) => store.events.append(keyOf(ctx), say(`e${i}`)))
  const settled = Promise.allSettled(running)
  const closing = store.close()
  await within(15_000, closing, 'close() with running calls')
  const outcomes = await within(1000, settled, 'after close() nothing is running any more')
  const acknowledged = outcomes.filter(({ status }) => status === 'fulfilled').length
  equal(
    outcomes.map(({ status }) => status),
    numbers(8).map(() => 'fulfilled'),
    'calls that ran when close() came end as calls do',
  )
  equal((await loaded(ctx)).lastSeq, acknowledged, 'what was acknowledged is there')
}

async function signals(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  await nothingWritten(
    ctx,
    async () => {
      for (const [name, call] of [...writes, ...reads, ...optional(ctx)]) {
        await rejects(
          () => call(ctx.store, ctx, { signal: AbortSignal.abort() }),
          'aborted',
          `${name} with a signal that was aborted`,
        )
      }
    },
    'aborted calls',
  )
  await rejects(
    () => ctx.store.sessions.get(keyOf(ctx), { signal: wrong('no') }),
    'invalid_argument',
    'a signal that is none',
  )
  await rejects(() => ctx.store.sessions.get(keyOf(ctx), { timeout: -1 }), 'invalid_argument', 'a timeout below 0')
  const outcomes = await Promise.all(
    numbers(10).map(async (i) => {
      const controller = new AbortController()
      const call = ctx.store.events.append(keyOf(ctx), say(`e${i}`), { signal: controller.signal })
      controller.abort()
      const [outcome] = await together([() => call])
      return { id: `e${i}`, outcome: present(outcome, 'an outcome') }
    }),
  )
  const events = new Set((await walkEvents(ctx.other, keyOf(ctx))).map(({ event }) => event.id))
  for (const { id, outcome } of outcomes)
    equal(isValue(outcome), events.has(id), `an append aborted on its way (${id}): acknowledged exactly if it is there`)
  equal(
    (await ctx.store.events.append(keyOf(ctx), say('after'))).events[0]?.duplicate,
    false,
    'the connection is clean afterwards',
  )
}

async function resultsAreFresh(ctx: Ctx): Promise<void> {
  const { store } = ctx
  const key = keyOf(ctx)
  const created = await newSession(ctx, 's1', { a: { b: 1 }, 'app:p': { q: 1 }, 'user:u': [1] })
  await store.events.append(key, someEvents(2))
  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['sessions.get', () => store.sessions.get(key, { events: 'all' })],
    ['sessions.list', () => store.sessions.list({ appName: ctx.app, state: true })],
    ['events.list', () => store.events.list(key)],
    ['events.get', () => store.events.get(key, 'e1')],
    ['state.get', () => store.state.get({ appName: ctx.app })],
    ['sessions.stateAt', () => store.sessions.stateAt(key, 0)],
    ['append of what is known', () => store.events.append(key, someEvents(2), { eventsAfterSeq: 0 })],
  ]
  poison(created)
  for (const [name, call] of calls) {
    const first = await call()
    const copy = structuredClone(first)
    poison(first)
    equal(await call(), copy, `${name} after an earlier answer was changed`)
  }
}

async function argumentsAreLeft(ctx: Ctx): Promise<void> {
  const state = { deep: { list: [1, 2] }, 'app:x': { y: 1 } }
  const event = say('e1', 'x', {
    content: { parts: [{ text: 'kept' }] },
    actions: { stateDelta: { k: { v: 1 }, 'temp:t': 1 } },
  })
  const given = structuredClone({ state, event })
  const created = await ctx.store.sessions.create({ ...keyOf(ctx), state })
  await ctx.store.events.append(created, event)
  equal({ state, event }, given, 'the arguments')
  const before = await loaded(ctx)
  poison(state)
  poison(event)
  equal(await loaded(ctx), before, 'what is stored after the arguments were changed, by the other open')
  equal(await ctx.store.sessions.get(keyOf(ctx), { events: 'all' }), before, 'and by the same open')
  const frozen = Object.freeze({
    ...say('e2'),
    actions: Object.freeze({ stateDelta: Object.freeze({ 'temp:t': 1, z: 1 }) }),
  })
  await ctx.store.events.append(Object.freeze({ ...keyOf(ctx) }), Object.freeze([frozen]))
  equal((await loaded(ctx)).lastSeq, 2, 'frozen arguments')
}

async function breaksEarly(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  await ctx.store.events.append(keyOf(ctx), someEvents(5))
  const store = await oneConnection(ctx)
  for (let i = 0; i < 20; i += 1) {
    for await (const { seq } of store.events.tail(keyOf(ctx), { pollInterval: 50 })) if (seq >= 2) break
    equal((await within(5000, store.events.list(keyOf(ctx)), 'a call after an early break')).items.length, 5, 'events')
  }
  await within(10_000, store.close(), 'close() after early breaks')
}

/** A pool of one; where every open is one connection, any open is that. */
async function oneConnection(ctx: Ctx): Promise<Store> {
  const { honours = [], lacks = [] } = ctx.place
  if (!honours.includes('poolMax') && !lacks.includes('pool')) throw new Unproven('option not honoured', 'poolMax')
  const store = await ctx.open(lacks.includes('pool') ? {} : { poolMax: 1 })
  const { pool } = await store.health()
  holds(pool === undefined || pool.size <= 1, 'the store has one connection, as far as it tells', pool)
  return store
}

async function poolOfOne(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const store = await oneConnection(ctx)
  const outcomes = await within(
    20_000,
    together<unknown>(
      numbers(20).map(
        (i) => () => (i % 3 === 0 ? store.sessions.get(keyOf(ctx)) : store.events.append(keyOf(ctx), say(`e${i}`))),
      ),
    ),
    'twenty calls on a pool of one',
  )
  for (const outcome of outcomes) holds(isValue(outcome), 'a call waits for its turn', outcome)
}

const resources = () => process.getActiveResourcesInfo().filter((name) => !/Timeout|Immediate/.test(name)).length

async function opensAndCloses(ctx: Ctx): Promise<void> {
  const open = async () => {
    const store = await ctx.place.open()
    await store.sessions.get(keyOf(ctx))
    await store.close()
  }
  await open()
  const before = resources()
  for (let i = 0; i < 20; i += 1) await open()
  let after = resources()
  // Sockets end a little after their close.
  for (let i = 0; i < 50 && after > before + 2; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    after = resources()
  }
  holds(
    after <= before + 2,
    'opening and closing twenty times leaves no handle',
    `${before} handles before, ${after} after`,
  )
}

async function quiet(ctx: Ctx): Promise<void> {
  const warnings: string[] = []
  const listen = (warning: Error) => warnings.push(warning.message)
  // Nobody else hears of them: they are in the verdict, and a store that is broken on purpose is to alarm no one who reads the log.
  const others = process.rawListeners('warning')
  process.removeAllListeners('warning').on('warning', listen)
  try {
    const controller = new AbortController()
    const store = await ctx.open()
    await newSession(ctx)
    for (let i = 0; i < 30; i += 1) {
      await store.events.append(keyOf(ctx), say(`e${i}`), { signal: controller.signal })
      await store.sessions.get(keyOf(ctx, `none${i}`), { signal: controller.signal, timeout: 1000 })
      await store.events.append(keyOf(ctx, 'none'), say('x'), { signal: controller.signal }).catch(() => {}) // a failing call among the good ones
    }
    await store.close()
    await new Promise((resolve) => setTimeout(resolve, 30))
    controller.abort()
    equal(warnings, [], 'warnings, such as of too many listeners')
  } finally {
    process.off('warning', listen)
    for (const other of others) process.on('warning', other as (warning: Error) => void) // they listened before
  }
}

export const RES: Checks = [
  check('RES-01', 'close is idempotent, also through await using', async (ctx) => {
    const store = await ctx.open()
    await Promise.all([store.close(), store.close()])
    await store.close()
    await store[Symbol.asyncDispose]()
    const disposed = await ctx.open()
    await disposed[Symbol.asyncDispose]()
    await rejects(() => disposed.sessions.get(keyOf(ctx)), 'closed', 'after dispose')
    equal(await ctx.store.sessions.get(keyOf(ctx)), undefined, 'the other opens go on')
  }),
  check('RES-02', 'after close every method rejects with closed, at once', closedRejects, { budgetMs: 60_000 }),
  check('RES-03', 'close waits for running calls', closeWaits),
  check(
    'RES-05',
    'a pool of one, or the one connection that a store is, serves many calls and never hangs',
    poolOfOne,
    { budgetMs: 30_000 },
  ),
  check('RES-06', 'a handle that was handed in is not closed', handlesStayOpen, { engine: 'whitebox' }),
  check('RES-07', 'signal is honoured: aborted, and nothing written', signals, { budgetMs: 60_000 }),
  check('RES-08', 'an early break from an iteration frees the connection', breaksEarly, { budgetMs: 60_000 }),
  check('RES-09', 'results are fresh objects and not shared', resultsAreFresh),
  check('RES-10', 'arguments are neither changed nor kept', argumentsAreLeft),
  check('RES-11', 'the heap is flat over 5,000 cycles', heapIsFlat, {
    engine: 'whitebox',
    alone: true,
    budgetMs: 120_000,
  }),
  check('RES-12', 'no warnings and listeners are left', quiet, { alone: true, budgetMs: 60_000 }),
  check('RES-13', 'opening and closing again and again leaves no handle', opensAndCloses, {
    alone: true,
    budgetMs: 60_000,
  }),
  check('RES-04', 'after good, failing, abandoned and late calls the whole pool is free again', connectionsComeBack, {
    engine: 'fault',
    needs: ['endpoint', 'wire'],
    budgetMs: 60_000,
  }),
]
