import {
  artifactPiece,
  damagedArtifact,
  deletedMeanwhile,
  isSameSave,
  otherContent,
  pageOf,
  savedArtifact,
  sha256Of,
  StoreError,
  toMicros,
  unsupported,
  fromMicros,
  uuidv7,
  type Artifact,
  type ArtifactListRequest,
  type ArtifactPlace,
  type ArtifactPruneReport,
  type ArtifactPruneRequest,
  type ArtifactVersion,
  type DeleteArtifactRequest,
  type LoadedArtifact,
  type LoadArtifactRequest,
  type Page,
  type SavedArtifact,
  type SaveArtifactRequest,
  type ArtifactSweepReport,
  type ArtifactSweepRequest,
  type UserKey,
  type ArtifactVersionsRequest,
} from '@daybook/core'
import { sql } from 'drizzle-orm'
import {
  artifactVersionOf,
  deleting,
  placeParams,
  writing,
  type ArtifactRows,
  type StoredVersion,
} from './artifact-rows.ts'
import type { Dialect, Params, Row, Tx } from './dialect.ts'
import type { Script } from './script.ts'
import { bare, param, selected, variants } from './statements.ts'

/** The bytes of a save: all of them, or the word that they were written before. */
export interface Upload {
  readonly uploadId: string
  readonly size: number
  readonly sha256: string
  /** `undefined`: the bytes are outside of the database. */
  readonly chunks: number | undefined
  readonly pieces: readonly Uint8Array[] | undefined
}

/** A version whose bytes are read later. */
export interface OpenedArtifact {
  readonly place: ArtifactPlace
  readonly stored: StoredVersion
}

/** Bytes outside of the database that no version has any more. */
export interface Buried extends UserKey {
  readonly uploadId: string
}

/** Everything about artifacts, as scripts: inside one transaction, whoever began it. */
export interface ArtifactScripts {
  /** Sees that the session of a place is there. */
  owner(tx: Tx, place: ArtifactPlace): Script<void>
  /** Writes pieces of a save that is not recorded yet, after the first ones only where those are still there. */
  stage(tx: Tx, place: ArtifactPlace, uploadId: string, from: number, pieces: readonly Uint8Array[]): Script<void>
  /** Takes them back, and the notes of an upload, unless it was recorded. */
  discard(tx: Tx, user: UserKey, uploadId: string): Script<void>
  /** Notes that bytes are about to be written outside of the database, of a session that is there. */
  announce(tx: Tx, place: ArtifactPlace, uploadId: string): Script<void>
  /** Notes that they are to be deleted, unless they were recorded. */
  bury(tx: Tx, user: UserKey, uploadId: string): Script<void>
  /** What is to be deleted outside of the database, in the order of the uploads, after one of them. */
  buried(tx: Tx, appName: string, after: string): Script<readonly Buried[]>
  save(tx: Tx, request: SaveArtifactRequest, upload: Upload, now: bigint): Script<SavedArtifact>
  load(tx: Tx, request: LoadArtifactRequest): Script<LoadedArtifact | undefined>
  open(tx: Tx, request: LoadArtifactRequest): Script<OpenedArtifact | undefined>
  /** A few pieces of an opened version. */
  pieces(tx: Tx, opened: OpenedArtifact, from: number): Script<readonly Uint8Array[]>
  list(tx: Tx, request: ArtifactListRequest): Script<Page<Artifact>>
  versions(tx: Tx, request: ArtifactVersionsRequest): Script<Page<ArtifactVersion>>
  delete(tx: Tx, request: DeleteArtifactRequest): Script<boolean>
  pruneChunk(tx: Tx, request: ArtifactPruneRequest): Script<ArtifactPruneReport>
  pruneCount(tx: Tx, request: ArtifactPruneRequest): Script<ArtifactPruneReport>
  /** Up to {@link sweepChunk} saves that were never recorded. */
  sweepChunk(tx: Tx, request: ArtifactSweepRequest): Script<ArtifactSweepReport>
  sweepCount(tx: Tx, request: ArtifactSweepRequest): Script<ArtifactSweepReport>
  /** Deletes up to `limit` names of a session, or of a user by an empty session id, and counts them with their versions. */
  removeAll(
    tx: Tx,
    owner: Omit<ArtifactPlace, 'name'>,
    limit: number,
  ): Script<{ readonly names: number; readonly versions: number }>
  /** Deletes what saves of a user left that are not recorded, also of those that are still under way. */
  removeStaged(tx: Tx, user: UserKey): Script<void>
}

