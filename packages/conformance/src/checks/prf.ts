import { check, type CheckOptions, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { holds } from '../expect.ts'
import { keyOf, newSession, say } from '../fixtures.ts'
import { removalsAreBulk, removalsUseIndexes } from './prf-removal.ts'
import { memoriesUseIndexes } from './prf-memories.ts'
import { batchesAreFewStatements, metricsUseIndexes } from './prf-metrics.ts'
import { exposedGc } from './res-heap.ts'
import { observed, oracleMember } from '../whitebox.ts'
import { size, bigApp, type Call } from './prf-big-app.ts'
import { hotPathUsesIndexes, filesUseIndexes, latePagesAreCheap } from './prf-indexes.ts'
import { fewStatementsForFiles, constantStatements, preparedIsBounded } from './prf-statements.ts'
import { nextSeqWithoutScan, appendIsAsCheap, batchIsShorter } from './prf-append.ts'

// Facts and counts, never times: what a statement walks, how many there are, how many rows they touch.

const whitebox: CheckOptions = { engine: 'whitebox', alone: true, needs: ['oracle'], budgetMs: 120_000 }

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
  check('PRF-01', 'metrics are found by an index, in one statement', metricsUseIndexes, {
    ...whitebox,
    capability: 'metrics',
    variant: 'metrics',
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
  check(
    'PRF-03',
    'a batch of metrics takes no more statements than rows, however many are there',
    batchesAreFewStatements,
    {
      ...whitebox,
      capability: 'metrics',
      variant: 'metrics',
    },
  ),
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
