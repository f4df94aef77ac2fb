import type { Lease, LeaseOptions, SessionKey, Store } from '@daybook/core'
import { isRefused } from '../absence.ts'
import { check, type CheckOptions, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, rejects, succeeds, within } from '../expect.ts'
import { idsOf, keyOf, loaded, newSession, nothingWritten, numbers, say, walkEvents, wrong } from '../fixtures.ts'
import { clockDecides, clockRunsBack, deletedAndCreated, expired, sleptPastItsEnd } from './lea-end.ts'
import { isFreeAfterItsHolderDied } from './lea-process.ts'
import { appendsRace, oneWinner } from './lea-race.ts'
import { inRealTime } from './lea-real-time.ts'

const leases: CheckOptions = { capability: 'lease' }
const race: CheckOptions = { ...leases, engine: 'race', budgetMs: 60_000 }

/** Long enough that no renewal is due while a check runs. */
const ttl = 60_000

/** Holds the session of a store for as long as the body takes. */
async function holding<T>(
  store: Store,
  key: SessionKey,
  options: LeaseOptions,
  body: (lease: Lease) => Promise<T>,
): Promise<T> {
  const lease = await store.sessions.lease(key, options)
  try {
    return await body(lease)
  } finally {
    await lease.release().catch(() => {}) // its store may be closed, and what the body threw is to be told
  }
}

async function oneHolder(ctx: Ctx): Promise<void> {
  const { store, other } = ctx
  const key = await newSession(ctx)
  const free = await newSession(ctx, 's2')
  const before = await loaded(ctx)
  await holding(store, key, { ttl, owner: 'a' }, async (lease) => {
    equal([lease.key, lease.owner], [keyOf(ctx), 'a'], 'key and owner of the lease')
    holds(Number.isSafeInteger(lease.fence) && lease.fence > 0, 'the fence is a whole number above 0', lease.fence)
    equal(lease.signal.aborted, false, 'its signal')
    equal(await loaded(ctx), before, 'the session: to take it is no change of it')
    const facts = { owner: 'a', expiresAt: lease.expiresAt }
    for (const [by, owner] of [
      [other, 'b'],
      [store, 'b'],
      [other, 'a'],
      [store, 'a'],
    ] as const)
      await rejects(() => by.sessions.lease(key, { ttl, owner }), 'conflict', `the session for ${owner}`, facts)
    equal(lease.signal.aborted, false, 'its signal after others asked')
    await holding(other, free, { ttl, owner: 'b' }, async () => {})
  })
  await rejects(() => store.sessions.lease(keyOf(ctx, 'none'), { ttl, owner: 'a' }), 'not_found', 'no session')
}

async function malformed(ctx: Ctx): Promise<void> {
  const { store, limits } = ctx
  const key = await newSession(ctx)
  await nothingWritten(
    ctx,
    async () => {
      for (const given of [undefined, 0, 99, 1000.5, -1, Number.NaN, 86_400_001, Infinity, '1000'])
        await rejects(
          () => store.sessions.lease(key, { ttl: wrong(given), owner: 'a' }),
          'invalid_argument',
          `ttl ${given}`,
          { field: 'ttl' },
        )
      for (const given of [undefined, '', 1, 'a\0', '\ud800'])
        await rejects(() => store.sessions.lease(key, { ttl, owner: wrong(given) }), 'invalid_argument', 'owner', {
          field: 'owner',
        })
      const owner = 'a'.repeat(limits.idCodePoints + 1)
      await rejects(() => store.sessions.lease(key, { ttl, owner }), 'limit_exceeded', 'a long owner', {
        field: 'owner',
      })
      await rejects(
        () => store.sessions.lease(key, wrong({ ttl, owner: 'a', force: true })),
        'invalid_argument',
        'an unknown option',
        { field: 'force' },
      )
      for (const [lease, field] of [
        [{}, 'lease.owner'],
        [{ owner: 'a' }, 'lease.fence'],
        [{ owner: 'a', fence: 0 }, 'lease.fence'],
        [{ owner: 'a', fence: 1.5 }, 'lease.fence'],
        [{ owner: 1, fence: 1 }, 'lease.owner'],
        ['a', 'lease'],
        [null, 'lease'],
      ] as const)
        await rejects(
          () => store.events.append(key, say('e1'), { lease: wrong(lease) }),
          'invalid_argument',
          'an append with a malformed lease',
          { field },
        )
    },
    'malformed arguments',
  )
  await holding(store, key, { ttl: 86_400_000, owner: 'a'.repeat(limits.idCodePoints) }, async () => {})
}