/** Pieces that one statement reads: 2 MiB, which every server sends. */
const piecesAtOnce = 8

export const sweepChunk = 100

/** For what is deleted as a whole, however much it is. */
export const allOfThem = 1_000_000_000

export function createArtifactScripts({ tables, expressions }: Dialect, rows: ArtifactRows): ArtifactScripts {
  const { artifacts, artifactVersions, artifactChunks } = tables
  const { isPlace, versionColumns } = rows
  const joined = sql`${artifacts} join ${artifactVersions} on ${artifactVersions.aid} = ${artifacts.aid}`
  const ofAid = sql`${artifactVersions.aid} = ${param('aid')}`
  // By the number of the name, so that every planner walks the key of the versions in its order, however many there are.
  const ofPlace = sql`from ${artifactVersions} where ${artifactVersions.aid} = (select ${artifacts.aid} from ${artifacts} where ${isPlace})`
  const find = variants((variant) => ({
    sql: sql`select ${selected(versionColumns)} ${ofPlace}${
      variant === 'one'
        ? sql` and ${artifactVersions.version} = ${param('version')}`
        : sql` order by ${artifactVersions.version} desc limit 1`
    }`,
  }))
  const bySaveId = {
    sql: sql`select ${selected(versionColumns)} from ${artifactVersions} where ${ofAid} and ${artifactVersions.saveId} = ${param('saveId')}`,
  }

  // Each half walks the key in the order of the names; metadata are read only for the names that are shown.
  const page = sql.identifier('page')
  const names = variants((variant) => {
    const has = (word: string) => variant.split('|').includes(word)
    // Not max() and not EXISTS: they are read from end to end here and there.
    const newest = sql`(select ${artifactVersions.version} from ${artifactVersions} where ${artifactVersions.aid} = ${artifacts.aid} order by ${artifactVersions.version} desc limit 1)`
    const half = (sessionId: ReturnType<typeof param>) =>
      sql`select ${selected({ aid: artifacts.aid, session_id: artifacts.sessionId, name: artifacts.name, newest })} from ${artifacts}
        where ${artifacts.appName} = ${param('appName')} and ${artifacts.userId} = ${param('userId')} and ${artifacts.sessionId} = ${sessionId}
        ${has('beyond') ? sql`and ${artifacts.name} > ${param('after')}` : sql``}
        and ${newest} is not null
        order by ${artifacts.name} limit ${param('most')}`
    const halves = has('session')
      ? sql`select * from (${half(param('none'))}) as ${sql.identifier('own')} union all select * from (${half(param('sessionId'))}) as ${sql.identifier('shared')}`
      : half(param('none'))
    const shown = sql`select * from (${halves}) as ${sql.identifier('found')} order by ${sql.identifier('name')} limit ${param('limit')}${has('offset') ? sql` offset ${param('offset')}` : sql``}`
    const inPage = (column: string) => sql`${page}.${sql.identifier(column)}`
    return {
      sql: sql`select ${selected({ ...versionColumns, name: inPage('name'), sessionId: inPage('session_id') })}
        from (${shown}) as ${page} join ${artifactVersions} on ${artifactVersions.aid} = ${inPage('aid')} and ${artifactVersions.version} = ${inPage('newest')}
        order by ${inPage('name')}`,
    }
  })
  const versions = variants((variant) => {
    const has = (word: string) => variant.split('|').includes(word)
    const { version } = artifactVersions
    const beyond = has('desc') ? sql`and ${version} < ${param('beyond')}` : sql`and ${version} > ${param('beyond')}`
    return {
      sql: sql`select ${selected(versionColumns)} ${ofPlace} ${has('beyond') ? beyond : sql``}
        order by ${version}${has('desc') ? sql` desc` : sql``} limit ${param('limit')}${has('offset') ? sql` offset ${param('offset')}` : sql``}`,
    }
  })

  const uploads = variants((variant) => ({
    sql: sql`select ${selected({ version: artifactVersions.version, uploadId: artifactVersions.uploadId, chunks: artifactVersions.chunks })} from ${artifactVersions}
      where ${ofAid}${variant === 'one' ? sql` and ${artifactVersions.version} = ${param('version')}` : sql``}`,
  }))
  const isAid = sql`${bare(artifactVersions.aid)} = ${param('aid')}`
  const deleteVersions = { sql: sql`delete from ${artifactVersions} where ${isAid}` }
  const deleteVersion = {
    sql: sql`delete from ${artifactVersions} where ${isAid} and ${bare(artifactVersions.version)} = ${param('version')}`,
  }
  const deleteName = { sql: sql`delete from ${artifacts} where ${bare(artifacts.aid)} = ${param('aid')}` }
  const deleteIfEmpty = {
    sql: sql`delete from ${artifacts} where ${bare(artifacts.aid)} = ${param('aid')} and not exists (select 1 from ${artifactVersions} where ${ofAid})`,
  }
  const ofOwner = sql`${artifacts.appName} = ${param('appName')} and ${artifacts.userId} = ${param('userId')} and ${artifacts.sessionId} = ${param('sessionId')}`
  const lockNames = {
    sql: sql`select ${selected({ aid: expressions.wholeText(artifacts.aid) })} from ${artifacts} where ${ofOwner} order by ${artifacts.name} limit ${param('limit')}${expressions.forUpdate}`,
  }
  const ofFilter = (user: string) =>
    sql`${artifacts.appName} = ${param('appName')}${user === 'user' ? sql` and ${artifacts.userId} = ${param('userId')}` : sql``} and ${artifactVersions.createdAt} < ${param('before')}`
  const oldest = variants((user) => ({
    sql: sql`select ${selected({
      aid: expressions.wholeText(artifacts.aid),
      userId: artifacts.userId,
      version: artifactVersions.version,
      uploadId: artifactVersions.uploadId,
      chunks: artifactVersions.chunks,
      size: artifactVersions.size,
    })} from ${joined} where ${ofFilter(user)}
      order by ${artifactVersions.createdAt}, ${artifactVersions.aid}, ${artifactVersions.version} limit ${param('chunk')}${expressions.forUpdate}`,
  }))
  const countOlder = variants((user) => ({
    sql: sql`select count(*) as "versions", coalesce(sum(${artifactVersions.size}), 0) as "bytes" from ${joined} where ${ofFilter(user)}`,
  }))
  const ofStaged = (variant: string) =>
    sql`from ${artifactChunks} where ${artifactChunks.appName} = ${param('appName')} and ${artifactChunks.n} in (${sql.raw(String(writing))}, 0)
      and ${variant === 'user' ? sql`${artifactChunks.userId} = ${param('userId')}` : sql`${artifactChunks.uploadId} < ${param('before')}`}
      and not exists (select 1 from ${artifactVersions} where ${artifactVersions.uploadId} = ${artifactChunks.uploadId})`
  const staged = variants((variant) => ({
    sql: sql`select ${selected({ userId: artifactChunks.userId, uploadId: artifactChunks.uploadId, n: artifactChunks.n })} ${ofStaged(variant)} limit ${param('limit')}`,
  }))
  const buried = {
    sql: sql`select ${selected({ userId: artifactChunks.userId, uploadId: artifactChunks.uploadId })} from ${artifactChunks}
      where ${artifactChunks.appName} = ${param('appName')} and ${artifactChunks.n} = ${sql.raw(String(deleting))} and ${artifactChunks.uploadId} > ${param('after')}
      order by ${artifactChunks.uploadId} limit ${param('limit')}`,
  }
  const countStaged = { sql: sql`select count(*) as "uploads" ${ofStaged('before')}` }
  const isRecorded = {
    sql: sql`select ${selected({ one: sql`1` })} from ${artifacts} join ${artifactVersions} on ${artifactVersions.aid} = ${artifacts.aid} where ${artifacts.appName} = ${param('appName')} and ${artifactVersions.uploadId} = ${param('uploadId')}`,
  }
  function* found(tx: Tx, place: ArtifactPlace, version: number | undefined): Script<StoredVersion | undefined> {
    const [row] =
      version === undefined
        ? yield* tx.rows(find('newest'), placeParams(place))
        : yield* tx.rows(find('one'), { ...placeParams(place), version })
    return row === undefined ? undefined : rows.versionOf(row, place)
  }

  /** The bytes of a version; of those outside of the database that they are to be deleted, once this is committed. */
  function* removeBytes(tx: Tx, user: UserKey, { uploadId, chunks }: Row): Script<void> {
    if (chunks === null) yield* rows.note(tx, user, String(uploadId), 'deleting')
    else yield* rows.deletePieces(tx, user, String(uploadId))
  }

  /** The bytes of versions, then the versions. */
  function* removeVersions(tx: Tx, user: UserKey, aid: bigint, version?: number): Script<number> {
    const gone =
      version === undefined ? yield* tx.rows(uploads('all'), { aid }) : yield* tx.rows(uploads('one'), { aid, version })
    for (const row of gone) yield* removeBytes(tx, user, row)
    if (version === undefined) yield* tx.change(deleteVersions, { aid })
    else if (gone.length > 0) yield* tx.change(deleteVersion, { aid, version })
    return gone.length
  }

  /** What is recorded meanwhile stays: whoever records it has its pieces locked, and afterwards it is seen. */
  function* isKept(tx: Tx, user: UserKey, uploadId: string): Script<boolean> {
    yield* rows.lockPieces(tx, user, uploadId)
    return (yield* tx.rows(isRecorded, { appName: user.appName, uploadId })).length > 0
  }

  function* dropStaged(tx: Tx, appName: string, left: readonly Row[]): Script<number> {
    let dropped = 0
    for (const row of left) {
      const [userId, uploadId] = [String(row['userId']), String(row['uploadId'])]
      if (yield* isKept(tx, { appName, userId }, uploadId)) continue
      yield* removeBytes(tx, { appName, userId }, { uploadId, chunks: Number(row['n']) === writing ? null : 0 })
      dropped++
    }
    return dropped
  }

  /** The bytes of a version; `undefined` where pieces are missing. */
  function* allPieces(tx: Tx, place: ArtifactPlace, stored: StoredVersion): Script<Uint8Array | undefined> {
    const { chunks, sha256, version } = stored
    if (chunks === undefined) throw unsupported('artifacts.storage', 'versions in a storage that it was not given')
    const read: Uint8Array[] = []
    while (read.length < chunks) {
      const some = yield* rows.pieces(tx, place, stored, read.length, piecesAtOnce)
      if (some === undefined) return undefined
      read.push(...some)
    }
    const bytes = new Uint8Array(Buffer.concat(read))
    if (sha256Of(bytes) !== sha256) throw damagedArtifact(place, version)
    return bytes
  }

  return {
    owner: (tx, place) => rows.owner(tx, place),
    *stage(tx, place, uploadId, from, pieces) {
      // Whoever erased or swept the first pieces would never see the ones after them.
      if (from > 0 && !(yield* rows.lockFirst(tx, place, uploadId))) throw erasedMeanwhile(place)
      yield* rows.putPieces(tx, place, uploadId, from, pieces)
    },
    *discard(tx, user, uploadId) {
      if (!(yield* isKept(tx, user, uploadId))) yield* rows.deletePieces(tx, user, uploadId)
    },
    *announce(tx, place, uploadId) {
      yield* rows.owner(tx, place)
      yield* rows.note(tx, place, uploadId, 'writing')
    },
    *bury(tx, user, uploadId) {
      if (!(yield* isKept(tx, user, uploadId))) yield* rows.note(tx, user, uploadId, 'deleting')
    },
    *buried(tx, appName, after) {
      const left = yield* tx.rows(buried, { appName, after, limit: sweepChunk })
      return left.map((row) => ({ appName, userId: String(row['userId']), uploadId: String(row['uploadId']) }))
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
        if (pieces === undefined) yield* removeBytes(tx, place, { uploadId, chunks: chunks ?? null })
        return savedArtifact(stored, saveId, true)
      }
      if (pieces !== undefined) yield* rows.putPieces(tx, place, uploadId, 0, pieces)
      if (chunks === undefined) yield* rows.deletePieces(tx, place, uploadId) // the note
      yield* rows.insert(tx, place, name, { saveId, uploadId, chunks, size, sha256, mimeType, metadata }, now)
      return savedArtifact({ version: name.nextVersion, size, sha256, createdAt: fromMicros(now) }, saveId, false)
    },
    *load(tx, { place, version }) {
      let stored = yield* found(tx, place, version)
      while (stored !== undefined) {
        const bytes = yield* allPieces(tx, place, stored)
        if (bytes !== undefined) return { ...artifactVersionOf(stored), bytes }
        // Each statement of a caller's transaction may see what others committed since: also that the version is deleted.
        const now: StoredVersion | undefined = yield* found(tx, place, version)
        if (now?.uploadId === stored.uploadId) throw damagedArtifact(place, stored.version)
        stored = now
      }
      return undefined
    },
    *open(tx, { place, version }) {
      const stored = yield* found(tx, place, version)
      return stored === undefined ? undefined : { place, stored }
    },
    *pieces(tx, { place, stored }, from) {
      const some = yield* rows.pieces(tx, place, stored, from, piecesAtOnce / 2)
      if (some !== undefined) return some
      const now = yield* found(tx, place, stored.version)
      throw now?.uploadId === stored.uploadId
        ? damagedArtifact(place, stored.version)
        : deletedMeanwhile(place, stored.version)
    },
    *list(tx, request) {
      const { user, sessionId, limit, offset, position } = request
      if (limit === 0) return { items: [], nextCursor: undefined }
      const [after] = position ?? []
      const words = [sessionId !== undefined && 'session', position !== undefined && 'beyond', offset > 0 && 'offset']
      const listed = yield* tx.rows(names(words.filter((word) => word !== false).join('|')), {
        ...user,
        none: '',
        ...(sessionId !== undefined && { sessionId }),
        ...(after !== undefined && { after: String(after) }),
        ...(offset > 0 && { offset }),
        most: offset + limit + 1,
        limit: limit + 1,
      })
      const itemOf = (row: Row): Artifact => {
        const place = { ...user, sessionId: String(row['sessionId']), name: String(row['name']) }
        const { sessionId: session, name } = place
        return {
          ...user,
          ...(session !== '' && { sessionId: session }),
          name,
          ...artifactVersionOf(rows.versionOf(row, place)),
        }
      }
      return pageOf(listed, request, (row) => [String(row['name'])], itemOf)
    },
    *versions(tx, request) {
      const { place, direction, limit, offset, position } = request
      if (limit === 0) return { items: [], nextCursor: undefined }
      const words = [direction, position !== undefined && 'beyond', offset > 0 && 'offset']
      const listed = yield* tx.rows(versions(words.filter((word) => word !== false).join('|')), {
        ...placeParams(place),
        ...(position !== undefined && { beyond: Number(position[0]) }),
        ...(offset > 0 && { offset }),
        limit: limit + 1,
      })
      const itemOf = (row: Row) => artifactVersionOf(rows.versionOf(row, place))
      return pageOf(listed, request, (row) => [Number(row['version'])], itemOf)
    },
    *delete(tx, { place, version }) {
      const name = yield* rows.lockIfThere(tx, place)
      if (name === undefined) return false
      const gone = yield* removeVersions(tx, place, name.aid, version)
      if (version === undefined) yield* tx.change(deleteName, { aid: name.aid })
      return gone > 0
    },
    *pruneChunk(tx, request) {
      const { appName, userId: ofOne, chunk } = request
      const old = yield* tx.rows(oldest(ofOne === undefined ? '' : 'user'), { ...filterParams(request), chunk })
      let bytes = 0
      for (const row of old) {
        const { aid, userId, version, size } = row
        yield* removeBytes(tx, { appName, userId: String(userId) }, row)
        yield* tx.change(deleteVersion, { aid: BigInt(String(aid)), version: Number(version) })
        bytes += Number(size)
      }
      for (const aid of new Set(old.map((row) => String(row['aid']))))
        yield* tx.change(deleteIfEmpty, { aid: BigInt(aid) })
      return { versions: old.length, bytes, dryRun: false }
    },
    *pruneCount(tx, request) {
      const [row] = yield* tx.rows(countOlder(request.userId === undefined ? '' : 'user'), filterParams(request))
      return { versions: Number(row?.['versions']), bytes: Number(row?.['bytes']), dryRun: true }
    },
    *sweepChunk(tx, { appName, before }) {
      const left = yield* tx.rows(staged('before'), { appName, before: beganAt(before), limit: sweepChunk })
      return { uploads: yield* dropStaged(tx, appName, left), dryRun: false }
    },
    *sweepCount(tx, { appName, before }) {
      const [row] = yield* tx.rows(countStaged, { appName, before: beganAt(before) })
      return { uploads: Number(row?.['uploads']), dryRun: true }
    },
    *removeAll(tx, { appName, userId, sessionId }, limit) {
      const locked = yield* tx.rows(lockNames, { appName, userId, sessionId, limit })
      let gone = 0
      for (const row of locked) {
        const aid = BigInt(String(row['aid']))
        gone += yield* removeVersions(tx, { appName, userId }, aid)
        yield* tx.change(deleteName, { aid })
      }
      return { names: locked.length, versions: gone }
    },
    *removeStaged(tx, { appName, userId }) {
      const left = yield* tx.rows(staged('user'), { appName, userId, limit: allOfThem })
      yield* dropStaged(tx, appName, left)
    },
  }
}

