import { isStoreError, type Fact, type LoadedSession, type Store } from '@daybook/core'
import { check, type Check, type CheckOptions } from '../check.ts'
import type { Ctx } from '../context.ts'
import type { TriedFact } from '../define.ts'
import { CheckFailure, equal, Inapplicable, present, Unproven } from '../expect.ts'
import { keyOf, newSession, numbers, say, someEvents } from '../fixtures.ts'
import { startWorker, type RemoteStore } from '../process.ts'
import { othersGoOn } from './con-locks.ts'

/** What was seen is what the store declares, in both directions. */
function agrees(ctx: Ctx, fact: Fact, isSeen: boolean, how: string): void {
  const declared = ctx.store.capabilities[fact]
  if (declared === (isSeen ? 'yes' : 'no')) return
  throw new CheckFailure(
    `${fact} is ${declared}${isSeen ? ' (under-declared)' : ''}: ${how}`,
    `${fact}: ${isSeen ? 'yes' : 'no'}`,
    `${fact}: ${declared}`,
  )
}

const plain = (session: unknown): unknown => JSON.parse(JSON.stringify(session ?? null)) // as another process sends it

/** All opens are closed; then another process opens the place, and afterwards this one again. */
async function dataOutlive(ctx: Ctx): Promise<void> {
  const worker = ctx.need('worker')
  await ctx.store.migrate()
  await newSession(ctx, 's1', { own: 1, 'user:u': 2, 'app:a': 3 })
  await ctx.store.events.append(keyOf(ctx), someEvents(3))
  const before = present(await ctx.other.sessions.get(keyOf(ctx), { events: 'all' }), 'the session')
  const declared = ctx.store.capabilities.persistent
  await Promise.all([ctx.store.close(), ctx.other.close()])
  const process = await startWorker(worker)
  try {
    // A place of its own may not even have a schema.
    const seen = await process.call('sessions.get', keyOf(ctx), { events: 'all' }).catch(() => undefined)
    agrees(ctx, 'persistent', seen !== undefined, 'another process reads what was written before every open was closed')
    if (declared === 'no') return
    equal(plain(seen), plain(before), 'the session, read by another process after every open was closed')
    await process.call('events.append', keyOf(ctx), say('later'))
  } finally {
    await process.leave()
  }
  const again: LoadedSession | undefined = await (await ctx.open()).sessions.get(keyOf(ctx), { events: 'all' })
  equal([again?.lastSeq, again?.state], [4, before.state], 'after that process ended, opened anew')
}

async function referencesAreKept(ctx: Ctx): Promise<void> {
  if (ctx.place.lacks?.includes('schema') === true) throw new Inapplicable('the store has no schema')
  await newSession(ctx)
  await ctx.store.events.append(keyOf(ctx), say('e1'))
  const isRefused = await ctx.place.oracle?.orphan?.(ctx.app)
  if (isRefused === undefined) nobodySees(ctx, 'foreignKeys')
  else agrees(ctx, 'foreignKeys', isRefused, 'an event row of no session is refused')
}

/** A yes has to be shown; a no has nothing to show. */
function nobodySees(ctx: Ctx, fact: Fact): never {
  if (ctx.store.capabilities[fact] === 'yes') throw new Unproven('no oracle', `nothing shows ${fact}`)
  throw new Inapplicable('a fact that is no, and nothing to see it by')
}

const tried = (fact: TriedFact) =>
  async function isTried(ctx: Ctx): Promise<void> {
    if (fact === 'transactionalDdl' && ctx.place.lacks?.includes('schema') === true)
      throw new Inapplicable('the store has no schema')
    const attempt = ctx.place.oracle?.tries?.[fact]
    if (attempt === undefined) nobodySees(ctx, fact)
    else agrees(ctx, fact, (await attempt()) === 'yes', 'the database, when it was tried')
  }

