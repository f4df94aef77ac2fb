import { isStoreError, type JoinedStore, type SessionKey } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, rejects, succeeds } from '../expect.ts'
import { idsOf, keyOf, loaded, newSession, numbers, say, seqsOf } from '../fixtures.ts'

/**
 * What the contract excludes, whatever level the server gives to a transaction that says none: dirty reads, lost updates, a
 * stale `seq`, a stale revision taken for the current one. A server that holds a transaction to its snapshot (MariaDB from
 * 11.6 on) may give it up as a whole instead, with `busy`, and then nothing of it may stay.
 */
export async function anomaliesAreExcluded(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  const key = keyOf(ctx)
  const user = { appName: ctx.app, userId: 'ann' }
  await newSession(ctx, 's1', { own: 0, 'user:u': 0, 'app:a': 0 })
  await ctx.store.events.append(key, say('first'))
  const givenUp = await transaction
    .run(ctx.store, async (joined) => {
      // The transaction has looked, so a server that reads from a snapshot has taken it.
      equal((await joined.sessions.get(key, { events: 'all' }))?.lastSeq, 1, 'the session as the transaction finds it')
      await joined.state.get(user)
      await ctx.other.events.append(
        key,
        say('meanwhile', 'x', { actions: { stateDelta: { meanwhile: 1, 'user:meanwhile': 1 } } }),
      )
      await ctx.other.state.update({ appName: ctx.app }, { set: { meanwhile: 1 } })
      const refused = await joined.events.append(key, say('stale'), { expectedRevision: 2 }).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (isStoreError(refused) && refused.code === 'busy') throw refused
      await rejects(() => Promise.reject(refused), 'conflict', 'a revision that was right when the transaction looked')
      const { events } = await joined.events.append(
        key,
        say('inside', 'x', { actions: { stateDelta: { inside: 1, 'user:inside': 1, 'app:inside': 1 } } }),
      )
      equal(
        events.map(({ seq }) => seq),
        [3],
        'the seq after that of somebody who committed meanwhile',
      )
      const seen = await ctx.other.sessions.get(key, { events: 'all' })
      equal(
        [seen?.lastSeq, seen?.state['inside'], seen?.state['app:inside']],
        [2, undefined, undefined],
        'what others see before the commit',
      )
      equal(
        (await ctx.other.state.get(user))?.state['inside'],
        undefined,
        'user state that others see before the commit',
      )
    })
    .then(() => false, busyOnly)
  const { state, events, lastSeq } = await loaded(ctx)
  if (givenUp) {
    equal(
      [idsOf(events), lastSeq],
      [['first', 'meanwhile'], 2],
      'events without those of a transaction that was given up',
    )
    return
  }
  equal([idsOf(events), seqsOf(events), lastSeq], [['first', 'meanwhile', 'inside'], numbers(3), 3], 'events of both')
  const keys = [
    'own',
    'meanwhile',
    'inside',
    'user:u',
    'user:meanwhile',
    'user:inside',
    'app:a',
    'app:meanwhile',
    'app:inside',
  ]
  equal(Object.keys(state).toSorted(), keys.toSorted(), 'no update of the three scopes is lost')
}

async function appends(joined: JoinedStore, key: SessionKey): Promise<void> {
  const { newEvents } = await joined.events.append(key, say('inside'), { eventsAfterSeq: 1 })
  equal(idsOf(newEvents ?? []), ['meanwhile', 'more'], 'what others appended, as an append in a transaction tells it')
}

async function forks(joined: JoinedStore, key: SessionKey): Promise<void> {
  await joined.events.append(key, say('inside'))
  const sessionId = `${key.sessionId} forked`
  const { state } = await joined.sessions.fork(key, { sessionId, throughSeq: 3 })
  equal(state, { meanwhile: 1, more: 1 }, 'the state of a session that is forked in a transaction')
}

/**
 * What others appended while a transaction was open: all of it, in what an append brings back and in what a fork is made of, or
 * `busy` where the transaction goes on with what it saw when it first looked.
 */
export async function othersAreSeen(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  for (const [what, body] of Object.entries({ appends, forks })) {
    for (const hasLooked of [false, true]) {
      const key = keyOf(ctx, `${what} ${hasLooked}`)
      await newSession(ctx, key.sessionId)
      await ctx.store.events.append(key, say('first'))
      const done = transaction.run(ctx.store, async (joined) => {
        if (hasLooked) equal((await joined.sessions.get(key))?.lastSeq, 1, 'the session as the transaction finds it')
        const told = ['meanwhile', 'more'].map((id) => say(id, 'x', { actions: { stateDelta: { [id]: 1 } } }))
        await ctx.other.events.append(key, told)
        await body(joined, key)
      })
      await (hasLooked ? done.catch(busyOnly) : done)
    }
  }
}

function busyOnly(error: unknown): true {
  if (isStoreError(error) && error.code === 'busy') return true
  throw error
}

/** A call inside the caller's transaction is a savepoint: what it threw may be caught, and half of it is not committed. */
export async function callsAreSavepoints(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  const key = keyOf(ctx)
  await newSession(ctx, 's1', { 'app:a': 0 })
  await ctx.store.events.append(key, say('known'))
  await transaction.run(ctx.store, async (joined, own) => {
    await own.insert(`${ctx.app}-1`)
    await joined.events.append(key, say('before'))
    const half = [
      say('half', 'x', { actions: { stateDelta: { half: 1, 'app:half': 1 } } }),
      say('known', 'another payload'),
    ]
    await rejects(() => joined.events.append(key, half), 'conflict', 'a batch whose last event conflicts')
    await rejects(() => joined.sessions.create(key), 'already_exists', 'create of what is there')
    await rejects(
      () => joined.sessions.update(keyOf(ctx, 'missing'), { set: { a: 1 } }),
      'not_found',
      'update of what is missing',
    )
    await succeeds(joined.events.append(key, say('after')), 'an append after errors that were caught')
    await own.insert(`${ctx.app}-2`)
  })
  const { events, state } = await loaded(ctx)
  equal(idsOf(events), ['known', 'before', 'after'], 'events but for those of the call that failed')
  equal(state, { 'app:a': 0 }, 'state without that of the call that failed')
  const rows = (await transaction.rows()).filter((id) => id.startsWith(`${ctx.app}-`))
  equal(rows.toSorted(), [`${ctx.app}-1`, `${ctx.app}-2`], 'rows of the application')
}
