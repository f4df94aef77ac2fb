import {
  artifactKeyOf,
  damagedArtifact,
  fromMicros,
  isJsonObject,
  type ArtifactFacts,
  type ArtifactPlace,
  type ArtifactVersion,
  type JsonObject,
} from '@daybook/core'
import type { Params, Row } from './dialect.ts'
import type { CodecContext, Codecs } from './payload-codec.ts'
import { documentIn } from './read-document.ts'

/** A version as its row says. */
export interface StoredVersion extends ArtifactFacts {
  readonly version: number
  readonly uploadId: string
  /** `undefined`: the bytes are not in the database. */
  readonly chunks: number | undefined
  readonly size: number
  readonly sha256: string
  readonly codec: string | undefined
  readonly createdAt: number
}

/** What a version is made of besides its number. */
export interface NewVersion extends ArtifactFacts {
  readonly saveId: string
  readonly uploadId: string
  readonly chunks: number | undefined
  readonly size: number
  readonly sha256: string
}

/** A version as it is answered. */
export const artifactVersionOf = ({
  version,
  mimeType,
  metadata,
  size,
  sha256,
  createdAt,
}: StoredVersion): ArtifactVersion => ({
  version,
  ...(mimeType !== undefined && { mimeType }),
  metadata,
  size,
  sha256,
  createdAt,
})

/**
 * What is known of the bytes beside their length. Their sum would tell whoever reads the database that two versions are the same, or
 * that one is a file that they know, so a codec gets it together with the metadata.
 */
export function sealedFacts({ sha256, metadata, uploadId }: NewVersion, place: ArtifactPlace, codecs: Codecs): Params {
  const { writer } = codecs
  if (writer === undefined) return { sha256, metadata: JSON.stringify(metadata), codec: null }
  const { id, base64 } = codecs.encode(writer, JSON.stringify({ sha256, metadata }), factsContext(place, uploadId))
  return { sha256: null, metadata: JSON.stringify({ data: base64 }), codec: id }
}

export function versionOf(row: Row, place: ArtifactPlace, codecs: Codecs): StoredVersion {
  const { codec, chunks, mimeType } = row
  const version = Number(row['version'])
  const uploadId = String(row['uploadId'])
  const stored = parsed(row['metadata'], place, version)
  const facts =
    typeof codec === 'string'
      ? parsed(
          codecs.decode({ id: codec, base64: textOf(stored['data']) }, factsContext(place, uploadId)),
          place,
          version,
        )
      : { sha256: String(row['sha256']), metadata: stored }
  const { sha256, metadata } = facts
  if (typeof sha256 !== 'string' || !isJsonObject(metadata)) throw damagedArtifact(place, version)
  return {
    version,
    uploadId,
    chunks: chunks === null || chunks === undefined ? undefined : Number(chunks),
    size: Number(row['size']),
    sha256,
    mimeType: typeof mimeType === 'string' ? mimeType : undefined,
    metadata,
    codec: typeof codec === 'string' ? codec : undefined,
    createdAt: fromMicros(String(row['createdAt'])),
  }
}

/** What is no text is not Base64 either, and the codec's refusal says so. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

function parsed(stored: unknown, place: ArtifactPlace, version: number): JsonObject {
  let document = documentIn(stored)
  try {
    if (typeof document === 'string') document = JSON.parse(document)
  } catch {
    throw damagedArtifact(place, version) // the parser's own message quotes the text
  }
  if (isJsonObject(document)) return document
  throw damagedArtifact(place, version)
}

/** Always the same members in the same order. */
const factsContext = (place: ArtifactPlace, uploadId: string): CodecContext => ({
  what: 'artifact metadata',
  ...keyOf(place),
  uploadId,
})

export const pieceContext = (place: ArtifactPlace, uploadId: string, piece: number): CodecContext => ({
  what: 'artifact',
  ...keyOf(place),
  uploadId,
  piece,
})

const keyOf = (place: ArtifactPlace) => {
  const { appName, userId, sessionId, name } = artifactKeyOf(place)
  return { appName, userId, ...(sessionId !== undefined && { sessionId }), name }
}
