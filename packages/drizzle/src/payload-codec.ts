import { isStoreError, membersOf, StoreError } from '@daybook/core'

/**
 * Turns what is stored into something else, and back: encryption, compression. It gets the JSON text of an event, or of one
 * top-level value of a state document, as UTF-8; what it makes of it is stored as Base64, beside its `id`. Of an artifact it
 * gets the bytes, in pieces of 256 KiB, and what it makes of them is stored as it is; and as JSON text the metadata together
 * with the SHA-256 of the bytes, which would tell who reads the database that two files are the same, or that one is a file
 * they know. Size, type and time of a version stay readable, as names and ids do.
 *
 * A codec is synchronous, since a store on a synchronous driver encodes and decodes inside a transaction: take the
 * synchronous functions of `node:crypto` and `node:zlib`. It may be called for the same value more than once, and need not
 * answer the same bytes twice. Neither method may keep or change the bytes that it is given.
 *
 * @example
 * ```ts
 * import type { PayloadCodec } from '@daybook/drizzle'
 * import { deflateRawSync, inflateRawSync } from 'node:zlib'
 *
 * const deflate: PayloadCodec = { id: 'deflate', encode: (plain) => deflateRawSync(plain), decode: (bytes) => inflateRawSync(bytes) }
 * const context = { what: 'event', appName: 'shop', userId: 'ann', eventId: 'e1' } as const
 * const text = Buffer.from('{"author":"agent"}')
 * console.log(deflate.decode(deflate.encode(text, context), context).toString()) // {"author":"agent"}
 * ```
 */
export interface PayloadCodec {
  /** Names it, and its key or version, in what is stored: 1 to 32 of `A-Z a-z 0-9 . _ -`. Never to be used for another one. */
  readonly id: string
  encode(plain: Uint8Array, context: CodecContext): Uint8Array
  /**
   * A secret for what makes memories found: their words are stored as keyed hashes, and not as hashes that anybody can make of a
   * word that they guess. Without it whoever reads the tables can find out whether a memory has a word. Either way they see how many
   * words memories have and share; embeddings are never encoded, and tell much of what they are of.
   */
  readonly searchKey?: Uint8Array
  /** Throws when these are not bytes that it wrote for this context: the call rejects with `corrupt`. */
  decode(encoded: Uint8Array, context: CodecContext): Uint8Array
}

/**
 * What a value is, the same when it is written and when it is read: bind it as additional data, so that nobody can put one
 * value in the place of another. The members come in this order, so `JSON.stringify` of it is always the same text.
 *
 * An event is not bound to its session: a fork copies events to another session of the same user as they are.
 */
export interface CodecContext {
  readonly what:
    | 'event'
    | 'session state'
    | 'user state'
    | 'app state'
    | 'memory'
    | 'artifact'
    | 'artifact metadata'
    | 'metric content'
  readonly appName: string
  /** But for `app state`, a `memory` of the app, and `metric content`. */
  readonly userId?: string
  /** For `session state`, and for an artifact of a session. */
  readonly sessionId?: string
  /** For `event`. */
  readonly eventId?: string
  /** For `memory`. */
  readonly memoryId?: string
  /** For `metric content`. */
  readonly traceId?: string
  readonly spanId?: string
  /** The top-level key of a state document. */
  readonly key?: string
  /** Of an artifact. */
  readonly name?: string
  /** One for each version of an artifact. */
  readonly uploadId?: string
  /** Which piece of the bytes of an artifact it is: 0, 1, 2 … */
  readonly piece?: number
}

/** A value as a codec wrote it. */
export interface Encoded {
  readonly id: string
  readonly base64: string
}

/** The codecs of a store. */
export interface Codecs {
  /** The one that writes: absent, values are written as they are. */
  readonly writer: PayloadCodec | undefined
  /** Under which words may be stored, the writer's first; `undefined` is none. */
  readonly searchKeys: readonly (Uint8Array | undefined)[]
  encode(codec: PayloadCodec, text: string, context: CodecContext): Encoded
  /** The same for bytes that are stored as such. */
  seal(codec: PayloadCodec, bytes: Uint8Array, context: CodecContext): Uint8Array
  open(id: string, sealed: Uint8Array, context: CodecContext): Uint8Array
  /** The text that was encoded; `unsupported` where the store does not have the codec, `corrupt` where it fails. */
  decode(encoded: Encoded, context: CodecContext): string
}

const allowedId = /^[A-Za-z0-9._-]{1,32}$/

