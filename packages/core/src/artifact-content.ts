import { createHash } from 'node:crypto'
import { isUint8Array } from 'node:util/types'
import type { ArtifactContent } from './artifacts.ts'
import type { Call } from './calls.ts'
import { isStoreError, StoreError } from './errors.ts'
import { checkLimit, type Limits } from './limits.ts'
import { unlessAborted } from './when-aborted.ts'

/** Bytes of a piece, in which artifacts are stored everywhere: the smallest packet that a server may be set to holds one as hexadecimal. */
export const artifactPiece: number = 256 * 1024

/** What is known of content once it was read to its end. */
export interface ContentSum {
  readonly size: number
  readonly sha256: string
}

type Reading = Pick<Call, 'check' | 'signal'>

/**
 * The content in pieces of {@link artifactPiece} bytes, the last of which may be shorter; no piece for no bytes. Of a stream it
 * reads one piece ahead of nobody: whoever stops iterating, or gives the call up, ends it.
 */
export async function* piecesOf(
  content: ArtifactContent,
  limits: Limits,
  call: Reading,
): AsyncGenerator<Uint8Array, ContentSum> {
  const hash = createHash('sha256')
  let size = 0
  for await (const piece of isUint8Array(content) ? cut(content) : gathered(content, limits, call)) {
    size += piece.byteLength
    hash.update(piece)
    yield piece
  }
  return { size, sha256: hash.digest('hex') }
}

/** The content as a whole, with its sum. */
export async function wholeContent(
  content: ArtifactContent,
  limits: Limits,
  call: Reading,
): Promise<ContentSum & { readonly bytes: Uint8Array }> {
  const pieces = piecesOf(content, limits, call)
  const read: Uint8Array[] = []
  for (;;) {
    const next = await pieces.next()
    if (next.done === true) return { ...next.value, bytes: Buffer.concat(read) }
    read.push(next.value)
  }
}

function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += artifactPiece) yield bytes.subarray(from, from + artifactPiece)
}

/** What comes may be as long as it likes, and may be overwritten by its owner once the next is asked for. */
async function* gathered(stream: AsyncIterable<Uint8Array>, limits: Limits, call: Reading): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(artifactPiece)
  let [filled, total] = [0, 0]
  for await (const some of abandonable(stream, call)) {
    if (!isUint8Array(some))
      throw new StoreError('invalid_argument', 'content yielded something that is no Uint8Array', { field: 'content' })
    total += some.byteLength
    checkLimit('content', 'bytes', limits.artifactBytes, total)
    for (let from = 0; from < some.byteLength;) {
      const part = some.subarray(from, from + artifactPiece - filled)
      piece.set(part, filled)
      from += part.byteLength
      filled += part.byteLength
      if (filled < artifactPiece) continue
      yield piece
      piece = new Uint8Array(artifactPiece)
      filled = 0
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}

/** A stream that is not waited for any longer than the call lasts. */
async function* abandonable(stream: AsyncIterable<unknown>, call: Reading): AsyncGenerator {
  const source = stream[Symbol.asyncIterator]()
  let isDone = false
  try {
    for (;;) {
      call.check()
      const next = await unlessAborted(source.next().catch(broken), call.signal)
      call.check()
      if (next === undefined) throw new StoreError('aborted', 'the call was given up') // its own answer is there already
      if (next.done === true) {
        isDone = true
        return
      }
      yield next.value
    }
  } finally {
    // Not waited for: it may be in the middle of what nobody wants any more.
    if (!isDone) void Promise.resolve(source.return?.()).catch(() => {})
  }
}

/** An error of the caller's own stream. */
function broken(cause: unknown): never {
  if (isStoreError(cause)) throw cause
  throw new StoreError('aborted', 'the content ended with an error before it was complete', { cause })
}