/** What nobody may do but the holder. */
async function refusesOthers(ctx: Ctx, key: SessionKey, { owner, fence, expiresAt }: Lease): Promise<void> {
  const { store, other } = ctx
  const ended = { field: 'lease', owner, expiresAt }
  await nothingWritten(
    ctx,
    async () => {
      for (const by of [store, other]) {
        await rejects(() => by.events.append(key, say('x')), 'conflict', 'an append without the lease', {
          owner,
          expiresAt,
        })
        await rejects(
          () => by.events.append(key, [say('x'), say('y', 'y', { actions: { stateDelta: { k: 1, 'user:k': 1 } } })]),
          'conflict',
          'a batch without the lease',
        )
        for (const lease of [
          { owner, fence: fence + 1 },
          { owner: `${owner}2`, fence },
          ...(fence > 1 ? [{ owner, fence: fence - 1 }] : []),
        ])
          await rejects(() => by.events.append(key, say('x'), { lease }), 'conflict', 'an append by another', ended)
      }
    },
    'appends of others',
  )
}

async function onlyTheHolder(ctx: Ctx): Promise<void> {
  const { store, other } = ctx
  const key = await newSession(ctx)
  await store.events.append(key, say('before'))
  await holding(store, key, { ttl, owner: 'a' }, async (lease) => {
    await refusesOthers(ctx, key, lease)
    await succeeds(store.events.append(key, say('own'), { lease }), 'an append of the holder')
    const token = { owner: lease.owner, fence: lease.fence }
    const delta = { actions: { stateDelta: { k: 1, 'app:k': 1 } } }
    const passed = other.events.append(key, [say('there', 'x', delta)], { lease: token, expectedRevision: 3 })
    await succeeds(passed, 'an append elsewhere in the name of the holder')
    await refusesOthers(ctx, key, lease)

    const repeated = await other.events.append(key, [say('before'), say('there', 'x', delta)])
    equal(
      repeated.events.map(({ seq, duplicate }) => [seq, duplicate]),
      [
        [1, true],
        [3, true],
      ],
      'events that are stored are answered without the lease',
    )
    await succeeds(other.events.append(key, []), 'an append of nothing')
    const replaced = say('before', 'revised')
    await rejects(
      () => other.events.append(key, replaced, { onDuplicate: 'replace' }),
      'conflict',
      'a replacement without the lease',
    )
    await other.events.append(key, replaced, { onDuplicate: 'replace', lease: token })
    await rejects(
      () => other.events.append(key, say('late'), { lease: token, expectedRevision: 1 }),
      'conflict',
      'another revision, by the holder',
      { revision: 5 },
    )
  })
  await rejects(
    () => store.events.append(keyOf(ctx, 's2'), say('x'), { lease: { owner: 'a', fence: 1 } }),
    'not_found',
    'an append to a missing session',
  )
  equal(idsOf((await loaded(ctx)).events), ['before', 'own', 'there'], 'the events')
}

async function administration(ctx: Ctx): Promise<void> {
  const { store, other } = ctx
  const key = await newSession(ctx)
  await store.events.append(key, someOf(3))
  await holding(store, key, { ttl, owner: 'a' }, async (lease) => {
    await succeeds(other.sessions.update(key, { set: { k: 1 } }), 'an update')
    const copy = await succeeds(other.sessions.fork(key, { sessionId: 'copy' }), 'a fork')
    await succeeds(other.events.append(copy, say('free')), 'an append to the copy, which nobody holds')
    await succeeds(other.state.update({ appName: ctx.app }, { set: { k: 1 } }), 'an update of app state')
    await succeeds(store.events.append(key, say('own'), { lease }), 'the lease lasts')
    equal(await other.sessions.delete(key), true, 'a delete')
    await rejects(() => store.events.append(key, say('late'), { lease }), 'not_found', 'an append afterwards')
    await rejects(() => lease.renew(), 'not_found', 'a renewal afterwards')
    equal(lease.signal.aborted, true, 'the signal of a lease on a session that is gone')
  })
}

const someOf = (count: number) => numbers(count).map((i) => say(`e${i}`))

async function inTransaction(ctx: Ctx): Promise<void> {
  if (ctx.store.capabilities.lease === 'no') return isRefused('lease', ctx)
  const transaction = ctx.need('transaction')
  const key = await newSession(ctx)
  await rejects(
    () => transaction.run(ctx.store, (joined) => joined.sessions.lease(key, { ttl, owner: 'a' })),
    'unsupported',
    'to take a lease inside a transaction',
    { capability: 'lease' },
  )
  await holding(ctx.other, key, { ttl, owner: 'a' }, async (lease) => {
    await nothingWritten(
      ctx,
      () =>
        transaction.run(ctx.store, async (joined) => {
          await rejects(() => joined.events.append(key, say('x')), 'conflict', 'an append without the lease', {
            owner: 'a',
          })
        }),
      'a transaction of somebody else',
    )
    await transaction.run(ctx.store, (joined) => joined.events.append(key, say('own'), { lease }))
  })
  equal(idsOf(await walkEvents(ctx.other, key)), ['own'], 'the events')
}

