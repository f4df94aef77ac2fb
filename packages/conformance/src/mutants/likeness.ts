import type { Mutant } from '../mutant.ts'
import { isCode } from './answers.ts'
import { adding, broken, scopeOf, searching } from './memory-overrides.ts'

/** What becomes of searches by likeness, gone wrong. */
export const likenessMutants: readonly Mutant[] = [
  {
    id: 'M415',
    bug: 'by likeness without regard to length: the sum of the products',
    check: 'MEM-08',
    wrap: (store) =>
      searching(
        store,
        (query) => query,
        (items, { query }) => (query === undefined ? items.map((item) => ({ ...item, score: item.score * 2 })) : items),
      ),
  },
  {
    id: 'M416',
    bug: 'ties of likeness the oldest first',
    check: 'MEM-08',
    wrap: (store) =>
      searching(
        store,
        (query) => query,
        (items) => items.toSorted((a, b) => b.score - a.score || a.timestamp - b.timestamp),
      ),
  },
  {
    id: 'M417',
    bug: 'an embedding that is too short is filled up',
    check: 'MEM-08@checked',
    wrap: (store) =>
      adding(store, (entry) =>
        entry.embedding?.length === 3 ? { ...entry, embedding: [...entry.embedding, 0] } : entry,
      ),
  },
  {
    id: 'M431',
    bug: 'the likeness is a float of 32 bits',
    check: 'MEM-08@close',
    wrap: (store) =>
      searching(
        store,
        (query) => query,
        (items) => items.toSorted((a, b) => Math.fround(b.score) - Math.fround(a.score) || b.timestamp - a.timestamp),
      ),
  },
  {
    id: 'M432',
    bug: 'what is longer or shorter than squares of 32 bits is not found',
    check: 'MEM-08@length',
    wrap: (store) =>
      searching(
        store,
        (query) => query,
        (items, { embedding = [] }) => (Math.hypot(...embedding) ** 2 < 2 ** 127 ? items : []),
      ),
  },
  {
    id: 'M433',
    bug: 'what has an embedding of another length is found as the least like',
    check: 'MEM-08@dimensions',
    wrap: (store, { memory }) =>
      searching(
        adding(store, (entry) => {
          memory.set(`${entry.id}`, entry.embedding?.length)
          return entry
        }),
        (query) => query,
        async (items, query) => {
          if (query.embedding === undefined) return items
          const others = [...memory].filter(([, length]) => length !== query.embedding?.length)
          const found = await Promise.all(others.map(([id]) => store.memories.get(scopeOf(query), id)))
          return [...items, ...found.flatMap((one) => (one === undefined ? [] : [{ ...one, score: -1 }]))]
        },
      ),
  },
  {
    id: 'M434',
    bug: 'of more embeddings than may be compared some are compared',
    check: 'MEM-08@bound',
    wrap: (store) =>
      broken(store, {
        search: async (query) => {
          try {
            return await store.memories.search(query)
          } catch (error) {
            if (isCode(error, 'limit_exceeded')) return { items: [] }
            throw error
          }
        },
      }),
  },
]