const filterParams = ({ appName, userId, before }: ArtifactPruneRequest): Params => ({
  appName,
  ...(userId !== undefined && { userId }),
  before: toMicros(before),
})

/** Of a dialect that has no such tables. */
export const noArtifacts = (scripts: ArtifactScripts): ArtifactScripts => ({
  ...scripts,
  removeAll: () => nothing({ names: 0, versions: 0 }),
  removeStaged: () => nothing(undefined),
})

// oxlint-disable-next-line require-yield -- it has nothing to ask the database
function* nothing<T>(answer: T): Script<T> {
  return answer
}

const erasedMeanwhile = ({ name }: ArtifactPlace) =>
  new StoreError('not_found', `what was written of ${name} was erased with its user before it was complete`)

/** The id of an upload that began at a time, before all others of that time: they are UUIDv7, which begin with it. */
const beganAt = (time: number): string => {
  const hex = Math.floor(time).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}

/** The whole of what is saved, in one piece of work. */
export const wholeUpload = (bytes: Uint8Array, now: () => number): Upload => {
  const pieces: Uint8Array[] = []
  for (let from = 0; from < bytes.byteLength; from += artifactPiece)
    pieces.push(bytes.subarray(from, from + artifactPiece))
  return { uploadId: uuidv7(now), size: bytes.byteLength, sha256: sha256Of(bytes), chunks: pieces.length, pieces }
}
