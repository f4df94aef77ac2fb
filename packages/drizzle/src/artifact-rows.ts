import { damagedArtifact, noSession, StoreError, type ArtifactPlace, type UserKey } from '@daybook/core'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import { pieceContext, sealedFacts, versionOf, type NewVersion, type StoredVersion } from './artifact-facts.ts'
import type { Dialect, InsertNew, Params, Row, Tx } from './dialect.ts'
import type { Codecs } from './payload-codec.ts'
import type { Script } from './script.ts'
import { assigned, bare, insertInto, param, selected } from './statements.ts'

/** The name's own row: its lock is what versions are given under. */
interface StoredName {
  readonly aid: bigint
  readonly nextVersion: number
}

/** The rows that artifacts are made of, and the form in which they hold them. */
export interface ArtifactRows {
  /** `… where` a name is the one of the place. */
  readonly isPlace: SQL
  readonly versionColumns: Readonly<Record<string, SQLWrapper>>
  versionOf(row: Row, place: ArtifactPlace): StoredVersion
  /** Sees that the session of a place is there; `not_found` otherwise. Its lock keeps it there. */
  owner(tx: Tx, place: ArtifactPlace, lock?: 'lock'): Script<void>
  /** Locks the row of a name, where there is one. */
  lockIfThere(tx: Tx, place: ArtifactPlace): Script<StoredName | undefined>
  /** The same, and makes it where there is none. */
  lock(tx: Tx, place: ArtifactPlace): Script<StoredName>
  insert(tx: Tx, place: ArtifactPlace, name: StoredName, made: NewVersion, createdAt: bigint): Script<void>
  /** Writes pieces of bytes, the first of them as number `from`. Those that are there already stay. */
  putPieces(tx: Tx, place: ArtifactPlace, uploadId: string, from: number, pieces: readonly Uint8Array[]): Script<void>
  /** Locks the pieces of an upload, and counts them. */
  lockPieces(tx: Tx, user: UserKey, uploadId: string): Script<number>
  /** Locks the first piece of an upload, and says whether there is one. */
  lockFirst(tx: Tx, user: UserKey, uploadId: string): Script<boolean>
  /** Up to `limit` pieces from number `from` on. Fewer than there should be are `undefined`. */
  pieces(
    tx: Tx,
    place: ArtifactPlace,
    stored: StoredVersion,
    from: number,
    limit: number,
  ): Script<readonly Uint8Array[] | undefined>
  deletePieces(tx: Tx, user: UserKey, uploadId: string): Script<void>
  /** Notes of bytes outside of the database that they are about to be written, or deleted. */
  note(tx: Tx, user: UserKey, uploadId: string, what: 'writing' | 'deleting'): Script<void>
  /** Deletes the pieces of an upload; of bytes that are not in the database (`chunks` is `undefined`) it notes that they are to be. */
  removeBytes(tx: Tx, user: UserKey, uploadId: string, chunks: number | undefined): Script<void>
}

/** Bytes as a driver hands them out. */
function bytesOf(stored: unknown): Uint8Array | undefined {
  if (stored instanceof Uint8Array) return stored
  return stored instanceof ArrayBuffer ? new Uint8Array(stored) : undefined
}

/** Bytes as every driver takes them: a Buffer, over the same memory. */
const bound = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength)

export const placeParams = ({ appName, userId, sessionId, name }: ArtifactPlace): Params => ({
  appName,
  userId,
  sessionId,
  name,
})

const tries = 20

/** Numbers of pieces that are none: notes of bytes outside of the database, which are being written, and which are to be deleted. */
export const [writing, deleting] = [-1, -2]

