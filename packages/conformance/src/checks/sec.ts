import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects } from '../expect.ts'
import { keyOf, newSession, nothingWritten, say, walkEvents } from '../fixtures.ts'
import { honoured, oracleMember, unlessLacking } from '../whitebox.ts'
import { identifiersAreQuoted } from './life-schema.ts'
import { statementsCarryTheTenant } from './sec-statements.ts'
import { literal, patternsAreLiteral, noPollution, hugeInputEnds } from './sec-literal.ts'
import { noReadAcross, noWriteAcross } from './sec-tenants.ts'

/** Row-level security under the store: nothing of it runs as somebody else, and nothing is answered from beside the rows. */
async function confinedRole(ctx: Ctx): Promise<void> {
  unlessLacking(ctx, 'roles')
  honoured(ctx, 'role')
  const confine = oracleMember(ctx, 'confine')
  await ctx.store.migrate()
  const foreign = { appName: `${ctx.app}.other`, userId: 'ann', sessionId: 's1' }
  await ctx.store.sessions.create({ ...foreign, state: { a: 1, 'app:a': 1, 'user:a': 1 } })
  await ctx.store.events.append(foreign, say('e1'))
  await confine(ctx.app)
  const store = await ctx.open({ role: 'app' })
  await store.sessions.create({ ...keyOf(ctx), state: { own: 1, 'user:u': 1, 'app:a': 1 } })
  await store.events.append(
    keyOf(ctx),
    say('e1', 'x', { actions: { stateDelta: { own: 2, 'user:u': 2, 'app:a': 2 } } }),
  )
  await store.sessions.update(keyOf(ctx), { set: { more: 1 } })
  equal(
    (await store.sessions.get(keyOf(ctx), { events: 'all' }))?.state,
    { own: 2, more: 1, 'user:u': 2, 'app:a': 2 },
    'its own app',
  )
  await store.sessions.delete(await store.sessions.fork(keyOf(ctx)))
  equal(await store.sessions.get(foreign), undefined, 'get of another app')
  equal((await store.sessions.list({ appName: foreign.appName })).items, [], 'list of another app')
  equal(await store.state.get({ appName: foreign.appName }), undefined, 'state of another app')
  await nothingWritten(
    ctx,
    async () => {
      await rejects(
        () => store.events.append(foreign, say('e2')),
        ['not_found', 'unavailable'],
        'append to another app',
      )
      await rejects(
        () => store.sessions.create({ ...foreign, sessionId: 's2' }),
        'unavailable',
        'create in another app',
      )
      equal(await store.sessions.delete(foreign), false, 'delete in another app')
      equal((await store.erase(foreign)).sessions, 0, 'erase in another app')
    },
    'a role that is kept to another app',
    foreign.appName,
  )
  equal((await store.erase({ appName: ctx.app, userId: 'ann' })).sessions, 1, 'erase in its own app')
}

async function logsAreRedacted(ctx: Ctx): Promise<void> {
  const lines: string[] = []
  const write = (facts: object, message: string) =>
    void lines.push(
      `${message} ${JSON.stringify(facts, (_key, value: unknown) => (value instanceof Error ? value.message : value))}`,
    )
  const store = await ctx.open({ logger: { debug: write, info: write, warn: write, error: write } })
  await store.sessions.create({ ...keyOf(ctx), state: { k: 'sentinel-state' } })
  await store.events.append(keyOf(ctx), say('e1', 'sentinel-event'))
  await rejects(() => store.events.append(keyOf(ctx), say('e1', 'sentinel-other')), 'conflict', 'another payload')
  await store.sessions.get(keyOf(ctx), { events: 'all' })
  const leaked = lines.filter((line) => line.includes('sentinel-'))
  equal(leaked, [], 'log lines that carry a payload')
}

export const SEC: Checks = [
  check('SEC-01', 'the injection corpus through every string argument is taken literally', literal),
  check('SEC-02', 'names in options are quoted, or refused where they cannot be', identifiersAreQuoted, {
    fresh: true,
    engine: 'whitebox',
    needs: ['oracle'],
  }),
  check('SEC-03', 'LIKE and regular expression characters are literal', patternsAreLiteral),
  check('SEC-04', 'a backslash is literal whatever the server takes it for', literal, {
    engine: 'whitebox',
    settings: 'hostile',
  }),
  check('SEC-05', '__proto__ and constructor are plain keys and pollute nothing', noPollution),
  check('SEC-06', 'a tenant cannot read another by any method', noReadAcross),
  check('SEC-07', 'nor update, delete, append, fork, erase, prune', noWriteAcross),
  check('SEC-08', 'cursors and event ids of others show nothing', async (ctx) => {
    for (const user of ['ann', 'eve']) {
      for (const id of ['s1', 's2', 's3']) await newSession(ctx, id, {}, user)
      await ctx.store.events.append(keyOf(ctx, 's1', user), [say(`${user}1`), say(`${user}2`)])
    }
    const cursor = present(
      (await ctx.store.sessions.list({ appName: ctx.app, userId: 'ann', limit: 1 })).nextCursor,
      'a cursor',
    )
    await rejects(
      () => ctx.store.sessions.list({ appName: ctx.app, userId: 'eve', limit: 1, cursor }),
      'invalid_cursor',
      'a cursor of another user',
    )
    const events = present((await ctx.store.events.list(keyOf(ctx), { limit: 1 })).nextCursor, 'a cursor of events')
    await rejects(
      () => ctx.store.events.list(keyOf(ctx, 's1', 'eve'), { limit: 1, cursor: events }),
      'invalid_cursor',
      'a cursor of another user’s events',
    )
    equal(await ctx.store.events.get(keyOf(ctx, 's1', 'eve'), 'ann1'), undefined, 'an event id of another user')
    holds(
      (await walkEvents(ctx.store, keyOf(ctx, 's1', 'eve'))).every(({ event }) => event.id.startsWith('eve')),
      'events of eve',
    )
  }),
  check('SEC-09', 'every statement carries the tenant or a key of its', statementsCarryTheTenant, {
    engine: 'whitebox',
    needs: ['oracle'],
  }),
  check(
    'SEC-10',
    'a role that the database keeps to one app works there, and sees and changes nothing beside',
    confinedRole,
    {
      fresh: true,
      engine: 'whitebox',
      needs: ['oracle'],
    },
  ),
  check('SEC-11', 'huge or regex-like input ends in time', hugeInputEnds, { budgetMs: 60_000 }),
  check('SEC-12', 'what is logged carries no payload', logsAreRedacted),
]
