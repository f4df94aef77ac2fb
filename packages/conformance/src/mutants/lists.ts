import type { Page, PageOptions, Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { remembered } from './answers.ts'

type ListPage = <T, Q extends PageOptions>(query: Q, next: (query: Q) => Promise<Page<T>>) => Promise<Page<T>>

/** Both lists of the contract, spoilt in the same way. */
const mapPages = (store: Store, list: ListPage): Store =>
  wrapStore(store, {
    sessions: { list: (query) => list(query, (given) => store.sessions.list(given)) },
    events: { list: (key, query = {}) => list(query, (given) => store.events.list(key, given)) },
  })

/** A cursor goes on in the list that it was made in, whatever is asked. */
export const forgetfulCursors: Mutant['wrap'] = (store, { memory }) =>
  mapPages(store, async (query, next) => {
    const madeFor = remembered(memory, 'cursors', () => new Map<string, object>())
    const page = await next(
      query.cursor === undefined ? query : { ...query, ...madeFor.get(query.cursor), cursor: query.cursor },
    )
    if (page.nextCursor !== undefined) madeFor.set(page.nextCursor, query)
    return page
  })

export const listMutants: readonly Mutant[] = [
  {
    id: 'M03',
    bug: 'a page is reversed',
    check: 'ORD-01',
    canary: true,
    wrap: (store) =>
      mapPages(store, async (query, next) => {
        const page = await next(query)
        return { ...page, items: page.items.toReversed() }
      }),
  },
  {
    id: 'M04',
    bug: 'lists stop at 50',
    check: 'ORD-05',
    wrap: (store) =>
      mapPages(store, async (query, next) => {
        const page = await next(query)
        return page.items.length > 50 ? { items: page.items.slice(0, 50), nextCursor: undefined } : page
      }),
  },
  {
    id: 'M05',
    bug: 'a row is skipped at the edge of a page',
    check: 'ORD-04',
    canary: true,
    wrap: (store) =>
      mapPages(store, async (query, next) => {
        const page = await next(query)
        return query.cursor === undefined || page.items.length < 2 ? page : { ...page, items: page.items.slice(1) }
      }),
  },
  {
    id: 'M06',
    bug: 'a row comes again on the next page',
    check: 'ORD-04',
    wrap: (store, { memory }) =>
      mapPages(store, async <T, Q extends PageOptions>(query: Q, next: (query: Q) => Promise<Page<T>>) => {
        const lastOf = remembered(memory, 'last rows', () => new Map<string, T>())
        const page = await next(query)
        const last = page.items.at(-1)
        const before = query.cursor === undefined ? undefined : lastOf.get(query.cursor)
        if (page.nextCursor !== undefined && last !== undefined) lastOf.set(page.nextCursor, last)
        return before === undefined ? page : { ...page, items: [before, ...page.items] }
      }),
  },
  {
    id: 'M07',
    bug: 'limit: 0 answers all',
    check: 'ORD-07',
    wrap: (store) => mapPages(store, (query, next) => next(query.limit === 0 ? { ...query, limit: 100 } : query)),
  },
  {
    id: 'M08',
    bug: 'a cursor forgets what it was made for',
    check: 'ORD-08',
    canary: true,
    wrap: forgetfulCursors,
  },
]
