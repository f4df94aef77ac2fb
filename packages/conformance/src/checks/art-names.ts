import type { ArtifactKey, SavedArtifact } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, Inapplicable, present, rejects, succeeds } from '../expect.ts'
import { keyOf, newSession, numbers } from '../fixtures.ts'
import { withWorkers } from '../process.ts'
import { isValue, rounds, together } from '../race.ts'
import { holdsBytes, nameOf, noise, versionsOf, walkArtifacts, walkVersions } from './art-fixtures.ts'

export async function versionsCount(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = nameOf(ctx, 'a')
  equal(await ctx.store.artifacts.load(key), undefined, 'a name that was never saved')
  equal((await ctx.store.artifacts.versions(key)).items, [], 'its versions')
  const clock = { time: 1_700_000_000_000 }
  const store = await ctx.open({ now: () => (clock.time += 1000) })
  const saved: SavedArtifact[] = []
  for (const i of numbers(4)) saved.push(await store.artifacts.save(key, noise(i), { metadata: { i } }))
  equal(
    saved.map(({ version }) => version),
    [0, 1, 2, 3],
    'versions in order',
  )
  equal(new Set(saved.map(({ saveId }) => saveId)).size, 4, 'default save ids')
  const [first, newest] = [await ctx.other.artifacts.load(key, { version: 0 }), await ctx.other.artifacts.load(key)]
  equal([first?.version, first?.size, newest?.version, newest?.size], [0, 1, 3, 4], 'the first, and the newest')
  equal(newest?.createdAt, saved[3]?.createdAt, 'when it was saved')
  equal(await ctx.other.artifacts.load(key, { version: 4 }), undefined, 'a version that is not there')
  equal(await ctx.other.artifacts.load({ ...key, sessionId: 'none' }), undefined, 'no session')
  const listed = await walkVersions(ctx.other, key, 3)
  equal(
    listed,
    saved.map(({ version, size, sha256, createdAt }) => ({
      version,
      metadata: { i: version + 1 },
      size,
      sha256,
      createdAt,
    })),
    'the versions, oldest first',
  )
  const desc = await ctx.other.artifacts.versions(key, { direction: 'desc', limit: 2 })
  equal(desc.items, listed.toReversed().slice(0, 2), 'the newest two')
  const more = await ctx.other.artifacts.versions(key, {
    direction: 'desc',
    limit: 2,
    cursor: present(desc.nextCursor, 'a cursor'),
  })
  equal([more.items, more.nextCursor], [listed.toReversed().slice(2), undefined], 'and the two before')
  await rejects(
    () => ctx.other.artifacts.versions(key, { cursor: present(desc.nextCursor, 'a cursor') }),
    'invalid_cursor',
    'a cursor of the other direction',
  )
}

/** Each saver gets a version of its own, and under it is what that one saved. */
async function eachHasItsOwn(ctx: Ctx, key: ArtifactKey, saved: readonly SavedArtifact[]): Promise<void> {
  const versions = saved.map(({ version }) => version)
  equal(
    versions.toSorted((a, b) => a - b),
    numbers(saved.length, 0),
    'versions of savers at once',
  )
  equal(await versionsOf(ctx.other, key), numbers(saved.length, 0), 'versions that are there')
  for (const { version, sha256 } of saved)
    equal((await ctx.other.artifacts.load(key, { version }))?.sha256, sha256, `what is version ${version}`)
}

const savers = 32

export const thirtyTwo = (ctx: Ctx): Promise<void> =>
  rounds(
    ctx,
    async ({ store, other, key, index }) => {
      await store.sessions.create(key)
      const named = { ...key, name: index % 2 === 0 ? 'a' : `user:a${index}` }
      const outcomes = await together(
        numbers(savers).map(
          (i) => () => (i % 2 === 0 ? store : other).artifacts.save(named, noise(i === 7 ? 300_000 : i, i)),
        ),
      )
      for (const outcome of outcomes)
        if (!isValue(outcome)) await succeeds(Promise.reject(outcome.error), 'a save beside others')
      await eachHasItsOwn(
        ctx,
        named,
        outcomes.filter((one) => isValue(one)).map(({ value }) => value),
      )
    },
    2,
  )

export async function processesRace(ctx: Ctx): Promise<void> {
  if (ctx.store.capabilities.persistent === 'no') throw new Inapplicable('data end with the process')
  await newSession(ctx)
  const count = Math.min(4, ctx.budget.processes)
  for (const name of ['a', 'user:a']) {
    const key = nameOf(ctx, name)
    const saved = await withWorkers(ctx, count, (workers) =>
      Promise.all(
        numbers(savers).map(
          (i) => workers[i % count]?.call('artifacts.save', key, noise(i, i)) as Promise<SavedArtifact>, // the answer of that method
        ),
      ),
    )
    await eachHasItsOwn(ctx, key, saved)
  }
}

const names = ['b', 'A', 'a', 'é', 'Z', '😀', '\uffff', 'user:a', 'user:b', 'userz', 'user', 'a/b', '10', '9']
/** As the bytes of UTF-8 compare. */
const inOrder = (list: readonly string[]) => list.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

