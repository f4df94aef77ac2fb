import { walkMemories } from '../fixtures.ts'
import type { Mutant } from '../mutant.ts'
import { adding, broken, partsOf, scopeOf, searching } from './memory-overrides.ts'

const withoutAccents = (text: string) => text.normalize('NFD').replace(/\p{Mn}/gu, '')

/** What a search finds, gone wrong. */
export const memorySearchMutants: readonly Mutant[] = [
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
