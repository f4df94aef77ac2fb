import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects } from '../expect.ts'
import {
  keyOf,
  loaded,
  newSession,
  nothingWritten,
  say,
  sessionIdsOf,
  someEvents,
  tickingClock,
  walkSessions,
} from '../fixtures.ts'
import { runModel } from '../model.ts'
import { beganElsewhere, forkCopies, stateAtEachPoint } from './ses-fork.ts'
import { pruneIsNarrow, pruneSeesAll, pruneTellsWhatItDid } from './ses-prune.ts'

async function createAndGet(ctx: Ctx): Promise<void> {
  const created = await newSession(ctx, 's1', { a: { b: [1, null] }, 'user:u': 'x', 'app:p': true })
  equal(
    Object.keys(created).toSorted(),
    ['appName', 'createdAt', 'lastEventAt', 'lastSeq', 'revision', 'sessionId', 'state', 'updatedAt', 'userId'],
    'members of a session',
  )
  equal([created.revision, created.lastSeq], [1, 0], 'revision and lastSeq of a new session')
  equal([created.updatedAt, created.lastEventAt], [created.createdAt, created.createdAt], 'times of a new session')
  equal(created.state, { a: { b: [1, null] }, 'user:u': 'x', 'app:p': true }, 'state of a new session')
  const { events, ...got } = await loaded(ctx)
  equal(got, created, 'what create answered, read by get')
  equal(events, [], 'events of a new session')
  equal((await ctx.store.sessions.get(created))?.events, [], 'without the option no events come')
}

async function ownedOnly(ctx: Ctx): Promise<void> {
  for (const [user, ids] of [
    ['ann', ['s1', 's2', 's3']],
    ['bob', ['s1', 's4']],
  ] as const)
    for (const id of ids) await newSession(ctx, id, {}, user)
  const foreign = { appName: `${ctx.app}-b`, userId: 'ann', sessionId: 's9' }
  await ctx.store.sessions.create(foreign)
  const names = async (userId?: string) =>
    (await walkSessions(ctx.other, { appName: ctx.app, ...(userId !== undefined && { userId }) }))
      .map((one) => `${one.appName}/${one.userId}/${one.sessionId}`)
      .toSorted()
  const own = (user: string, ...ids: string[]) => ids.map((id) => `${ctx.app}/${user}/${id}`)
  equal(await names(), [...own('ann', 's1', 's2', 's3'), ...own('bob', 's1', 's4')], 'sessions of the app')
  equal(await names('ann'), own('ann', 's1', 's2', 's3'), 'sessions of one user of the app')
  equal(await names('carl'), [], 'sessions of a user without any')
  const [first] = (await ctx.other.sessions.list({ appName: ctx.app })).items
  equal(Object.hasOwn(present(first, 'a first item'), 'state'), false, 'state is there only when asked for')
}

async function deleteTakesItsOwn(ctx: Ctx): Promise<void> {
  const session = await newSession(ctx, 's1', { own: 1, 'user:u': 2, 'app:p': 3 })
  await ctx.store.events.append(session, someEvents(3))
  equal(await ctx.store.sessions.delete(session), true, 'delete of a session that is there')
  equal(await ctx.other.sessions.get(session), undefined, 'the session')
  equal((await ctx.other.events.list(session)).items, [], 'its events')
  equal(await ctx.other.events.get(session, 'e1'), undefined, 'one of its events')
  equal((await ctx.other.state.get({ appName: ctx.app }))?.state, { p: 3 }, 'app state stays')
  equal((await ctx.other.state.get({ appName: ctx.app, userId: 'ann' }))?.state, { u: 2 }, 'user state stays')
  const { oracle } = ctx.place
  if (oracle !== undefined) equal(await oracle.count('events', ctx.app), 0, 'rows of events, by the oracle')
}

const siblings = ['s1', 's10', 's', 'S1', 's1 ', 's_', 's%', 's1/', '%', '_', 's1*', '.*']

