import type { MemoryScope, SessionKey, Store } from '@daybook/core'
import { setTimeout as wait } from 'node:timers/promises'
import { walkEvents, walkMemories } from '../fixtures.ts'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { adding, broken, isEntry, isList, partsOf } from './memory-overrides.ts'
import { joinedAs } from './transactions.ts'

/** Reads the session and what is remembered of it, and then writes: others come in between. */
async function twoSteps(store: Store, key: SessionKey) {
  const { appName, userId, sessionId } = key
  const old = await walkMemories(store, { appName, userId })
  for (const { id, sessionId: own } of old) if (own === sessionId) await store.memories.delete({ appName, userId, id })
  const events = await walkEvents(store, key)
  return store.memories.add(
    { appName, userId },
    events
      .filter(({ event }) => partsOf(event.content).length > 0)
      .map(({ event }) => ({
        content: event.content,
        author: event.author ?? '',
        timestamp: event.timestamp,
        sessionId,
        metadata: { eventId: event.id },
      })),
  )
}

/** What becomes of memories that are added and deleted, gone wrong. */
export const memoryMutants: readonly Mutant[] = [
  {
    id: 'M401',
    bug: 'the time of a memory is cut to milliseconds',
    check: 'MEM-01@kept',
    wrap: (store) =>
      adding(store, (entry) =>
        entry.timestamp === undefined ? entry : { ...entry, timestamp: Math.floor(entry.timestamp) },
      ),
  },
  {
    id: 'M410',
    bug: 'an entry with a known id leaves what is there',
    check: 'MEM-07',
    canary: true,
    wrap: (store) =>
      broken(store, {
        add: async (scope, source, options) => {
          const list = isList(source) ? source : isEntry(source) ? [source] : undefined
          if (list === undefined) return store.memories.add(scope, source, options)
          const known = await Promise.all(
            list.map(async ({ id }) => (id === undefined ? undefined : store.memories.get(scope, id))),
          )
          const added = await store.memories.add(
            scope,
            list.filter((_, i) => known[i] === undefined),
            options,
          )
          const fresh = [...added.items]
          return {
            removed: 0,
            items: list.map(({ id = '' }, i) =>
              known[i] === undefined ? (fresh.shift() ?? { id, outcome: 'added' }) : { id, outcome: 'duplicate' },
            ),
          }
        },
      }),
  },
  {
    id: 'M411',
    bug: 'a session that is added again keeps what its events no longer say',
    check: 'MEM-07@session',
    wrap: (store) =>
      broken(store, {
        add: async (scope, source, options) => {
          if (!('session' in source)) return store.memories.add(scope, source, options)
          const events = (await walkEvents(store, source.session)).map(({ event }) => event)
          const { sessionId } = source.session
          return store.memories.add(
            scope,
            { events, sessionId, ...(source.metadata !== undefined && { metadata: source.metadata }) },
            options,
          )
        },
      }),
  },
  {
    id: 'M412',
    bug: 'an event is known by its id alone, whatever its session',
    check: 'MEM-07@events',
    wrap: (store) =>
      broken(store, {
        add: (scope, source, options) =>
          store.memories.add(scope, 'events' in source ? { ...source, sessionId: 's1' } : source, options),
      }),
  },
  {
    id: 'M413',
    bug: 'whether an entry is known is looked at before it is added',
    check: 'MEM-07@race',
    isRace: true,
    wrap: (store) =>
      broken(store, {
        add: async (scope, source, options) => {
          if (!isList(source)) return store.memories.add(scope, source, options)
          const known = await Promise.all(source.map(({ id = '' }) => store.memories.get(scope, id)))
          await wait(2)
          await store.memories.add(scope, source, options)
          return {
            removed: 0,
            items: source.map(({ id = '' }, i) => ({ id, outcome: known[i] === undefined ? 'added' : 'duplicate' })),
          }
        },
      }),
  },
  {
    id: 'M414',
    bug: 'a session is read, and its memories written afterwards',
    check: 'MEM-07@session-race',
    isRace: true,
    wrap: (store) =>
      broken(store, {
        add: (scope, source, options) =>
          'session' in source ? twoSteps(store, source.session) : store.memories.add(scope, source, options),
      }),
  },
  {
    id: 'M435',
    bug: 'a memory is found by its id alone',
    check: 'SEC-06',
    fact: 'memories',
    wrap: (store, { memory }) =>
      broken(store, {
        add: async (scope, source, options) => {
          memory.set('scope', scope)
          return store.memories.add(scope, source, options)
        },
        get: async (scope, id, options) =>
          store.memories.get((memory.get('scope') ?? scope) as MemoryScope, id, options), // put there by add
      }),
  },
  {
    id: 'M436',
    bug: 'a memory is deleted by its id, whosever it is',
    check: 'SEC-07',
    fact: 'memories',
    wrap: (store, { memory }) =>
      broken(store, {
        add: async (scope, source, options) => {
          if (!memory.has('scope')) memory.set('scope', scope)
          return store.memories.add(scope, source, options)
        },
        delete: async (query) => {
          const first = (memory.get('scope') ?? query) as MemoryScope // put there by add
          return store.memories.delete(query.id === undefined ? query : { ...query, ...first })
        },
      }),
  },
  {
    id: 'M420',
    bug: 'a delete by age takes what is exactly that old, too',
    check: 'MEM-10',
    wrap: (store) =>
      broken(store, {
        delete: (query) =>
          store.memories.delete(query.before === undefined ? query : { ...query, before: query.before + 1 }),
      }),
  },
  {
    id: 'M421',
    bug: 'a delete by session takes it from every user',
    check: 'MEM-10',
    wrap: (store) =>
      broken(store, {
        delete: async (query) => {
          if (query.sessionId !== undefined && query.dryRun !== true)
            await store.memories.delete({ appName: query.appName, sessionId: query.sessionId })
          return store.memories.delete(query)
        },
      }),
  },
  {
    id: 'M422',
    bug: 'a deleted session takes its memories along',
    check: 'MEM-10@sources',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          delete: async (key, options) => {
            const { appName, userId, sessionId } = key
            const wasThere = await store.sessions.delete(key, options)
            await store.memories.delete({ appName, userId, sessionId })
            return wasThere
          },
        },
      }),
  },
  {
    id: 'M423',
    bug: 'erase leaves the memories',
    check: 'MEM-10@sources',
    canary: true,
    wrap: (store) =>
      wrapStore(store, {
        erase: async (user, options) => {
          const kept = await walkMemories(store, user)
          const receipt = await store.erase(user, options)
          await store.memories.add(
            { appName: user.appName, userId: user.userId },
            kept.map(({ id, content, timestamp }) => ({ id, content, timestamp })),
          )
          return receipt
        },
      }),
  },
  {
    id: 'M429',
    bug: 'what is remembered in a transaction is written outside of it',
    check: 'MEM-14',
    wrap: (store) => store,
    transaction: joinedAs((joined, store) =>
      wrapStore(joined, {
        memories: {
          add: (scope, source, options) =>
            store.memories.add(scope, isList(source) ? source.filter(({ id }) => id === 'new') : source, options),
        },
      }),
    ),
    fact: 'concurrentWriters', // elsewhere it would wait for the transaction that it is in
  },
  {
    id: 'M427',
    bug: 'an entry that says nothing is left out in silence',
    check: 'MEM-15',
    wrap: (store) =>
      broken(store, {
        add: (scope, source, options) =>
          store.memories.add(
            scope,
            isList(source)
              ? source.filter((one) => one !== null && (one.text !== undefined || one.content !== undefined))
              : source,
            options,
          ),
      }),
  },
  {
    id: 'M428',
    bug: 'what is over the bound of a batch is left out',
    check: 'MEM-15@limits',
    wrap: (store) =>
      broken(store, {
        add: (scope, source, options) =>
          store.memories.add(scope, isList(source) ? source.slice(0, store.limits.batchEvents) : source, options),
      }),
  },
]
