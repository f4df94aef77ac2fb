import { checkedCount, checkedId, checkedOptions, checkedSessionKey, membersOf } from './arguments.ts'
import { leaseTtl, type LeaseToken } from './lease.ts'
import type { Limits } from './limits.ts'
import { endedLease, leasedSession } from './refusals.ts'
import type { SessionKey } from './sessions.ts'

/** The arguments of `sessions.lease`, checked. */
export interface LeaseRequest {
  readonly key: SessionKey
  readonly owner: string
  /** Milliseconds. */
  readonly ttl: number
}

export function leaseRequest(key: unknown, options: unknown, { limits }: { limits: Limits }): LeaseRequest {
  const checkedKey = checkedSessionKey(key, limits)
  const { ttl, owner } = checkedOptions(options, ['ttl', 'owner'])
  return {
    key: checkedKey,
    owner: checkedId(owner, 'owner', limits),
    ttl: checkedCount(ttl, 'ttl', leaseTtl),
  }
}

/** The option `lease` of an append; a whole lease does as well. */
export function checkedLeaseToken(lease: unknown, limits: Limits): LeaseToken | undefined {
  if (lease === undefined) return undefined
  const { owner, fence } = membersOf(lease, 'lease', ['owner', 'fence'])
  return {
    owner: checkedId(owner, 'lease.owner', limits),
    fence: checkedCount(fence, 'lease.fence', { min: 1 }),
  }
}

/** A lease as it is stored with its session. It may have ended. */
export interface StoredLease extends LeaseToken {
  readonly expiresAt: number
}

interface LeasedSession {
  readonly sessionId: string
  readonly revision: number
  /** The last one, unless it was released. */
  readonly lease: StoredLease | undefined
}

/** Throws `conflict` if somebody has the session now. */
export function checkFree(session: LeasedSession, now: number): void {
  const lease = lasting(session, now)
  if (lease !== undefined) throw leasedSession(session, lease)
}

/** Throws `conflict` unless one who shows this token, or none, may append to the session now. */
export function checkHolder(session: LeasedSession, token: LeaseToken | undefined, now: number): void {
  if (token === undefined) return checkFree(session, now)
  const lease = lasting(session, now)
  if (lease?.fence !== token.fence || lease.owner !== token.owner) throw endedLease(session, token, lease)
}

const lasting = ({ lease }: LeasedSession, now: number) =>
  lease !== undefined && now < lease.expiresAt ? lease : undefined
