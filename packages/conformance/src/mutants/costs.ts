import type { Page, StoredEvent } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { remembered } from './answers.ts'
import { eventByEvent } from './faults.ts'

/** What works and costs too much. */
export const costMutants: readonly Mutant[] = [
  {
    id: 'M350',
    bug: 'an append reads the events that are there',
    check: 'PRF-05',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: async (key, events, options) => {
            let cursor: string | undefined
            do {
              const limit = store.limits.pageMax
              const page = await store.events.list(key, { limit, ...(cursor !== undefined && { cursor }) })
              cursor = page.nextCursor
            } while (cursor !== undefined)
            return store.events.append(key, events, options)
          },
        },
      }),
  },
  { id: 'M351', bug: 'a batch is a unit for each event', check: 'PRF-06', wrap: eventByEvent },
  {
    id: 'M352',
    bug: 'a list reads the states, and answers them when asked',
    check: 'PRF-07',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          list: async (query) => {
            const page = await store.sessions.list({ ...query, state: true })
            if (query.state === true) return page
            return { ...page, items: page.items.map(({ state: _state, ...session }) => session) }
          },
        },
      }),
  },
  {
    id: 'M353',
    bug: 'pages that were answered are kept',
    check: 'PRF-08',
    wrap: (store, { memory }) =>
      wrapStore(store, {
        events: {
          list: async (key, query) => {
            const page = await store.events.list(key, query)
            remembered(memory, 'pages', (): Page<StoredEvent>[] => []).push(page)
            return page
          },
        },
      }),
  },
]
