import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, present, rejects } from '../expect.ts'
import { keyOf, loaded, newSession, nothingWritten, say, walkEvents } from '../fixtures.ts'
import { runModel } from '../model.ts'

const append = (ctx: Ctx, id: string, stateDelta: Record<string, unknown>, stateUnset?: string[]) =>
  ctx.store.events.append(
    keyOf(ctx),
    say(id, 'x', { actions: { stateDelta, ...(stateUnset !== undefined && { stateUnset }) } }),
  )

const appState = async (ctx: Ctx) => (await ctx.other.state.get({ appName: ctx.app }))?.state
const userState = async (ctx: Ctx, userId = 'ann', appName = ctx.app) =>
  (await ctx.other.state.get({ appName, userId }))?.state

async function noLeaks(ctx: Ctx): Promise<void> {
  const elsewhere = `${ctx.app}-b`
  await newSession(ctx, 's1', { 'user:u': 'ann', 'app:p': 'here', 'user:app:x': 1, 'app:user:y': 2 })
  await ctx.store.sessions.create({ appName: elsewhere, userId: 'ann', sessionId: 's1' })
  await newSession(ctx, 's2', {}, 'bob')
  await newSession(ctx, 's3', {}, 'app:')
  await ctx.store.state.update({ appName: ctx.app, userId: 'app:' }, { set: { 'user:z': 1 } })
  equal((await loaded(ctx, keyOf(ctx, 's1', 'ann', elsewhere))).state, {}, 'the same user in another app')
  equal(await userState(ctx, 'ann', elsewhere), undefined, 'user state in another app')
  equal(
    (await loaded(ctx, keyOf(ctx, 's2', 'bob'))).state,
    { 'app:p': 'here', 'app:user:y': 2 },
    'another user of the app sees app state only',
  )
  equal(await userState(ctx), { u: 'ann', 'app:x': 1 }, 'a prefix inside a key is part of the key')
  equal(await appState(ctx), { p: 'here', 'user:y': 2 }, 'app state')
  equal(
    (await loaded(ctx, keyOf(ctx, 's3', 'app:'))).state,
    { 'app:p': 'here', 'app:user:y': 2, 'user:user:z': 1 },
    'a prefix as a user id spoofs nothing',
  )
}

async function tempIsNeverStored(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { 'temp:c': 1 })
  const event = say('e1', 'x', { actions: { stateDelta: { a: 1, 'temp:t': { big: 1 } }, stateUnset: ['temp:u', 'b'] } })
  equal((await ctx.store.events.append(keyOf(ctx), event, { state: true })).state, { a: 1 }, 'state in the answer')
  await ctx.store.sessions.update(keyOf(ctx), { set: { 'temp:v': 1, c: 1 } })
  equal((await loaded(ctx)).state, { a: 1, c: 1 }, 'merged state')
  const [stored] = await walkEvents(ctx.other, keyOf(ctx))
  equal(stored?.event.actions, { stateDelta: { a: 1 }, stateUnset: ['b'] }, 'actions of the stored event')
}

async function threeThings(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', {
    nothing: null,
    gone: 1,
    'user:nothing': null,
    'user:gone': 1,
    'app:nothing': null,
    'app:gone': 1,
  })
  await append(ctx, 'e1', { late: null }, ['gone', 'user:gone', 'app:gone', 'never'])
  equal(
    (await loaded(ctx)).state,
    { nothing: null, late: null, 'user:nothing': null, 'app:nothing': null },
    'null stays, unset goes',
  )
  const direct = await ctx.store.state.update({ appName: ctx.app }, { set: { n: null }, unset: ['nothing'] })
  equal(direct.state, { n: null }, 'state.update with null and unset')
  equal(
    (await ctx.store.sessions.update(keyOf(ctx), { unset: ['late'] })).state,
    { nothing: null, 'user:nothing': null, 'app:n': null },
    'sessions.update with unset',
  )
  await nothingWritten(
    ctx,
    async () => {
      await rejects(() => append(ctx, 'e2', { k: 1 }, ['k']), 'invalid_argument', 'a key in both, in an event')
      await rejects(
        () => ctx.store.state.update({ appName: ctx.app }, { set: { k: 1 }, unset: ['k'] }),
        'invalid_argument',
        'a key in both, in state.update',
      )
    },
    'a key in both',
  )
}

async function emptyIsNothing(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { a: 1, 'app:p': 1 })
  await nothingWritten(
    ctx,
    async () => {
      await ctx.store.state.update({ appName: ctx.app }, {})
      await ctx.store.state.update({ appName: ctx.app }, { set: {}, unset: [] })
      await ctx.store.sessions.update(keyOf(ctx), {})
      await ctx.store.sessions.update(keyOf(ctx), { set: {} })
      equal(
        (await ctx.store.state.update({ appName: ctx.app, userId: 'ann' }, {})).revision,
        0,
        'an empty delta of what is not there',
      )
    },
    'an empty delta',
  )
  equal(await ctx.other.state.get({ appName: ctx.app, userId: 'ann' }), undefined, 'an empty delta makes no row')
  await append(ctx, 'e1', { a: 2 })
  equal(
    (await ctx.other.state.get({ appName: ctx.app }))?.revision,
    1,
    'an append without app keys leaves the app state’s revision',
  )
}

