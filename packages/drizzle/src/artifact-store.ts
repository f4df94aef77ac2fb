import {
  artifactPiece,
  checkedArtifactContent,
  damagedArtifact,
  deletedMeanwhile,
  isStoreError,
  loadArtifactRequest,
  membersOf,
  piecesOf,
  saveArtifactRequest,
  StoreError,
  unsupported,
  uuidv7,
  wholeContent,
  type ArtifactContent,
  type ArtifactStore,
  type Call,
  type CallOptions,
  type ContentSum,
  type Limits,
  type LoadedArtifact,
  type LoadArtifactRequest,
  type Logger,
  type SavedArtifact,
  type SaveArtifactRequest,
  type StreamedArtifact,
} from '@daybook/core'
import { createHash } from 'node:crypto'
import type { ArtifactObjects } from './artifact-objects.ts'
import type { ArtifactOperations } from './artifact-operations.ts'
import { artifactVersionOf } from './artifact-facts.ts'
import type { OpenedArtifact } from './artifact-lookup.ts'
import { createArtifactReaping, timeLeft, type ArtifactReaping } from './artifact-reaping.ts'
import { wholeUpload } from './artifact-saves.ts'
import type { Operation } from './operation.ts'

/** How the parts of a call are done. */
export interface ArtifactCalls {
  readonly run: <T>(operation: string, options: CallOptions | undefined, body: (call: Call) => Promise<T>) => Promise<T>
  /** A transaction of its own within a call, or inside somebody's transaction a part of that. */
  readonly within: <T>(call: Call, operation: Operation<T>) => Promise<T>
  readonly limits: Limits
  readonly now: () => number
  /** Milliseconds of a call that does not say otherwise. */
  readonly timeout: number
  readonly logger: Logger | undefined
  /** Where bytes are outside of the database; absent where they are in it. */
  readonly objects?: ArtifactObjects | undefined
  /** Inside somebody's transaction: all of a save is one part of it. */
  readonly isJoined?: true
}

/** What belongs to streams, and to bytes outside of the database. */
export interface ArtifactStreams {
  readonly methods: Pick<ArtifactStore, 'save' | 'load'>
  readonly reaping: Pick<ArtifactReaping, 'reaped' | 'close'>
}

/** Bytes that are saved in one transaction. What is longer is written before, piece by piece, so that no lock is held meanwhile. */
const wholeBytes = 8 * artifactPiece

/** Pieces that are written in one transaction: what a stream has in memory. */
const stagedAtOnce = 4

/** The methods that have to do with streams, and so may be several transactions. */
export function artifactStreams(operations: ArtifactOperations, calls: ArtifactCalls): ArtifactStreams {
  const { limits, now, within, objects } = calls
  const reaping = createArtifactReaping(operations, calls)

  async function save(request: SaveArtifactRequest, content: ArtifactContent, call: Call): Promise<SavedArtifact> {
    const isShort = content instanceof Uint8Array && content.byteLength <= wholeBytes
    if (calls.isJoined !== true && objects !== undefined) return outside(request, content, call, objects)
    if (!isShort && calls.isJoined !== true) return staged(request, content, call)
    const { bytes } = await wholeContent(content, limits, call)
    return within(call, operations.record(request, wholeUpload(bytes, now)))
  }

  async function staged(request: SaveArtifactRequest, content: ArtifactContent, call: Call): Promise<SavedArtifact> {
    const { place } = request
    const uploadId = uuidv7(now)
    const pieces = piecesOf(content, limits, call)
    let from = 0
    const write = async (some: readonly Uint8Array[]) => {
      await within(call, operations.stage({ place, uploadId, from, pieces: some }))
      from += some.length
    }
    try {
      // A session that is not there is told before a stream is asked for anything.
      if (!(content instanceof Uint8Array)) await within(call, operations.owner(place))
      const sum = await inGroups(pieces, write)
      return await within(call, operations.record(request, { uploadId, chunks: from, pieces: undefined, ...sum }))
    } catch (error) {
      void pieces.return({ size: 0, sha256: '' }).catch(() => {}) // what led here is thrown
      if (!isUnknown(error)) await reaping.aside((own) => within(own, operations.discard(place, uploadId)))
      throw error
    }
  }

  /** Noted, then written, then recorded: whatever comes between, the note tells what is there. */
  async function outside(
    request: SaveArtifactRequest,
    content: ArtifactContent,
    call: Call,
    storage: ArtifactObjects,
  ): Promise<SavedArtifact> {
    const { place } = request
    const uploadId = uuidv7(now)
    await within(call, operations.announce(place, uploadId))
    let saved: SavedArtifact
    try {
      const read = summed(piecesOf(content, limits, call))
      await storage.put(place, uploadId, read.pieces, call.signal)
      saved = await within(
        call,
        operations.record(request, { uploadId, chunks: undefined, pieces: undefined, ...read.sum() }),
      )
    } catch (error) {
      if (!isUnknown(error)) {
        await reaping.aside((own) => within(own, operations.bury(place, uploadId)))
        await reaping.reap(place.appName, {})
      }
      throw error
    }
    if (saved.duplicate) await reaping.reap(place.appName, { timeout: timeLeft(call.deadline), signal: call.signal })
    return saved
  }

  async function open(request: LoadArtifactRequest, options: CallOptions | undefined, call: Call) {
    const opened = await within(call, operations.open(request))
    if (opened === undefined) return undefined
    const pieceOptions = membersOf(options ?? {}, 'options', ['signal', 'timeout']) as CallOptions // looked at by each call
    const part = <T>(body: (one: Call) => Promise<T>) => calls.run('artifacts.load', pieceOptions, body)
    const isOutside = opened.stored.chunks === undefined
    if (isOutside && objects === undefined)
      throw unsupported('artifacts.storage', 'versions in a storage that it was not given')
    const pieces = () =>
      isOutside && objects !== undefined
        ? partly(objects.get(opened), part)
        : inDatabase(opened, (from) => part((one) => within(one, operations.pieces(opened, from))))
    const { place, stored } = opened
    const isThere = async () => {
      const found = await part((one) =>
        within(one, operations.open({ place, version: stored.version, isStream: true })),
      )
      return found?.stored.uploadId === stored.uploadId
    }
    const bytes = verified(opened, pieces)
    const stream = isOutside ? unlessDeleted(bytes, isThere, deletedMeanwhile(place, stored.version)) : bytes
    const artifact: StreamedArtifact = { ...artifactVersionOf(stored), stream }
    return artifact
  }

  const methods: ArtifactStreams['methods'] = {
    save: (key, content, options) =>
      calls.run('artifacts.save', options, async (call) => {
        const request = saveArtifactRequest(key, options, { limits, now })
        const given = checkedArtifactContent(content, limits)
        call.generated({ saveId: request.saveId })
        return save(request, given, call)
      }),
    load: ((key: unknown, options?: CallOptions) =>
      calls.run('artifacts.load', options, async (call) => {
        const request = loadArtifactRequest(key, options, limits)
        if (request.isStream) return open(request, options, call)
        if (objects === undefined) return within(call, operations.load(key, options))
        for (;;) {
          const opened = await open(request, options, call)
          const loaded = opened && (await whole(opened).catch(unlessMissing))
          // What was deleted meanwhile is not there: another version may be the newest now, or there is none.
          if (opened === undefined || loaded !== undefined) return loaded
          call.check()
        }
      })) as ArtifactStore['load'], // which of the two it answers the option says
  }
  return { methods, reaping }
}

