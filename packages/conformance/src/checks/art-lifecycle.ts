import type { Ctx } from '../context.ts'
import { equal, holds, Inapplicable, rejects } from '../expect.ts'
import { keyOf, newSession, nothingWritten, numbers, say } from '../fixtures.ts'
import { startWorker } from '../process.ts'
import { isValue, rounds, together } from '../race.ts'
import { holdsBytes, nameOf, noise, nothingStays, rowsOf, versionsOf, walkArtifacts } from './art-fixtures.ts'

const long = 600_000

/** The end of a session is the end of its artifacts, whatever ends it. Those of the user stay until the user is erased. */
export async function goWithTheirSession(ctx: Ctx): Promise<void> {
  const { store } = ctx
  const ends: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['sessions.delete', () => store.sessions.delete(keyOf(ctx))],
    ['sessions.prune', () => store.sessions.prune({ appName: ctx.app, userId: 'ann', before: 4e12 })],
    ['erase', () => store.erase({ appName: ctx.app, userId: 'ann' })],
  ]
  await newSession(ctx, 's1', {}, 'bob')
  await store.artifacts.save(nameOf(ctx, 'a', 's1', 'bob'), noise(long, 7))
  const others = await rowsOf(ctx, ctx.app)
  for (const [what, end] of ends) {
    await newSession(ctx)
    for (const name of ['a', 'b', 'user:c']) {
      await store.artifacts.save(nameOf(ctx, name), noise(long))
      await store.artifacts.save(nameOf(ctx, name), noise(10))
    }
    const copy = await store.sessions.fork(keyOf(ctx), { sessionId: 'copy' })
    const list = await walkArtifacts(ctx.other, { appName: ctx.app, userId: 'ann', sessionId: copy.sessionId })
    equal(
      list.map(({ name }) => name),
      ['user:c'],
      'names of a fork: those of the user',
    )
    await store.sessions.delete(copy)
    const answer = await end()
    if (what === 'erase') equal((answer as { artifacts: number }).artifacts, 6, 'versions in the receipt of an erasure') // the receipt
    equal(await ctx.other.artifacts.load(nameOf(ctx, 'a')), undefined, `${what}: an artifact of the session`)
    equal(await versionsOf(ctx.other, nameOf(ctx, 'b')), [], `${what}: versions of the session`)
    equal(
      await versionsOf(ctx.other, nameOf(ctx, 'user:c')),
      what === 'erase' ? [] : [0, 1],
      `${what}: versions of the user`,
    )
    await newSession(ctx)
    equal(
      (await walkArtifacts(ctx.other, keyOf(ctx))).map(({ name }) => name),
      what === 'erase' ? [] : ['user:c'],
      `${what}: names in a session created anew`,
    )
    equal((await store.artifacts.save(nameOf(ctx, 'a'), noise(3))).version, 0, `${what}: the first version anew`)
    await store.erase({ appName: ctx.app, userId: 'ann' })
    equal(await rowsOf(ctx, ctx.app), others, `${what}: rows of names, versions and pieces`)
  }
  await holdsBytes(ctx, nameOf(ctx, 'a', 's1', 'bob'), noise(long, 7))
}

/** Of a save and what ends its session one is first: it is gone with the session, or `not_found`. */
export const raceWithTheEnd = async (ctx: Ctx): Promise<void> => {
  await rounds(ctx, async ({ store, other, key, index }) => {
    await store.sessions.create(key)
    const [ended, ...saves] = await together<unknown>([
      () => (index % 2 === 0 ? store.sessions.delete(key) : store.erase(key)),
      () => other.artifacts.save({ ...key, name: 'a' }, noise(index % 4 === 0 ? long : 100)),
      () => store.artifacts.save({ ...key, name: 'b' }, noise(100)),
    ])
    holds(ended !== undefined && isValue(ended), 'the end of the session', ended)
    for (const saved of saves)
      if (!isValue(saved)) await rejects(() => Promise.reject(saved.error), 'not_found', 'a save that came late')
    for (const name of ['a', 'b']) equal(await versionsOf(ctx.other, { ...key, name }), [], 'what is left of it')
    equal(await walkArtifacts(ctx.other, key), [], 'names that are left')
  })
  await nothingStays(
    ctx,
    (await rowsOf(ctx, ctx.app))?.map(() => 0),
    'saves beside the end of their session',
  )
}

