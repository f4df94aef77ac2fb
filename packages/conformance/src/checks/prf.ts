import type { SessionKey, Store } from '@daybook/core'
import { check, type CheckOptions, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import type { Oracle, SentStatement, StatementPlan } from '../define.ts'
import { equal, holds, present } from '../expect.ts'
import { keyOf, newSession, numbers, say } from '../fixtures.ts'
import { removalsAreBulk, removalsUseIndexes } from './prf-removal.ts'
import { memoriesUseIndexes } from './prf-memories.ts'
import { exposedGc } from './res-heap.ts'
import { observed, oracleMember, withoutControl, type Observed } from '../whitebox.ts'

// Facts and counts, never times: what a statement walks, how many there are, how many rows they touch.

const whitebox: CheckOptions = { engine: 'whitebox', alone: true, needs: ['oracle'], budgetMs: 120_000 }

/** 50,000 rows, in proportions that tempt a planner: many sessions of one user, many users of one app, a long session. */
const size = { sessions: 10_000, users: 30_000, events: 10_000, artifacts: 10_000 } as const

const seededPlaces = new WeakMap<Oracle, Promise<void>>()

/** The app of the 50,000 rows, filled once for each place: a place that a mutant spoils keeps its oracle. */
async function bigApp(ctx: Ctx): Promise<{ readonly appName: string; readonly long: SessionKey }> {
  const seed = oracleMember(ctx, 'seed')
  const appName = 'big'
  const fill = async () => {
    const { artifacts, ...rest } = size
    const hasArtifacts = ctx.store.capabilities.artifacts === 'yes'
    await seed({ appName, ...rest, ...(hasArtifacts && { artifacts }) })
    await ctx.store.state.update({ appName, userId: 'ann' }, { set: { a: 0 } })
    await ctx.store.state.update({ appName }, { set: { a: 0 } })
  }
  const oracle = ctx.need('oracle')
  const filled = seededPlaces.get(oracle) ?? fill()
  seededPlaces.set(oracle, filled)
  await filled
  return { appName, long: { appName, userId: 'ann', sessionId: 's1' } }
}

/** A table read from end to end is a fault once it has rows to speak of; where nobody tells how many, always. */
const isFault = ({ rows = Infinity }: StatementPlan['scans'][number]) => rows > 1000

async function plansOf(ctx: Ctx, statements: readonly SentStatement[]): Promise<readonly StatementPlan[]> {
  const plan = oracleMember(ctx, 'plan')
  const plans: StatementPlan[] = []
  for (const statement of withoutControl(statements)) plans.push(await plan(statement))
  return plans
}

type Call = (store: Store) => Promise<unknown>

/** What an agent and its screens wait for. Each works as often as it is called. */
function hotCalls(
  { appName, long }: { readonly appName: string; readonly long: SessionKey },
  prefix: string,
): Record<string, Call> {
  const user = { appName, userId: 'ann' }
  let appended = 0
  const next = () => ({ id: `${prefix}${(appended += 1)}`, timestamp: 1_900_000_000_000 })
  return {
    'sessions.get': (store) => store.sessions.get(long),
    'sessions.get with the last events': (store) => store.sessions.get(long, { events: { last: 5 } }),
    'sessions.get with newer events': (store) =>
      store.sessions.get(long, { events: { afterSeq: size.events - 5, last: 20 } }),
    'events.get': (store) => store.events.get(long, 'e7'),
    'events.list': (store) => store.events.list(long, { limit: 20 }),
    'events.list, newest first': (store) => store.events.list(long, { limit: 20, direction: 'desc' }),
    'sessions.list of a user': (store) => store.sessions.list({ ...user, limit: 20 }),
    'sessions.list of a user with state': (store) => store.sessions.list({ ...user, limit: 20, state: true }),
    'sessions.list of an app by creation': (store) => store.sessions.list({ appName, orderBy: 'createdAt', limit: 20 }),
    'state.get': (store) => store.state.get(user),
    'events.append': (store) => store.events.append(long, next()),
    'events.append that asks for the state': (store) => store.events.append(long, next(), { state: true }),
    'events.append with state of every scope': (store) =>
      store.events.append(long, {
        ...next(),
        actions: { stateDelta: { a: appended, 'user:a': appended, 'app:a': appended } },
      }),
  }
}

/** What tools do about files: among 10,000 names of a session, and 10,000 versions of one. */
function artifactCalls({ long }: { readonly long: SessionKey }): Record<string, Call> {
  const [one, many] = [
    { ...long, name: 'a77' },
    { ...long, name: 'many' },
  ]
  return {
    // First, so that the newest is one that was saved, whichever check was there before.
    'artifacts.save': (store) => store.artifacts.save(many, new Uint8Array(10)),
    'artifacts.load': (store) => store.artifacts.load(one),
    'artifacts.load of a version': (store) => store.artifacts.load(many, { version: 77 }),
    'artifacts.load of the newest of many': (store) => store.artifacts.load(many),
    'artifacts.versions': (store) => store.artifacts.versions(many, { limit: 20 }),
    'artifacts.versions, newest first': (store) => store.artifacts.versions(many, { limit: 20, direction: 'desc' }),
    'artifacts.list with its page': (store) => store.artifacts.list({ ...long, limit: 20 }),
    'artifacts.prune of an app': (store) => store.artifacts.prune({ appName: long.appName, before: 1 }),
    'artifacts.delete of a version': (store) => store.artifacts.delete(many, { version: 5 }),
  }
}

async function hotPathUsesIndexes(ctx: Ctx): Promise<void> {
  await walkIndexes(ctx, (big) => hotCalls(big, 'hot'))
}

const filesUseIndexes = (ctx: Ctx): Promise<void> => walkIndexes(ctx, artifactCalls)

async function walkIndexes(
  ctx: Ctx,
  callsOf: (big: Parameters<typeof hotCalls>[0]) => Record<string, Call>,
): Promise<void> {
  const big = await bigApp(ctx)
  const { store, during } = await observed(ctx)
  for (const [name, call] of Object.entries(callsOf(big))) {
    const sent = await during(() => call(store))
    holds(withoutControl(sent).length > 0, `${name} sends a statement that is heard`, sent)
    const plans = await plansOf(ctx, sent)
    equal(
      plans.flatMap(({ scans }) => scans.filter((scan) => isFault(scan)).map(({ table }) => table)),
      [],
      `${name}: tables read from end to end`,
    )
    holds(
      plans.some(({ indexes }) => indexes.length > 0),
      `${name}: an index is walked`,
      plans,
    )
    for (const { rows = 0, sorts = false } of plans) {
      holds(rows <= 500, `${name}: rows read stay few`, rows)
      // A page whose keys were found first may be put in order once more with its states: that is the page, and no more.
      holds(
        !sorts || /with (?:state|its page)$/.test(name),
        `${name}: rows come in their order, and are not sorted first`,
        plans,
      )
    }
  }
}

/** Goes so far in a list by the largest pages, and answers the cursor there. */
async function cursorAfter(
  count: number,
  page: (limit: number, cursor?: string) => Promise<{ readonly nextCursor: string | undefined }>,
): Promise<string> {
  let cursor: string | undefined
  for (let done = 0; done < count; done += 1000) cursor = (await page(1000, cursor)).nextCursor
  return present(cursor, 'a cursor far into the list')
}

const skipped = ({ text, values }: SentStatement): boolean =>
  /\boffset\b/i.test(text) && (values.some((value) => Number(value) >= 5000) || /\boffset\s+\d{4,}/i.test(text))

async function latePagesAreCheap(ctx: Ctx): Promise<void> {
  const { appName, long } = await bigApp(ctx)
  const { store, during } = await observed(ctx)
  type List = (limit: number, cursor?: string) => Promise<{ readonly nextCursor: string | undefined }>
  const lists: readonly (readonly [name: string, list: List, far: number])[] = [
    [
      'sessions.list',
      (limit, cursor) =>
        store.sessions.list({ appName, userId: 'ann', limit, ...(cursor !== undefined && { cursor }) }),
      9000,
    ],
    [
      'events.list',
      (limit, cursor) => store.events.list(long, { limit, ...(cursor !== undefined && { cursor }) }),
      9000,
    ],
  ]
  for (const [name, list, far] of lists) {
    const cursor = await cursorAfter(far, list)
    const first = await during(() => list(20))
    const late = await during(() => list(20, cursor))
    equal(
      late.filter((statement) => skipped(statement)),
      [],
      `${name}: statements that skip rows`,
    )
    const rowsOf = async (sent: readonly SentStatement[]) =>
      (await plansOf(ctx, sent)).reduce((sum, { rows = 0 }) => sum + rows, 0)
    const [few, many] = [await rowsOf(first), await rowsOf(late)]
    holds(many <= 3 * few + 50, `${name}: a late page reads about as many rows as the first`, `${few}, then ${many}`)
    const scans = (await plansOf(ctx, late)).flatMap((plan) => plan.scans.filter((scan) => isFault(scan)))
    equal(scans, [], `${name}: tables that a late page reads from end to end`)
  }
}

/** Statements of a method, those around a transaction left out. */
const countOf = async ({ store, during }: Observed, call: Call): Promise<number> =>
  withoutControl(await during(() => call(store))).length

/** As many statements among 10,000 as among a few, and for a page one. */
async function fewStatementsForFiles(ctx: Ctx): Promise<void> {
  const big = await bigApp(ctx)
  const open = await observed(ctx)
  const small = { long: keyOf(ctx, 's1', 'ann') }
  await newSession(ctx)
  for (const name of ['a77', 'many']) await ctx.store.artifacts.save({ ...small.long, name }, new Uint8Array())
  const [onSmall, onBig] = [artifactCalls(small), artifactCalls(big)]
  for (const [name, call] of Object.entries(onSmall)) {
    const isOfVersion = name.endsWith('of a version')
    const few = await countOf(open, call)
    const many = await countOf(open, present(onBig[name], name))
    holds(isOfVersion ? many <= few + 3 : many === few, `${name}: statements on 10,000 as on one`, [few, many])
    if (/versions|list/.test(name)) equal(many, 1, `${name}: statements for a page`)
    holds(many <= 8, `${name}: statements are few`, many)
  }
}

async function constantStatements(ctx: Ctx): Promise<void> {
  const big = await bigApp(ctx)
  const open = await observed(ctx)
  const small = { appName: ctx.app, long: keyOf(ctx, 's1', 'ann') }
  await newSession(ctx, 's1', { a: 0, 'user:a': 0, 'app:a': 0 })
  await ctx.store.events.append(keyOf(ctx), say('e7'))
  // The rows of every scope are there on both sides, so that no first time differs.
  await open.store.events.append(big.long, {
    id: 'warm',
    actions: { stateDelta: { a: 0, 'user:a': 0, 'app:a': 0 } },
  })
  const [onSmall, onBig] = [hotCalls(small, 'counted'), hotCalls(big, 'counted')]
  for (const [name, call] of Object.entries(onSmall)) {
    const few = await countOf(open, call)
    const many = await countOf(open, present(onBig[name], name))
    equal(many, few, `${name}: statements on 10,000 events and 40,000 sessions, as on one`)
    if (name.startsWith('sessions.list') || name.startsWith('events.list'))
      equal(many, 1, `${name}: statements for a page`)
    holds(many <= 12, `${name}: statements are few`, many)
  }
}

async function nextSeqWithoutScan(ctx: Ctx): Promise<void> {
  const { long } = await bigApp(ctx)
  const { store, during } = await observed(ctx)
  const sent = await during(() => store.events.append(long, { id: 'seq', timestamp: 1_900_000_000_000 }))
  for (const { scans, rows = 0 } of await plansOf(ctx, sent)) {
    equal(
      scans.filter((scan) => isFault(scan)),
      [],
      'tables that an append reads from end to end',
    )
    holds(rows <= 100, 'rows that an append reads', rows)
  }
  const walks = withoutControl(sent).filter(({ text }) =>
    /\b(count|max)\s*\(\s*(distinct\s+)?(["`]?\w+["`]?\.)?["`]?\w*seq\b/i.test(text),
  )
  equal(
    walks.map(({ text }) => text),
    [],
    'statements that look for the greatest seq',
  )
}

/** Rows read by an append, or the indexes it walks where the database does not count rows. */
async function appendIsAsCheap(ctx: Ctx): Promise<void> {
  const { long } = await bigApp(ctx)
  const open = await observed(ctx)
  await newSession(ctx)
  const costOf = async (key: SessionKey, id: string) => {
    const sent = await open.during(() => open.store.events.append(key, { id, timestamp: 1_900_000_000_000 }))
    const plans = await plansOf(ctx, sent)
    return {
      statements: withoutControl(sent).length,
      indexes: plans.map(({ indexes }) => indexes),
      rows: plans.reduce((sum, { rows = 0 }) => sum + rows, 0),
    }
  }
  const [small, big] = [await costOf(keyOf(ctx), 'a1'), await costOf(long, 'a1')]
  equal(big.statements, small.statements, 'statements of an append')
  holds(
    big.rows < 3 * small.rows + 10,
    'rows that an append reads in a session of 10,000 events and of none',
    `${big.rows} and ${small.rows}`,
  )
}

async function batchIsShorter(ctx: Ctx): Promise<void> {
  const { store, during } = await observed(ctx)
  await newSession(ctx, 'loop')
  await newSession(ctx, 'batch')
  const events = numbers(100).map((i) => say(`e${i}`))
  const loop = await during(async () => {
    for (const event of events) await store.events.append(keyOf(ctx, 'loop'), event)
  })
  const batch = await during(() => store.events.append(keyOf(ctx, 'batch'), events))
  const [looped, batched] = [loop, batch].map((sent) => sent.filter(({ sameTrip }) => sameTrip !== true).length)
  holds(
    (looped ?? 0) >= 5 * (batched ?? Infinity),
    'a batch of 100 events makes at most a fifth of the trips to the database that a loop makes',
    `${batched} instead of ${looped}`,
  )
}

async function listsAreLight(ctx: Ctx): Promise<void> {
  const { body, state } = oracleMember(ctx, 'columns')
  const { store, during } = await observed(ctx)
  await newSession(ctx, 's1', { a: 1 })
  await ctx.store.events.append(keyOf(ctx), say('e1'))
  const textOf = async (call: Call) => (await during(() => call(store))).map(({ text }) => text).join('\n')
  const user = { appName: ctx.app, userId: 'ann' }
  const light = [
    await textOf((one) => one.sessions.list(user)),
    await textOf((one) => one.sessions.list({ appName: ctx.app, orderBy: 'createdAt' })),
    await textOf((one) => one.sessions.count(user)),
  ]
  for (const text of light) {
    holds(!body.test(text), 'a list of sessions reads no event bodies', text)
    holds(!state.test(text), 'a list of sessions reads no state that nobody asked for', text)
  }
  const asked = await textOf((one) => one.sessions.list({ ...user, state: true }))
  holds(state.test(asked) && !body.test(asked), 'with state: true it reads the states, and no bodies', asked)
  const without = await textOf((one) => one.sessions.get(keyOf(ctx)))
  holds(!body.test(without), 'a session without events reads no bodies', without)
  holds(body.test(await textOf((one) => one.events.list(keyOf(ctx)))), 'what a body looks like is known', body)
}

async function walkIsBounded(ctx: Ctx): Promise<void> {
  const { long } = await bigApp(ctx)
  const gc = exposedGc()
  const pages: WeakRef<object>[] = []
  let cursor: string | undefined
  let count = 0
  do {
    const page = await ctx.store.events.list(long, { limit: 500, ...(cursor !== undefined && { cursor }) })
    pages.push(new WeakRef(page.items))
    count += page.items.length
    cursor = page.nextCursor
  } while (cursor !== undefined)
  holds(count >= size.events, 'the walk sees every event', count)
  await new Promise((resolve) => setImmediate(resolve)) // a reference that was just made lives until the turn is over
  gc()
  const kept = pages.filter((page) => page.deref() !== undefined).length
  holds(kept <= 3, 'pages that are still in memory after a walk', `${kept} of ${pages.length}`)
}

async function preparedIsBounded(ctx: Ctx): Promise<void> {
  const { store, during } = await observed(ctx)
  await newSession(ctx)
  const round = async (i: number) => {
    const text = `text ${i}`
    await store.events.append(keyOf(ctx), say(`e${i}`, text, { actions: { stateDelta: { k: text, 'user:k': i } } }))
    await store.sessions.get(keyOf(ctx), { events: { last: (i % 9) + 1 } })
    await store.events.list(keyOf(ctx), { afterSeq: i, author: text, limit: (i % 90) + 1 })
    await store.sessions.list({ appName: ctx.app, userId: text, limit: (i % 90) + 1 })
    await store.state.update({ appName: ctx.app }, { set: { k: text } })
  }
  const textsOf = async (from: number, to: number) => {
    const sent = await during(async () => {
      for (let i = from; i < to; i += 1) await round(i)
    })
    return new Set(sent.map(({ text }) => text))
  }
  const known = await textsOf(0, 5)
  const later = await textsOf(5, 60)
  equal(
    [...later].filter((text) => !known.has(text)),
    [],
    'statements whose text depends on a value',
  )
}

export const PRF: Checks = [
  check('PRF-01', 'hot queries walk an index at 50,000 rows', hotPathUsesIndexes, whitebox),
  check('PRF-01', 'queries of artifacts walk an index among 10,000 names and versions', filesUseIndexes, {
    ...whitebox,
    capability: 'artifacts',
    variant: 'artifacts',
  }),
  check('PRF-01', 'memories are found by an index, in one statement across sessions', memoriesUseIndexes, {
    ...whitebox,
    capability: 'memories',
    variant: 'memories',
  }),
  check('PRF-02', 'the first page and the five-hundredth read about as many rows', latePagesAreCheap, whitebox),
  check(
    'PRF-03',
    'the statements of a call do not grow with the data, and a page is one',
    constantStatements,
    whitebox,
  ),
  check('PRF-03', 'so with artifacts', fewStatementsForFiles, {
    ...whitebox,
    capability: 'artifacts',
    variant: 'artifacts',
  }),
  check('PRF-01', 'what is taken away in bulk is found by an index', removalsUseIndexes, {
    ...whitebox,
    variant: 'removal',
  }),
  check('PRF-03', 'and what is taken away in bulk goes in as many statements, however much it is', removalsAreBulk, {
    ...whitebox,
    variant: 'removal',
  }),
  check('PRF-04', 'an append looks for its seq in no index and no table of events', nextSeqWithoutScan, whitebox),
  check('PRF-05', 'an append to 10,000 events reads as many rows as one to none', appendIsAsCheap, whitebox),
  check('PRF-06', 'a batch sends a fifth of what a loop sends', batchIsShorter, { engine: 'whitebox' }),
  check('PRF-07', 'lists load neither event bodies nor states that nobody asked for', listsAreLight, whitebox),
  check('PRF-08', 'a walk over 10,000 events keeps no page in memory', walkIsBounded, whitebox),
  check('PRF-09', 'the texts of statements, which servers keep prepared, do not depend on values', preparedIsBounded, {
    engine: 'whitebox',
  }),
]