/** The option `codec`: one that writes and reads, or several of which the first writes. */
export function checkedCodecs(option: unknown): Codecs {
  const codecs = option === undefined ? [] : Array.isArray(option) ? Array.from<unknown>(option) : [option]
  if (Array.isArray(option) && codecs.length === 0) throw invalid('codec', 'is an empty list')
  const known = new Map<string, PayloadCodec>()
  for (const [i, given] of codecs.entries()) {
    const field = Array.isArray(option) ? `codec[${i}]` : 'codec'
    const codec = checkedCodec(given, field)
    if (known.has(codec.id)) throw invalid(`${field}.id`, `is ${codec.id}, which an earlier one has already`)
    known.set(codec.id, codec)
  }
  const [writer] = known.values()
  const keys = [...known.values()].map(({ searchKey }) => searchKey)
  const seal = (codec: PayloadCodec, plain: Uint8Array, context: CodecContext): Uint8Array => {
    const bytes = attempted(() => codec.encode(plain, context))
    if (bytes instanceof Uint8Array) return bytes
    const cause = bytes instanceof Thrown ? { cause: bytes.cause } : {}
    throw new StoreError('internal', `codec ${codec.id} could not encode ${named(context)}${reasonOf(bytes)}`, cause)
  }
  return {
    writer,
    searchKeys: keys.includes(undefined) ? keys : [...keys, undefined],
    seal,
    open(id, sealed, context) {
      const codec = known.get(id)
      if (codec === undefined) throw missing(id, context)
      const bytes = attempted(() => codec.decode(sealed, context))
      if (bytes instanceof Uint8Array) return bytes
      const cause = bytes instanceof Thrown ? { cause: bytes.cause } : {}
      throw new StoreError('corrupt', `codec ${id} could not decode ${named(context)}${reasonOf(bytes)}`, cause)
    },
    encode: (codec, text, context) => ({
      id: codec.id,
      base64: bufferOver(seal(codec, Buffer.from(text), context)).toString('base64'),
    }),
    decode({ id, base64 }, context) {
      const codec = known.get(id)
      if (codec === undefined) throw missing(id, context)
      const text = attempted(() => {
        const bytes: unknown = codec.decode(bytesOf(base64), context)
        return bytes instanceof Uint8Array ? utf8.decode(bytes) : bytes
      })
      if (typeof text === 'string') return text
      const cause = text instanceof Thrown ? { cause: text.cause } : {}
      throw new StoreError('corrupt', `codec ${id} could not decode ${named(context)}${reasonOf(text)}`, cause)
    },
  }
}

function checkedCodec(given: unknown, field: string): PayloadCodec {
  const { id, encode, decode, searchKey } = membersOf(given, field, ['id', 'encode', 'decode', 'searchKey'])
  if (typeof id !== 'string' || !allowedId.test(id))
    throw invalid(`${field}.id`, 'must be 1 to 32 of A-Z a-z 0-9 . _ -')
  if (typeof encode !== 'function') throw invalid(`${field}.encode`, 'must be a function')
  if (typeof decode !== 'function') throw invalid(`${field}.decode`, 'must be a function')
  if (searchKey !== undefined && !(searchKey instanceof Uint8Array && searchKey.length >= 16))
    throw invalid(`${field}.searchKey`, 'must be at least 16 bytes')
  return {
    id,
    ...(searchKey !== undefined && { searchKey: Uint8Array.from(searchKey) }),
    encode: (plain, context) => Reflect.apply(encode, given, [plain, context]) as Uint8Array, // looked at before it is used
    decode: (encoded, context) => Reflect.apply(decode, given, [encoded, context]) as Uint8Array, // as above
  }
}

const missing = (id: string, context: CodecContext) =>
  new StoreError(
    'unsupported',
    `${named(context)} was written with codec ${id}, which this store was not given: name it in the option codec`,
    { capability: 'codec' },
  )

class Thrown {
  readonly cause: unknown

  constructor(cause: unknown) {
    this.cause = cause
  }
}

/** An error of our own class is the codec's own word, and goes on as it is. */
function attempted(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    if (isStoreError(error)) throw error
    return new Thrown(error)
  }
}

const reasonOf = (answer: unknown) =>
  answer instanceof Thrown
    ? ''
    : answer instanceof Promise
      ? ': it answered a promise, and has to be synchronous'
      : ': it answered no bytes'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const bufferOver = ({ buffer, byteOffset, byteLength }: Uint8Array) => Buffer.from(buffer, byteOffset, byteLength)

/** `Buffer.from` forgives what is no Base64. */
function bytesOf(base64: string): Uint8Array {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.toString('base64') !== base64) throw new TypeError('the stored text is not Base64')
  return bytes
}

/** Names the place, never the value. */
function named({ what, eventId, memoryId, key, name, piece }: CodecContext): string {
  if (name !== undefined) return piece === undefined ? `the metadata of ${name}` : `piece ${piece} of ${name}`
  if (memoryId !== undefined) return `memory ${memoryId}`
  return eventId === undefined ? `the ${what} at ${JSON.stringify(key)}` : `event ${eventId}`
}

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })
