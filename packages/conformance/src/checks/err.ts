import { errorCodes, isStoreError, StoreError } from '@daybook/core'
import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, rejects, within } from '../expect.ts'
import { keyOf, newSession, say } from '../fixtures.ts'
import { unknownError } from './err-unknown.ts'
import { needSession } from './life.ts'

/** One failing call for each code that can be reached through the contract alone. */
async function failures(ctx: Ctx): Promise<StoreError[]> {
  await newSession(ctx)
  const key = keyOf(ctx)
  await ctx.store.events.append(key, say('e1'))
  const closed = await ctx.open()
  await closed.close()
  const { sessions, events, state, memories } = ctx.store
  const found = [
    await rejects(() => events.append(keyOf(ctx, 'missing'), say('e1')), 'not_found', 'append to a missing session'),
    await rejects(
      () => sessions.update(keyOf(ctx, 'missing'), { set: { a: 1 } }),
      'not_found',
      'update of a missing session',
    ),
    await rejects(() => sessions.create(key), 'already_exists', 'create of what exists'),
    await rejects(() => events.append(key, say('e1', 'other')), 'conflict', 'another payload'),
    await rejects(() => events.append(key, say('e2'), { expectedRevision: 99 }), 'conflict', 'another revision', {
      revision: 2,
    }),
    await rejects(
      () => state.update({ appName: ctx.app }, { set: { a: 1 } }, { expectedRevision: 9 }),
      'conflict',
      'another revision of app state',
      { revision: 0 },
    ),
    await rejects(() => events.append(key, { content: NaN }), 'invalid_argument', 'NaN'),
    await rejects(() => sessions.get(keyOf(ctx, 'x'.repeat(600))), 'limit_exceeded', 'too long an id'),
    await rejects(() => sessions.list({ appName: ctx.app, cursor: 'no' }), 'invalid_cursor', 'a tampered cursor'),
    await rejects(() => sessions.get(key, { signal: AbortSignal.abort() }), 'aborted', 'a signal that was aborted'),
    await rejects(() => closed.sessions.get(key), 'closed', 'a closed store'),
  ]
  if (ctx.store.capabilities.memories === 'no')
    found.push(
      await rejects(() => memories.search({ appName: ctx.app }), 'unsupported', 'an absent area', {
        capability: 'memories',
      }),
    )
  return found
}

const alwaysFinal = new Set([
  'not_found',
  'already_exists',
  'conflict',
  'invalid_argument',
  'limit_exceeded',
  'invalid_cursor',
  'unsupported',
  'aborted',
  'closed',
  'schema_mismatch',
  'corrupt',
])

/** Calls that must fail, whatever the store does to be kind. */
async function nothingIsSwallowed(ctx: Ctx): Promise<void> {
  for (const [name, call] of needSession)
    await rejects(() => call(ctx.store, ctx), 'not_found', `${name} without the session`)
  await newSession(ctx)
  await rejects(() => ctx.store.sessions.create(keyOf(ctx)), 'already_exists', 'create of what exists')
  await rejects(
    () => ctx.store.sessions.update(keyOf(ctx), { set: { a: 1 } }, { expectedRevision: 7 }),
    'conflict',
    'update at another revision',
  )
  await rejects(() => ctx.store.sessions.fork(keyOf(ctx), { sessionId: 's1' }), 'already_exists', 'fork onto itself')
  await rejects(() => ctx.store.sessions.stateAt(keyOf(ctx), 1), 'invalid_argument', 'stateAt beyond the head')
}

async function neverSynchronous(ctx: Ctx): Promise<void> {
  const { sessions, events, state } = ctx.store
  const bad = undefined as never // what the types forbid is what is tried
  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['sessions.create', () => sessions.create(bad)],
    ['sessions.get', () => sessions.get(bad)],
    ['sessions.list', () => sessions.list(bad)],
    ['sessions.count', () => sessions.count(bad)],
    ['sessions.update', () => sessions.update(bad, bad)],
    ['sessions.delete', () => sessions.delete(bad)],
    ['sessions.fork', () => sessions.fork(bad)],
    ['sessions.stateAt', () => sessions.stateAt(bad, bad)],
    ['sessions.prune', () => sessions.prune(bad)],
    ['events.append', () => events.append(bad, bad)],
    ['events.get', () => events.get(bad, bad)],
    ['events.list', () => events.list(bad)],
    ['events.tail', () => events.tail(bad)[Symbol.asyncIterator]().next()],
    ['state.get', () => state.get(bad)],
    ['state.update', () => state.update(bad, bad)],
    ['erase', () => ctx.store.erase(bad)],
  ]
  for (const [name, call] of calls) await rejects(call, 'invalid_argument', `${name} of nothing`)
}

