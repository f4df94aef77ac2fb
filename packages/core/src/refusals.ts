import { StoreError } from './errors.ts'
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

/** A point of a session's history that was asked for and is not there. */
export const seqBeyondHead = (field: string, seq: number, lastSeq: number): StoreError =>
  new StoreError('invalid_argument', `${field} is ${seq}, and the session's last event is ${lastSeq}`, { field })

/** What a store cannot do. */
export const unsupported = (capability: string, what: string): StoreError =>
  new StoreError('unsupported', `this store does not support ${what} (capability ${capability} is no)`, { capability })