const renewed = (ctx: Ctx): Promise<void> =>
  inRealTime(async (short, patience) => {
    const { store, other } = ctx
    const key = await newSession(ctx, `of ${short}`)
    await holding(store, key, { ttl: short, owner: 'a' }, async (lease) => {
      const first = lease.expiresAt
      await patience.wait(2.1 * short, () => store.sessions.get(key))
      equal(lease.signal.aborted, false, 'the signal of a lease that is renewed')
      holds(lease.expiresAt > first, 'its end has moved', lease.expiresAt - first)
      await rejects(
        () => other.sessions.lease(key, { ttl, owner: 'b' }),
        'conflict',
        'the session after more than its ttl',
      )
      await rejects(() => other.events.append(key, say('x')), 'conflict', 'an append of somebody else')
      await succeeds(store.events.append(key, say('own'), { lease }), 'an append of the holder')
    })
  })

async function released(ctx: Ctx): Promise<void> {
  const { store, other } = ctx
  const key = await newSession(ctx)
  const lease = await store.sessions.lease(key, { ttl, owner: 'a' })
  const fired = new Promise((resolve) => lease.signal.addEventListener('abort', resolve, { once: true }))
  await lease.release()
  await within(1_000, fired, 'the signal fires at the release')
  const reason: unknown = lease.signal.reason
  await rejects(() => Promise.reject(reason), 'closed', 'the reason of the signal')
  await rejects(() => lease.renew(), 'conflict', 'a renewal of what was released')
  const late = () => store.events.append(key, say('x'), { lease })
  const { facts } = await rejects(late, 'conflict', 'an append with what was released', { field: 'lease' })
  equal([facts.owner, facts.expiresAt], [undefined, undefined], 'who has the session: nobody')
  await succeeds(other.events.append(key, say('free')), 'an append of anybody')
  await holding(other, key, { ttl, owner: 'a' }, async (next) => {
    holds(next.fence > lease.fence, 'the fence grows', [lease.fence, next.fence])
    await lease.release()
    await lease[Symbol.asyncDispose]()
    await rejects(
      () => other.events.append(key, say('x')),
      'conflict',
      'an append, after the old one was released again',
    )
    await rejects(() => store.events.append(key, say('x'), { lease }), 'conflict', 'an append with the old one')
    await succeeds(other.events.append(key, say('own'), { lease: next }), 'an append of the next holder')
  })
  equal(idsOf((await loaded(ctx)).events), ['free', 'own'], 'the events')
}

async function releasedOnClose(ctx: Ctx): Promise<void> {
  const { other } = ctx
  const key = await newSession(ctx)
  const closing = await ctx.open()
  const lease = await closing.sessions.lease(key, { ttl, owner: 'a' })
  await closing.close()
  equal(lease.signal.aborted, true, 'the signal, once its store is closed')
  await holding(other, key, { ttl, owner: 'b' }, async (next) => {
    holds(next.fence > lease.fence, 'the fence grows', [lease.fence, next.fence])
  })
}

export const LEA: Checks = [
  check('LEA-01', 'a session has one holder; another gets conflict naming it and when it ends', oneHolder, leases),
  check('LEA-01', 'of several at once one gets it', oneWinner, { ...race, variant: 'race' }),
  check('LEA-01', 'malformed arguments are refused before anything is written', malformed, {
    ...leases,
    variant: 'arguments',
  }),
  check('LEA-02', 'only the holder’s appends pass while it lasts', onlyTheHolder, leases),
  check('LEA-02', 'no append of another comes between those of the holder', appendsRace, { ...race, variant: 'race' }),
  check('LEA-02', 'administration does not ask for the lease, and a delete ends it', administration, {
    ...leases,
    variant: 'administration',
  }),
  check('LEA-02', 'a lease can be shown inside a transaction, and not taken', inTransaction, {
    capability: 'callerTransaction',
    needs: ['transaction'],
    variant: 'transaction',
  }),
  check('LEA-03', 'an expired lease is taken over, and its old holder can append no more', expired, leases),
  check('LEA-03', 'who slept past the end cannot append, also when nobody took over', sleptPastItsEnd, {
    ...leases,
    variant: 'slept',
  }),
  check('LEA-03', 'nor when the session was deleted and created anew', deletedAndCreated, {
    ...leases,
    variant: 'recreated',
  }),
  check('LEA-04', 'a lease is renewed in the background', renewed, { ...leases, budgetMs: 60_000 }),
  check('LEA-04', 'a lease that is released is free at once', released, { ...leases, variant: 'release' }),
  check('LEA-04', 'a store that closes releases what it holds', releasedOnClose, { ...leases, variant: 'close' }),
  check('LEA-05', 'the session of a holder that was killed is free after the ttl', isFreeAfterItsHolderDied, {
    ...leases,
    engine: 'process',
    needs: ['worker'],
    budgetMs: 90_000,
  }),
  check('LEA-06', 'the injected clock decides, to the microsecond', clockDecides, leases),
  check('LEA-06', 'a clock that runs back shortens no lease', clockRunsBack, { ...leases, variant: 'backwards' }),
]
