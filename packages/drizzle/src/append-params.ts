import type { Append, Params } from './dialect.ts'

/** What an append binds wherever it is one step: whose it is, how many events and when, the revision it expects, and its lease. */
export const appendParams = ({ key, events, expectedRevision, lease, now }: Append): Params => ({
  appName: key.appName,
  userId: key.userId,
  sessionId: key.sessionId,
  count: events.length,
  now,
  lastEventAt: events.at(-1)?.timestamp ?? now,
  ...(expectedRevision !== undefined && { expectedRevision }),
  ...(lease !== undefined && { leaseOwner: lease.owner, leaseFence: lease.fence }),
})
