import {
  checkedRecord,
  isStoreError,
  membersOf,
  StoreError,
  type ArtifactPlace,
  type ArtifactStorage,
  type StoredObject,
} from '@daybook/core'
import { pieceContext } from './artifact-facts.ts'
import type { OpenedArtifact } from './artifact-lookup.ts'
import type { Codecs } from './payload-codec.ts'

/** Bytes of artifacts that are outside of the database, in the form in which they are there. */
export interface ArtifactObjects {
  put(place: ArtifactPlace, uploadId: string, pieces: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>
  get(opened: OpenedArtifact): AsyncIterable<Uint8Array>
  delete(object: StoredObject, signal: AbortSignal): Promise<void>
}

/** The option `artifacts`: where the bytes go. */
export function checkedStorage(option: unknown): ArtifactStorage | undefined {
  if (option === undefined) return undefined
  const { storage } = membersOf(checkedRecord(option, 'artifacts'), 'artifacts', ['storage'])
  if (storage === undefined) return undefined
  const { put, get, delete: remove } = membersOf(storage, 'artifacts.storage', ['put', 'get', 'delete'])
  if (typeof put !== 'function' || typeof get !== 'function' || typeof remove !== 'function')
    throw new StoreError('invalid_argument', 'artifacts.storage must have the methods put, get and delete', {
      field: 'artifacts.storage',
    })
  return storage as ArtifactStorage // its methods were looked at
}

/** With a codec each piece is a frame: its length in four bytes, then what the codec made of it. */
export function artifactObjects(storage: ArtifactStorage, codecs: Codecs): ArtifactObjects {
  async function* framed(place: ArtifactPlace, uploadId: string, pieces: AsyncIterable<Uint8Array>) {
    const { writer } = codecs
    let n = 0
    for await (const piece of pieces) {
      if (writer === undefined) yield piece
      else {
        const sealed = codecs.seal(writer, piece, pieceContext(place, uploadId, n++))
        const length = Buffer.alloc(4)
        length.writeUInt32BE(sealed.byteLength)
        yield Buffer.concat([length, sealed])
      }
    }
  }

  async function* opened({ place, stored: { codec, uploadId, version } }: OpenedArtifact) {
    const stream = told(place.name, storage.get({ appName: place.appName, id: uploadId }))
    if (codec === undefined) {
      yield* stream
      return
    }
    let rest = Buffer.alloc(0)
    let n = 0
    for await (const some of stream) {
      rest = Buffer.concat([rest, some])
      while (rest.byteLength >= 4 && rest.byteLength >= 4 + rest.readUInt32BE()) {
        const end = 4 + rest.readUInt32BE()
        yield codecs.open(codec, rest.subarray(4, end), pieceContext(place, uploadId, n++))
        rest = rest.subarray(end)
      }
    }
    if (rest.byteLength > 0) throw new StoreError('corrupt', `version ${version} of ${place.name} ends in its middle`)
  }

  return {
    put: (place, uploadId, pieces, signal) =>
      storage
        .put({ appName: place.appName, id: uploadId }, framed(place, uploadId, pieces), { signal })
        .catch((error: unknown) => Promise.reject(troubled(place.name, error))),
    get: opened,
    delete: async (object, signal) => storage.delete(object, { signal }),
  }
}

async function* told(name: string, stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch (error) {
    throw troubled(name, error)
  }
}

/** Of a storage `not_found` means that it lost what the database says it has. */
const troubled = (name: string, cause: unknown) =>
  isStoreError(cause) && cause.code !== 'not_found'
    ? cause
    : new StoreError('unavailable', `the storage of artifacts failed over ${name}`, { cause })
