import {
  toMicros,
  type ArtifactPlace,
  type ArtifactPruneReport,
  type ArtifactPruneRequest,
  type DeleteArtifactRequest,
} from '@daybook/core'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import { deleting, type ArtifactRows } from './artifact-rows.ts'
import type { Dialect, Params, Row, Tx } from './dialect.ts'
import { createDeleteListed, listed } from './listed-rows.ts'
import type { Script } from './script.ts'
import { bare, insertSelect, param, selected, variants } from './statements.ts'

/** How versions and names are taken away: as many statements for a hundred as for one. */
export interface ArtifactRemoval {
  delete(tx: Tx, request: DeleteArtifactRequest): Script<boolean>
  /** Deletes up to `chunk` old versions; of a whole app from the age on that the chunk before came to. */
  pruneChunk(tx: Tx, request: ArtifactPruneRequest, from: bigint): Script<PrunedChunk>
  pruneCount(tx: Tx, request: ArtifactPruneRequest): Script<ArtifactPruneReport>
  /** Deletes up to `limit` names of a session, or of a user by an empty session id, and counts them with their versions. */
  removeAll(
    tx: Tx,
    owner: Omit<ArtifactPlace, 'name'>,
    limit: number,
  ): Script<{ readonly names: number; readonly versions: number }>
  /** Deletes what belongs to sessions that are locked, and counts the versions. */
  removeOfSessions(tx: Tx, sids: readonly string[]): Script<number>
}

/** What a chunk of a prune did. */
interface PrunedChunk {
  readonly report: ArtifactPruneReport
  /** Where the next one begins; `undefined`: there is none. */
  readonly next: bigint | undefined
}

/** Names that one statement carries. */
const namesAtOnce = 5000

