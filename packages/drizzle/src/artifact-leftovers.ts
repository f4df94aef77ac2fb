import type { ArtifactSweepReport, ArtifactSweepRequest, UserKey } from '@daybook/core'
import { sql } from 'drizzle-orm'
import { deleting, writing, type ArtifactRows } from './artifact-rows.ts'
import type { Dialect, Row, Tx } from './dialect.ts'
import type { Script } from './script.ts'
import { param, selected, variants } from './statements.ts'

/** Bytes outside of the database that no version has any more. */
export interface Buried extends UserKey {
  readonly uploadId: string
}

/** What saves leave that were never recorded, and bytes outside of the database that no version has any more. */
export interface ArtifactLeftovers {
  /** Takes back pieces and notes of an upload, unless it was recorded. */
  discard(tx: Tx, user: UserKey, uploadId: string): Script<void>
  /** Notes that the bytes of an upload are to be deleted outside of the database, unless it was recorded. */
  bury(tx: Tx, user: UserKey, uploadId: string): Script<void>
  /** What is to be deleted outside of the database, in the order of the uploads, after one of them. */
  buried(tx: Tx, appName: string, after: string): Script<readonly Buried[]>
  /** Up to {@link sweepChunk} saves that were never recorded, less those that are recorded meanwhile. */
  sweepChunk(
    tx: Tx,
    request: ArtifactSweepRequest,
  ): Script<{ readonly report: ArtifactSweepReport; readonly isLast: boolean }>
  sweepCount(tx: Tx, request: ArtifactSweepRequest): Script<ArtifactSweepReport>
  /** Deletes what saves of a user left that are not recorded, also of those that are still under way. */
  removeStaged(tx: Tx, user: UserKey): Script<void>
}

export const sweepChunk = 100

/** For what is deleted as a whole, however much it is. */
const allOfThem = 1_000_000_000

export function createArtifactLeftovers({ tables }: Dialect, rows: ArtifactRows): ArtifactLeftovers {
  const { artifacts, artifactVersions, artifactChunks } = tables
  const ofStaged = (variant: string) =>
    sql`from ${artifactChunks} where ${artifactChunks.appName} = ${param('appName')} and ${artifactChunks.n} in (${sql.raw(String(writing))}, 0)
      and ${variant === 'user' ? sql`${artifactChunks.userId} = ${param('userId')}` : sql`${artifactChunks.uploadId} < ${param('before')}`}
      and not exists (select 1 from ${artifactVersions} where ${artifactVersions.uploadId} = ${artifactChunks.uploadId})`
  const staged = variants((variant) => ({
    sql: sql`select ${selected({ userId: artifactChunks.userId, uploadId: artifactChunks.uploadId, n: artifactChunks.n })} ${ofStaged(variant)} limit ${param('limit')}`,
  }))
  const countStaged = { sql: sql`select count(*) as "uploads" ${ofStaged('before')}` }
  const buried = {
    sql: sql`select ${selected({ userId: artifactChunks.userId, uploadId: artifactChunks.uploadId })} from ${artifactChunks}
      where ${artifactChunks.appName} = ${param('appName')} and ${artifactChunks.n} = ${sql.raw(String(deleting))} and ${artifactChunks.uploadId} > ${param('after')}
      order by ${artifactChunks.uploadId} limit ${param('limit')}`,
  }
  const isRecorded = {
    sql: sql`select ${selected({ one: sql`1` })} from ${artifacts} join ${artifactVersions} on ${artifactVersions.aid} = ${artifacts.aid} where ${artifacts.appName} = ${param('appName')} and ${artifactVersions.uploadId} = ${param('uploadId')}`,
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
      yield* rows.removeBytes(tx, { appName, userId }, uploadId, Number(row['n']) === writing ? undefined : 0)
      dropped++
    }
    return dropped
  }

  return {
    *discard(tx, user, uploadId) {
      if (!(yield* isKept(tx, user, uploadId))) yield* rows.deletePieces(tx, user, uploadId)
    },
    *bury(tx, user, uploadId) {
      if (!(yield* isKept(tx, user, uploadId))) yield* rows.note(tx, user, uploadId, 'deleting')
    },
    *buried(tx, appName, after) {
      const left = yield* tx.rows(buried, { appName, after, limit: sweepChunk })
      return left.map((row) => ({ appName, userId: String(row['userId']), uploadId: String(row['uploadId']) }))
    },
    *sweepChunk(tx, { appName, before }) {
      const left = yield* tx.rows(staged('before'), { appName, before: beganAt(before), limit: sweepChunk })
      const report = { uploads: yield* dropStaged(tx, appName, left), dryRun: false }
      return { report, isLast: left.length < sweepChunk }
    },
    *sweepCount(tx, { appName, before }) {
      const [row] = yield* tx.rows(countStaged, { appName, before: beganAt(before) })
      return { uploads: Number(row?.['uploads']), dryRun: true }
    },
    *removeStaged(tx, { appName, userId }) {
      const left = yield* tx.rows(staged('user'), { appName, userId, limit: allOfThem })
      yield* dropStaged(tx, appName, left)
    },
  }
}

/** The id of an upload that began at a time, before all others of that time: they are UUIDv7, which begin with it. */
const beganAt = (time: number): string => {
  const hex = Math.floor(time).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}
