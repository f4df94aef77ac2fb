import type { Ctx } from '../context.ts'
import { equal, rejects } from '../expect.ts'
import { keyOf, say } from '../fixtures.ts'
import { honoured, oracleMember, unlessLacking } from '../whitebox.ts'

/** Objects of somebody else, with names like ours: neither migration nor use touches them. */
export async function foreignObjectsStay(ctx: Ctx): Promise<void> {
  unlessLacking(ctx, 'schema')
  const schema = oracleMember(ctx, 'schema')
  const foreign = oracleMember(ctx, 'foreign')
  const { look } = await foreign()
  const [objects, rows] = [await schema(), await look()]
  await ctx.store.migrate()
  const session = await ctx.store.sessions.create({ ...keyOf(ctx), state: { 'user:a': 1, 'app:a': 1 } })
  await ctx.store.events.append(session, say('e1'))
  await ctx.store.sessions.prune({ appName: ctx.app, before: 4e12 })
  await ctx.store.erase({ appName: ctx.app, userId: 'ann' })
  await ctx.store.migrate()
  const after = new Set(await schema())
  equal(
    objects.filter((line) => !after.has(line)),
    [],
    'objects of others that are gone or altered',
  )
  equal(await look(), rows, 'rows of others')
}

/** Two stores in one place, each with names of its own. */
export async function prefixesKeepApart(ctx: Ctx): Promise<void> {
  unlessLacking(ctx, 'schema')
  honoured(ctx, 'prefix')
  await ctx.store.migrate()
  const [one, two] = [await ctx.open({ prefix: 'One_' }), await ctx.open({ prefix: 'select_' })]
  await rejects(
    () => one.sessions.get(keyOf(ctx)),
    'schema_mismatch',
    'a store under another prefix, before its own migrate()',
  )
  await one.migrate()
  await two.migrate()
  for (const [i, store] of [ctx.store, one, two].entries()) {
    const session = await store.sessions.create({ ...keyOf(ctx), state: { of: i } })
    await store.events.append(session, say(`e${i}`))
  }
  for (const [i, store] of [ctx.store, one, two].entries()) {
    const found = await store.sessions.get(keyOf(ctx), { events: 'all' })
    equal(
      [found?.state, found?.events.map(({ event }) => event.id)],
      [{ of: i }, [`e${i}`]],
      `what store ${i} of one place holds`,
    )
    equal((await store.migrate()).applied, [], `store ${i} has nothing left to migrate`)
  }
  equal(await one.sessions.delete(keyOf(ctx)), true, 'delete under one prefix')
  equal((await two.sessions.get(keyOf(ctx)))?.state, { of: 2 }, 'the same session under another prefix')
}

/** What cannot stand inside an identifier is refused or quoted; what a database reserves is quoted. */
export async function identifiersAreQuoted(ctx: Ctx): Promise<void> {
  unlessLacking(ctx, 'schema')
  honoured(ctx, 'prefix')
  const foreign = oracleMember(ctx, 'foreign')
  const schema = oracleMember(ctx, 'schema')
  const { look } = await foreign()
  const before = [await schema(), await look()]
  const hostile = [
    'a"; drop table sessions; --',
    'a`; drop table sessions; --',
    "a'; drop table sessions; --",
    'a]; drop table sessions; --',
    'a b',
    'a\0b',
    'a.b',
    'é',
    'p'.repeat(64),
    '1a',
  ]
  for (const prefix of hostile)
    await rejects(
      async () => (await ctx.open({ prefix })).migrate(),
      ['invalid_argument', 'limit_exceeded'],
      `migrate() under the prefix ${JSON.stringify(prefix)}`,
    )
  equal([await schema(), await look()], before, 'the place after names that are refused')
  for (const prefix of ['order', 'SELECT_', 'group$', 'p'.repeat(39)]) {
    const store = await ctx.open({ prefix })
    await store.migrate()
    await store.events.append(await store.sessions.create(keyOf(ctx)), say('e1'))
    equal((await store.sessions.get(keyOf(ctx)))?.lastSeq, 1, `a store under the prefix ${prefix}`)
  }
  equal(await look(), before[1], 'rows of others after names that are quoted')
}