export async function pruneIsNarrow(ctx: Ctx): Promise<void> {
  let time = 1_700_000_000_000
  const store = await ctx.open({ now: () => time })
  for (const userId of ['ann', 'bob']) await newSession(ctx, 's1', {}, userId)
  for (const i of numbers(5, 0)) {
    time = 1_700_000_000_000 + i * 1000
    for (const userId of ['ann', 'bob']) {
      await store.artifacts.save(nameOf(ctx, 'many', 's1', userId), noise(100))
      if (i < 2) await store.artifacts.save(nameOf(ctx, 'user:old', 's1', userId), noise(50))
    }
  }
  const query = { appName: ctx.app, userId: 'ann', before: 1_700_000_003_000 }
  const report = { versions: 5, bytes: 400, dryRun: false }
  await nothingWritten(
    ctx,
    async () =>
      equal(await store.artifacts.prune({ ...query, dryRun: true }), { ...report, dryRun: true }, 'a dry run'),
    'a dry run',
  )
  equal(await store.artifacts.prune({ ...query, chunk: 2 }), report, 'in chunks of two')
  equal(
    await versionsOf(ctx.other, nameOf(ctx, 'many')),
    [3, 4],
    'versions that are young enough, the boundary with them',
  )
  equal(await versionsOf(ctx.other, nameOf(ctx, 'user:old')), [], 'versions that were old')
  equal(
    (await walkArtifacts(ctx.other, keyOf(ctx))).map(({ name }) => name),
    ['many'],
    'names that are left',
  )
  equal(await versionsOf(ctx.other, nameOf(ctx, 'many', 's1', 'bob')), [0, 1, 2, 3, 4], 'versions of another user')
  equal((await store.artifacts.save(nameOf(ctx, 'many'), noise(1))).version, 5, 'no number comes back')
  equal((await store.artifacts.prune(query)).versions, 0, 'once more')
  equal((await store.artifacts.prune({ appName: ctx.app, before: 4e12 })).versions, 10, 'of the whole app')
  const none = (await rowsOf(ctx, ctx.app))?.map(() => 0)
  equal(await rowsOf(ctx, ctx.app), none, 'rows of names, versions and pieces')
  for (const wrong of [{}, { before: -1 }, { before: 'x' }, { before: 1, chunk: 0 }, { before: 1, older: 1 }])
    await rejects(
      () => store.artifacts.prune({ appName: ctx.app, ...wrong } as typeof query), // what the types forbid is what is tried
      'invalid_argument',
      `prune by ${JSON.stringify(wrong)}`,
    )
}

/** What a killed process left of a save is removed once it is old enough, and nothing else is. */
export async function sweepRemovesLeftovers(ctx: Ctx): Promise<void> {
  if (ctx.store.capabilities.persistent === 'no') throw new Inapplicable('data end with the process')
  await newSession(ctx)
  await ctx.store.artifacts.save(nameOf(ctx, 'kept'), noise(long))
  const whole = await rowsOf(ctx, ctx.app)
  const worker = await startWorker(ctx.need('worker'))
  try {
    const begun = new Promise<void>((resolve) => {
      worker.upload({ key: nameOf(ctx, 'lost'), pieces: 6 }, () => resolve()).catch(() => {}) // its process is killed
    })
    await begun
  } finally {
    await worker.kill()
  }
  const left = await rowsOf(ctx, ctx.app)
  if (left !== undefined) holds(String(left) !== String(whole), 'a killed save leaves something', left)
  equal(await versionsOf(ctx.other, nameOf(ctx, 'lost')), [], 'versions of a save that was killed')
  const sweep = { appName: ctx.app }
  equal(await ctx.store.artifacts.sweep(sweep), { uploads: 0, dryRun: false }, 'a sweep on the same day')
  equal(await rowsOf(ctx, ctx.app), left, 'what may still be under way')
  const later = await ctx.open({ now: () => Date.now() + 25 * 3_600_000 })
  equal(await later.artifacts.sweep({ appName: `${ctx.app}-b` }), { uploads: 0, dryRun: false }, 'of another app')
  equal(await later.artifacts.sweep({ ...sweep, dryRun: true }), { uploads: 1, dryRun: true }, 'a dry run a day later')
  equal(await rowsOf(ctx, ctx.app), left, 'after a dry run')
  equal(
    await later.artifacts.sweep({ ...sweep, olderThan: 26 * 3_600_000 }),
    { uploads: 0, dryRun: false },
    'an older age',
  )
  equal(await later.artifacts.sweep(sweep), { uploads: 1, dryRun: false }, 'a sweep a day later')
  equal(await rowsOf(ctx, ctx.app), whole, 'rows of names, versions and pieces')
  await holdsBytes(ctx, nameOf(ctx, 'kept'), noise(long))
  await rejects(() => later.artifacts.sweep({ ...sweep, olderThan: 1000 }), 'invalid_argument', 'an age below an hour')
}

class Rollback extends Error {}

export async function withTheTransaction(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  await newSession(ctx)
  const key = nameOf(ctx, 'a')
  await nothingWritten(
    ctx,
    async () => {
      const outcome = await transaction
        .run(ctx.store, async (joined) => {
          await joined.artifacts.save(key, noise(long))
          await joined.artifacts.save(nameOf(ctx, 'user:b'), noise(10))
          throw new Rollback('the application changed its mind')
        })
        .catch((error: unknown) => error)
      holds(outcome instanceof Error, 'the transaction fails', outcome)
    },
    'a transaction of the caller that failed',
  )
  const none = (await rowsOf(ctx, ctx.app))?.map(() => 0)
  equal(await rowsOf(ctx, ctx.app), none, 'rows of names, versions and pieces')
  await transaction.run(ctx.store, async (joined) => {
    await joined.events.append(keyOf(ctx), say('e1'))
    equal((await joined.artifacts.save(key, noise(long))).version, 0, 'a version inside')
    async function* source() {
      yield noise(long).slice(0, 1000)
      yield noise(long).slice(1000)
    }
    equal((await joined.artifacts.save(key, source())).version, 1, 'a version out of a stream')
    await rejects(() => joined.artifacts.save({ ...key, sessionId: 'none' }, noise(1)), 'not_found', 'no session')
    const loaded = await joined.artifacts.load(key)
    equal([loaded?.version, loaded?.size], [1, long], 'what is read inside')
  })
  equal(await versionsOf(ctx.other, key), [0, 1], 'versions after the commit')
  await holdsBytes(ctx, key, noise(long))
}
