import { isStoreError, StoreError, type AgentEvent, type IndexedType, type Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { isCode, listOf, mapKeys, mapValues } from './answers.ts'
import { mapLoaded } from './sessions.ts'

/** What an append and an update are given, changed before the store sees it. */
const mapGiven = (store: Store, map: (event: AgentEvent) => AgentEvent): Store =>
  wrapStore(store, {
    events: { append: async (key, events, options) => store.events.append(key, listOf(events).map(map), options) },
  })

const ofStrings = (store: Store, map: (text: string) => string): Store =>
  mapValues(store, (leaf) => (typeof leaf === 'string' ? map(leaf) : leaf))

const withSessionId = (store: Store, map: (id: string) => string): Store =>
  mapKeys(store, (key) => (key.sessionId === undefined ? key : { ...key, sessionId: map(key.sessionId) }))

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const unnamed = ({ author: _author, branch: _branch, invocationId: _id, errorCode: _code, ...event }: AgentEvent) =>
  event

/** What a store is given and has to take as it is or to refuse, gone wrong. */
export const argumentMutants: readonly Mutant[] = [
  {
    id: 'M270',
    bug: 'ids are cut at 128 characters',
    check: 'LIM-01',
    wrap: (store) => withSessionId(store, (id) => [...id].slice(0, 128).join('')),
  },
  {
    id: 'M271',
    bug: 'what is too large is refused without its facts',
    check: 'LIM-03',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: (key, events, options) =>
            store.events.append(key, events, options).catch((error: unknown) => {
              throw isCode(error, 'limit_exceeded') ? new StoreError('limit_exceeded', 'too large') : error
            }),
        },
      }),
  },
  {
    id: 'M540',
    bug: 'an author that is too long is cut',
    check: 'LIM-03@names',
    wrap: (store) =>
      mapGiven(store, (event) =>
        typeof event.author === 'string'
          ? { ...event, author: Buffer.from(event.author).subarray(0, store.limits.eventNameBytes).toString() }
          : event,
      ),
  },
  {
    id: 'M541',
    bug: 'a name of an event has no limit of its own',
    check: 'LIM-03@names',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: (key, events, options) =>
            store.events.append(key, events, options).catch((error: unknown) => {
              if (isStoreError(error) && /^events?(\[\d+\])?\.\w+$/.test(error.facts.field ?? ''))
                return store.events.append(key, listOf(events).map(unnamed), options)
              throw error
            }),
        },
      }),
  },
  {
    id: 'M272',
    bug: 'the depth of app state has no limit',
    check: 'LIM-04',
    wrap: (store) =>
      wrapStore(store, {
        state: {
          update: (key, change, options) =>
            store.state.update(key, change, options).catch((error: unknown) => {
              if (isCode(error, 'limit_exceeded')) return { state: {}, revision: 1, updatedAt: 0 }
              throw error
            }),
        },
      }),
  },
  {
    id: 'M273',
    bug: 'an event goes through JSON before it is looked at',
    check: 'LIM-06',
    wrap: (store) => mapGiven(store, (event) => JSON.parse(JSON.stringify(event)) as AgentEvent), // as it was
  },
  {
    id: 'M274',
    bug: 'an empty id is taken for none',
    check: 'LIM-07',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          create: ({ sessionId, ...session }, options) =>
            store.sessions.create(sessionId ? { ...session, sessionId } : session, options),
        },
      }),
  },
  {
    id: 'M275',
    bug: 'what cannot be read is left out',
    check: 'LIM-08',
    wrap: (store) =>
      mapGiven(store, (event) => {
        try {
          JSON.stringify(event)
          return event
        } catch {
          return { ...event, content: null }
        }
      }),
  },
  {
    id: 'M276',
    bug: 'a state keeps its first 500 keys',
    check: 'LIM-09',
    wrap: (store) =>
      mapLoaded(store, (session) => ({
        ...session,
        state: Object.fromEntries(Object.entries(session.state).slice(0, 500)),
      })),
  },
  {
    id: 'M277',
    bug: 'an option that nobody knows is left out',
    check: 'LIM-11',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          get: (key, { events, signal, timeout } = {}) =>
            store.sessions.get(key, {
              ...(events !== undefined && { events }),
              ...(signal !== undefined && { signal }),
              ...(timeout !== undefined && { timeout }),
            }),
        },
      }),
  },
  {
    id: 'M278',
    bug: 'lone surrogates are replaced',
    check: 'UNI-04',
    wrap: (store) => ofStrings(store, (text) => Buffer.from(text).toString()),
  },
  {
    id: 'M279',
    bug: 'ids are compared by their upper case',
    check: 'UNI-05',
    wrap: (store) => withSessionId(store, (id) => id.toUpperCase()),
  },
  {
    id: 'M280',
    bug: 'a list within a list is flattened',
    check: 'UNI-09',
    wrap: (store) => mapValues(store, (leaf) => (Array.isArray(leaf) ? (leaf as unknown[]).flat() : leaf)),
  },
  {
    id: 'M281',
    bug: 'objects are built by assignment',
    check: 'UNI-13',
    wrap: (store) =>
      mapValues(store, (leaf) => {
        if (!isRecord(leaf)) return leaf
        const built: Record<string, unknown> = {}
        for (const [name, value] of Object.entries(leaf)) built[name] = value
        return built
      }),
  },
  {
    id: 'M282',
    bug: 'numbers are kept with 15 digits',
    check: 'UNI-15',
    wrap: (store) => mapValues(store, (leaf) => (typeof leaf === 'number' ? Number(leaf.toPrecision(15)) : leaf)),
  },
  {
    id: 'M283',
    bug: 'a text NULL is taken for none',
    check: 'UNI-16',
    wrap: (store) =>
      mapGiven(store, ({ branch, ...event }) =>
        branch === undefined || branch === 'NULL' ? event : { ...event, branch },
      ),
  },
  {
    id: 'M284',
    bug: 'quotes in ids are doubled',
    check: 'SEC-01',
    wrap: (store) => withSessionId(store, (id) => id.replaceAll("'", "''")),
  },
  {
    id: 'M285',
    bug: 'backslashes in ids are doubled',
    check: 'SEC-04',
    wrap: (store) => withSessionId(store, (id) => id.replaceAll('\\', '\\\\')),
  },
  {
    id: 'M286',
    bug: 'an index of a type that nobody knows is one of strings',
    check: 'JSP-11@arguments',
    wrap: (store) =>
      wrapStore(store, {
        indexStatePath: (path, type, options) => {
          const known: IndexedType = ['string', 'number', 'boolean'].includes(type) ? type : 'string'
          return store.indexStatePath(path, known, { dryRun: true, ...options })
        },
      }),
  },
  {
    id: 'M287',
    bug: 'an index that is there is said to be made again',
    check: 'JSP-11',
    wrap: (store) =>
      wrapStore(store, {
        indexStatePath: async (path, type, options) => {
          const report = await store.indexStatePath(path, type, options)
          return { ...report, applied: report.applied.length > 0 ? report.applied : ['again'] }
        },
      }),
  },
  {
    id: 'M288',
    bug: 'an index is announced and not made',
    check: 'JSP-11@plan',
    wrap: (store) =>
      wrapStore(store, {
        indexStatePath: (path, type, options) => store.indexStatePath(path, type, { ...options, dryRun: true }),
      }),
  },
]