async function deleteIsExact(ctx: Ctx): Promise<void> {
  for (const id of siblings) {
    await newSession(ctx, id)
    await ctx.store.events.append(keyOf(ctx, id), say('e1', id))
  }
  await newSession(ctx, 's1', {}, 'bob')
  const left = new Set(siblings)
  for (const id of ['s1', '%', '_', 's']) {
    equal(await ctx.store.sessions.delete(keyOf(ctx, id)), true, `delete ${id}`)
    left.delete(id)
    const there = sessionIdsOf(await walkSessions(ctx.other, { appName: ctx.app, userId: 'ann' })).toSorted()
    equal(there, [...left].toSorted(), `sessions left after delete of ${JSON.stringify(id)}`)
    for (const other of left)
      equal((await ctx.other.events.list(keyOf(ctx, other))).items.length, 1, `events of ${JSON.stringify(other)}`)
  }
  equal(
    (await ctx.other.sessions.get(keyOf(ctx, 's1', 'bob')))?.userId,
    'bob',
    'the session of that id of another user',
  )
}

async function recreateIsNew(ctx: Ctx): Promise<void> {
  const session = await newSession(ctx, 's1', { own: 1 })
  await ctx.store.events.append(session, [say('e1'), say('e2', 'x', { actions: { stateDelta: { more: 2 } } })])
  await ctx.store.sessions.delete(session)
  const again = await newSession(ctx)
  equal([again.revision, again.lastSeq, again.state], [1, 0, {}], 'a session created anew')
  equal((await loaded(ctx)).events, [], 'events of a session created anew')
  equal(
    (await ctx.store.events.append(session, say('e1', 'other'))).events,
    [{ id: 'e1', seq: 1, duplicate: false }],
    'its first append',
  )
}

async function updateMovesForward(ctx: Ctx): Promise<void> {
  const clock = tickingClock(1_700_000_000_000)
  const store = await ctx.open({ now: clock.now })
  const created = await store.sessions.create({ ...keyOf(ctx), state: { a: 1 } })
  clock.set(1_700_000_001_000)
  const updated = await store.sessions.update(created, { set: { a: 2 } })
  holds(updated.updatedAt > created.updatedAt, 'update bumps updatedAt', [created.updatedAt, updated.updatedAt])
  equal(
    [updated.createdAt, updated.lastEventAt, updated.revision],
    [created.createdAt, created.lastEventAt, 2],
    'createdAt and lastEventAt stay, revision grows',
  )
  equal(await ctx.other.sessions.get(created), { ...updated, events: [] }, 'what update answered, read by get')
  const replaced = await store.sessions.update(created, { replace: { b: 1 } })
  equal([replaced.state, replaced.revision], [{ b: 1 }, 3], 'replace')
  await rejects(
    () => store.sessions.update(created, { replace: { 'app:x': 1 } }),
    'invalid_argument',
    'replace with a prefixed key',
  )
}

async function keysAreFull(ctx: Ctx): Promise<void> {
  const keys = [keyOf(ctx), keyOf(ctx, 's1', 'bob'), keyOf(ctx, 's1', 'ann', `${ctx.app}-b`)]
  for (const [i, key] of keys.entries()) {
    await ctx.store.sessions.create({ ...key, state: { i } })
    await ctx.store.events.append(key, say('e1', `event of ${i}`))
  }
  for (const [i, key] of keys.entries()) {
    const { state, events } = await loaded(ctx, key)
    equal(
      [state, events.map(({ event }) => event.content)],
      [{ i }, [{ parts: [{ text: `event of ${i}` }] }]],
      `session ${i} of one id`,
    )
  }
}

