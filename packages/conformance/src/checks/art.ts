import type { ArtifactKey, SaveArtifactOptions } from '@daybook/core'
import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, present, rejects } from '../expect.ts'
import { keyOf, newSession, nothingWritten, numbers } from '../fixtures.ts'
import { isValue, together } from '../race.ts'
import { oracleMember } from '../whitebox.ts'
import {
  artifacts,
  holdsBytes,
  inPieces,
  nameOf,
  noise,
  nothingStays,
  rowsOf,
  streamed,
  sumOf,
  versionsOf,
  walkArtifacts,
} from './art-fixtures.ts'
import {
  goWithTheirSession,
  pruneIsNarrow,
  raceWithTheEnd,
  sweepRemovesLeftovers,
  withTheTransaction,
} from './art-lifecycle.ts'
import { listsAreScoped, namesAreLiteral, processesRace, thirtyTwo, versionsCount } from './art-names.ts'
import { abortLeavesNothing, anyPieces, breakFreesConnection, uploadIsBounded } from './art-streams.ts'

const piece = 256 * 1024

async function bytesAreExact(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const all = Uint8Array.from({ length: 256 }, (_, i) => i)
  const contents = [0, 1, 2, 255, piece - 1, piece, piece + 1, 3 * piece + 17].map((size) => noise(size))
  for (const [i, bytes] of [all, all.toReversed(), ...contents].entries()) {
    const key = nameOf(ctx, `n${i}`)
    const saved = await ctx.store.artifacts.save(key, bytes)
    equal([saved.size, saved.sha256], [bytes.byteLength, sumOf(bytes)], 'size and sum of what is saved')
    await holdsBytes(ctx, key, bytes)
  }
  const shared = Buffer.from('--the middle--').subarray(2, -2)
  const key = nameOf(ctx, 'view')
  const saving = ctx.store.artifacts.save(key, shared)
  shared.fill(0)
  await saving
  await holdsBytes(ctx, key, Buffer.from('the middle'))
  const loaded = present(await ctx.store.artifacts.load(key), 'the artifact')
  loaded.bytes.fill(0)
  await holdsBytes(ctx, key, Buffer.from('the middle'))
}

const metadata = { title: '😀\0\ud800', n: [1, null, { a: -1.5 }], ['__proto__']: 'x', constructor: { deep: true } }

async function factsAreKept(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const given: readonly SaveArtifactOptions[] = [
    {},
    { mimeType: 'image/png' },
    { mimeType: 'Text/Plain; charset="UTF-8"', metadata },
    { metadata: {} },
    { mimeType: 'x'.repeat(ctx.limits.idCodePoints), metadata: { a: 'y'.repeat(60_000) } },
  ]
  for (const [i, options] of given.entries()) {
    const key = nameOf(ctx, `n${i}`)
    await ctx.store.artifacts.save(key, noise(10), options)
    const { bytes: _bytes, sha256: _sum, createdAt: _at, ...rest } = present(await ctx.other.artifacts.load(key), 'it')
    equal(
      rest,
      {
        version: 0,
        ...(options.mimeType !== undefined && { mimeType: options.mimeType }),
        metadata: JSON.parse(JSON.stringify(options.metadata ?? {})) as unknown,
        size: 10,
      },
      `what is known of artifact ${i}`,
    )
  }
  await refusals(ctx)
}

