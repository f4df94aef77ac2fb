import { toMicros, type ErasureReceipt, type PruneReport, type PruneRequest, type UserKey } from '@daybook/core'
import { sql } from 'drizzle-orm'
import type { Row, Tx } from './dialect.ts'
import { createDeleteListed, listed } from './listed-rows.ts'
import type { Parts } from './operation.ts'
import type { Script } from './script.ts'
import { param, selected, variants } from './statements.ts'

type Removed = Pick<ErasureReceipt, 'events' | 'artifacts'>

/** How far a prune has come in the sessions that it walks. */
export interface PrunePlace {
  /** Those that were created at the time it asks for or later come last: hardly one of them was changed before it. */
  readonly isLate: boolean
  /** The last one that it has seen there. */
  readonly last?: Row
}

/** How sessions are taken away: as many statements for a hundred as for one. */
export interface SessionRemoval {
  /** Sessions that are locked, with everything that is in them. */
  remove(tx: Tx, sids: readonly string[]): Script<Removed>
  /** Up to `limit` sessions of a user, locked. */
  lockSome(tx: Tx, user: UserKey, limit: number): Script<readonly string[]>
  /** Deletes up to `chunk` sessions that a prune names, from a place on, and counts them with their events. */
  readonly pruneChunk: (tx: Tx, request: PruneRequest, after?: PrunePlace) => Script<PrunedChunk>
  readonly pruneCount: (tx: Tx, request: PruneRequest) => Script<PruneReport>
}

/** What a chunk of a prune did. */
interface PrunedChunk {
  readonly report: PruneReport
  /** After which the next one begins; `undefined`: there is none. */
  readonly next: PrunePlace | undefined
}

/** Sessions that a chunk looks at for each one that it may delete, and how many it looks at in any case at most. */
const [lookedAtForOne, lookedAt] = [10, 1000]

