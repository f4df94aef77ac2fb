import {
  damagedArtifact,
  deletedMeanwhile,
  pageOf,
  sha256Of,
  unsupported,
  type Artifact,
  type ArtifactListRequest,
  type ArtifactPlace,
  type ArtifactVersion,
  type ArtifactVersionsRequest,
  type LoadArtifactRequest,
  type LoadedArtifact,
  type Page,
} from '@daybook/core'
import { sql } from 'drizzle-orm'
import { artifactVersionOf, type StoredVersion } from './artifact-facts.ts'
import { placeParams, type ArtifactRows } from './artifact-rows.ts'
import type { Dialect, Row, Tx } from './dialect.ts'
import type { Script } from './script.ts'
import { param, selected, variants } from './statements.ts'

/** A version whose bytes are read later. */
export interface OpenedArtifact {
  readonly place: ArtifactPlace
  readonly stored: StoredVersion
}

/** What is read of artifacts: bytes, names, versions. */
export interface ArtifactLookup {
  load(tx: Tx, request: LoadArtifactRequest): Script<LoadedArtifact | undefined>
  open(tx: Tx, request: LoadArtifactRequest): Script<OpenedArtifact | undefined>
  /** A few pieces of an opened version. */
  pieces(tx: Tx, opened: OpenedArtifact, from: number): Script<readonly Uint8Array[]>
  list(tx: Tx, request: ArtifactListRequest): Script<Page<Artifact>>
  versions(tx: Tx, request: ArtifactVersionsRequest): Script<Page<ArtifactVersion>>
}

/** Pieces that one statement reads: 2 MiB, which every server sends. */
const piecesAtOnce = 8

/** The caller's own bytes, which are copied once: those of a driver may be part of a larger buffer. */
function whole(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.byteLength
  }
  return bytes
}

export function createArtifactLookup({ tables }: Dialect, rows: ArtifactRows): ArtifactLookup {
  const { artifacts, artifactVersions } = tables
  const { isPlace, versionColumns } = rows
  // By the number of the name, so that every planner walks the key of the versions in its order, however many there are.
  const ofPlace = sql`from ${artifactVersions} where ${artifactVersions.aid} = (select ${artifacts.aid} from ${artifacts} where ${isPlace})`
  const find = variants((variant) => ({
    sql: sql`select ${selected(versionColumns)} ${ofPlace}${
      variant === 'one'
        ? sql` and ${artifactVersions.version} = ${param('version')}`
        : sql` order by ${artifactVersions.version} desc limit 1`
    }`,
  }))

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

  function* found(tx: Tx, place: ArtifactPlace, version: number | undefined): Script<StoredVersion | undefined> {
    const [row] =
      version === undefined
        ? yield* tx.rows(find('newest'), placeParams(place))
        : yield* tx.rows(find('one'), { ...placeParams(place), version })
    return row === undefined ? undefined : rows.versionOf(row, place)
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
    const bytes = whole(read)
    if (sha256Of(bytes) !== sha256) throw damagedArtifact(place, version)
    return bytes
  }

  return {
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
  }
}