const oddKeys = [
  'a.b',
  'a:b',
  '$x',
  '$.x',
  "it's",
  '"q"',
  '[0]',
  'a b',
  '',
  ' ',
  'ä',
  '😀',
  'k'.repeat(255),
  '__proto__',
  '\\',
  '%',
  'NULL',
  '0',
  '-1',
]

async function oddKeysWork(ctx: Ctx): Promise<void> {
  const state = Object.fromEntries(oddKeys.map((key, i) => [key, i]))
  await newSession(ctx, 's1', state)
  equal((await loaded(ctx)).state, state, 'keys given at creation')
  const doubled = Object.fromEntries(oddKeys.map((key, i) => [key, [i]]))
  await append(ctx, 'e1', doubled)
  equal((await loaded(ctx)).state, doubled, 'keys set by an event')
  for (const prefix of ['app:', 'user:'])
    await append(ctx, `p${prefix}`, Object.fromEntries(oddKeys.map((key, i) => [`${prefix}${key}`, i])))
  equal([await appState(ctx), await userState(ctx)], [state, state], 'keys of app and user state')
  await append(ctx, 'e2', {}, oddKeys)
  equal(await ctx.other.sessions.stateAt(keyOf(ctx), 4), {}, 'each key can be unset')
}

async function expectedRevision(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { a: 1, 'app:p': 1 })
  const app = { appName: ctx.app }
  equal(
    (await ctx.store.state.update(app, { set: { p: 2 } }, { expectedRevision: 1 })).revision,
    2,
    'state.update at the right revision',
  )
  equal(
    (await ctx.store.sessions.update(keyOf(ctx), { set: { a: 2 } }, { expectedRevision: 1 })).revision,
    2,
    'sessions.update at the right revision',
  )
  const stale = { expectedRevision: 1 }
  await nothingWritten(
    ctx,
    async () => {
      await rejects(() => ctx.other.state.update(app, { set: { p: 3 } }, stale), 'conflict', 'a stale state.update', {
        revision: 2,
      })
      await rejects(() => ctx.other.state.update(app, { replace: {} }, stale), 'conflict', 'a stale replace', {
        revision: 2,
      })
      await rejects(
        () => ctx.other.sessions.update(keyOf(ctx), { set: { a: 3, 'user:u': 1 } }, stale),
        'conflict',
        'a stale sessions.update',
        { revision: 2 },
      )
      await rejects(
        () => ctx.other.state.update({ ...app, userId: 'ann' }, { set: { u: 1 } }, stale),
        'conflict',
        'state that is not there yet',
        { revision: 0 },
      )
    },
    'a stale revision',
  )
  equal(
    (await ctx.store.state.update({ ...app, userId: 'ann' }, { set: { u: 1 } }, { expectedRevision: 0 })).revision,
    1,
    'revision 0 makes the row',
  )
}

async function revisionsCount(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { 'app:p': 0, 'user:u': 0 })
  const revisions = async () => [
    (await loaded(ctx)).revision,
    (await ctx.other.state.get({ appName: ctx.app }))?.revision,
    (await ctx.other.state.get({ appName: ctx.app, userId: 'ann' }))?.revision,
  ]
  equal(await revisions(), [1, 1, 1], 'after creation')
  await append(ctx, 'e1', { a: 1 })
  equal(await revisions(), [2, 1, 1], 'after a session delta')
  await append(ctx, 'e2', { 'app:p': 1, 'user:u': 1 })
  equal(await revisions(), [3, 2, 2], 'after a delta of app and user')
  await ctx.store.events.append(keyOf(ctx), [
    say('e3', 'x', { actions: { stateDelta: { 'app:p': 2 } } }),
    say('e4', 'x', { actions: { stateDelta: { 'app:p': 3 } } }),
  ])
  equal(await revisions(), [4, 3, 2], 'after a batch')
  equal((await ctx.store.state.update({ appName: ctx.app }, { set: { p: 3 } })).revision, 4, 'state.update')
  equal(
    (await ctx.store.state.update({ appName: ctx.app, userId: 'ann' }, { replace: { u: 9 } })).revision,
    3,
    'replace',
  )
  equal((await ctx.store.sessions.update(keyOf(ctx), { set: { a: 2 } })).revision, 5, 'sessions.update')
  equal(await revisions(), [5, 4, 3], 'at the end')
}

