import type { Store } from '@daybook/core'
import { check, type CheckOptions, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import type { Place } from '../define.ts'
import { equal, holds, present, rejects, succeeds, Unproven } from '../expect.ts'
import { openProxy } from '../faults.ts'
import { keyOf, numbers, say, snapshot, someEvents } from '../fixtures.ts'
import { startWorker, withWorkers, type RemoteStore } from '../process.ts'
import { honoured, inAnotherPlace, oracleMember, unlessLacking, withoutControl } from '../whitebox.ts'

const fresh: CheckOptions = { fresh: true, budgetMs: 60_000 }

/** Ids of the migrations, in their order. */
async function migrationsOf(ctx: Ctx): Promise<readonly string[]> {
  unlessLacking(ctx, 'schema')
  return (await ctx.store.migrate({ dryRun: true })).applied
}

/** How many migrations each older schema has. */
async function olderSchemas(ctx: Ctx): Promise<readonly number[]> {
  const { length } = await migrationsOf(ctx)
  honoured(ctx, 'migrations')
  if (length < 2) throw new Unproven('no older schema', 'there is one migration so far')
  return numbers(length - 1)
}

const schemaOf = async (place: Place) => present(await place.oracle?.schema?.(), 'the schema of the place')

async function sameWhenMigrated(ctx: Ctx): Promise<void> {
  const older = await olderSchemas(ctx)
  oracleMember(ctx, 'schema')
  await ctx.store.migrate()
  const whole = await schemaOf(ctx.place)
  await inAnotherPlace(ctx, async (place) => {
    for (const count of older)
      equal((await (await place.open({ migrations: count })).migrate()).applied.length, 1, `migration ${count}`)
    equal((await (await place.open()).migrate()).applied.length, 1, 'the last migration')
    equal(await schemaOf(place), whole, 'what migrations one by one have made, and all at once')
  })
}

/** Everything that a store keeps, in shapes that a migration could harm. */
async function fill(store: Store, appName: string): Promise<void> {
  for (const userId of ['ann', 'é😀']) {
    const state = { nested: { a: [1, null, 'x'] }, text: 'a\0b', 'user:u': { k: 1.5 }, 'app:a': '1' }
    const session = await store.sessions.create({ appName, userId, sessionId: 's1', state })
    await store.events.append(session, someEvents(5))
    await store.events.append(session, {
      ...say('rich', 'text', { invocationId: 'i1', branch: 'b', errorCode: 'E1', own: { unknown: ['kept'] } }),
      actions: { stateDelta: { text: 'new', 'user:u': 2, 'app:b': null } },
    })
    await store.sessions.fork(session, { sessionId: 'forked', throughSeq: 3 })
    if (store.capabilities.artifacts === 'yes')
      for (const name of ['a', 'user:b'])
        await store.artifacts.save({ appName, userId, sessionId: 's1', name }, Buffer.from(userId), {
          metadata: { name },
        })
  }
}

async function oldDataIsRead(ctx: Ctx): Promise<void> {
  for (const count of await olderSchemas(ctx)) {
    await inAnotherPlace(ctx, async (place) => {
      const old = await place.open({ migrations: count })
      await old.migrate()
      await fill(old, ctx.app)
      const before = await snapshot(old, ctx.app)
      const store = await place.open()
      const { applied } = await store.migrate()
      holds(applied.length > 0, `a schema of ${count} migrations is upgraded`, applied)
      equal(await snapshot(store, ctx.app), before, `what a store of ${count} migrations wrote, read after the upgrade`)
      await fill(store, `${ctx.app}.later`)
    })
  }
}

async function again(ctx: Ctx): Promise<void> {
  await migrationsOf(ctx)
  const first = await ctx.store.migrate()
  await fill(ctx.store, ctx.app)
  const look = async () => [await snapshot(ctx.other, ctx.app), await ctx.place.oracle?.schema?.()]
  const before = await look()
  for (const store of [ctx.store, ctx.other, await ctx.open()]) {
    const report = await store.migrate()
    equal([report.applied, report.current], [[], first.current], 'migrate() where nothing is left to do')
  }
  equal(await look(), before, 'rows and schema after migrate() again')
}

/** Stores of this process and of others, which all find an empty place. */
async function atOnce(ctx: Ctx): Promise<void> {
  const all = await migrationsOf(ctx)
  const stores = [ctx.store, ctx.other, await ctx.open(), await ctx.open()]
  await withWorkers(
    ctx,
    2,
    async (workers) => {
      const reports = await succeeds(
        Promise.all([
          ...stores.map((store) => store.migrate()),
          ...workers.map(async (worker) => (await worker.call('migrate')) as Awaited<ReturnType<Store['migrate']>>), // what it answers
        ]),
        'migrate() by six at once',
      )
      equal(
        reports.flatMap(({ applied }) => applied),
        all,
        'each migration is applied by one of them',
      )
      for (const worker of workers)
        await succeeds(
          worker.call('sessions.create', keyOf(ctx, `s${workers.indexOf(worker)}`)),
          'a process that lost works',
        )
    },
    'cold',
  )
  equal(await ctx.store.sessions.count({ appName: ctx.app }), 2, 'sessions of both processes')
}

/** What is there after a migration that was interrupted is completed by the next, and equals what one alone makes. */
async function completed(ctx: Ctx, place: Place, what: string): Promise<void> {
  const store = await place.open()
  await succeeds(store.migrate(), `${what}: migrate() again`)
  equal((await store.migrate()).applied, [], `${what}: nothing is left to do`)
  equal((await store.sessions.create(keyOf(ctx))).revision, 1, `${what}: the place works`)
  await ctx.store.migrate()
  equal(await place.oracle?.schema?.(), await ctx.place.oracle?.schema?.(), `${what}: the schema`)
}

async function interrupted(ctx: Ctx): Promise<void> {
  await migrationsOf(ctx)
  if (ctx.place.oracle?.halfMigrated !== undefined) {
    await inAnotherPlace(ctx, async (place) => {
      await place.oracle?.halfMigrated?.()
      await rejects(
        async () => (await place.open()).sessions.get(keyOf(ctx)),
        'schema_mismatch',
        'a method on half a schema',
      )
      await completed(ctx, place, 'a migration that died half-way')
    })
  }
  await (ctx.place.endpoint === undefined ? killedProcesses(ctx) : cutConnections(ctx))
}

async function cutConnections(ctx: Ctx): Promise<void> {
  const wire = ctx.need('wire')
  const positions = ctx.budget.name === 'cert' ? numbers(12, 0) : [0, 2, 5].map((i) => i + Math.floor(ctx.random() * 3))
  for (const after of positions) {
    await inAnotherPlace(ctx, async (place) => {
      const proxy = await openProxy(ctx.need('endpoint'), wire)
      try {
        const store = await place.open({ via: proxy.endpoint, timeout: 5000 })
        proxy.inject({ after, damage: ctx.random() < 0.5 ? 'lost' : 'unanswered', times: Infinity })
        const outcome = await store.migrate().then(
          () => 'done',
          (error: unknown) => error,
        )
        if (outcome !== 'done')
          await rejects(
            () => Promise.reject(outcome),
            ['unavailable', 'outcome_unknown', 'timeout', 'busy'],
            'a migration whose connection is cut',
          )
        await proxy.mend()
        await completed(ctx, place, `cut after ${after} statements`)
      } finally {
        await proxy.close()
      }
    })
  }
}

async function migrator({ worker }: Place): Promise<RemoteStore> {
  if (worker === undefined) throw new Unproven('no worker')
  return startWorker(worker, 'cold')
}

/** How long another process takes to migrate, here and now. */
async function timeOfMigration(ctx: Ctx): Promise<number> {
  let ms = 0
  await inAnotherPlace(ctx, async (place) => {
    const worker = await migrator(place)
    const begun = performance.now()
    await worker.call('migrate').finally(() => worker.stop())
    ms = performance.now() - begun
  })
  return ms
}

async function killedProcesses(ctx: Ctx): Promise<void> {
  ctx.need('worker')
  const whole = await timeOfMigration(ctx)
  for (const delay of numbers(ctx.budget.name === 'cert' ? 8 : 2).map(() => ctx.random() * whole)) {
    await inAnotherPlace(ctx, async (place) => {
      const worker = await migrator(place)
      const migrating = worker.call('migrate').catch((error: unknown) => error) // it is killed
      await new Promise((resolve) => setTimeout(resolve, delay))
      await worker.kill()
      await migrating
      await completed(ctx, place, 'a process that was killed while it migrated')
    })
  }
}

async function newerIsRefused(ctx: Ctx): Promise<void> {
  await migrationsOf(ctx)
  const newerMigration = oracleMember(ctx, 'newerMigration')
  await ctx.store.migrate()
  await fill(ctx.store, ctx.app)
  await newerMigration()
  const { oracle } = ctx.place
  const look = async () => [
    await oracle?.schema?.(),
    await oracle?.count('events', ctx.app),
    await oracle?.count('sessions', ctx.app),
  ]
  const before = await look()
  const store = await ctx.open()
  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['migrate', () => store.migrate()],
    ['migrate with dryRun', () => store.migrate({ dryRun: true })],
    ['sessions.get', () => store.sessions.get(keyOf(ctx))],
    ['sessions.create', () => store.sessions.create(keyOf(ctx, 'more'))],
    ['events.append', () => store.events.append(keyOf(ctx), say('more'))],
    ['erase', () => store.erase({ appName: ctx.app, userId: 'ann' })],
  ]
  for (const [name, call] of calls) await rejects(call, 'schema_mismatch', `${name} on a schema of a newer version`)
  equal(await look(), before, 'a schema of a newer version, and its rows')
}