/** The commit of the record may have come through, and then the bytes belong to a version. Where it did not, they are swept. */
const isUnknown = (error: unknown): boolean => isStoreError(error) && error.code === 'outcome_unknown'

/** Hands the pieces on a few at a time. */
async function inGroups(
  pieces: AsyncGenerator<Uint8Array, ContentSum>,
  write: (some: readonly Uint8Array[]) => Promise<void>,
): Promise<ContentSum> {
  let group: Uint8Array[] = []
  for (;;) {
    const next = await pieces.next()
    if (next.done !== true) group.push(next.value)
    if (group.length === stagedAtOnce || (next.done === true && group.length > 0)) {
      await write(group)
      group = []
    }
    if (next.done === true) return next.value
  }
}

/**
 * Each look is a call of its own, which ends in its time. The end of the source is not waited for: one that is silent would get to it
 * after the piece that it was asked for, and that may never come.
 */
async function* partly(
  source: AsyncIterable<Uint8Array>,
  part: <T>(body: () => Promise<T>) => Promise<T>,
): AsyncGenerator<Uint8Array> {
  const pieces = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await part(() => pieces.next())
      if (next.done === true) return
      yield next.value
    }
  } finally {
    void pieces.return?.().catch(() => {}) // whoever stopped knows why
  }
}

/** The storage knows nothing of versions: what it failed over may have been deleted while it was read. */
const unlessDeleted = (
  bytes: AsyncIterable<Uint8Array>,
  isThere: () => Promise<boolean>,
  deleted: StoreError,
): AsyncIterable<Uint8Array> => ({
  async *[Symbol.asyncIterator]() {
    try {
      yield* bytes
    } catch (error) {
      const isOfStorage = isStoreError(error) && (error.code === 'unavailable' || error.code === 'corrupt')
      if (isOfStorage && !(await isThere().catch(() => true))) throw deleted // where nobody can look, the first error counts
      throw error
    }
  },
})

function unlessMissing(error: unknown): undefined {
  if (isStoreError(error) && error.code === 'not_found') return undefined
  throw error
}

async function whole({ stream, ...facts }: StreamedArtifact): Promise<LoadedArtifact> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return { ...facts, bytes: new Uint8Array(Buffer.concat(pieces)) }
}

/** Pieces as they are read from the database, a few at a time. */
async function* inDatabase(
  { stored: { chunks = 0 } }: OpenedArtifact,
  read: (from: number) => Promise<readonly Uint8Array[]>,
): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < chunks;) {
    const pieces = await read(from)
    from += pieces.length
    yield* pieces
  }
}

/** Whose reader has read what was saved once everything was read: the last piece is handed out when the sum is known to be right. */
const verified = (
  { place, stored: { size, sha256, version } }: OpenedArtifact,
  pieces: () => AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> => ({
  async *[Symbol.asyncIterator]() {
    const hash = createHash('sha256')
    let read = 0
    for await (const piece of pieces()) {
      read += piece.byteLength
      hash.update(piece)
      if (read > size || (read === size && hash.copy().digest('hex') !== sha256)) throw damagedArtifact(place, version)
      yield new Uint8Array(piece)
    }
    if (read < size) throw damagedArtifact(place, version)
  },
})

/** The pieces, and what they come to once they were read. */
function summed(pieces: AsyncGenerator<Uint8Array, ContentSum>) {
  let sum: ContentSum | undefined
  async function* passed() {
    try {
      for (;;) {
        const next = await pieces.next()
        if (next.done === true) {
          sum = next.value
          return
        }
        yield next.value
      }
    } finally {
      if (sum === undefined) void pieces.return({ size: 0, sha256: '' }).catch(() => {}) // whoever stopped says why
    }
  }
  return {
    pieces: passed(),
    sum(): ContentSum {
      if (sum !== undefined) return sum
      throw new StoreError('unavailable', 'the storage of artifacts did not take all that it was given')
    },
  }
}
