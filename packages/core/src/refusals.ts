import { StoreError } from './errors.ts'
import type { LeaseToken } from './lease.ts'
import type { SessionKey } from './sessions.ts'
import type { StateKey } from './state.ts'

// One fact has one sentence, whatever store says it.

const named = ({ appName, userId, sessionId }: SessionKey) => `session ${sessionId} of user ${userId} in app ${appName}`

export const noSession = (key: SessionKey): StoreError => new StoreError('not_found', `there is no ${named(key)}`)

export const sessionExists = (key: SessionKey): StoreError =>
  new StoreError('already_exists', `${named(key)} exists already`)

export const staleSession = (
  { sessionId, revision }: { sessionId: string; revision: number },
  expected: number,
): StoreError =>
  new StoreError('conflict', `session ${sessionId} is at revision ${revision}, not ${expected}`, { revision })

export const staleState = ({ userId }: StateKey, revision: number, expected: number): StoreError =>
  new StoreError(
    'conflict',
    `the state of ${userId === undefined ? 'the app' : 'the user'} is at revision ${revision}, not ${expected}`,
    { revision },
  )

/** An event id that the session has with another payload. */
export const otherPayload = (
  { sessionId, revision }: { sessionId: string; revision: number },
  eventId: string,
): StoreError =>
  new StoreError('conflict', `session ${sessionId} already has an event ${eventId} with another payload`, {
    revision,
    field: 'event.id',
  })

/** A session that somebody has. */
export const leasedSession = (
  { sessionId, revision }: { sessionId: string; revision: number },
  { owner, expiresAt }: { owner: string; expiresAt: number },
): StoreError =>
  new StoreError('conflict', `session ${sessionId} is leased to ${owner} until ${iso(expiresAt)}`, {
    revision,
    owner,
    expiresAt,
  })

/** A lease that is over, and who has the session now. */
export const endedLease = (
  { sessionId, revision }: { sessionId: string; revision?: number },
  { owner, fence }: LeaseToken,
  now?: { owner: string; expiresAt: number },
  cause?: unknown,
): StoreError =>
  new StoreError(
    'conflict',
    `lease ${fence} of ${owner} on session ${sessionId} has ended${now === undefined ? '' : `; ${now.owner} has it until ${iso(now.expiresAt)}`}`,
    {
      field: 'lease',
      ...(revision !== undefined && { revision }),
      ...(now !== undefined && { owner: now.owner, expiresAt: now.expiresAt }),
      cause,
    },
  )

const iso = (time: number) => new Date(time).toISOString()

/** A point of a session's history that was asked for and is not there. */
export const seqBeyondHead = (field: string, seq: number, lastSeq: number): StoreError =>
  new StoreError('invalid_argument', `${field} is ${seq}, and the session's last event is ${lastSeq}`, { field })

/** What a store cannot do. */
export const unsupported = (capability: string, what: string): StoreError =>
  new StoreError('unsupported', `this store does not support ${what} (capability ${capability} is no)`, { capability })
