import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { listOf, mapEvents, remembered } from './answers.ts'

/** Bugs that show in what agents do from end to end. */
export const realWorldMutants: readonly Mutant[] = [
  {
    id: 'M110',
    bug: 'a flag that is false is not kept',
    check: 'RWD-01',
    wrap: (store) =>
      mapEvents(store, (event) => {
        const { partial, ...rest } = event
        return partial === false ? rest : event
      }),
  },
  {
    id: 'M111',
    bug: 'a branch is matched by its beginning',
    check: 'RWD-02',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          list: async (key, { branch, ...query } = {}) => {
            if (branch === undefined) return store.events.list(key, query)
            const page = await store.events.list(key, { ...query, limit: store.limits.pageMax })
            return { ...page, items: page.items.filter(({ event }) => event.branch?.startsWith(branch)) }
          },
        },
      }),
  },
  {
    id: 'M112',
    bug: 'the newest events are looked for on the first page',
    check: 'RWD-03',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          get: async (key, options) => {
            const session = await store.sessions.get(key, options)
            const filter = options?.events
            if (session === undefined || typeof filter !== 'object' || filter.last === undefined) return session
            const { items } = await store.events.list(key, { limit: store.limits.pageMax })
            return { ...session, events: items.slice(-filter.last) }
          },
        },
      }),
  },
  {
    id: 'M113',
    bug: 'an id that another process appended is not known',
    check: 'RWD-04',
    wrap: (store, { memory }) => {
      const own = remembered(memory, 'own', () => new Set<string>())
      return wrapStore(store, {
        events: {
          append: async (key, events, options) => {
            const answer = await store.events.append(key, events, options)
            for (const [i, { id, duplicate }] of answer.events.entries()) {
              if (duplicate && !own.has(id)) await store.events.append(key, { ...listOf(events)[i], id: `${id} again` })
              own.add(id)
            }
            return answer
          },
        },
      })
    },
  },
  {
    id: 'M114',
    bug: 'erase goes by the user and forgets the app',
    check: 'RWD-05',
    wrap: (store, { memory }) => {
      const apps = remembered(memory, 'apps', () => new Set<string>())
      return wrapStore(store, {
        sessions: {
          create: (session, options) => {
            apps.add(session.appName)
            return store.sessions.create(session, options)
          },
        },
        erase: async ({ appName, userId }, options) => {
          for (const other of apps) if (other !== appName) await store.erase({ appName: other, userId })
          return store.erase({ appName, userId }, options)
        },
      })
    },
  },
]
