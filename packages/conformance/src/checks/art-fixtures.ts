import type { Artifact, ArtifactKey, ArtifactVersion, Store, StreamedArtifact } from '@daybook/core'
import { createHash } from 'node:crypto'
import type { CheckOptions } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, present } from '../expect.ts'
import { keyOf, walk } from '../fixtures.ts'

export const artifacts: CheckOptions = { capability: 'artifacts', budgetMs: 60_000 }

export const nameOf = (ctx: Ctx, name: string, sessionId = 's1', userId = 'ann'): ArtifactKey => ({
  ...keyOf(ctx, sessionId, userId),
  name,
})

/** Bytes that look like nothing, the same each time. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed * 2_654_435_761 + 1
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

export const sumOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The bytes as a stream of pieces of a length. */
export async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += length) {
    await new Promise((resolve) => setImmediate(resolve))
    yield bytes.slice(from, from + length)
  }
}

export async function streamed({ stream }: Pick<StreamedArtifact, 'stream'>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Compared as bytes: a difference is told by its place, and not by a million numbers. */
function sameBytes(got: Uint8Array, expected: Uint8Array, what: string): void {
  equal(got.byteLength, expected.byteLength, `${what}: how many bytes`)
  const at = expected.findIndex((byte, i) => got[i] !== byte)
  equal(at, -1, `${what}: the first byte that differs`)
}

/** What is there under a name, in whole and as a stream, by another open. */
export async function holdsBytes(ctx: Ctx, key: ArtifactKey, bytes: Uint8Array, version?: number): Promise<void> {
  const options = version === undefined ? {} : { version }
  const what = `${JSON.stringify(key.name)} of ${bytes.byteLength} bytes`
  const loaded = present(await ctx.other.artifacts.load(key, options), `${what} is there`)
  sameBytes(loaded.bytes, bytes, `${what}, loaded`)
  equal([loaded.size, loaded.sha256], [bytes.byteLength, sumOf(bytes)], `${what}: size and sum`)
  const { stream, ...facts } = present(
    await ctx.other.artifacts.load(key, { ...options, stream: true }),
    `${what} is there as a stream`,
  )
  sameBytes(await streamed({ stream }), bytes, `${what}, streamed`)
  const { bytes: _bytes, ...known } = loaded
  equal(facts, known, `${what}: what is known of it by either way`)
}

export const walkArtifacts = (store: Store, query: Parameters<Store['artifacts']['list']>[0]): Promise<Artifact[]> =>
  walk((cursor) => store.artifacts.list({ ...query, ...(cursor !== undefined && { cursor }) }), 'artifacts.list')

export const walkVersions = (store: Store, key: ArtifactKey, limit = 100): Promise<ArtifactVersion[]> =>
  walk(
    (cursor) => store.artifacts.versions(key, { limit, ...(cursor !== undefined && { cursor }) }),
    'artifacts.versions',
  )

export const versionsOf = async (store: Store, key: ArtifactKey): Promise<number[]> =>
  (await walkVersions(store, key)).map(({ version }) => version)

/** Rows of all that artifacts are made of, by the oracle where there is one. */
export async function rowsOf({ place: { oracle } }: Ctx, appName: string): Promise<number[] | undefined> {
  if (oracle === undefined) return undefined
  return [
    await oracle.count('artifacts', appName),
    await oracle.count('artifactVersions', appName),
    await oracle.count('artifactChunks', appName),
  ]
}

/** What a save that ended in its middle takes back a moment after its error. */
export async function nothingStays(ctx: Ctx, before: number[] | undefined, what: string): Promise<void> {
  let after = await rowsOf(ctx, ctx.app)
  for (let tries = 0; tries < 100 && String(after) !== String(before); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    after = await rowsOf(ctx, ctx.app)
  }
  equal(after, before, `${what}: rows of names, versions and pieces`)
}
