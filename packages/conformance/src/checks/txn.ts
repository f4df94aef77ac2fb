import { check, type CheckOptions, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects } from '../expect.ts'
import { idsOf, keyOf, loaded, newSession, nothingWritten, numbers, say, someEvents, walkEvents } from '../fixtures.ts'
import { cutCallsAreUndone } from './txn-cut.ts'
import { anomaliesAreExcluded, callsAreSavepoints, othersAreSeen } from './txn-isolation.ts'
import { isValue, rounds, together } from '../race.ts'
import { lateInTransaction } from './txn-late.ts'

const joins: CheckOptions = { capability: 'callerTransaction', needs: ['transaction'] }

async function allOrNothing(ctx: Ctx): Promise<void> {
  const small = await ctx.open({ limits: { stateBytes: 200 } })
  await newSession(ctx, 's1', { 'app:full': 'x'.repeat(150), 'user:u': 1 })
  await ctx.store.events.append(keyOf(ctx), say('known'))
  const delta = { own: 1, 'user:u': 2, 'app:more': 'y'.repeat(100) }
  await nothingWritten(
    ctx,
    async () => {
      // Session and user state still fit: only the last of the scopes does not.
      await rejects(
        () => small.events.append(keyOf(ctx), [say('n1'), say('n2', 'x', { actions: { stateDelta: delta } })]),
        'limit_exceeded',
        'an append whose app state becomes too large',
      )
      await rejects(
        () => small.sessions.update(keyOf(ctx), { set: delta }),
        'limit_exceeded',
        'an update whose app state becomes too large',
      )
      await rejects(
        () => small.sessions.create({ ...keyOf(ctx, 's2'), state: delta }),
        'limit_exceeded',
        'a create whose app state becomes too large',
      )
      await rejects(
        () =>
          ctx.store.events.append(keyOf(ctx), [
            say('n1', 'x', { actions: { stateDelta: { own: 1, 'app:a': 1, 'user:u': 3 } } }),
            say('known', 'other'),
          ]),
        'conflict',
        'a batch whose last event conflicts',
      )
    },
    'a write that fails at its end',
  )
}

class Rollback extends Error {}

async function rollsBack(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  await newSession(ctx, 's1', { own: 0, 'app:a': 0 })
  const original = new Rollback('the application changed its mind')
  await nothingWritten(
    ctx,
    async () => {
      const outcome = await transaction
        .run(ctx.store, async (joined, own) => {
          await own.insert(`${ctx.app}-gone`)
          await joined.events.append(keyOf(ctx), say('e1', 'x', { actions: { stateDelta: { own: 1, 'app:a': 1 } } }))
          await joined.sessions.create(keyOf(ctx, 's2'))
          throw original
        })
        .catch((error: unknown) => error)
      holds(
        outcome === original || (outcome instanceof Error && outcome.cause === original),
        'the original error is rethrown',
        outcome,
      )
    },
    'a transaction of the caller that failed',
  )
  holds(!(await transaction.rows()).includes(`${ctx.app}-gone`), 'the application’s row is gone, too', 'it is there')
}

async function commitsTogether(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  await newSession(ctx)
  const answer = await transaction.run(ctx.store, async (joined, own) => {
    await own.insert(`${ctx.app}-row`)
    const { events } = await joined.events.append(keyOf(ctx), someEvents(2))
    equal(idsOf((await joined.events.list(keyOf(ctx))).items), ['e1', 'e2'], 'the transaction sees its own events')
    equal((await joined.sessions.get(keyOf(ctx)))?.lastSeq, 2, 'and its own session')
    return events.length
  })
  equal(answer, 2, 'what the body answered')
  equal((await loaded(ctx)).lastSeq, 2, 'after commit the other open sees the events')
  holds(
    (await transaction.rows()).includes(`${ctx.app}-row`),
    'and the application’s row is there',
    await transaction.rows(),
  )
}

async function hiddenUntilCommit(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  await newSession(ctx, 's1', { own: 0 })
  // Where writers and readers take turns the read waits; then it has no answer before the commit, and none that is dirty.
  let during: Promise<unknown> = Promise.resolve()
  await transaction.run(ctx.store, async (joined) => {
    await joined.events.append(keyOf(ctx), say('e1', 'x', { actions: { stateDelta: { own: 1 } } }))
    during = ctx.other.sessions.get(keyOf(ctx), { events: 'all', timeout: 2000 }).then(
      (seen) => seen?.lastSeq,
      () => 'no answer',
    )
    const first = await Promise.race([during, new Promise((resolve) => setTimeout(() => resolve('waits'), 300))])
    holds(
      first === 0 || first === 'waits' || first === 'no answer',
      'another open does not see what is not committed',
      first,
    )
  })
  await during
  equal((await loaded(ctx)).lastSeq, 1, 'after the commit')
}

async function closedAfterwards(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  await newSession(ctx)
  const joined = await transaction.run(ctx.store, async (store) => {
    await store.sessions.get(keyOf(ctx))
    return [store] // in a list, so that nothing awaits the store itself
  })
  const store = present(joined[0], 'the joined store')
  await rejects(() => store.sessions.get(keyOf(ctx)), 'closed', 'a read after the end of tx')
  await rejects(() => store.events.append(keyOf(ctx), say('late')), 'closed', 'a write after the end of tx')
  equal((await loaded(ctx)).lastSeq, 0, 'nothing was written')
  equal((await ctx.store.sessions.get(keyOf(ctx)))?.lastSeq, 0, 'the store that was joined goes on')
}