async function refusals(ctx: Ctx): Promise<void> {
  const key = nameOf(ctx, 'x')
  const wrong: readonly (readonly [unknown, 'invalid_argument' | 'limit_exceeded', string])[] = [
    [{ mimeType: '' }, 'invalid_argument', 'mimeType'],
    [{ mimeType: 1 }, 'invalid_argument', 'mimeType'],
    [{ mimeType: 'x'.repeat(ctx.limits.idCodePoints + 1) }, 'limit_exceeded', 'mimeType'],
    [{ metadata: [] }, 'invalid_argument', 'metadata'],
    [{ metadata: { a: Number.NaN } }, 'invalid_argument', 'metadata.a'],
    [{ metadata: { a: 'x'.repeat(ctx.limits.artifactMetadataBytes) } }, 'limit_exceeded', 'metadata'],
    [{ saveId: '' }, 'invalid_argument', 'saveId'],
    [{ overwrite: true }, 'invalid_argument', 'overwrite'],
  ]
  await nothingWritten(
    ctx,
    async () => {
      for (const [options, code, field] of wrong)
        await rejects(() => ctx.store.artifacts.save(key, noise(1), options as SaveArtifactOptions), code, field, {
          field,
        }) // what the types forbid is what is tried
      for (const content of [undefined, null, 'text', 5, [1, 2], new ArrayBuffer(3), {}])
        await rejects(
          () => ctx.store.artifacts.save(key, content as Uint8Array), // as above
          'invalid_argument',
          'content that is none',
          { field: 'content' },
        )
      const strangers: readonly (readonly [Partial<Record<keyof ArtifactKey, unknown>>, string])[] = [
        [{ name: '' }, 'key.name'],
        [{ name: 'a\0' }, 'key.name'],
        [{ name: undefined }, 'key.name'],
        [{ sessionId: undefined }, 'key.sessionId'],
        [{ sessionId: '' }, 'key.sessionId'],
        [{ userId: 7 }, 'key.userId'],
      ]
      for (const [part, field] of strangers)
        await rejects(
          () => ctx.store.artifacts.save({ ...key, ...part } as ArtifactKey, noise(1)), // as above
          'invalid_argument',
          `a key by ${field}`,
          { field },
        )
      await rejects(() => ctx.store.artifacts.save({ ...key, sessionId: 'none' }, noise(1)), 'not_found', 'no session')
      await rejects(
        () => ctx.store.artifacts.save({ ...key, sessionId: 'none' }, inPieces(noise(9), 2)),
        'not_found',
        'a stream for no session',
      )
      for (const version of [-1, 1.5, '1'])
        await rejects(
          () => ctx.store.artifacts.load(key, { version: version as number }), // as above
          'invalid_argument',
          `version ${version}`,
          { field: 'version' },
        )
    },
    'saves that are refused',
  )
}

async function deletes(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const { store, other } = ctx
  const [key, beside] = [nameOf(ctx, 'a'), nameOf(ctx, 'ab')]
  equal(await store.artifacts.delete(key), false, 'a name that was never saved')
  for (const i of numbers(3)) await store.artifacts.save(key, noise(300_000, i))
  await store.artifacts.save(beside, noise(7))
  equal(await store.artifacts.delete(key, { version: 2 }), true, 'the newest version')
  equal(await store.artifacts.delete(key, { version: 2 }), false, 'once more')
  equal([await versionsOf(other, key), (await other.artifacts.load(key))?.version], [[0, 1], 1], 'the newest now')
  equal((await store.artifacts.save(key, noise(4))).version, 3, 'its number does not come back')
  for (const version of [0, 1, 3]) equal(await store.artifacts.delete(key, { version }), true, `version ${version}`)
  equal(await other.artifacts.load(key), undefined, 'a name without versions')
  equal(
    (await walkArtifacts(other, keyOf(ctx))).map(({ name }) => name),
    ['ab'],
    'names that have a version',
  )
  equal((await store.artifacts.save(key, noise(4))).version, 4, 'numbers go on')
  equal(await store.artifacts.delete(key), true, 'all versions')
  equal([await versionsOf(other, key), await other.artifacts.load(key)], [[], undefined], 'after that')
  equal(await store.artifacts.delete(key), false, 'once more')
  const rows = await rowsOf(ctx, ctx.app)
  if (rows !== undefined) equal(rows, [1, 1, 1], 'rows of names, versions and pieces: those of another name')
  equal((await store.artifacts.save(key, noise(4))).version, 0, 'a name that was deleted begins at 0')
  await holdsBytes(ctx, beside, noise(7))
}