export function createArtifactRows({ tables, expressions }: Dialect, codecs: Codecs): ArtifactRows {
  const { sessions, artifacts, artifactVersions, artifactChunks } = tables
  const isPlace = sql`${artifacts.appName} = ${param('appName')} and ${artifacts.userId} = ${param('userId')} and ${artifacts.sessionId} = ${param('sessionId')} and ${artifacts.name} = ${param('name')}`
  const ofSession = sql`select ${selected({ one: sql`1` })} from ${sessions} where ${sessions.appName} = ${param('appName')} and ${sessions.userId} = ${param('userId')} and ${sessions.sessionId} = ${param('sessionId')}`
  const [session, lockSession] = [{ sql: ofSession }, { sql: sql`${ofSession}${expressions.forUpdate}` }]
  const lockName = {
    sql: sql`select ${selected({ aid: expressions.wholeText(artifacts.aid), nextVersion: artifacts.nextVersion })} from ${artifacts} where ${isPlace}${expressions.forUpdate}`,
  }
  const newName: InsertNew = {
    into: artifacts,
    target: [artifacts.appName, artifacts.userId, artifacts.sessionId, artifacts.name],
    values: {
      ...Object.fromEntries(['appName', 'userId', 'sessionId', 'name'].map((column) => [column, param(column)])),
      nextVersion: sql`0`,
    },
  }
  const count = {
    sql: sql`update ${artifacts} set ${assigned([[artifacts.nextVersion, param('nextVersion')]])} where ${artifacts.aid} = ${param('aid')}`,
  }
  const columns = ['aid', 'version', 'saveId', 'uploadId', 'chunks', 'size', 'sha256', 'mimeType', 'codec', 'createdAt']
  const newVersion = {
    sql: insertInto(artifactVersions, {
      ...Object.fromEntries(columns.map((column) => [column, param(column)])),
      metadata: expressions.payload(param('metadata')),
    }),
  }
  const versionColumns = {
    version: artifactVersions.version,
    uploadId: artifactVersions.uploadId,
    chunks: artifactVersions.chunks,
    size: artifactVersions.size,
    sha256: artifactVersions.sha256,
    mimeType: artifactVersions.mimeType,
    metadata: expressions.jsonText(artifactVersions.metadata),
    codec: artifactVersions.codec,
    createdAt: expressions.wholeText(artifactVersions.createdAt),
  }
  const newPiece: InsertNew = {
    into: artifactChunks,
    target: [artifactChunks.appName, artifactChunks.userId, artifactChunks.uploadId, artifactChunks.n],
    values: Object.fromEntries(
      ['appName', 'userId', 'uploadId', 'n', 'bytes'].map((column) => [column, param(column)]),
    ),
  }
  const ofUpload = sql`${artifactChunks.appName} = ${param('appName')} and ${artifactChunks.userId} = ${param('userId')} and ${artifactChunks.uploadId} = ${param('uploadId')}`
  const lockPieces = {
    sql: sql`select ${selected({ n: artifactChunks.n })} from ${artifactChunks} where ${ofUpload} and ${artifactChunks.n} > ${sql.raw(String(deleting))}${expressions.forUpdate}`,
  }
  const lockFirst = {
    sql: sql`select ${selected({ n: artifactChunks.n })} from ${artifactChunks} where ${ofUpload} and ${artifactChunks.n} = 0${expressions.forUpdate}`,
  }
  const readPieces = {
    sql: sql`select ${selected({ n: artifactChunks.n, bytes: artifactChunks.bytes })} from ${artifactChunks}
      where ${ofUpload} and ${artifactChunks.n} >= ${param('from')} order by ${artifactChunks.n} limit ${param('limit')}`,
  }
  const deleteUpload = {
    sql: sql`delete from ${artifactChunks} where ${bare(artifactChunks.appName)} = ${param('appName')} and ${bare(artifactChunks.userId)} = ${param('userId')} and ${bare(artifactChunks.uploadId)} = ${param('uploadId')}`,
  }

  function* lockIfThere(tx: Tx, place: ArtifactPlace): Script<StoredName | undefined> {
    const [row] = yield* tx.rows(lockName, placeParams(place))
    return row === undefined ? undefined : { aid: BigInt(String(row['aid'])), nextVersion: Number(row['nextVersion']) }
  }

  function* deletePieces(tx: Tx, { appName, userId }: UserKey, uploadId: string): Script<void> {
    yield* tx.change(deleteUpload, { appName, userId, uploadId })
  }

  function* note(tx: Tx, user: UserKey, uploadId: string, what: 'writing' | 'deleting'): Script<void> {
    yield* deletePieces(tx, user, uploadId) // one note at a time
    const { appName, userId } = user
    const n = what === 'writing' ? writing : deleting
    yield* tx.insertNew(newPiece, { appName, userId, uploadId, n, bytes: Buffer.alloc(0) })
  }

  return {
    isPlace,
    versionColumns,
    versionOf: (row, place) => versionOf(row, place, codecs),
    *owner(tx, { sessionId, ...user }, lock) {
      if (sessionId === '') return
      const key = { appName: user.appName, userId: user.userId, sessionId }
      const [row] = yield* tx.rows(lock === undefined ? session : lockSession, key)
      if (row === undefined) throw noSession(key)
    },
    lockIfThere,
    /** A name that was there may be deleted before it is locked; then there is none, and it is made anew. */
    *lock(tx, place) {
      for (let i = 0; i < tries; i++) {
        const found = yield* lockIfThere(tx, place)
        if (found !== undefined) return found
        yield* tx.ensure(newName, placeParams(place))
      }
      throw new StoreError('busy', 'the name was deleted each time before it could be locked')
    },
    *insert(tx, place, { aid, nextVersion }, made, createdAt) {
      yield* tx.change(newVersion, {
        aid,
        version: nextVersion,
        saveId: made.saveId,
        uploadId: made.uploadId,
        chunks: made.chunks ?? null,
        size: made.size,
        mimeType: made.mimeType ?? null,
        ...sealedFacts(made, place, codecs),
        createdAt,
      })
      yield* tx.change(count, { aid, nextVersion: nextVersion + 1 })
    },
    *putPieces(tx, place, uploadId, from, pieces) {
      const { appName, userId } = place
      for (const [i, piece] of pieces.entries()) {
        const n = from + i
        const { writer } = codecs
        const bytes = writer === undefined ? piece : codecs.seal(writer, piece, pieceContext(place, uploadId, n))
        yield* tx.insertNew(newPiece, { appName, userId, uploadId, n, bytes: bound(bytes) })
      }
    },
    note,
    removeBytes: (tx, user, uploadId, chunks) =>
      chunks === undefined ? note(tx, user, uploadId, 'deleting') : deletePieces(tx, user, uploadId),
    *lockPieces(tx, { appName, userId }, uploadId) {
      return (yield* tx.rows(lockPieces, { appName, userId, uploadId })).length
    },
    *lockFirst(tx, { appName, userId }, uploadId) {
      return (yield* tx.rows(lockFirst, { appName, userId, uploadId })).length > 0
    },
    *pieces(tx, place, { uploadId, codec, chunks = 0, version }, from, limit) {
      const { appName, userId } = place
      const wanted = Math.min(limit, chunks - from)
      if (wanted <= 0) return []
      const rows = yield* tx.rows(readPieces, { appName, userId, uploadId, from, limit: wanted })
      if (rows.length < wanted) return undefined
      return rows.map(({ n, bytes: stored }, i) => {
        const bytes = bytesOf(stored)
        if (bytes === undefined || Number(n) !== from + i) throw damagedArtifact(place, version)
        return codec === undefined ? bytes : codecs.open(codec, bytes, pieceContext(place, uploadId, Number(n)))
      })
    },
    deletePieces,
  }
}