async function parallelInside(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const outcomes = await ctx
    .need('transaction')
    .run(ctx.store, (joined) => together(numbers(4).map((i) => () => joined.events.append(keyOf(ctx), say(`e${i}`)))))
  const accepted = outcomes.filter(isValue).length
  const events = await walkEvents(ctx.other, keyOf(ctx))
  equal(
    [events.length, events.map(({ seq }) => seq)],
    [accepted, numbers(accepted)],
    'calls that were accepted, and the events there',
  )
}

async function duplicateInside(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  await newSession(ctx)
  await ctx.store.events.append(keyOf(ctx), say('known'))
  await transaction.run(ctx.store, async (joined, own) => {
    await rejects(
      () => joined.events.append(keyOf(ctx), say('known', 'other')),
      'conflict',
      'another payload inside tx',
    )
    await rejects(() => joined.sessions.create(keyOf(ctx)), 'already_exists', 'create of what exists inside tx')
    await own.insert(`${ctx.app}-after`)
    equal(
      (await joined.events.append(keyOf(ctx), say('known'))).events[0]?.duplicate,
      true,
      'the same event again inside tx',
    )
    await joined.events.append(keyOf(ctx), say('next'))
  })
  equal(idsOf(await walkEvents(ctx.other, keyOf(ctx))), ['known', 'next'], 'events after the commit')
  holds(
    (await transaction.rows()).includes(`${ctx.app}-after`),
    'the application’s row is committed',
    await transaction.rows(),
  )
}

/** Readers beside a writer of batches: a batch is there as a whole, with its state, or not at all. */
async function noDirtyRead(ctx: Ctx): Promise<void> {
  await rounds(ctx, async ({ store, other, key }) => {
    await store.sessions.create({ ...key, state: { n: 0 } })
    const batch = numbers(4).map((i) => say(`e${i}`, 'x', { actions: { stateDelta: { n: i } } }))
    const [, ...reads] = await together<unknown>([
      () => store.events.append(key, batch),
      ...numbers(4).map(() => () => other.sessions.get(key, { events: 'all' })),
    ])
    const late = await Promise.allSettled(numbers(2).map(() => other.sessions.get(key, { events: 'all' })))
    for (const read of [
      ...reads.flatMap((one) => (isValue(one) ? [one.value] : [])),
      ...late.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    ]) {
      const { events, state, revision } = present(read as Awaited<ReturnType<typeof other.sessions.get>>, 'the session') // only gets are left
      const seen = [events.length, state['n'], revision]
      holds(events.length === 0 || events.length === 4, 'a batch is there as a whole or not at all', seen)
      equal(seen, events.length === 0 ? [0, 0, 1] : [4, 4, 2], 'events, state and revision are of one commit')
    }
  })
}

async function contention(ctx: Ctx): Promise<void> {
  await Promise.all(numbers(6).map((i) => newSession(ctx, `s${i}`, {}, `u${i % 2}`)))
  const outcomes = await together<unknown>(
    numbers(48, 0).map((i) => () => {
      const store = i % 2 === 0 ? ctx.store : ctx.other
      const key = keyOf(ctx, `s${(i % 6) + 1}`, `u${((i % 6) + 1) % 2}`)
      const delta = { [`app:k${i}`]: i, [`user:k${i}`]: i, [`k${i}`]: i }
      return i % 3 === 0
        ? store.sessions.update(key, { set: delta })
        : store.events.append(key, say(`e${i}`, 'x', { actions: { stateDelta: delta } }))
    }),
  )
  for (const outcome of outcomes)
    holds(isValue(outcome), 'contention is retried inside, and every call succeeds', outcome)
  equal(Object.keys((await ctx.other.state.get({ appName: ctx.app }))?.state ?? {}).length, 48, 'keys of app state')
}

export const TXN: Checks = [
  check('TXN-01', 'append, state and session change together, or not at all when the last part fails', allOrNothing),
  check(
    'TXN-02',
    'the caller’s transaction fails: store’s and caller’s rows are both gone, the original error is rethrown',
    rollsBack,
    joins,
  ),
  check('TXN-03', 'the caller’s transaction commits: store’s and caller’s rows are both there', commitsTogether, joins),
  check('TXN-03', 'others do not see it before', hiddenUntilCommit, { ...joins, variant: 'before' }),
  check('TXN-04', 'no dirty read by another open', noDirtyRead, { engine: 'race', budgetMs: 60_000 }),
  check(
    'TXN-05',
    'what the contract excludes does not happen at the level that the server gives',
    anomaliesAreExcluded,
    {
      engine: 'whitebox',
      needs: ['transaction'],
      capability: 'concurrentWriters',
    },
  ),
  check(
    'TXN-05',
    'what others append while a transaction is open is told as a whole, or the transaction is busy',
    othersAreSeen,
    { engine: 'whitebox', needs: ['transaction'], capability: 'concurrentWriters', variant: 'others' },
  ),
  check(
    'TXN-06',
    'a call in the caller’s transaction is a savepoint: what it threw may be caught',
    callsAreSavepoints,
    joins,
  ),
  check(
    'TXN-06',
    'one that is given up half-way leaves nothing of itself, and takes nothing of the caller’s with it',
    cutCallsAreUndone,
    { ...joins, variant: 'cut' },
  ),
  check('TXN-07', 'the joined store is closed after the end of the transaction', closedAfterwards, joins),
  check('TXN-08', 'parallel calls inside one transaction are serialised or rejected', parallelInside, joins),
  check('TXN-09', 'deadlocks and serialization failures are retried as a whole, never raw', contention, {
    engine: 'race',
    budgetMs: 60_000,
  }),
  check('TXN-11', 'a duplicate inside the caller’s transaction does not poison it', duplicateInside, joins),
  check(
    'TXN-10',
    'a call that waits for a lock in a transaction ends with the mapped error, and the connection is clean afterwards',
    lateInTransaction,
    { ...joins, engine: 'fault', needs: ['transaction', 'lock'] },
  ),
]