export function createSessionRemoval({ dialect, eventRows, artifacts }: Parts): SessionRemoval {
  const { tables, expressions } = dialect
  const { sessions } = tables
  const sid = expressions.wholeText(sessions.sid)
  const ofApp = sql`${sessions.appName} = ${param('appName')}`
  const ofUser = sql`${ofApp} and ${sessions.userId} = ${param('userId')}`
  const removeSessions = createDeleteListed(dialect, sessions, sessions.sid)
  const some = {
    sql: sql`select ${selected({ sid })} from ${sessions} where ${ofUser} order by ${sessions.sessionId} limit ${param('limit')}${expressions.forUpdate}`,
  }
  const summary = {
    sid,
    createdAt: expressions.wholeText(sessions.createdAt),
    sessionId: sessions.sessionId,
    userId: sessions.userId,
  }
  const keyOfUser = { sid: sessions.sid, sessionId: sessions.sessionId }
  const keyOfApp = { ...keyOfUser, createdAt: sessions.createdAt, userId: sessions.userId }
  // A prune walks the sessions in an order that an index has and that no append changes, once from end to end: an index by the
  // time of the last change would save it that, and cost every append. Nothing is locked but what is to go. A variant is the words
  // that apply: `user`, `late`, `beyond`.
  const walk = variants((variant) => {
    const has = (word: string) => variant.split('|').includes(word)
    const { createdAt, sessionId, userId } = sessions
    const tie = sql`${sessionId} > ${param('sessionId')} or (${sessionId} = ${param('sessionId')} and ${userId} > ${param('afterUserId')})`
    const beyond = has('user')
      ? sql` and ${sessionId} > ${param('sessionId')}`
      : sql` and ${createdAt} <= ${param('createdAt')} and (${createdAt} < ${param('createdAt')} or ${tie})`
    const isIn = has('late')
      ? sql` and ${createdAt} >= ${param('before')}`
      : sql` and ${createdAt} < ${param('before')}`
    // By keys that are in the index: for all that a row has, a planner may think it shorter to sort the whole app.
    const [key, order] = has('user')
      ? [keyOfUser, sql`${sessionId}`]
      : [keyOfApp, sql`${createdAt} desc, ${sessionId}, ${userId}`]
    const found = sql`select ${selected(key)} from ${sessions}
      where ${has('user') ? ofUser : sql`${ofApp}${isIn}`}${has('beyond') ? beyond : sql``} order by ${order} limit ${param('limit')}`
    const columns = { ...summary, updatedAt: expressions.wholeText(sessions.updatedAt) }
    return { sql: expressions.selectEach(columns, sql`(${found}) as page`, sessions, sql`${sessions.sid} = page.sid`) }
  })
  const lockOlder = {
    sql: sql`${expressions.selectEach({ sid }, expressions.wholes(param('sids')), sessions, sql`${sessions.sid} = one.value and ${sessions.updatedAt} < ${param('before')}`)}${expressions.forUpdate}`,
  }
  const countOlder = variants((user) => ({
    sql: sql`select count(*) as "sessions", coalesce(sum(${sessions.lastSeq}), 0) as "events" from ${sessions}
      where ${user === 'user' ? ofUser : ofApp} and ${sessions.updatedAt} < ${param('before')}`,
  }))

  function* remove(tx: Tx, sids: readonly string[]): Script<Removed> {
    if (sids.length === 0) return { events: 0, artifacts: 0 }
    const events = yield* eventRows.deleteAll(tx, sids)
    const versions = yield* artifacts.removeOfSessions(tx, sids)
    yield* removeSessions(tx, sids)
    return { events, artifacts: versions }
  }

  /** In their order, whatever the database made of it. */
  function* walked(tx: Tx, { appName, userId, before }: PruneRequest, { isLate, last }: PrunePlace, limit: number) {
    const words = [userId === undefined ? isLate && 'late' : 'user', last !== undefined && 'beyond']
    const ofCreation = {
      before: toMicros(before),
      ...(last !== undefined && { createdAt: timeOf(last, 'createdAt'), afterUserId: String(last['userId']) }),
    }
    const rows = yield* tx.rows(walk(words.filter((word) => word !== false).join('|')), {
      appName,
      ...(userId === undefined ? ofCreation : { userId }),
      ...(last !== undefined && { sessionId: String(last['sessionId']) }),
      limit,
    })
    return rows.toSorted(userId === undefined ? byCreation : bySessionId)
  }

  /** Up to `chunk` old ones of those that are looked at, and where to go on. What is short is looked at to its end at once. */
  function* foundOld(tx: Tx, request: PruneRequest, place: PrunePlace) {
    const { chunk } = request
    const before = toMicros(request.before)
    const limit = Math.max(chunk, Math.min(chunk * lookedAtForOne, lookedAt))
    const old: Row[] = []
    for (let at = place; ;) {
      const seen = yield* walked(tx, request, at, limit)
      const older = seen.filter((row) => timeOf(row, 'updatedAt') < before)
      const taken = older.slice(0, chunk - old.length)
      old.push(...taken)
      const last = older.length > taken.length ? taken.at(-1) : seen.at(-1)
      const isEnd = older.length === taken.length && seen.length < limit
      const next = isEnd || last === undefined ? nextPart(at) : { ...at, last }
      if (!isEnd || next === undefined || old.length === chunk) return { old, next }
      at = next
    }
  }

  return {
    remove,
    *lockSome(tx, { appName, userId }, limit) {
      return sidsOf(yield* tx.rows(some, { appName, userId, limit }))
    },
    *pruneChunk(tx, request, place = { isLate: request.userId !== undefined }) {
      const before = toMicros(request.before)
      const { old, next } = yield* foundOld(tx, request, place)
      // In one order, so that two prunes wait for each other and not in a circle.
      const sids = sidsOf(old).toSorted((a, b) => Number(BigInt(a) - BigInt(b)))
      const locked = sids.length === 0 ? [] : sidsOf(yield* tx.rows(lockOlder, { sids: listed(sids), before }))
      const { events } = yield* remove(tx, locked)
      return { report: { sessions: locked.length, events, dryRun: false }, next }
    },
    *pruneCount(tx, { appName, userId, before }) {
      const params = { appName, ...(userId !== undefined && { userId }), before: toMicros(before) }
      const [row] = yield* tx.rows(countOlder(userId === undefined ? '' : 'user'), params)
      return { sessions: Number(row?.['sessions']), events: Number(row?.['events']), dryRun: true }
    },
  }
}

const sidsOf = (rows: readonly Row[]): readonly string[] => rows.map((row) => String(row['sid']))

const timeOf = (row: Row, name: string): bigint => BigInt(String(row[name]))

const nextPart = ({ isLate }: PrunePlace): PrunePlace | undefined => (isLate ? undefined : { isLate: true })

/** As all databases compare ids: byte for byte. */
const bySessionId = (a: Row, b: Row): number =>
  Buffer.compare(Buffer.from(String(a['sessionId'])), Buffer.from(String(b['sessionId'])))

function byCreation(a: Row, b: Row): number {
  const [x, y] = [timeOf(a, 'createdAt'), timeOf(b, 'createdAt')]
  if (x !== y) return x > y ? -1 : 1
  return bySessionId(a, b) || Buffer.compare(Buffer.from(String(a['userId'])), Buffer.from(String(b['userId'])))
}