export const SES: Checks = [
  check('SES-01', 'create, then get: deep-equal, all fields', createAndGet),
  check('SES-02', 'a default id is a unique, URL-safe UUIDv7', async (ctx) => {
    const ids = await Promise.all(
      Array.from(
        { length: 20 },
        async () => (await ctx.store.sessions.create({ appName: ctx.app, userId: 'ann' })).sessionId,
      ),
    )
    equal(new Set(ids).size, 20, 'ids are unique')
    for (const id of ids)
      holds(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(id), 'the id is a UUIDv7', id)
  }),
  check('SES-03', 'an id of the caller is kept verbatim', async (ctx) => {
    for (const id of ['a b', ' s1 ', 'ÄÖ', '😀', '../x', '%41', "o'clock", 'a"b', 'a\\b', 'a\nb']) {
      equal((await newSession(ctx, id)).sessionId, id, 'sessionId')
      equal((await ctx.other.sessions.get(keyOf(ctx, id)))?.sessionId, id, 'sessionId by get')
    }
  }),
  check('SES-04', 'create of what exists: already_exists, the original untouched', async (ctx) => {
    await newSession(ctx, 's1', { a: 1, 'app:p': 1, 'user:u': 1 })
    const create = () => newSession(ctx, 's1', { a: 2, 'app:p': 2, 'user:u': 2 })
    await nothingWritten(ctx, () => rejects(create, 'already_exists', 'create again'), 'create again')
  }),
  check('SES-05', 'get of what is missing is undefined', async (ctx) => {
    equal(await ctx.store.sessions.get(keyOf(ctx)), undefined, 'get')
    equal(await ctx.store.sessions.get(keyOf(ctx), { events: 'all' }), undefined, 'get with events')
    equal(await ctx.store.sessions.stateAt(keyOf(ctx), 0), undefined, 'stateAt')
  }),
  check('SES-06', 'list by app, and by app and user, is exactly the owned ones', ownedOnly),
  check('SES-07', 'delete removes events and session state; app and user state stay', deleteTakesItsOwn),
  check('SES-08', 'delete is exact: no prefix, case, wildcard or sibling effect', deleteIsExact),
  check('SES-09', 'deleted and created anew under the same id: starts empty', recreateIsNew),
  check('SES-10', 'delete of what is missing is false, twice the same', async (ctx) => {
    for (const turn of ['first', 'second']) equal(await ctx.store.sessions.delete(keyOf(ctx)), false, `${turn} delete`)
    await newSession(ctx)
    equal(
      [await ctx.store.sessions.delete(keyOf(ctx)), await ctx.store.sessions.delete(keyOf(ctx))],
      [true, false],
      'delete of a session, twice',
    )
  }),
  check('SES-11', 'update bumps updatedAt and revision, never createdAt', updateMovesForward),
  check('SES-12', 'the same id under another app or user is another session', keysAreFull),
  check('SES-13', 'initial state is split into scopes', async (ctx) => {
    await newSession(ctx, 's1', { own: 1, 'user:u': 2, 'app:p': 3, 'temp:t': 4 })
    equal((await loaded(ctx)).state, { own: 1, 'user:u': 2, 'app:p': 3 }, 'merged state; temp: is not stored')
    equal((await ctx.other.state.get({ appName: ctx.app }))?.state, { p: 3 }, 'app state')
    equal((await ctx.other.state.get({ appName: ctx.app, userId: 'ann' }))?.state, { u: 2 }, 'user state')
    equal(await ctx.other.sessions.stateAt(keyOf(ctx), 0), { own: 1 }, 'own state')
  }),
  check('SES-14', 'random create, get, list, delete, reopen agree with the model', (ctx) => runModel(ctx, 'sessions'), {
    engine: 'model',
    budgetMs: 120_000,
  }),
  check('SES-15', 'fork copies events, seq and the state of that point, and leaves the source alone', forkCopies),
  check('SES-15', 'stateAt is the session’s own state after each event', stateAtEachPoint, { variant: 'stateAt' }),
  check('SES-16', 'count equals the walked list for every filter', async (ctx) => {
    for (const user of ['ann', 'bob']) for (const id of ['s1', 's2', 's3']) await newSession(ctx, id, {}, user)
    for (const filter of [{}, { userId: 'ann' }, { userId: 'carl' }]) {
      const query = { appName: ctx.app, ...filter }
      equal(
        await ctx.other.sessions.count(query),
        (await walkSessions(ctx.other, { ...query, limit: 2 })).length,
        `count of ${JSON.stringify(filter)}`,
      )
    }
  }),
  check('SES-17', 'prune removes only what its filter names, in bounded chunks', pruneIsNarrow),
  check('SES-17', 'a prune sees every session, whenever it was created', pruneSeesAll, {
    variant: 'walk',
    budgetMs: 60_000,
  }),
  check('SES-17', 'a prune that is interrupted tells what it has removed', pruneTellsWhatItDid, {
    variant: 'interrupted',
    alone: true, // it counts on where the time goes
    budgetMs: 60_000,
  }),
  check('SES-18', 'a session that began elsewhere keeps its createdAt and its initial state', beganElsewhere),
]