export const STA: Checks = [
  check('STA-01', 'app state is visible to all users and sessions of the app', async (ctx) => {
    await newSession(ctx)
    await newSession(ctx, 's2', {}, 'bob')
    await append(ctx, 'e1', { 'app:theme': 'dark' })
    equal(
      (await loaded(ctx, keyOf(ctx, 's2', 'bob'))).state,
      { 'app:theme': 'dark' },
      'state of another user’s session',
    )
    equal((await newSession(ctx, 's3', {}, 'carl')).state, { 'app:theme': 'dark' }, 'state of a new session')
  }),
  check('STA-02', 'user state is visible to all sessions of the user', async (ctx) => {
    await newSession(ctx)
    await newSession(ctx, 's2')
    await append(ctx, 'e1', { 'user:lang': 'no' })
    equal((await loaded(ctx, keyOf(ctx, 's2'))).state, { 'user:lang': 'no' }, 'state of another session of the user')
  }),
  check('STA-03', 'session state is only there', async (ctx) => {
    await newSession(ctx)
    await newSession(ctx, 's2')
    await append(ctx, 'e1', { own: 1 })
    equal((await loaded(ctx, keyOf(ctx, 's2'))).state, {}, 'state of another session of the user')
  }),
  check('STA-04', 'no leak from app to app, from user to user; prefixes inside ids or keys spoof no scope', noLeaks),
  check('STA-05', 'the merged view: session keys as they are, user and app keys with prefix', async (ctx) => {
    await newSession(ctx, 's1', { same: 's', 'user:same': 'u', 'app:same': 'a' })
    const merged = { same: 's', 'user:same': 'u', 'app:same': 'a' }
    equal((await loaded(ctx)).state, merged, 'sessions.get')
    const [listed] = (await ctx.other.sessions.list({ appName: ctx.app, state: true })).items
    equal(present(listed, 'the session in the list').state, merged, 'sessions.list with state')
    equal([await appState(ctx), await userState(ctx)], [{ same: 'a' }, { same: 'u' }], 'state.get: keys without prefix')
  }),
  check('STA-06', 'temp: keys are never stored, nor in the stored event', tempIsNeverStored),
  check('STA-07', 'deltas merge per key; untouched keys survive', async (ctx) => {
    await newSession(ctx, 's1', { a: 1, b: 1, 'app:a': 1, 'app:b': 1, 'user:a': 1, 'user:b': 1 })
    await append(ctx, 'e1', { b: 2, 'app:b': 2, 'user:b': 2 })
    await ctx.store.state.update({ appName: ctx.app }, { set: { c: 3 } })
    await ctx.store.state.update({ appName: ctx.app, userId: 'ann' }, { set: { c: 3 } })
    await ctx.store.sessions.update(keyOf(ctx), { set: { c: 3 } })
    equal(
      (await loaded(ctx)).state,
      { a: 1, b: 2, c: 3, 'app:a': 1, 'app:b': 2, 'app:c': 3, 'user:a': 1, 'user:b': 2, 'user:c': 3 },
      'state',
    )
  }),
  check('STA-08', 'set to null, unset and absent are three things', threeThings),
  check('STA-09', 'a nested value is replaced, not merged', async (ctx) => {
    await newSession(ctx, 's1', { o: { a: 1, b: { c: 1 } }, 'app:o': { a: 1 } })
    await append(ctx, 'e1', { o: { b: {} }, 'app:o': { b: null } })
    equal((await loaded(ctx)).state, { o: { b: {} }, 'app:o': { b: null } }, 'state')
  }),
  check('STA-10', 'an empty delta writes nothing and bumps nothing', emptyIsNothing),
  check('STA-11', 'keys with dots, colons, $, quotes, empty, and of 255 characters', oddKeysWork),
  check('STA-12', 'the right expectedRevision wins, a wrong one is a conflict with the current one', expectedRevision),
  check('STA-13', 'a delta over three scopes is one change', async (ctx) => {
    await newSession(ctx)
    const { revision } = await append(ctx, 'e1', { own: 1, 'user:u': 1, 'app:p': 1 })
    equal(revision, 2, 'revision after one event over three scopes')
    const updated = await ctx.store.sessions.update(keyOf(ctx), { set: { own: 2, 'user:u': 2, 'app:p': 2 } })
    equal(
      [updated.revision, updated.state],
      [3, { own: 2, 'user:u': 2, 'app:p': 2 }],
      'sessions.update over three scopes',
    )
    equal(
      [
        (await ctx.other.state.get({ appName: ctx.app }))?.revision,
        (await ctx.other.state.get({ appName: ctx.app, userId: 'ann' }))?.revision,
      ],
      [2, 2],
      'revisions of app and user state',
    )
  }),
  check('STA-14', 'random changes of all scopes agree with the model', (ctx) => runModel(ctx, 'state'), {
    engine: 'model',
    budgetMs: 120_000,
  }),
  check('STA-15', 'every change bumps its revision by exactly one', revisionsCount),
]