async function roleIsRefused(ctx: Ctx): Promise<void> {
  unlessLacking(ctx, 'roles')
  honoured(ctx, 'role')
  await migrationsOf(ctx)
  const before = await ctx.place.oracle?.schema?.()
  const store = await ctx.open({ role: 'app' })
  const error = await rejects(
    () => store.migrate(),
    ['unavailable', 'unsupported', 'schema_mismatch'],
    'migrate() by a role without rights',
  )
  equal(error.retryable, false, 'trying again does not help')
  equal(await ctx.place.oracle?.schema?.(), before, 'the place after it')
  await ctx.store.migrate()
  equal((await store.migrate()).applied, [], 'migrate() by that role where nothing is left to do')
}

async function noWayBack(ctx: Ctx): Promise<void> {
  await migrationsOf(ctx)
  await ctx.store.migrate()
  const before = await ctx.place.oracle?.schema?.()
  for (const options of [{ down: true }, { to: '0000' }, { direction: 'down' }])
    await rejects(() => ctx.store.migrate(options as object), 'invalid_argument', `migrate(${JSON.stringify(options)})`)
  equal(await ctx.place.oracle?.schema?.(), before, 'the schema after a way back was asked for')
}

const wholeTable = /^\s*(update|delete)\b(?![^]*\blimit\b)|^\s*insert\b[^]*\bselect\b(?![^]*\blimit\b)/i

