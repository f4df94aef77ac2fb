import type { SessionSummary, Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { isCode, remembered } from './answers.ts'
import { forgetfulCursors } from './lists.ts'

/** Cursors, gone wrong. */
export const cursorMutants: readonly Mutant[] = [
  { id: 'M290', bug: 'a cursor forgets what it was made for', check: 'ORD-08@events', wrap: forgetfulCursors },
  { id: 'M291', bug: 'a cursor forgets what it was made for', check: 'SEC-08', wrap: forgetfulCursors },
  {
    id: 'M292',
    bug: 'a cursor that cannot be read is the beginning',
    check: 'ORD-09',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          list: ({ cursor, ...query }) =>
            store.sessions.list({ ...query, ...(cursor !== undefined && { cursor }) }).catch((error: unknown) => {
              if (isCode(error, 'invalid_cursor')) return store.sessions.list(query)
              throw error
            }),
        },
      }),
  },
  {
    id: 'M293',
    bug: 'a cursor ends with the row that it was made from',
    check: 'ORD-10',
    wrap: (store: Store, { memory }) => {
      const rows = remembered(memory, 'rows of cursors', () => new Map<string, SessionSummary>())
      return wrapStore(store, {
        sessions: {
          list: async (query) => {
            const row = query.cursor === undefined ? undefined : rows.get(query.cursor)
            if (row !== undefined && (await store.sessions.get(row)) === undefined)
              return { items: [], nextCursor: undefined }
            const page = await store.sessions.list(query)
            const last = page.items.at(-1)
            if (page.nextCursor !== undefined && last !== undefined) rows.set(page.nextCursor, last)
            return page
          },
        },
      })
    },
  },
  {
    id: 'M294',
    bug: 'a page that is full is followed by another',
    check: 'ORD-11',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          list: async (key, query) => {
            const page = await store.events.list(key, query)
            const isFull = page.items.length > 0 && page.items.length === query?.limit
            return isFull ? { ...page, nextCursor: page.nextCursor ?? 'end' } : page
          },
        },
      }),
  },
]
