import { abilities, defaultLimits, facts, type Store } from '@daybook/core'
import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, Inapplicable, present, rejects, succeeds, Unproven, within } from '../expect.ts'
import { keyOf, nothingWritten, say } from '../fixtures.ts'
import { damageIsNamed } from './life-damage.ts'
import { bothWaysAlike } from './life-handle.ts'
import { foreignObjectsStay, prefixesKeepApart } from './life-schema.ts'
import { absentDatabase, unreachableDatabase } from './life-unreachable.ts'

/** Every method as a first use; the ones that need a session come with what a missing session has to answer. */
const firstUses: readonly (readonly [string, (store: Store, ctx: Ctx) => Promise<unknown>, unknown])[] = [
  ['sessions.delete', (store, ctx) => store.sessions.delete(keyOf(ctx)), false],
  [
    'erase',
    (store, ctx) => store.erase({ appName: ctx.app, userId: 'ann' }),
    { sessions: 0, events: 0, userStates: 0, memories: 0, artifacts: 0, metrics: 0 },
  ],
  [
    'sessions.prune',
    (store, ctx) => store.sessions.prune({ appName: ctx.app, before: 1e12 }),
    { sessions: 0, events: 0, dryRun: false },
  ],
  ['sessions.get', (store, ctx) => store.sessions.get(keyOf(ctx), { events: 'all' }), undefined],
  [
    'sessions.list',
    (store, ctx) => store.sessions.list({ appName: ctx.app, state: true }),
    { items: [], nextCursor: undefined },
  ],
  ['sessions.count', (store, ctx) => store.sessions.count({ appName: ctx.app }), 0],
  ['sessions.stateAt', (store, ctx) => store.sessions.stateAt(keyOf(ctx), 0), undefined],
  ['events.get', (store, ctx) => store.events.get(keyOf(ctx), 'e1'), undefined],
  ['events.list', (store, ctx) => store.events.list(keyOf(ctx)), { items: [], nextCursor: undefined }],
  ['state.get app', (store, ctx) => store.state.get({ appName: ctx.app }), undefined],
  ['state.get user', (store, ctx) => store.state.get({ appName: ctx.app, userId: 'ann' }), undefined],
]

/** Methods that a missing session makes `not_found`. */
export const needSession: readonly (readonly [string, (store: Store, ctx: Ctx) => Promise<unknown>])[] = [
  ['events.append', (store, ctx) => store.events.append(keyOf(ctx), say('e1'))],
  ['sessions.update', (store, ctx) => store.sessions.update(keyOf(ctx), { set: { a: 1 } })],
  ['sessions.fork', (store, ctx) => store.sessions.fork(keyOf(ctx))],
]

async function tailOnce(store: Store, ctx: Ctx): Promise<unknown[]> {
  const seen: unknown[] = []
  for await (const item of store.events.tail(keyOf(ctx), { pollInterval: 20 })) seen.push(item)
  return seen
}

async function firstUse(ctx: Ctx): Promise<void> {
  for (const [name, call, answer] of firstUses) {
    const store = await ctx.open()
    equal(await call(store, ctx), answer, `${name} as first use of an empty place`)
  }
  for (const [name, call] of needSession)
    await rejects(async () => call(await ctx.open(), ctx), 'not_found', `${name} as first use of an empty place`)
  equal(
    await within(5000, tailOnce(ctx.store, ctx), 'events.tail of a session that was never there ends'),
    [],
    'events.tail as first use',
  )
  equal(
    (await ctx.store.state.update({ appName: ctx.app }, { set: { a: 1 } })).revision,
    1,
    'state.update as first use',
  )
  equal((await ctx.store.sessions.create(keyOf(ctx))).revision, 1, 'sessions.create as first use')
}

async function survives(ctx: Ctx): Promise<void> {
  const first = await ctx.open()
  const session = await first.sessions.create({ ...keyOf(ctx), state: { own: 1, 'user:u': 2, 'app:a': 3 } })
  await first.events.append(session, say('e1'))
  const before = present(await first.sessions.get(session, { events: 'all' }), 'the session is there')
  await first.close()
  const second = await ctx.open()
  equal(await second.sessions.get(session, { events: 'all' }), before, 'the session after close and reopen')
}

