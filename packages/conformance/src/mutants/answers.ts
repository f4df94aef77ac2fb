import {
  isStoreError,
  type AgentEvent,
  type AppendOptions,
  type ErrorCode,
  type EventQuery,
  type GetSessionOptions,
  type SessionKey,
  type Store,
  type StoredEvent,
  type TailOptions,
} from '@daybook/core'
import { wrapStore } from '../wrap.ts'

export const nameOf = ({ appName, userId, sessionId }: SessionKey): string =>
  JSON.stringify([appName, userId, sessionId])

export const listOf = (events: AgentEvent | readonly AgentEvent[]): readonly AgentEvent[] =>
  Array.isArray(events) ? (events as readonly AgentEvent[]) : [events as AgentEvent] // isArray does not narrow readonly

type MapEvent = (event: StoredEvent['event'], key: SessionKey) => StoredEvent['event']
type MapState = (state: Record<string, unknown>) => Record<string, unknown>

/** The store with every event that it answers spoilt, wherever it comes from. */
export function mapEvents(store: Store, map: MapEvent): Store {
  const each =
    (key: SessionKey) =>
    (stored: StoredEvent): StoredEvent => ({ ...stored, event: map(stored.event, key) })
  return wrapStore(store, {
    sessions: {
      get: async (key: SessionKey, options?: GetSessionOptions) => {
        const session = await store.sessions.get(key, options)
        return session && { ...session, events: session.events.map(each(key)) }
      },
    },
    events: {
      get: async (key: SessionKey, id: string) => {
        const stored = await store.events.get(key, id)
        return stored && each(key)(stored)
      },
      list: async (key: SessionKey, query?: EventQuery) => {
        const page = await store.events.list(key, query)
        return { ...page, items: page.items.map(each(key)) }
      },
      append: async (key: SessionKey, events: AgentEvent | readonly AgentEvent[], options?: AppendOptions) => {
        const answer = await store.events.append(key, events, options)
        return answer.newEvents === undefined ? answer : { ...answer, newEvents: answer.newEvents.map(each(key)) }
      },
      async *tail(key: SessionKey, options?: TailOptions) {
        for await (const stored of store.events.tail(key, options)) yield each(key)(stored)
      },
    },
  })
}

/** The store with every state that it answers spoilt. */
function mapStates(store: Store, map: MapState): Store {
  const spoilt = <T extends { readonly state: Record<string, unknown> }>(holder: T): T => ({
    ...holder,
    state: map(holder.state),
  })
  return wrapStore(store, {
    sessions: {
      get: async (key: SessionKey, options?: GetSessionOptions) => {
        const session = await store.sessions.get(key, options)
        return session && spoilt(session)
      },
      create: async (session) => spoilt(await store.sessions.create(session)),
      stateAt: async (key, seq) => {
        const state = await store.sessions.stateAt(key, seq)
        return state && map(state)
      },
    },
    state: {
      get: async (key) => {
        const scope = await store.state.get(key)
        return scope && spoilt(scope)
      },
    },
  })
}

/** Every string or number inside a value mapped, keys too if asked for. */
function mapLeaves(value: unknown, map: (leaf: unknown) => unknown): unknown {
  if (Array.isArray(value)) return map(value.map((item) => mapLeaves(item, map)))
  if (typeof value !== 'object' || value === null) return map(value)
  return map(Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapLeaves(member, map)])))
}

/** Values of events and states spoilt, leaf by leaf; ids and times are left. */
export const mapValues = (store: Store, map: (leaf: unknown) => unknown): Store =>
  mapStates(
    mapEvents(store, (event) => ({ ...event, content: mapLeaves(event.content, map) })),
    (state) => Object.fromEntries(Object.entries(state).map(([key, value]) => [key, mapLeaves(value, map)])),
  )

/** What the store takes for the key, in every method that has one. */
export function mapKeys(store: Store, map: <K extends { readonly sessionId?: string }>(key: K) => K): Store {
  return wrapStore(store, {
    sessions: {
      create: (session, options) => store.sessions.create(map(session), options),
      get: (key, options) => store.sessions.get(map(key), options),
      update: (key, change, options) => store.sessions.update(map(key), change, options),
      delete: (key, options) => store.sessions.delete(map(key), options),
    },
    events: {
      append: (key, events, options) => store.events.append(map(key), events, options),
      get: (key, id, options) => store.events.get(map(key), id, options),
      list: (key, query) => store.events.list(map(key), query),
    },
  })
}

/** Something that a mutant remembers for its place, made when first asked for. */
export function remembered<T>(memory: Map<string, unknown>, name: string, make: () => T): T {
  if (!memory.has(name)) memory.set(name, make())
  return memory.get(name) as T // only this function writes under the name
}

export const isCode = (error: unknown, code: ErrorCode): boolean => isStoreError(error) && error.code === code