export function createArtifactRemoval({ tables, expressions }: Dialect, rows: ArtifactRows): ArtifactRemoval {
  const { sessions, artifacts, artifactVersions, artifactChunks } = tables
  const aid = expressions.wholeText(artifacts.aid)
  const joined = sql`${artifacts} join ${artifactVersions} on ${artifactVersions.aid} = ${artifacts.aid}`

  const names = expressions.selectEach(
    { aid: artifacts.aid, appName: artifacts.appName, userId: artifacts.userId },
    expressions.wholes(param('aids')),
    artifacts,
    sql`${artifacts.aid} = one.value`,
  )
  const versions = expressions.selectEach(
    { aid: artifactVersions.aid, uploadId: artifactVersions.uploadId, chunks: artifactVersions.chunks },
    expressions.strings(param('uploads')),
    artifactVersions,
    sql`${artifactVersions.uploadId} = one.value`,
  )
  /** Uploads with whose they are: all of some names, or those of some versions. */
  const uploads: Readonly<Record<'names' | 'versions', SQL>> = {
    names: expressions.selectMany(
      {
        appName: member('named', 'appName'),
        userId: member('named', 'userId'),
        uploadId: artifactVersions.uploadId,
        chunks: artifactVersions.chunks,
      },
      sql`(${names}) as named`,
      artifactVersions,
      sql`${artifactVersions.aid} = ${member('named', 'aid')}`,
    ),
    versions: expressions.selectEach(
      {
        appName: artifacts.appName,
        userId: artifacts.userId,
        uploadId: member('version', 'uploadId'),
        chunks: member('version', 'chunks'),
      },
      sql`(${versions}) as version`,
      artifacts,
      sql`${artifacts.aid} = ${member('version', 'aid')}`,
    ),
  }
  const deletePieces = variants((of) => ({
    sql: expressions.deleteEach(
      artifactChunks,
      [
        [artifactChunks.appName, member('upload', 'appName')],
        [artifactChunks.userId, member('upload', 'userId')],
        [artifactChunks.uploadId, member('upload', 'uploadId')],
      ],
      sql`(${uploadsOf(of)}) as upload`,
    ),
  }))
  /** Of bytes that are not in the database it is noted that they are to be deleted. */
  const noteOutside = variants((of) => ({
    sql: insertSelect({
      into: artifactChunks,
      target: [artifactChunks.uploadId],
      key: artifactChunks.uploadId,
      columns: [
        artifactChunks.appName,
        artifactChunks.userId,
        artifactChunks.uploadId,
        artifactChunks.n,
        artifactChunks.bytes,
      ],
      rows: sql`select ${member('upload', 'appName')}, ${member('upload', 'userId')}, ${member('upload', 'uploadId')}, ${sql.raw(String(deleting))}, ''
        from (${uploadsOf(of)}) as upload where ${member('upload', 'chunks')} is null`,
    }),
  }))
  function uploadsOf(of: string): SQL {
    return of === 'names' ? uploads.names : uploads.versions
  }
  const deleteVersions = createDeleteListed({ expressions }, artifactVersions, artifactVersions.aid)
  const deleteUploads = {
    sql: expressions.deleteEach(
      artifactVersions,
      [[artifactVersions.uploadId, sql`one.value`]],
      expressions.strings(param('uploads')),
    ),
  }
  const deleteNames = createDeleteListed({ expressions }, artifacts, artifacts.aid)

  const ofOwner = sql`${artifacts.appName} = ${param('appName')} and ${artifacts.userId} = ${param('userId')} and ${artifacts.sessionId} = ${param('sessionId')}`
  const lockNames = {
    sql: sql`select ${selected({ aid })} from ${artifacts} where ${ofOwner} order by ${artifacts.name} limit ${param('limit')}${expressions.forUpdate}`,
  }
  const owners = expressions.selectEach(
    { appName: sessions.appName, userId: sessions.userId, sessionId: sessions.sessionId },
    expressions.wholes(param('sids')),
    sessions,
    sql`${sessions.sid} = one.value`,
  )
  const isOwned = sql`${artifacts.appName} = ${member('owner', 'appName')} and ${artifacts.userId} = ${member('owner', 'userId')} and ${artifacts.sessionId} = ${member('owner', 'sessionId')}`
  const lockNamesOfSessions = {
    sql: sql`${expressions.selectMany({ aid }, sql`(${owners}) as owner`, artifacts, isOwned)}${expressions.forUpdate}`,
  }
  const lockListed = {
    sql: sql`${expressions.selectEach({ aid }, expressions.wholes(param('aids')), artifacts, sql`${artifacts.aid} = one.value`)}${expressions.forUpdate}`,
  }
  const withoutVersions = {
    sql: expressions.selectEach(
      { aid },
      expressions.wholes(param('aids')),
      artifacts,
      sql`${artifacts.aid} = one.value and not exists (select 1 from ${artifactVersions} where ${artifactVersions.aid} = ${artifacts.aid})`,
    ),
  }
  const isVersion = (table: SQL) =>
    sql`${table} where ${bare(artifactVersions.aid)} = ${param('aid')} and ${bare(artifactVersions.version)} = ${param('version')}`
  const uploadOf = {
    sql: isVersion(
      sql`select ${selected({ uploadId: artifactVersions.uploadId, chunks: artifactVersions.chunks })} from ${artifactVersions}`,
    ),
  }
  const deleteVersion = { sql: isVersion(sql`delete from ${artifactVersions}`) }

  const ofFilter = (user: string) =>
    sql`${artifacts.appName} = ${param('appName')}${user === 'user' ? sql` and ${artifacts.userId} = ${param('userId')}` : sql``} and ${artifactVersions.createdAt} < ${param('before')}`
  const facts = {
    aid: expressions.wholeText(artifactVersions.aid),
    uploadId: artifactVersions.uploadId,
    createdAt: expressions.wholeText(artifactVersions.createdAt),
  }
  const ofName = (value: SQLWrapper) =>
    sql`(select ${value} from ${artifacts} where ${artifacts.aid} = ${artifactVersions.aid})`
  // By age, and not a join: planners would begin with the names of the app, and sort all that it has for each chunk. The comparison
  // is inside, so that no planner guesses that hardly a version meets it, and compiles the statement for a long walk.
  const oldestOfApp = {
    sql: sql`select ${selected(facts)} from ${artifactVersions}
      where ${artifactVersions.createdAt} >= ${param('from')} and ${artifactVersions.createdAt} < ${param('before')} and ${ofName(sql`${artifacts.appName} = ${param('appName')}`)}
      order by ${artifactVersions.createdAt}, ${artifactVersions.aid}, ${artifactVersions.version} limit ${param('chunk')}`,
  }
  // By name, for a user has few of them beside all others.
  const oldOfUser = {
    sql: sql`select ${selected(facts)} from ${joined} where ${ofFilter('user')}
      order by ${artifacts.sessionId}, ${artifacts.name}, ${artifactVersions.version} limit ${param('chunk')}`,
  }
  const stillThere = {
    sql: expressions.selectEach(
      { size: artifactVersions.size },
      expressions.strings(param('uploads')),
      artifactVersions,
      sql`${artifactVersions.uploadId} = one.value`,
    ),
  }
  const countOlder = variants((user) => ({
    sql: sql`select count(*) as "versions", coalesce(sum(${artifactVersions.size}), 0) as "bytes" from ${joined} where ${ofFilter(user)}`,
  }))

  /** Of versions that are there and locked, for they say whose bytes those are. */
  function* removeBytes(tx: Tx, of: 'names' | 'versions', list: Params): Script<void> {
    yield* tx.change(deletePieces(of), list)
    yield* tx.change(noteOutside(of), list)
  }

  /** Names that are locked, with all that they have. */
  function* removeNames(tx: Tx, locked: readonly Row[]): Script<number> {
    let gone = 0
    for (let from = 0; from < locked.length; from += namesAtOnce) {
      const aids = aidsOf(locked.slice(from, from + namesAtOnce))
      yield* removeBytes(tx, 'names', { aids: listed(aids) })
      gone += yield* deleteVersions(tx, aids)
      yield* deleteNames(tx, aids)
    }
    return gone
  }

  return {
    *delete(tx, { place, version }) {
      const name = yield* rows.lockIfThere(tx, place)
      if (name === undefined) return false
      if (version === undefined) return (yield* removeNames(tx, [{ aid: name.aid }])) > 0
      const [found] = yield* tx.rows(uploadOf, { aid: name.aid, version })
      if (found === undefined) return false
      const chunks = found['chunks'] === null ? undefined : Number(found['chunks'])
      yield* rows.removeBytes(tx, place, String(found['uploadId']), chunks)
      yield* tx.change(deleteVersion, { aid: name.aid, version })
      return true
    },
    *pruneChunk(tx, request, from) {
      const { appName, userId, before, chunk } = request
      const old =
        userId === undefined
          ? yield* tx.rows(oldestOfApp, { appName, from, before: toMicros(before), chunk })
          : yield* tx.rows(oldOfUser, { ...filterParams(request), chunk })
      const last = old.length < chunk ? undefined : old.at(-1)
      const next = last && BigInt(String(last['createdAt']))
      if (old.length === 0) return { report: { versions: 0, bytes: 0, dryRun: false }, next }
      const list = { aids: listed(aidsOf(old)), uploads: JSON.stringify(old.map((row) => String(row['uploadId']))) }
      yield* tx.rows(lockListed, list)
      // Somebody else may have been first.
      const sizes = (yield* tx.rows(stillThere, list)).map((row) => Number(row['size']))
      yield* removeBytes(tx, 'versions', list)
      yield* tx.change(deleteUploads, list)
      yield* deleteNames(tx, aidsOf(yield* tx.rows(withoutVersions, list)))
      return {
        report: { versions: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0), dryRun: false },
        next,
      }
    },
    *pruneCount(tx, request) {
      const [row] = yield* tx.rows(countOlder(request.userId === undefined ? '' : 'user'), filterParams(request))
      return { versions: Number(row?.['versions']), bytes: Number(row?.['bytes']), dryRun: true }
    },
    *removeAll(tx, { appName, userId, sessionId }, limit) {
      const locked = yield* tx.rows(lockNames, { appName, userId, sessionId, limit })
      return { names: locked.length, versions: yield* removeNames(tx, locked) }
    },
    *removeOfSessions(tx, sids) {
      return yield* removeNames(tx, yield* tx.rows(lockNamesOfSessions, { sids: listed(sids) }))
    },
  }
}

/** A column of a subquery, by its alias. */
function member(of: string, alias: string): SQL {
  return sql`${sql.identifier(of)}.${sql.identifier(alias)}`
}

/** Each once, in one order, so that those who lock them wait for each other and not in a circle. */
function aidsOf(found: readonly Row[]): readonly string[] {
  const aids = [...new Set(found.map((row) => BigInt(String(row['aid']))))]
  return aids.toSorted((a, b) => Number(a - b)).map(String)
}

const filterParams = ({ appName, userId, before }: ArtifactPruneRequest): Params => ({
  appName,
  ...(userId !== undefined && { userId }),
  before: toMicros(before),
})