async function seeEachOther(ctx: Ctx): Promise<void> {
  const { store, other } = ctx
  const session = await store.sessions.create({ ...keyOf(ctx), state: { a: 1 } })
  equal((await other.sessions.get(session))?.state, { a: 1 }, 'a session created by one open, read by the other')
  await other.events.append(session, say('e1', 'hi', { actions: { stateDelta: { a: 2 } } }))
  const seen = present(await store.sessions.get(session, { events: 'all' }), 'the session is there')
  equal([seen.state, seen.lastSeq, seen.events.length], [{ a: 2 }, 1, 1], 'an append by the other open')
  equal(await store.sessions.delete(session), true, 'delete')
  equal(await other.sessions.get(session), undefined, 'a deleted session, read by the other open')
}

/** A store that declares to have no schema has nothing to migrate, which is looked at; one that has applies something. */
async function hasSchema(ctx: Ctx): Promise<void> {
  const { applied, current } = await ctx.store.migrate({ dryRun: true })
  if (ctx.place.lacks?.includes('schema') !== true) {
    holds(applied.length > 0, 'an empty place has something to migrate', applied)
    return
  }
  equal([applied, current], [[], undefined], 'what a store without a schema has to migrate')
  equal((await ctx.store.migrate()).applied, [], 'what it applies')
  equal((await ctx.store.health()).schemaVersion, undefined, 'its health().schemaVersion')
  throw new Inapplicable('the store has no schema')
}

/** A role that may not change the schema: refused before migration, and enough for everything afterwards. */
async function appRole(ctx: Ctx): Promise<void> {
  const { honours = [], lacks = [] } = ctx.place
  if (lacks.includes('roles')) throw new Inapplicable('the database has no roles')
  if (!honours.includes('role')) throw new Unproven('option not honoured', 'role')
  const early = await ctx.open({ role: 'app' })
  await rejects(() => early.migrate(), refusals, 'migrate() by a role without rights to change the schema')
  await ctx.store.migrate()
  const store = await ctx.open({ role: 'app' })
  await store.sessions.create({ ...keyOf(ctx), state: { own: 1, 'user:u': 1, 'app:a': 1 } })
  await store.events.append(keyOf(ctx), say('e1', 'x', { actions: { stateDelta: { own: 2, 'app:a': 2 } } }))
  await store.sessions.update(keyOf(ctx), { set: { more: 1 } })
  await store.state.update({ appName: ctx.app }, { set: { b: 1 } })
  const forked = await store.sessions.fork(keyOf(ctx))
  equal((await store.sessions.get(keyOf(ctx), { events: 'all' }))?.lastSeq, 1, 'append and read')
  equal((await store.sessions.list({ appName: ctx.app })).items.length, 2, 'list')
  equal(await store.sessions.delete(forked), true, 'delete')
  equal((await store.erase({ appName: ctx.app, userId: 'ann' })).sessions, 1, 'erase')
}

/** Any code of the contract but the one of a driver's error that nobody knew. */
const refusals = ['invalid_argument', 'unsupported', 'unavailable', 'schema_mismatch'] as const

async function refusesBeforeMigration(ctx: Ctx): Promise<void> {
  await hasSchema(ctx)
  const calls = [...firstUses.map(([name, call]) => [name, call] as const), ...needSession]
  for (const [name, call] of calls)
    await rejects(() => call(ctx.store, ctx), 'schema_mismatch', `${name} before migrate()`)
  await rejects(() => tailOnce(ctx.store, ctx), 'schema_mismatch', 'events.tail before migrate()')
  await rejects(() => ctx.store.sessions.create(keyOf(ctx)), 'schema_mismatch', 'sessions.create before migrate()')
  const health = await ctx.store.health()
  equal(health.ok, false, 'health().ok before migrate()')
  await ctx.store.migrate()
  await firstUse(ctx)
}

