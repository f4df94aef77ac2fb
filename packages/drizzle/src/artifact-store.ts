import {
  artifactPiece,
  checkedArtifactContent,
  createCalls,
  damagedArtifact,
  loadArtifactRequest,
  membersOf,
  piecesOf,
  saveArtifactRequest,
  uuidv7,
  wholeContent,
  type ArtifactContent,
  type ArtifactStore,
  type Call,
  type CallOptions,
  type ContentSum,
  type Limits,
  type LoadArtifactRequest,
  type SavedArtifact,
  type SaveArtifactRequest,
  type StreamedArtifact,
} from '@daybook/core'
import { createHash } from 'node:crypto'
import type { ArtifactOperations } from './artifact-operations.ts'
import { artifactVersionOf } from './artifact-rows.ts'
import { wholeUpload, type OpenedArtifact } from './artifacts.ts'
import type { Operation } from './operation.ts'

/** How the parts of a call are done. */
export interface ArtifactCalls {
  readonly run: <T>(operation: string, options: CallOptions | undefined, body: (call: Call) => Promise<T>) => Promise<T>
  /** A transaction of its own within a call, or inside somebody's transaction a part of that. */
  readonly within: <T>(call: Call, operation: Operation<T>) => Promise<T>
  readonly limits: Limits
  readonly now: () => number
  /** Inside somebody's transaction: all of a save is one part of it. */
  readonly isJoined?: true
}

/** Bytes that are saved in one transaction. What is longer is written before, piece by piece, so that no lock is held meanwhile. */
const wholeBytes = 8 * artifactPiece

/** Pieces that are written in one transaction: what a stream has in memory. */
const stagedAtOnce = 4

/** Milliseconds for taking back what a save wrote that failed. */
const timeToDiscard = 10_000

/** The methods that have to do with streams, and so may be several transactions. */
export function artifactStreams(
  operations: ArtifactOperations,
  calls: ArtifactCalls,
): Pick<ArtifactStore, 'save' | 'load'> {
  const { limits, now, within } = calls

  async function save(request: SaveArtifactRequest, content: ArtifactContent, call: Call): Promise<SavedArtifact> {
    const isShort = content instanceof Uint8Array && content.byteLength <= wholeBytes
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
      // Where the commit of the record may have come through the pieces belong to a version.
      if (!call.isCommitting) await discard(request, uploadId)
      throw error
    }
  }

  /** In a call of its own: the one that failed may be over, and the store about to close, which waits for this. */
  async function discard({ place }: SaveArtifactRequest, uploadId: string): Promise<void> {
    const own = createCalls({ timeout: timeToDiscard })
    // What cannot be taken back now is swept later; what led here is the error to tell.
    await own
      .run('artifacts.discard', undefined, (call) => within(call, operations.discard(place, uploadId)))
      .catch(() => {})
  }

  async function open(request: LoadArtifactRequest, options: CallOptions | undefined, call: Call) {
    const opened = await within(call, operations.open(request))
    if (opened === undefined) return undefined
    const pieceOptions = membersOf(options ?? {}, 'options', ['signal', 'timeout']) as CallOptions // looked at by each call
    const read = (from: number) =>
      calls.run('artifacts.load', pieceOptions, (one) => within(one, operations.pieces(opened, from)))
    const artifact: StreamedArtifact = { ...artifactVersionOf(opened.stored), stream: streamOf(opened, read) }
    return artifact
  }

  return {
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
        return within(call, operations.load(key, options))
      })) as ArtifactStore['load'], // which of the two it answers the option says
  }
}

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

const streamOf = (
  { place, stored }: OpenedArtifact,
  read: (from: number) => Promise<readonly Uint8Array[]>,
): AsyncIterable<Uint8Array> => ({
  async *[Symbol.asyncIterator]() {
    const hash = createHash('sha256')
    const { chunks = 0, sha256, version } = stored
    for (let from = 0; from < chunks;) {
      const pieces = await read(from)
      from += pieces.length
      for (const [i, piece] of pieces.entries()) {
        hash.update(piece)
        // Before the last piece is handed out: who has read everything has read what was saved.
        if (from === chunks && i === pieces.length - 1 && hash.copy().digest('hex') !== sha256)
          throw damagedArtifact(place, version)
        yield new Uint8Array(piece)
      }
    }
  },
})