async function largeTables(ctx: Ctx): Promise<void> {
  const older = await olderSchemas(ctx)
  oracleMember(ctx, 'seed')
  await inAnotherPlace(ctx, async (place) => {
    const old = await place.open({ migrations: older.at(-1) ?? 1 })
    await old.migrate()
    await place.oracle?.seed?.({ appName: 'big', sessions: 5000, users: 5000, events: 10_000 })
    const long = { appName: 'big', userId: 'ann', sessionId: 's1' }
    const texts: string[] = []
    const store = await place.open({ onStatement: ({ text }) => void texts.push(text) })
    await store.migrate()
    const rewriting = withoutControl(texts.map((text) => ({ text, values: [] }))).filter(
      ({ text }) => wholeTable.test(text) && /session|event|state/i.test(text),
    )
    equal(
      rewriting.map(({ text }) => text),
      [],
      'statements of a migration that go over a whole table at once',
    )
    equal(
      [await store.sessions.count({ appName: 'big' }), (await store.sessions.get(long))?.lastSeq],
      [10_000, 10_000],
      'rows after the migration',
    )
  })
}

async function oldBesideNew(ctx: Ctx): Promise<void> {
  const older = await olderSchemas(ctx)
  await inAnotherPlace(ctx, async (place) => {
    const count = older.at(-1) ?? 1
    const old = await place.open({ migrations: count })
    await old.migrate()
    const session = await old.sessions.create({ ...keyOf(ctx), state: { a: 0 } })
    const store = await place.open()
    await store.migrate()
    for (const i of numbers(5)) {
      await succeeds(
        old.events.append(session, say(`old${i}`, 'x', { actions: { stateDelta: { a: i, 'app:o': i } } })),
        'an open store of the version before appends',
      )
      await store.events.append(session, say(`new${i}`, 'x', { actions: { stateDelta: { b: i, 'user:n': i } } }))
    }
    const [one, other] = [
      await old.sessions.get(session, { events: 'all' }),
      await store.sessions.get(session, { events: 'all' }),
    ]
    equal(one, other, 'the session as both versions read it')
    equal([other?.lastSeq, other?.state], [10, { a: 5, b: 5, 'app:o': 5, 'user:n': 5 }], 'what both wrote')
    const late = await place.open({ migrations: count })
    await rejects(() => late.sessions.get(session), 'schema_mismatch', 'the version before, opened after the upgrade')
  })
}

export const MIG: Checks = [
  check('MIG-01', 'migrations one by one make what all at once make', sameWhenMigrated, fresh),
  check('MIG-02', 'what every older schema holds is read deep-equal after the upgrade', oldDataIsRead, fresh),
  check('MIG-03', 'migrate() again changes neither schema nor rows', again, fresh),
  check('MIG-04', 'many that migrate at once, in several processes: one does it, and all are ready', atOnce, {
    ...fresh,
    engine: 'process',
    needs: ['worker'],
    capability: 'persistent',
  }),
  check('MIG-05', 'a migration that was interrupted is completed by the next', interrupted, {
    ...fresh,
    engine: 'fault',
    capability: 'persistent',
    budgetMs: 120_000,
  }),
  check('MIG-06', 'a schema of a newer version is refused, and left as it is', newerIsRefused, fresh),
  check('MIG-07', 'a role that may not change the schema is told so, and changes nothing', roleIsRefused, fresh),
  check('MIG-08', 'there is no way back, and asking for one is refused', noWayBack, fresh),
  check('MIG-09', 'a migration goes over no whole table in one statement', largeTables, {
    ...fresh,
    needs: ['oracle'],
  }),
  check('MIG-11', 'an open store of the version before works beside the new one', oldBesideNew, fresh),
]