/** How long the tail of an open that idles takes to see what somebody else has appended, in milliseconds after the answer. */
async function wakes(ctx: Ctx, append: (id: string) => Promise<unknown>): Promise<number[]> {
  const taken: number[] = []
  const controller = new AbortController()
  const arrived: (() => void)[] = []
  const listen = (async () => {
    // A poller sleeps for a minute at last, and twice as long with each look before.
    const options = { pollInterval: 60_000, signal: controller.signal }
    for await (const _ of ctx.store.events.tail(keyOf(ctx), options)) arrived.shift()?.()
  })()
  try {
    for (const idle of [700, 1100]) {
      await new Promise((resolve) => setTimeout(resolve, idle))
      const arrival = new Promise<void>((resolve) => arrived.push(resolve))
      await append(`e${idle}`)
      const acknowledged = performance.now()
      const late = new Promise<void>((resolve) => setTimeout(resolve, 5000).unref())
      await Promise.race([arrival, late])
      taken.push(Math.round(performance.now() - acknowledged))
    }
  } finally {
    controller.abort()
    await listen
  }
  return taken
}

async function tailIsWoken(ctx: Ctx): Promise<void> {
  const { persistent, liveNotify } = ctx.store.capabilities
  await newSession(ctx)
  const hasProcesses = ctx.place.worker !== undefined && persistent === 'yes'
  // Within one process a tail may be woken without the database, which is what a no says nothing about.
  if (!hasProcesses && liveNotify === 'no') throw new Inapplicable('a fact that is no, and nothing to see it by')
  const worker = hasProcesses ? await startWorker(ctx.need('worker')) : undefined
  try {
    const taken = await wakes(ctx, (id) => appendBy(worker ?? ctx.other, ctx, id))
    agrees(
      ctx,
      'liveNotify',
      taken.every((ms) => ms < 250),
      `a tail that idles was woken after ${taken.join(' and ')} ms`,
    )
  } finally {
    await worker?.stop()
  }
}

const appendBy = (by: RemoteStore | Store, ctx: Ctx, id: string): Promise<unknown> =>
  'call' in by ? by.call('events.append', keyOf(ctx), say(id)) : by.events.append(keyOf(ctx), say(id))

async function writersTakeTurns(ctx: Ctx): Promise<void> {
  const { isThrough, took } = await othersGoOn(ctx)
  agrees(ctx, 'concurrentWriters', isThrough, `while one session is held, another is written (${Math.round(took)} ms)`)
}

/** More embeddings than a store may compare: a database that compares them itself has the nearest all the same. */
async function databaseCompares(ctx: Ctx): Promise<void> {
  if (ctx.store.capabilities.vectorSearch === 'no') nobodySees(ctx, 'nativeVectors')
  const store = await ctx.open({ limits: { embeddingsCompared: 3 } })
  const scope = { appName: ctx.app, userId: 'ann' }
  await store.memories.add(
    scope,
    numbers(9).map((i) => ({ id: `m${i}`, text: 'x', embedding: [1, i, 0, 0] })),
  )
  const found = await store.memories.search({ ...scope, embedding: [1, 0, 0, 0], limit: 1 }).catch((error: unknown) => {
    if (isStoreError(error) && error.code === 'limit_exceeded') return undefined
    throw error
  })
  agrees(
    ctx,
    'nativeVectors',
    found !== undefined,
    'the nearest of 9 embeddings, of which the store compares 3 at most',
  )
}

const looks: Readonly<Record<Fact, readonly [string, (ctx: Ctx) => Promise<void>, CheckOptions?]>> = {
  persistent: [
    'data outlive every open, read by another process',
    dataOutlive,
    { engine: 'process', needs: ['worker'], fresh: true, budgetMs: 60_000 },
  ],
  concurrentWriters: ['one session is written while another is held', writersTakeTurns, { engine: 'race' }],
  foreignKeys: ['the database refuses an event without its session', referencesAreKept],
  skipLocked: ['as SQL names it', tried('skipLocked')],
  windowFunctions: ['as SQL names it', tried('windowFunctions')],
  transactionalDdl: ['a table that a transaction made is gone with its rollback', tried('transactionalDdl')],
  nativeVectors: ['the nearest of more embeddings than the store compares', databaseCompares],
  liveNotify: ['a tail that idles is woken by the database', tailIsWoken, { engine: 'race', budgetMs: 60_000 }],
}

const factNames = Object.keys(looks) as Fact[] // keys of a record by Fact

/** A fact is looked at whether it is yes or no; the checks that it closes count as closed only then. */
export const factChecks: readonly Check[] = factNames.map((fact) => {
  const [rule, run, options] = looks[fact]
  return check('META-03', `a fact is as declared: ${fact}: ${rule}`, run, { ...options, variant: fact })
})
