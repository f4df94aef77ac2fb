import type { MemoryScope, SessionKey, Store } from '@daybook/core'
import { setTimeout as wait } from 'node:timers/promises'
import { walkEvents, walkMemories } from '../fixtures.ts'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { adding, broken, isEntry, isList, scopeOf, searching } from './memory-overrides.ts'
import { joinedAs } from './transactions.ts'

const partsOf = (content: unknown): readonly unknown[] => {
  const parts: unknown = typeof content === 'object' && content !== null ? Reflect.get(content, 'parts') : undefined
  return Array.isArray(parts) ? parts : []
}

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

const withoutAccents = (text: string) => text.normalize('NFD').replace(/\p{Mn}/gu, '')

/** What becomes of memories, gone wrong. */
export const memoryMutants: readonly Mutant[] = [
  {
    id: 'M400',
    bug: 'of content only the first part is searched',
    check: 'MEM-01',
    canary: true,
    wrap: (store) =>
      adding(store, (entry) => {
        const [first] = partsOf(entry.content)
        return entry.text === undefined && first !== undefined
          ? { ...entry, text: String(Reflect.get(Object(first), 'text') ?? '') }
          : entry
      }),
  },
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
    id: 'M402',
    bug: 'a query without words finds everything',
    check: 'MEM-02',
    wrap: (store) =>
      searching(
        store,
        (query) => query,
        async (items, query) =>
          /[\p{L}\p{N}]/u.test(query.query ?? '')
            ? items
            : (await walkMemories(store, scopeOf(query))).map((memory) => ({ ...memory, score: 1 })),
      ),
  },
  {
    id: 'M403',
    bug: 'every word of a query has to be there',
    check: 'MEM-03',
    canary: true,
    wrap: (store) =>
      searching(
        store,
        (query) => query,
        (items) => items.filter(({ score }) => score === 1),
      ),
  },
  {
    id: 'M404',
    bug: 'the score is that of a word alone',
    check: 'MEM-03',
    wrap: (store) =>
      searching(
        store,
        (query) => query,
        (items) => items.map((item) => ({ ...item, score: 1 })),
      ),
  },
  {
    id: 'M44',
    bug: 'a search ignores the user',
    check: 'MEM-04',
    canary: true,
    wrap: (store) =>
      searching(
        store,
        (query) => query,
        async (items, query) => {
          const others = await Promise.all(
            ['ann', 'bob', 'ANN'].map((userId) => store.memories.search({ ...query, userId })),
          )
          return [
            ...new Map(
              [...items, ...others.flatMap((one) => one.items)].map((item) => [JSON.stringify(item), item]),
            ).values(),
          ]
        },
      ),
  },
  {
    id: 'M405',
    bug: 'the memories of the app are not searched for a user',
    check: 'MEM-04',
    wrap: (store) => searching(store, (query) => (query.userId === undefined ? query : { ...query, scope: 'user' })),
  },
  {
    id: 'M406',
    bug: 'a minus takes a word out of a query',
    check: 'MEM-05',
    wrap: (store) =>
      searching(store, ({ query = '', ...rest }) => ({ ...rest, query: query.replace(/(?<!\S)-\S+/g, '') })),
  },
  {
    id: 'M407',
    bug: 'a percent sign is a wildcard',
    check: 'MEM-05',
    wrap: (store) =>
      searching(store, ({ query = '', ...rest }) => ({ ...rest, query: query.replace('al%ha', 'alpha') })),
  },
  {
    id: 'M408',
    bug: 'accents do not count',
    check: 'MEM-06',
    canary: true,
    wrap: (store) =>
      searching(
        adding(store, (entry) => (entry.text === undefined ? entry : { ...entry, text: withoutAccents(entry.text) })),
        (query) => ({ ...query, query: withoutAccents(query.query ?? '') }),
      ),
  },
  {
    id: 'M409',
    bug: 'words of two characters and less are not found',
    check: 'MEM-06',
    wrap: (store) =>
      searching(store, ({ query = '', ...rest }) => ({
        ...rest,
        query: query
          .split(/\s+/)
          .filter((word) => word.length > 2)
          .join(' '),
      })),
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
    id: 'M418',
    bug: 'at one time the order is that of UTF-16 units',
    check: 'MEM-09',
    wrap: (store) =>
      searching(
        store,
        (query) => query,
        (items) => items.toSorted((a, b) => b.score - a.score || b.timestamp - a.timestamp || (a.id < b.id ? -1 : 1)),
      ),
  },
  {
    id: 'M419',
    bug: 'a search answers ten at most',
    check: 'MEM-09',
    wrap: (store) =>
      searching(
        store,
        (query) => query,
        (items) => items.slice(0, 10),
      ),
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
    id: 'M424',
    bug: 'what was added is found a moment later',
    check: 'MEM-11',
    wrap: (store, { memory }) =>
      searching(
        adding(store, (entry) => {
          memory.set(`${entry.id}`, Date.now())
          return entry
        }),
        (query) => query,
        (items) => items.filter(({ id }) => Number(memory.get(id) ?? 0) < Date.now() - 50),
      ),
  },
  {
    id: 'M425',
    bug: 'quotes are doubled on their way',
    check: 'MEM-12',
    wrap: (store) =>
      adding(store, (entry) =>
        entry.text === undefined ? entry : { ...entry, text: entry.text.replaceAll("'", "''") },
      ),
  },
  {
    id: 'M426',
    bug: 'words of a query count as often as they come',
    check: 'MEM-13',
    wrap: (store) =>
      searching(
        store,
        (query) => query,
        (items, { query = '' }) => {
          const words = query
            .toLowerCase()
            .split(/[\s,.()*";；／-]+/)
            .filter((word) => word !== '')
          const twice = words.length - new Set(words).size
          return items.map((item) => ({ ...item, score: (item.score * (words.length - twice)) / words.length }))
        },
      ),
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
  {
    id: 'M430',
    bug: 'a search looks at the list of memories first',
    check: 'PRF-01@memories',
    wrap: (store) =>
      broken(store, {
        search: async (query) => {
          await store.memories.list(scopeOf(query))
          return store.memories.search(query)
        },
      }),
  },
]
