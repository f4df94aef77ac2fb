import {
  artifactPiece,
  fromMicros,
  isSameSave,
  otherContent,
  savedArtifact,
  sha256Of,
  StoreError,
  uuidv7,
  type ArtifactPlace,
  type SaveArtifactRequest,
  type SavedArtifact,
} from '@daybook/core'
import { sql } from 'drizzle-orm'
import type { ArtifactRows } from './artifact-rows.ts'
import type { Dialect, Tx } from './dialect.ts'
import type { Script } from './script.ts'
import { param, selected } from './statements.ts'

/** The bytes of a save: all of them, or the word that they were written before. */
export interface Upload {
  readonly uploadId: string
  readonly size: number
  readonly sha256: string
  /** `undefined`: the bytes are outside of the database. */
  readonly chunks: number | undefined
  readonly pieces: readonly Uint8Array[] | undefined
}

/** What a save does: its bytes, in one transaction or before it, and its record. */
export interface ArtifactSaves {
  /** Sees that the session of a place is there. */
  owner(tx: Tx, place: ArtifactPlace): Script<void>
  /** Writes pieces of a save that is not recorded yet, after the first ones only where those are still there. */
  stage(tx: Tx, place: ArtifactPlace, uploadId: string, from: number, pieces: readonly Uint8Array[]): Script<void>
  /** Notes that bytes are about to be written outside of the database, of a session that is there. */
  announce(tx: Tx, place: ArtifactPlace, uploadId: string): Script<void>
  save(tx: Tx, request: SaveArtifactRequest, upload: Upload, now: bigint): Script<SavedArtifact>
}

export function createArtifactSaves({ tables: { artifactVersions } }: Dialect, rows: ArtifactRows): ArtifactSaves {
  const bySaveId = {
    sql: sql`select ${selected(rows.versionColumns)} from ${artifactVersions} where ${artifactVersions.aid} = ${param('aid')} and ${artifactVersions.saveId} = ${param('saveId')}`,
  }

  return {
    owner: (tx, place) => rows.owner(tx, place),
    *stage(tx, place, uploadId, from, pieces) {
      // Whoever erased or swept the first pieces would never see the ones after them.
      if (from > 0 && !(yield* rows.lockFirst(tx, place, uploadId))) throw erasedMeanwhile(place)
      yield* rows.putPieces(tx, place, uploadId, from, pieces)
    },
    *announce(tx, place, uploadId) {
      yield* rows.owner(tx, place)
      yield* rows.note(tx, place, uploadId, 'writing')
    },
    *save(tx, { place, saveId, mimeType, metadata }, upload, now) {
      const { uploadId, size, sha256, chunks, pieces } = upload
      // The order of locks: the session, the pieces, the name.
      yield* rows.owner(tx, place, 'lock')
      if (pieces === undefined && (yield* rows.lockPieces(tx, place, uploadId)) !== (chunks ?? 1))
        throw erasedMeanwhile(place)
      const name = yield* rows.lock(tx, place)
      const [known] = yield* tx.rows(bySaveId, { aid: name.aid, saveId })
      if (known !== undefined) {
        const stored = rows.versionOf(known, place)
        if (!isSameSave(stored, { mimeType, metadata, size, sha256 })) throw otherContent(place, saveId)
        if (pieces === undefined) yield* rows.removeBytes(tx, place, uploadId, chunks)
        return savedArtifact(stored, saveId, true)
      }
      if (pieces !== undefined) yield* rows.putPieces(tx, place, uploadId, 0, pieces)
      if (chunks === undefined) yield* rows.deletePieces(tx, place, uploadId) // the note
      yield* rows.insert(tx, place, name, { saveId, uploadId, chunks, size, sha256, mimeType, metadata }, now)
      return savedArtifact({ version: name.nextVersion, size, sha256, createdAt: fromMicros(now) }, saveId, false)
    },
  }
}

const erasedMeanwhile = ({ name }: ArtifactPlace) =>
  new StoreError('not_found', `what was written of ${name} was erased with its user before it was complete`)

/** The whole of what is saved, in one piece of work. */
export const wholeUpload = (bytes: Uint8Array, now: () => number): Upload => {
  const pieces: Uint8Array[] = []
  for (let from = 0; from < bytes.byteLength; from += artifactPiece)
    pieces.push(bytes.subarray(from, from + artifactPiece))
  return { uploadId: uuidv7(now), size: bytes.byteLength, sha256: sha256Of(bytes), chunks: pieces.length, pieces }
}
