import { checkedOptions } from './arguments.ts'
import { createLeases, type Leases } from './held-lease.ts'
import { findSession, type SessionRow } from './in-memory-database.ts'
import type { InMemoryContext } from './in-memory-state.ts'
import { checkFree, checkHolder, leaseRequest } from './lease-request.ts'
import type { LeaseToken } from './lease.ts'
import { noSession } from './refusals.ts'
import type { SessionKey } from './sessions.ts'
import { fromMicros, toMicros } from './time.ts'

export function createInMemoryLeases(context: InMemoryContext): Leases {
  const { calls, data, now } = context
  const found = (key: SessionKey): SessionRow => {
    const row = findSession(data, key)
    if (row === undefined) throw noSession(key)
    return row
  }
  return createLeases({
    take: (key, options) =>
      calls.run('sessions.lease', options, () => {
        const request = leaseRequest(key, options, context)
        const row = found(request.key)
        const at = now()
        checkFree(row, at)
        const { owner, ttl } = request
        row.lease = { owner, fence: ++data.lastFence, expiresAt: after(at, ttl) }
        return { ...request, ...row.lease }
      }),
    renew: (grant, options) =>
      calls.run('lease.renew', options, () => {
        checkedOptions(options, [])
        const row = found(grant.key)
        const at = now()
        checkHolder(row, grant, at)
        const { owner, fence } = grant
        const expiresAt = Math.max(row.lease?.expiresAt ?? 0, after(at, grant.ttl))
        row.lease = { owner, fence, expiresAt }
        return expiresAt
      }),
    release: (grant, options) =>
      calls.run('lease.release', options, () => {
        checkedOptions(options, [])
        const row = findSession(data, grant.key)
        if (row !== undefined && isOf(row, grant)) row.lease = undefined
      }),
  })
}

const isOf = ({ lease }: SessionRow, { owner, fence }: LeaseToken) => lease?.owner === owner && lease.fence === fence

const after = (time: number, ttl: number) => fromMicros(toMicros(time) + BigInt(ttl) * 1000n)