async function sizeIsBounded(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const limit = 300_000
  const store = await ctx.open({ limits: { artifactBytes: limit } })
  const facts = { field: 'content', limit }
  const before = await rowsOf(ctx, ctx.app)
  await store.artifacts.save(nameOf(ctx, 'most'), noise(limit))
  await holdsBytes(ctx, nameOf(ctx, 'most'), noise(limit))
  await store.artifacts.save(nameOf(ctx, 'most'), inPieces(noise(limit, 2), 7_000))
  await holdsBytes(ctx, nameOf(ctx, 'most'), noise(limit, 2))
  await store.artifacts.delete(nameOf(ctx, 'most'))
  await rejects(() => store.artifacts.save(nameOf(ctx, 'more'), noise(limit + 1)), 'limit_exceeded', 'one more', {
    ...facts,
    actual: limit + 1,
  })
  let asked = 0
  async function* tooLong() {
    for (;;) {
      asked += 1
      yield noise(100_000)
    }
  }
  await rejects(
    () => store.artifacts.save(nameOf(ctx, 'more'), tooLong()),
    'limit_exceeded',
    'an endless stream',
    facts,
  )
  equal(asked, 4, 'pieces that were asked for')
  equal(await walkArtifacts(ctx.other, keyOf(ctx)), [], 'what is there after that')
  await nothingStays(ctx, before, 'what is too long')
}

async function damageIsSeen(ctx: Ctx): Promise<void> {
  const damage = oracleMember(ctx, 'damageArtifacts')
  await newSession(ctx)
  const keys = [nameOf(ctx, 'short'), nameOf(ctx, 'long')]
  await ctx.store.artifacts.save(nameOf(ctx, 'short'), noise(100))
  await ctx.store.artifacts.save(nameOf(ctx, 'long'), noise(3 * piece))
  await damage(ctx.app)
  for (const key of keys) {
    await rejects(() => ctx.store.artifacts.load(key), 'corrupt', `${key.name}, whose bytes were changed`)
    const found = present(await ctx.store.artifacts.load(key, { stream: true }), 'the artifact')
    await rejects(() => streamed(found), 'corrupt', `${key.name} as a stream`)
  }
}

async function repeats(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = nameOf(ctx, 'a')
  const options = { saveId: 'once', mimeType: 'a/b', metadata: { x: [1], y: 2 } }
  const first = await ctx.store.artifacts.save(key, noise(400_000), options)
  equal([first.version, first.saveId, first.duplicate], [0, 'once', false], 'a save')
  await ctx.store.artifacts.save(key, noise(1))
  const before = await rowsOf(ctx, ctx.app)
  const again = { ...first, duplicate: true }
  equal(await ctx.other.artifacts.save(key, noise(400_000), options), again, 'the same again')
  equal(await ctx.other.artifacts.save(key, inPieces(noise(400_000), 100_000), options), again, 'the same as a stream')
  equal(
    await ctx.other.artifacts.save(key, noise(400_000), { ...options, metadata: { y: 2, x: [1] } }),
    again,
    'the same in another order of keys',
  )
  for (const [what, bytes, given] of [
    ['other bytes', noise(400_000, 2), options],
    ['other bytes as a stream', inPieces(noise(400_000, 2), 100_000), options],
    ['fewer bytes', noise(5), options],
    ['another type', noise(400_000), { ...options, mimeType: 'a/c' }],
    ['no type', noise(400_000), { saveId: 'once', metadata: options.metadata }],
    ['other metadata', noise(400_000), { ...options, metadata: {} }],
  ] as const)
    await rejects(() => ctx.store.artifacts.save(key, bytes, given), 'conflict', `the same save with ${what}`, {
      field: 'saveId',
    })
  await nothingStays(ctx, before, 'saves that were repeated')
  equal((await ctx.store.artifacts.save(nameOf(ctx, 'b'), noise(5), options)).version, 0, 'one of another name')
  equal(await versionsOf(ctx.other, key), [0, 1], 'versions')
  const outcomes = await together(
    numbers(6).map(
      (i) => () => (i % 2 === 0 ? ctx.store : ctx.other).artifacts.save(key, noise(9), { saveId: 'raced' }),
    ),
  )
  const raced = outcomes.filter((one) => isValue(one)).map(({ value }) => value)
  equal(
    [
      raced.length,
      new Set(raced.map(({ version }) => version)).size,
      raced.filter(({ duplicate }) => !duplicate).length,
    ],
    [6, 1, 1],
    'one save raced with itself',
  )
}

