import type { EventStore, LeaseGrant, SessionStore, StateStore } from '@daybook/core'
import type { EventOperations } from './event-operations.ts'
import type { Operation } from './operation.ts'
import type { SessionOperations } from './session-operations.ts'
import type { StateOperations } from './state-operations.ts'

export interface Operations {
  readonly sessions: SessionOperations
  readonly events: EventOperations
  readonly state: StateOperations
}

/** Stands where the request of another thread will. */
const noGrant: LeaseGrant = {
  key: { appName: '', userId: '', sessionId: '' },
  owner: '',
  ttl: 0,
  fence: 0,
  expiresAt: 0,
}

/** Every operation by its name, to prepare requests that were checked in another thread. */
export const operationsByName = ({ sessions, events, state }: Operations): ReadonlyMap<string, Operation<unknown>> =>
  new Map(
    [
      sessions.create(undefined),
      sessions.get(undefined),
      sessions.list({}),
      sessions.count({}),
      sessions.update(undefined, undefined),
      sessions.delete(undefined),
      sessions.fork(undefined),
      sessions.stateAt(undefined, undefined),
      sessions.prune({}),
      sessions.lease(undefined),
      sessions.renewLease(noGrant, undefined),
      sessions.releaseLease(noGrant, undefined),
      sessions.erase(undefined),
      events.append(undefined, undefined),
      events.get(undefined, undefined),
      events.list(undefined),
      state.get(undefined),
      state.update(undefined, undefined),
    ].map((operation) => [operation.name, operation as Operation<unknown>]), // it only hands the answer on
  )

type Perform = <T>(operation: Operation<T>) => Promise<T>

/** The methods of the three areas, performed one way or another. What the caller says about types is the caller's claim. */
export function methodsOf(
  { sessions, events, state }: Operations,
  perform: Perform,
): { sessions: Omit<SessionStore, 'lease'>; events: Omit<EventStore, 'tail'>; state: StateStore } {
  const typed = {
    sessions: {
      create: (session: unknown, options?: object) => perform(sessions.create(session, options)),
      get: (key: unknown, options?: object) => perform(sessions.get(key, options)),
      list: (query: object) => perform(sessions.list(query)),
      count: (filter: object) => perform(sessions.count(filter)),
      update: (key: unknown, change: unknown, options?: object) => perform(sessions.update(key, change, options)),
      delete: (key: unknown, options?: object) => perform(sessions.delete(key, options)),
      fork: (key: unknown, options?: object) => perform(sessions.fork(key, options)),
      stateAt: (key: unknown, seq: number, options?: object) => perform(sessions.stateAt(key, seq, options)),
      prune: (query: object) => perform(sessions.prune(query)),
    },
    events: {
      append: (key: unknown, given: unknown, options?: object) => perform(events.append(key, given, options)),
      get: (key: unknown, eventId: string, options?: object) => perform(events.get(key, eventId, options)),
      list: (key: unknown, query?: object) => perform(events.list(key, query)),
    },
    state: {
      get: (key: unknown, options?: object) => perform(state.get(key, options)),
      update: (key: unknown, change: unknown, options?: object) => perform(state.update(key, change, options)),
    },
  }
  return typed as ReturnType<typeof methodsOf> // the same methods without their type parameters
}