export const LIFE: Checks = [
  check(
    'LIFE-01',
    'every method works as the first use of an empty migrated place, the destructive ones first',
    async (ctx) => {
      await ctx.store.migrate()
      await firstUse(ctx)
    },
    { fresh: true, budgetMs: 60_000 },
  ),
  check(
    'LIFE-02',
    'migrate() twice: the second changes nothing and says so; with dryRun it changes nothing at all',
    async (ctx) => {
      await hasSchema(ctx)
      const planned = await ctx.store.migrate({ dryRun: true })
      const first = await ctx.store.migrate()
      equal(first.applied, planned.applied, 'what dryRun announced and migrate() applied')
      const second = await ctx.store.migrate()
      equal([second.applied, second.current], [[], first.current], 'the second migrate()')
      equal((await ctx.store.health()).schemaVersion, first.current, 'health().schemaVersion after migrate()')
    },
    { fresh: true },
  ),
  check(
    'LIFE-03',
    'two migrate() at once: one schema, no error',
    async (ctx) => {
      await hasSchema(ctx)
      const reports = await succeeds(Promise.all([ctx.store.migrate(), ctx.other.migrate()]), 'two migrate() at once')
      equal(reports[0].current, reports[1].current, 'both report the same schema')
      const applied = reports.flatMap((report) => report.applied)
      equal(new Set(applied).size, applied.length, 'no migration was applied twice')
      equal((await ctx.store.sessions.create(keyOf(ctx))).revision, 1, 'the place works')
    },
    { fresh: true, engine: 'race' },
  ),
  check('LIFE-04', 'objects of others in the same place are never dropped or altered', foreignObjectsStay, {
    fresh: true,
    engine: 'whitebox',
    needs: ['oracle'],
  }),
  check('LIFE-05', 'data survive close and reopen', survives),
  check('LIFE-06', 'two opens of one place see each other’s commits', seeEachOther),
  check('LIFE-08', 'a role without rights to change the schema runs everything after migration', appRole, {
    fresh: true,
  }),
  check(
    'LIFE-09',
    'the prefix of table names is honoured and quoted: several stores live in one place',
    prefixesKeepApart,
    {
      fresh: true,
      engine: 'whitebox',
    },
  ),
  check('LIFE-10', 'capabilities and limits have every key and equal what the subject expects', async (ctx) => {
    const { capabilities, limits } = ctx.store
    equal(
      Object.keys(capabilities).toSorted(),
      [...abilities, ...facts, 'isolation'].toSorted(),
      'keys of capabilities',
    )
    equal({ ...capabilities }, { ...ctx.subject.expects }, 'capabilities')
    equal(Object.keys(limits).toSorted(), Object.keys(defaultLimits).toSorted(), 'keys of limits')
    for (const [name, value] of Object.entries(limits))
      holds(Number.isInteger(value) && value > 0, `limits.${name} is a whole number above 0`, value)
    equal((await ctx.open({ limits: { batchEvents: 7 } })).limits.batchEvents, 7, 'a limit given as an option')
  }),
  check(
    'LIFE-11',
    'an index or a column that is missing is named by a deep look, and by what needs it',
    damageIsNamed,
    {
      fresh: true,
      engine: 'whitebox',
      needs: ['oracle'],
    },
  ),
  check(
    'LIFE-12',
    'before migrate() every method answers schema_mismatch; afterwards it works',
    refusesBeforeMigration,
    { fresh: true, budgetMs: 60_000 },
  ),
  check(
    'LIFE-13',
    'a server below the floor is refused: the error names the version found and the one needed',
    async ({ place }) => {
      if (place.openBelowFloor === undefined) throw new Unproven('option not honoured', 'openBelowFloor')
      const open = place.openBelowFloor.bind(place)
      const error = await rejects(open, 'unsupported', 'a server below the floor', { capability: 'version' })
      equal(error.message.match(/\d+(\.\d+)*/g)?.length, 2, `versions in the message: ${error.message}`)
      equal(error.retryable, false, 'trying again does not help')
    },
    { engine: 'whitebox' },
  ),
  check(
    'LIFE-14',
    'health() names flavour, version, latency, schema version, warnings; deep brings settings',
    async (ctx) => {
      const health = await ctx.store.health({ timeout: 5000 })
      holds(health.ok, 'health().ok', health)
      holds(health.flavour !== '' && health.version !== '', 'flavour and version are named', health)
      holds(health.latency !== undefined && health.latency >= 0, 'latency is a time', health.latency)
      holds(Array.isArray(health.warnings), 'warnings is a list', health.warnings)
      equal(typeof (await ctx.store.health({ deep: true })).settings, 'object', 'settings with deep')
      await nothingWritten(ctx, () => ctx.store.health({ deep: true }), 'health()')
    },
  ),
  check('LIFE-07', 'a database that is not there is unavailable, within its time', absentDatabase, {
    engine: 'fault',
    needs: ['openAbsent'],
  }),
  check(
    'LIFE-07',
    'a server that cannot be reached: unavailable within its time, and no handle is left',
    unreachableDatabase,
    { engine: 'fault', needs: ['endpoint', 'wire'], variant: 'unreachable', budgetMs: 40_000 },
  ),
  check('LIFE-15', 'a store over a handle behaves as one that was opened at a URL', bothWaysAlike, {
    engine: 'whitebox',
  }),
]
