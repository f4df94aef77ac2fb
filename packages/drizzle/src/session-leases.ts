import {
  checkFree,
  checkHolder,
  fromMicros,
  noSession,
  type LeaseGrant,
  type LeaseRequest,
  type SessionKey,
} from '@daybook/core'
import { sql } from 'drizzle-orm'
import type { Dialect, Row, Tx } from './dialect.ts'
import type { Script } from './script.ts'
import { sessionKeyParams, storedLeaseOf, summaryOf, type SessionRows } from './session-rows.ts'
import { assigned, param, selected } from './statements.ts'

/** Leases as scripts. They are columns of the session's row, so that an append looks at them where it looks for the session. */
export interface SessionLeases {
  take(tx: Tx, request: LeaseRequest, now: bigint): Script<LeaseGrant>
  /** Answers when it ends now. */
  renew(tx: Tx, grant: LeaseGrant, now: bigint): Script<number>
  release(tx: Tx, grant: LeaseGrant): Script<void>
}

/**
 * Bits of a fence that count the leases of one session; those above are its `sid`. The sid of a deleted session never comes
 * back, so the fences of one that is created anew are above those of the old one. That leaves room for 137 billion sessions, and
 * 65,536 leases of a session before it counts on among the fences of the next one, which matters to a session of the same key alone.
 */
const countBits = 16n

export function createSessionLeases({ tables, expressions }: Dialect, sessionRows: SessionRows): SessionLeases {
  const { sessions } = tables
  const { isKey, columns, leaseColumns } = sessionRows
  const lock = {
    sql: sql`select ${selected({ ...columns, ...leaseColumns })} from ${sessions} where ${isKey}${expressions.forUpdate}`,
  }
  const isSid = sql`${sessions.sid} = ${param('sid')} and ${isKey}`
  const take = {
    sql: sql`update ${sessions} set ${assigned([
      [sessions.leaseOwner, param('owner')],
      [sessions.leaseFence, param('fence')],
      [sessions.leaseUntil, param('until')],
    ])} where ${isSid}`,
  }
  const renew = { sql: sql`update ${sessions} set ${assigned([[sessions.leaseUntil, param('until')]])} where ${isSid}` }
  // The fence stays: the next one is above it.
  const release = {
    sql: sql`update ${sessions} set ${assigned([
      [sessions.leaseOwner, sql`null`],
      [sessions.leaseUntil, sql`null`],
    ])} where ${isKey} and ${sessions.leaseOwner} = ${param('owner')} and ${sessions.leaseFence} = ${param('fence')}`,
  }

  function* locked(tx: Tx, key: SessionKey) {
    const [row] = yield* tx.rows(lock, sessionKeyParams(key))
    if (row === undefined) throw noSession(key)
    const { sessionId, revision } = summaryOf(row)
    return { row, sid: BigInt(String(row['sid'])), session: { sessionId, revision, lease: storedLeaseOf(row) } }
  }

  return {
    *take(tx, request, now) {
      const { key, owner, ttl } = request
      const { row, sid, session } = yield* locked(tx, key)
      checkFree(session, fromMicros(now))
      const fence = fenceAfter(row, sid)
      const until = endOf(now, ttl)
      yield* tx.change(take, { ...sessionKeyParams(key), sid, owner, fence, until })
      return { ...request, fence: Number(fence), expiresAt: fromMicros(until) }
    },
    *renew(tx, { key, owner, fence, ttl }, now) {
      const { row, sid, session } = yield* locked(tx, key)
      checkHolder(session, { owner, fence }, fromMicros(now))
      // A clock that runs back shortens nothing.
      const [stored, next] = [BigInt(String(row['leaseUntil'])), endOf(now, ttl)]
      const until = stored > next ? stored : next
      yield* tx.change(renew, { ...sessionKeyParams(key), sid, until })
      return fromMicros(until)
    },
    *release(tx, { key, owner, fence }) {
      yield* tx.change(release, { ...sessionKeyParams(key), owner, fence })
    },
  }
}

const fenceAfter = ({ leaseFence }: Row, sid: bigint): bigint =>
  (typeof leaseFence === 'string' ? BigInt(leaseFence) : sid << countBits) + 1n

const endOf = (now: bigint, ttl: number): bigint => now + BigInt(ttl) * 1000n
