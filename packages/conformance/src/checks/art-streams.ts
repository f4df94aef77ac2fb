import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects, within } from '../expect.ts'
import { newSession, numbers, wrong } from '../fixtures.ts'
import { exposedGc } from './res-heap.ts'
import { holdsBytes, inPieces, nameOf, noise, nothingStays, rowsOf, versionsOf } from './art-fixtures.ts'

const mega = 1024 * 1024

/** Pieces of any length, empty ones and one buffer that is used again and again among them. */
export async function anyPieces(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const bytes = noise(700_001)
  for (const [i, length] of [4_999, 65_536, 262_144, 262_145, 700_001].entries()) {
    const key = nameOf(ctx, `by-${length}`)
    const saved = await ctx.store.artifacts.save(key, inPieces(bytes, length), { mimeType: 'a/b', metadata: { i } })
    equal([saved.version, saved.size, saved.duplicate], [0, bytes.byteLength, false], `saved by ${length}`)
    await holdsBytes(ctx, key, bytes)
  }
  async function* reused() {
    const buffer = new Uint8Array(100_000)
    for (let from = 0; from < bytes.byteLength; from += buffer.byteLength) {
      const part = bytes.subarray(from, from + buffer.byteLength)
      buffer.set(part)
      yield buffer.subarray(0, part.byteLength)
      yield buffer.subarray(0, 0)
    }
  }
  await ctx.store.artifacts.save(nameOf(ctx, 'reused'), reused())
  await holdsBytes(ctx, nameOf(ctx, 'reused'), bytes)
  await ctx.store.artifacts.save(nameOf(ctx, 'nothing'), inPieces(new Uint8Array(), 1))
  await holdsBytes(ctx, nameOf(ctx, 'nothing'), new Uint8Array())
  await ctx.store.artifacts.save(nameOf(ctx, 'web'), ReadableStream.from(inPieces(bytes, 65_536)))
  await holdsBytes(ctx, nameOf(ctx, 'web'), bytes)
}

class Broken extends Error {}

/** A save that ends in its middle leaves no version, no name, and soon no bytes. */
export async function abortLeavesNothing(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = nameOf(ctx, 'half')
  const kept = nameOf(ctx, 'kept')
  await ctx.store.artifacts.save(kept, noise(1000))
  const before = await rowsOf(ctx, ctx.app)
  const broken = new Broken('the disk of the caller')
  const sources: readonly (readonly [string, () => AsyncIterable<Uint8Array>, 'aborted' | 'invalid_argument'])[] = [
    [
      'a stream that throws',
      async function* () {
        yield* inPieces(noise(3 * mega), mega)
        throw broken
      },
      'aborted',
    ],
    [
      'a stream of something else',
      async function* () {
        yield noise(mega)
        yield wrong('text')
      },
      'invalid_argument',
    ],
  ]
  for (const [what, failing, code] of sources) {
    const error = await rejects(() => ctx.store.artifacts.save(key, failing()), code, what)
    if (code === 'aborted') equal(error.cause, broken, `${what}: its error`)
    await nothingStays(ctx, before, what)
  }
  const aborting = new AbortController()
  const source = { isTold: false }
  async function* endless() {
    try {
      for (let i = 0; ; i += 1) {
        if (i === 3) aborting.abort()
        yield noise(mega, i)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    } finally {
      source.isTold = true
    }
  }
  await rejects(
    () => ctx.store.artifacts.save(key, endless(), { signal: aborting.signal }),
    'aborted',
    'a stream that is abandoned',
  )
  await nothingStays(ctx, before, 'a stream that is abandoned')
  for (let tries = 0; tries < 100 && !source.isTold; tries += 1) await new Promise((resolve) => setTimeout(resolve, 20))
  holds(source.isTold, 'a stream that is abandoned is told so')
  const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
  await within(
    10_000,
    rejects(() => ctx.store.artifacts.save(key, silent, { timeout: 300 }), 'timeout', 'a stream that never answers'),
    'a stream that never answers ends the call in its time',
  )
  equal(await versionsOf(ctx.other, key), [], 'versions of a name that was never saved')
  await holdsBytes(ctx, kept, noise(1000))
  equal((await ctx.store.artifacts.save(key, noise(10))).version, 0, 'the first that succeeds')
}

/** The pieces that a stream gave are let go of while it goes on. */
export async function uploadIsBounded(ctx: Ctx): Promise<void> {
  const gc = exposedGc()
  await newSession(ctx)
  const given: WeakRef<object>[] = []
  const alive: number[] = []
  async function* source() {
    for (const i of numbers(24)) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      // To collect holds up everything that runs beside this.
      if (i % 4 === 0) {
        gc()
        alive.push(given.filter((one) => one.deref() !== undefined).length)
      }
      const piece = new Uint8Array(mega).fill(i)
      given.push(new WeakRef(piece))
      yield piece
    }
  }
  await ctx.store.artifacts.save(nameOf(ctx, 'long'), source())
  const most = Math.max(...alive)
  holds(most <= 8, 'pieces of a stream that are in memory at a time', `${most} of ${given.length}`)
  const loaded = present(await ctx.other.artifacts.load(nameOf(ctx, 'long'), { stream: true }), 'the artifact')
  let sum = 0
  for await (const piece of loaded.stream) sum += piece.byteLength
  equal(sum, 24 * mega, 'bytes that come back')
}

/** No connection is held between two pieces: with a pool of one the next call would wait for ever. */
export async function breakFreesConnection(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const key = nameOf(ctx, 'long')
  await ctx.store.artifacts.save(key, noise(3 * mega))
  const store = await ctx.open({ poolMax: 1 })
  const { stream } = present(await store.artifacts.load(key, { stream: true }), 'the artifact')
  let read = 0
  for await (const piece of stream) {
    read += piece.byteLength
    await within(10_000, store.sessions.count({ appName: ctx.app }), 'a call between two pieces')
    if (read >= mega) break
  }
  await within(10_000, store.sessions.count({ appName: ctx.app }), 'a call after a stream was left')
  const again = stream[Symbol.asyncIterator]()
  const first = present((await again.next()).value as Uint8Array | undefined, 'a first piece, of the same stream anew')
  equal(first[0], noise(1)[0], 'its first byte')
  await ctx.store.artifacts.delete(key)
  const rest = async () => {
    while ((await again.next()).done !== true);
  }
  await rejects(rest, 'not_found', 'a stream whose version is deleted')
  const aborting = new AbortController()
  await ctx.store.artifacts.save(key, noise(3 * mega))
  const abortable = present(
    await store.artifacts.load(key, { stream: true, signal: aborting.signal }),
    'the artifact, anew',
  )
  await rejects(
    async () => {
      for await (const piece of abortable.stream) if (piece.byteLength > 0) aborting.abort()
    },
    'aborted',
    'a stream whose signal fires',
  )
}