export const ART: Checks = [
  check(
    'ART-01',
    'bytes are identical: none, one, all values, and around the length of a piece',
    bytesAreExact,
    artifacts,
  ),
  check(
    'ART-02',
    'invalid UTF-8 and NUL are intact',
    async (ctx) => {
      await newSession(ctx)
      for (const [i, text] of [
        'ff fe 00 41',
        'c3 28',
        'ed a0 80',
        '00 00 00',
        'f0 9f 98',
        'ef bb bf 41',
        '5c 27 22 00',
      ].entries()) {
        const bytes = Buffer.from(text.replaceAll(' ', ''), 'hex')
        await ctx.store.artifacts.save(nameOf(ctx, `n${i}`), bytes, { mimeType: 'text/plain; charset=utf-8' })
        await holdsBytes(ctx, nameOf(ctx, `n${i}`), bytes)
      }
    },
    artifacts,
  ),
  check('ART-03', 'type and metadata are kept, and what is malformed is refused', factsAreKept, artifacts),
  check('ART-04', 'versions begin at 0 and grow by one; the newest, one of them, and none', versionsCount, artifacts),
  check('ART-05', '32 savers of one name get the versions 0 to 31', thirtyTwo, { ...artifacts, engine: 'race' }),
  check('ART-05', 'so do those of several processes', processesRace, {
    ...artifacts,
    engine: 'process',
    alone: true,
    needs: ['worker'],
    variant: 'process',
    budgetMs: 60_000,
  }),
  check(
    'ART-06',
    'names and versions are listed within their scope, by code point, page by page',
    listsAreScoped,
    artifacts,
  ),
  check('ART-07', 'names are values: paths, patterns and Unicode are literal', namesAreLiteral, artifacts),
  check('ART-08', 'one version is deleted, or all, and which numbers come back', deletes, artifacts),
  check('ART-09', 'a stream may come in any pieces', anyPieces, artifacts),
  check('ART-09', 'a save that ends in its middle leaves nothing', abortLeavesNothing, {
    ...artifacts,
    variant: 'abort',
  }),
  check('ART-09', 'the pieces of a stream are not kept', uploadIsBounded, { ...artifacts, variant: 'memory' }),
  check('ART-09', 'a stream that is read holds no connection', breakFreesConnection, {
    ...artifacts,
    variant: 'break',
  }),
  check(
    'ART-10',
    'at the limit bytes round-trip, and one more is refused as soon as it comes',
    sizeIsBounded,
    artifacts,
  ),
  check('ART-11', 'bytes that were changed are corrupt', damageIsSeen, {
    ...artifacts,
    engine: 'whitebox',
    needs: ['oracle'],
  }),
  check('ART-12', 'artifacts of a session go with it, those of the user with the user', goWithTheirSession, artifacts),
  check('ART-12', 'a save beside the end of its session is gone with it, or not_found', raceWithTheEnd, {
    ...artifacts,
    engine: 'race',
    variant: 'race',
  }),
  check('ART-13', 'a save is repeated by its id: the same answer, or conflict', repeats, artifacts),
  check('ART-14', 'prune removes only versions that are older, in bounded chunks', pruneIsNarrow, artifacts),
  check('ART-15', 'sweep removes what a killed save left, and nothing else', sweepRemovesLeftovers, {
    ...artifacts,
    engine: 'process',
    needs: ['worker'],
  }),
  check('ART-16', 'a save inside a transaction of the caller commits or rolls back with it', withTheTransaction, {
    capability: 'callerTransaction',
    needs: ['transaction'],
    budgetMs: 60_000,
  }),
]