const secrets = ['hunter2-secret', 'sentinel-payload']

export const ERR: Checks = [
  check('ERR-01', 'every code that the contract alone can reach is reached, and right', async (ctx) => {
    const codes = (await failures(ctx)).map(({ code }) => code)
    for (const code of codes) holds(errorCodes.includes(code), 'the code is one of the contract', code)
  }),
  check('ERR-02', 'a failure always surfaces: nothing is swallowed', nothingIsSwallowed),
  check('ERR-03', 'retryable is truthful', async (ctx) => {
    for (const { code, retryable } of await failures(ctx))
      equal(retryable, !alwaysFinal.has(code), `retryable of ${code}`)
  }),
  check('ERR-04', 'the brand tells a StoreError, also across copies of the class', async (ctx) => {
    for (const error of await failures(ctx)) {
      holds(error instanceof Error && error.name === 'StoreError', 'an error is an Error named StoreError', error)
      holds(isStoreError(error) && Symbol.for('@daybook/core/StoreError') in error, 'the brand is on it', error)
    }
  }),
  check('ERR-06', 'no secret, SQL or payload in a message', async (ctx) => {
    await newSession(ctx, 's1', { k: secrets[0] })
    await ctx.store.events.append(keyOf(ctx), say('e1', secrets[0]))
    const errors = [
      await rejects(() => ctx.store.events.append(keyOf(ctx), say('e1', secrets[1])), 'conflict', 'another payload'),
      await rejects(() => newSession(ctx, 's1', { k: secrets[1] }), 'already_exists', 'create of what exists'),
      await rejects(() => ctx.store.events.append(keyOf(ctx, 'none'), say('e2', secrets[1])), 'not_found', 'append'),
      await rejects(
        () => ctx.store.sessions.list({ appName: ctx.app, cursor: secrets[0] ?? '' }),
        'invalid_cursor',
        'a tampered cursor',
      ),
    ]
    for (const error of errors) {
      const text = JSON.stringify(error) + error.message
      holds(!secrets.some((secret) => text.includes(secret)), 'the message does not carry a payload', text)
      holds(
        !/\b(select|insert|update|delete)\b.+\b(from|into|set|where)\b|\$\d|params:/i.test(text),
        'the message does not carry SQL',
        text,
      )
    }
  }),
  check('ERR-07', 'the JSON form is stable: name, code, message, retryable and the facts', async (ctx) => {
    await newSession(ctx)
    const error = await rejects(
      () => ctx.store.events.append(keyOf(ctx), say('e'), { expectedRevision: 9 }),
      'conflict',
      'another revision',
    )
    const form = JSON.parse(JSON.stringify(error)) as Record<string, unknown> // toJSON answers an object
    equal(
      [form['name'], form['code'], form['retryable'], form['revision'], form['message']],
      ['StoreError', 'conflict', false, 1, error.message],
      'the JSON form',
    )
    equal(Object.hasOwn(form, 'stack') || Object.hasOwn(form, 'cause'), false, 'no stack, no cause')
  }),
  check('ERR-08', 'methods reject, and never throw synchronously', neverSynchronous),
  check('ERR-09', 'an error inside an iteration closes the iterator', async (ctx) => {
    await newSession(ctx)
    await ctx.store.events.append(keyOf(ctx), say('e1'))
    const iterator = ctx.store.events.tail(keyOf(ctx), { pollInterval: 20 })[Symbol.asyncIterator]()
    equal((await iterator.next()).done, false, 'the first event')
    await iterator.return?.()
    equal((await within(5000, iterator.next(), 'an ended iterator answers')).done, true, 'after return')
    const failing = ctx.store.events.tail(keyOf(ctx), { afterSeq: -1 })[Symbol.asyncIterator]()
    await rejects(() => failing.next(), 'invalid_argument', 'tail after seq -1')
    equal((await within(5000, failing.next(), 'an iterator that failed answers')).done, true, 'after an error')
  }),
  check(
    'ERR-10',
    'an error of the database that nobody knows is internal, with its cause; nothing is written',
    unknownError,
    { engine: 'fault', needs: ['refuse'] },
  ),
]
