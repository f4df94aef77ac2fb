import {
  toMicros,
  type ArtifactPlace,
  type ArtifactPruneReport,
  type ArtifactPruneRequest,
  type DeleteArtifactRequest,
  type UserKey,
} from '@daybook/core'
import { sql, type SQLWrapper } from 'drizzle-orm'
import type { ArtifactRows } from './artifact-rows.ts'
import type { Dialect, Params, Row, Tx } from './dialect.ts'
import type { Script } from './script.ts'
import { bare, param, selected, variants } from './statements.ts'

/** How versions and names are taken away. */
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
}

/** What a chunk of a prune did. */
interface PrunedChunk {
  readonly report: ArtifactPruneReport
  /** Where the next one begins; `undefined`: there is none. */
  readonly next: bigint | undefined
}

export function createArtifactRemoval({ tables, expressions }: Dialect, rows: ArtifactRows): ArtifactRemoval {
  const { artifacts, artifactVersions } = tables
  const joined = sql`${artifacts} join ${artifactVersions} on ${artifactVersions.aid} = ${artifacts.aid}`
  const ofAid = sql`${artifactVersions.aid} = ${param('aid')}`
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
  const facts = {
    aid: expressions.wholeText(artifactVersions.aid),
    version: artifactVersions.version,
    uploadId: artifactVersions.uploadId,
    chunks: artifactVersions.chunks,
    size: artifactVersions.size,
    createdAt: expressions.wholeText(artifactVersions.createdAt),
  }
  const ofName = (value: SQLWrapper) =>
    sql`(select ${value} from ${artifacts} where ${artifacts.aid} = ${artifactVersions.aid})`
  // By age, and not a join: planners would begin with the names of the app, and sort all that it has for each chunk. The comparison
  // is inside, so that no planner guesses that hardly a version meets it, and compiles the statement for a long walk.
  const oldestOfApp = {
    sql: sql`select ${selected({ ...facts, userId: ofName(artifacts.userId) })} from ${artifactVersions}
      where ${artifactVersions.createdAt} >= ${param('from')} and ${artifactVersions.createdAt} < ${param('before')} and ${ofName(sql`${artifacts.appName} = ${param('appName')}`)}
      order by ${artifactVersions.createdAt}, ${artifactVersions.aid}, ${artifactVersions.version} limit ${param('chunk')}`,
  }
  // By name, for a user has few of them beside all others.
  const oldOfUser = {
    sql: sql`select ${selected({ ...facts, userId: artifacts.userId })} from ${joined} where ${ofFilter('user')}
      order by ${artifacts.sessionId}, ${artifacts.name}, ${artifactVersions.version} limit ${param('chunk')}`,
  }
  const lockName = {
    sql: sql`select ${selected({ one: sql`1` })} from ${artifacts} where ${artifacts.aid} = ${param('aid')}${expressions.forUpdate}`,
  }
  const countOlder = variants((user) => ({
    sql: sql`select count(*) as "versions", coalesce(sum(${artifactVersions.size}), 0) as "bytes" from ${joined} where ${ofFilter(user)}`,
  }))

  const removeBytes = (tx: Tx, user: UserKey, { uploadId, chunks }: Row): Script<void> =>
    rows.removeBytes(tx, user, String(uploadId), chunks === null ? undefined : Number(chunks))

  /** The bytes of versions, then the versions. */
  function* removeVersions(tx: Tx, user: UserKey, aid: bigint, version?: number): Script<number> {
    const gone =
      version === undefined ? yield* tx.rows(uploads('all'), { aid }) : yield* tx.rows(uploads('one'), { aid, version })
    for (const row of gone) yield* removeBytes(tx, user, row)
    if (version === undefined) yield* tx.change(deleteVersions, { aid })
    else if (gone.length > 0) yield* tx.change(deleteVersion, { aid, version })
    return gone.length
  }

  return {
    *delete(tx, { place, version }) {
      const name = yield* rows.lockIfThere(tx, place)
      if (name === undefined) return false
      const gone = yield* removeVersions(tx, place, name.aid, version)
      if (version === undefined) yield* tx.change(deleteName, { aid: name.aid })
      return gone > 0
    },
    *pruneChunk(tx, request, from) {
      const { appName, userId, before, chunk } = request
      const old =
        userId === undefined
          ? yield* tx.rows(oldestOfApp, { appName, from, before: toMicros(before), chunk })
          : yield* tx.rows(oldOfUser, { ...filterParams(request), chunk })
      const aids = [...new Set(old.map((row) => BigInt(String(row['aid']))))].toSorted((a, b) => Number(a - b))
      for (const aid of aids) yield* tx.rows(lockName, { aid })
      let [versions, bytes] = [0, 0]
      for (const row of old) {
        const version = { aid: BigInt(String(row['aid'])), version: Number(row['version']) }
        if ((yield* tx.change(deleteVersion, version)) === 0) continue // somebody else was first
        yield* removeBytes(tx, { appName, userId: String(row['userId']) }, row)
        versions++
        bytes += Number(row['size'])
      }
      for (const aid of aids) yield* tx.change(deleteIfEmpty, { aid })
      const last = old.length < chunk ? undefined : old.at(-1)
      return {
        report: { versions, bytes, dryRun: false },
        next: last && BigInt(String(last['createdAt'])),
      }
    },
    *pruneCount(tx, request) {
      const [row] = yield* tx.rows(countOlder(request.userId === undefined ? '' : 'user'), filterParams(request))
      return { versions: Number(row?.['versions']), bytes: Number(row?.['bytes']), dryRun: true }
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
  }
}

const filterParams = ({ appName, userId, before }: ArtifactPruneRequest): Params => ({
  appName,
  ...(userId !== undefined && { userId }),
  before: toMicros(before),
})
