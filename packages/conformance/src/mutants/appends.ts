import { StoreError, type AgentEvent, type AppendResult, type SessionKey, type Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { isCode, listOf, mapEvents, remembered } from './answers.ts'
import { mapLoaded } from './sessions.ts'

type Append = Store['events']['append']

const withAppend = (store: Store, append: (...args: Parameters<Append>) => Promise<AppendResult>): Store =>
  wrapStore(store, { events: { append } })

/** The session that is missed is made, as an upsert would. */
const appendCreates = (store: Store): Store =>
  withAppend(store, (key, events, options) =>
    store.events.append(key, events, options).catch(async (error: unknown) => {
      if (!isCode(error, 'not_found')) throw error
      await store.sessions
        .create({ appName: key.appName, userId: key.userId, sessionId: key.sessionId })
        .catch(() => {}) // another one was quicker
      return store.events.append(key, events, options)
    }),
  )

/** Events come in the order of their times. */
const orderedByTime = (store: Store): Store =>
  wrapStore(store, {
    events: {
      list: async (key, query) => {
        const page = await store.events.list(key, query)
        return { ...page, items: page.items.toSorted((a, b) => a.event.timestamp - b.event.timestamp) }
      },
    },
  })

/** What an append does to a session and its events, gone wrong. */
export const appendMutants: readonly Mutant[] = [
  {
    id: 'M230',
    bug: 'of the actions only the state is stored',
    check: 'EVT-01',
    wrap: (store) =>
      mapEvents(store, ({ actions, ...event }) => {
        if (actions === undefined) return event
        const { stateDelta, stateUnset } = actions
        return {
          ...event,
          actions: { ...(stateDelta !== undefined && { stateDelta }), ...(stateUnset !== undefined && { stateUnset }) },
        }
      }),
  },
  {
    id: 'M231',
    bug: 'an append answers the revision of before',
    check: 'EVT-02',
    wrap: (store) =>
      withAppend(store, async (...args) => {
        const answer = await store.events.append(...args)
        return { ...answer, revision: answer.revision - 1 }
      }),
  },
  { id: 'M232', bug: 'an append makes the session that it misses', check: 'EVT-04', wrap: appendCreates },
  { id: 'M233', bug: 'an append makes the session that it misses', check: 'CON-06', wrap: appendCreates },
  { id: 'M234', bug: 'an append makes the session that it misses', check: 'ERA-04@race', wrap: appendCreates },
  {
    id: 'M235',
    bug: 'a replacement is a second row',
    check: 'EVT-05',
    wrap: (store) =>
      withAppend(store, (key, events, options) => {
        const list =
          options?.onDuplicate === 'replace' ? listOf(events).map((one) => ({ ...one, id: `${one.id}′` })) : events
        return store.events.append(key, list, options)
      }),
  },
  {
    id: 'M236',
    bug: 'since leaves out the moment itself',
    check: 'EVT-08',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          list: (key, { since, ...query } = {}) =>
            store.events.list(key, { ...query, ...(since !== undefined && { after: since }) }),
        },
      }),
  },
  {
    id: 'M237',
    bug: 'an empty text is kept as none',
    check: 'EVT-10',
    wrap: (store) =>
      mapEvents(store, ({ errorMessage, ...event }) =>
        errorMessage === undefined || errorMessage === '' ? event : { ...event, errorMessage },
      ),
  },
  {
    id: 'M238',
    bug: 'of a batch that is refused the first event stays',
    check: 'EVT-11',
    wrap: (store) =>
      withAppend(store, (key, events, options) =>
        store.events.append(key, events, options).catch(async (error: unknown) => {
          const [first] = listOf(events)
          if (first !== undefined) await store.events.append(key, first, options).catch(() => {}) // it may be the bad one
          throw error
        }),
      ),
  },
  {
    id: 'M239',
    bug: 'a conflict does not name the current revision',
    check: 'EVT-12',
    wrap: (store) =>
      withAppend(store, (...args) =>
        store.events.append(...args).catch((error: unknown) => {
          throw isCode(error, 'conflict') ? new StoreError('conflict', 'somebody else was quicker') : error
        }),
      ),
  },
  {
    id: 'M240',
    bug: 'an append leaves updatedAt as it was',
    check: 'EVT-13',
    wrap: (store) => mapLoaded(store, (session) => ({ ...session, updatedAt: session.createdAt })),
  },
  {
    id: 'M241',
    bug: 'afterSeq answers the event itself, too',
    check: 'EVT-14',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          list: (key, { afterSeq, ...query } = {}) =>
            store.events.list(key, {
              ...query,
              ...(afterSeq !== undefined && { afterSeq: Math.max(0, afterSeq - 1) }),
            }),
        },
      }),
  },
  {
    id: 'M242',
    bug: 'a tail begins each look with the event that it ended with',
    check: 'EVT-15@process',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          async *tail(key, options) {
            for await (const stored of store.events.tail(key, options)) {
              yield stored
              if (stored.seq % 5 === 0) yield stored
            }
          },
        },
      }),
  },
  {
    id: 'M243',
    bug: 'an event is found by its id alone',
    check: 'EVT-16',
    wrap: (store, { memory }) => {
      const keys = remembered(memory, 'sessions of events', () => new Map<string, SessionKey>())
      return wrapStore(store, {
        events: {
          append: (key, events, options) => {
            for (const { id = '' } of listOf(events)) keys.set(id, keys.get(id) ?? key)
            return store.events.append(key, events, options)
          },
          get: (key, id, options) => store.events.get(keys.get(id) ?? key, id, options),
        },
      })
    },
  },
  {
    id: 'M244',
    bug: 'the last 0 events are all',
    check: 'EVT-17',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          get: (key, options) => {
            const filter = options?.events
            const isNone = typeof filter === 'object' && filter.last === 0
            return store.sessions.get(key, isNone ? { ...options, events: 'all' } : options)
          },
        },
      }),
  },
  { id: 'M245', bug: 'events are in the order of their times', check: 'ORD-03', wrap: orderedByTime },
  { id: 'M246', bug: 'events are in the order of their times', check: 'CON-02', wrap: orderedByTime },
  {
    id: 'M247',
    bug: 'events of one time are in the order of their ids',
    check: 'TIM-02',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          list: async (key, query) => {
            const page = await store.events.list(key, query)
            return { ...page, items: page.items.toSorted((a, b) => (a.event.id < b.event.id ? -1 : 1)) }
          },
        },
      }),
  },
  {
    id: 'M248',
    bug: 'a batch that is too large is written in halves',
    check: 'LIM-05',
    wrap: (store) => {
      const append = async (...[key, events, options]: Parameters<Append>): Promise<AppendResult> => {
        const list: readonly AgentEvent[] = listOf(events)
        if (list.length <= store.limits.batchEvents) return store.events.append(key, events, options)
        const half = Math.ceil(list.length / 2)
        await append(key, list.slice(0, half), options)
        return append(key, list.slice(half), options)
      }
      return withAppend(store, append)
    },
  },
]