export async function listsAreScoped(ctx: Ctx): Promise<void> {
  for (const id of ['s1', 's2']) await newSession(ctx, id)
  await newSession(ctx, 's1', {}, 'bob')
  for (const name of names) await ctx.store.artifacts.save(nameOf(ctx, name), noise(2), { metadata: { name } })
  await ctx.store.artifacts.save(nameOf(ctx, 'a'), noise(3))
  await ctx.store.artifacts.save(nameOf(ctx, 'other', 's2'), noise(1))
  await ctx.store.artifacts.save(nameOf(ctx, 'user:x', 's1', 'bob'), noise(1))
  const user = { appName: ctx.app, userId: 'ann' }
  const own = await walkArtifacts(ctx.other, { ...user, sessionId: 's1' })
  equal(
    own.map(({ name }) => name),
    inOrder(names),
    'names of the session and of the user, by code point',
  )
  for (const limit of [1, 2, 3, names.length, names.length + 1])
    equal(await walkArtifacts(ctx.other, { ...user, sessionId: 's1', limit }), own, `in pages of ${limit}`)
  const { items } = await ctx.other.artifacts.list({ ...user, sessionId: 's1', offset: 3, limit: 2 })
  equal(items, own.slice(3, 5), 'by offset')
  equal((await ctx.other.artifacts.list({ ...user, sessionId: 's1', limit: 0 })).items, [], 'limit 0')
  const a = present(
    own.find(({ name }) => name === 'a'),
    'the name a',
  )
  equal(
    [Object.keys(a).toSorted(), a.version, a.size, a.sessionId],
    [['appName', 'createdAt', 'metadata', 'name', 'sessionId', 'sha256', 'size', 'userId', 'version'], 1, 3, 's1'],
    'the newest version of a name',
  )
  const shared = present(
    own.find(({ name }) => name === 'user:a'),
    'the name user:a',
  )
  equal([Object.hasOwn(shared, 'sessionId'), shared.metadata], [false, { name: 'user:a' }], 'a name of the user')
  const of = async (query: Parameters<typeof walkArtifacts>[1]) =>
    (await walkArtifacts(ctx.other, query)).map(({ name }) => name)
  equal(await of(user), ['user:a', 'user:b'], 'without a session: names of the user')
  equal(await of({ ...user, sessionId: 's2' }), ['other', 'user:a', 'user:b'], 'of another session')
  equal(await of({ ...user, sessionId: 'none' }), ['user:a', 'user:b'], 'of a session that is not there')
  equal(await of({ ...user, userId: 'bob', sessionId: 's1' }), ['user:x'], 'of another user')
  equal(await of({ appName: `${ctx.app}-b`, userId: 'ann', sessionId: 's1' }), [], 'of another app')
  await holdsBytes(ctx, nameOf(ctx, 'user:a', 's2'), noise(2))
  await holdsBytes(ctx, { ...user, name: 'user:a' }, noise(2))
  equal(await ctx.other.artifacts.load(nameOf(ctx, 'a', 's2')), undefined, 'a name of one session in another')
  const cursor = present(
    (await ctx.other.artifacts.list({ ...user, sessionId: 's1', limit: 1 })).nextCursor,
    'a cursor',
  )
  for (const query of [{ ...user }, { ...user, sessionId: 's2' }, { ...user, userId: 'bob', sessionId: 's1' }])
    await rejects(() => ctx.other.artifacts.list({ ...query, cursor }), 'invalid_cursor', 'a cursor of another list')
}

const hostile = [
  '/',
  '..',
  '../../etc/passwd',
  '\\',
  'C:\\x',
  ':',
  '%00',
  '%2e%2e',
  '__proto__',
  'constructor',
  '.',
  ' ',
]

export async function namesAreLiteral(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const all = [...hostile, 'a', 'A', 'a ', 'é', 'e\u0301', '%', '_', "'", '"', '`', '日本語.png', 'user:', 'user:../x']
  const most = 'n'.repeat(ctx.limits.idCodePoints)
  for (const [i, name] of [...all, most].entries()) {
    const { version } = await ctx.store.artifacts.save(nameOf(ctx, name), noise(5, i))
    equal(version, 0, `the first version of ${JSON.stringify(name)}`)
  }
  for (const [i, name] of [...all, most].entries()) await holdsBytes(ctx, nameOf(ctx, name), noise(5, i))
  const listed = await walkArtifacts(ctx.other, keyOf(ctx))
  equal(
    listed.map(({ name }) => name),
    inOrder([...all, most]),
    'the names',
  )
  await rejects(() => ctx.store.artifacts.save(nameOf(ctx, `${most}n`), noise(1)), 'limit_exceeded', 'one more', {
    field: 'key.name',
    limit: ctx.limits.idCodePoints,
  })
  // Parts of a key never run together.
  await newSession(ctx, 's1/x')
  await ctx.store.artifacts.save(nameOf(ctx, 'y', 's1/x'), noise(6))
  equal(await ctx.other.artifacts.load(nameOf(ctx, 'x/y')), undefined, 'a key whose parts are cut elsewhere')
  equal(await ctx.store.artifacts.delete(nameOf(ctx, '%')), true, 'delete of %')
  equal((await walkArtifacts(ctx.other, keyOf(ctx))).length, all.length, 'names that are left')
}
