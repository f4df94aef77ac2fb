import type { SessionKey, Store } from '@daybook/core'
import type { Mutant, Shared } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { mapKeys, nameOf, remembered } from './answers.ts'

const mapSessionId = (store: Store, map: (id: string) => string): Store =>
  mapKeys(store, (key) => (key.sessionId === undefined ? key : { ...key, sessionId: map(key.sessionId) }))

/** Keys of all sessions that were created in this place. */
const known = ({ memory }: Shared) => remembered(memory, 'keys', () => new Map<string, SessionKey>())

const remembering = (store: Store, shared: Shared): Store =>
  wrapStore(store, {
    sessions: {
      create: async (session, options) => {
        const created = await store.sessions.create(session, options)
        const { appName, userId, sessionId } = created
        known(shared).set(nameOf(created), { appName, userId, sessionId })
        return created
      },
    },
  })

/** Another tenant's session of the same id. */
const namesake = (shared: Shared, { sessionId }: SessionKey) =>
  [...known(shared).values()].find((key) => key.sessionId === sessionId)

const likePattern = (id: string) =>
  new RegExp(
    `^${[...id].map((char) => (char === '%' ? '.*' : char === '_' ? '.' : char.replace(/[^\w\s]/, '\\$&'))).join('')}$`,
    'u',
  )

export const idMutants: readonly Mutant[] = [
  {
    id: 'M09',
    bug: 'ids are folded to lower case',
    check: 'UNI-07',
    canary: true,
    wrap: (store) => mapSessionId(store, (id) => id.toLowerCase()),
  },
  { id: 'M10', bug: 'ids are trimmed', check: 'UNI-08', wrap: (store) => mapSessionId(store, (id) => id.trim() || id) },
  {
    id: 'M11',
    bug: 'ids are compared with LIKE',
    check: 'SEC-03',
    wrap: (real, shared) => {
      const store = remembering(real, shared)
      return wrapStore(store, {
        sessions: {
          get: async (key, options) => {
            const pattern = likePattern(key.sessionId)
            const found = [...known(shared).values()].find(
              (one) => one.appName === key.appName && one.userId === key.userId && pattern.test(one.sessionId),
            )
            return store.sessions.get(found ?? key, options)
          },
        },
      })
    },
  },
  {
    id: 'M12',
    bug: 'delete takes everything that begins with the id',
    check: 'SES-08',
    canary: true,
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          delete: async (key, options) => {
            const { items } = await store.sessions.list({ appName: key.appName, userId: key.userId })
            for (const one of items)
              if (one.sessionId.startsWith(key.sessionId) && one.sessionId !== key.sessionId)
                await store.sessions.delete(one)
            return store.sessions.delete(key, options)
          },
        },
      }),
  },
  {
    id: 'M13',
    bug: 'delete leaves the events',
    check: 'SES-07',
    wrap: (store, { memory }) => {
      const left = remembered(
        memory,
        'left events',
        () => new Map<string, Awaited<ReturnType<typeof store.events.list>>>(),
      )
      return wrapStore(store, {
        sessions: {
          delete: async (key, options) => {
            left.set(nameOf(key), await store.events.list(key))
            return store.sessions.delete(key, options)
          },
        },
        events: {
          list: async (key, query) => {
            const page = await store.events.list(key, query)
            return page.items.length === 0 ? (left.get(nameOf(key)) ?? page) : page
          },
        },
      })
    },
  },
  {
    id: 'M14',
    bug: 'a session created anew gets its old events back',
    check: 'SES-09',
    wrap: (store, { memory }) => {
      const buried = remembered(
        memory,
        'buried',
        () => new Map<string, Awaited<ReturnType<typeof store.events.list>>['items']>(),
      )
      return wrapStore(store, {
        sessions: {
          delete: async (key, options) => {
            buried.set(nameOf(key), (await store.events.list(key)).items)
            return store.sessions.delete(key, options)
          },
          create: async (session, options) => {
            const created = await store.sessions.create(session, options)
            for (const { event } of buried.get(nameOf(created)) ?? []) await store.events.append(created, event)
            return created
          },
        },
      })
    },
  },
  {
    id: 'M15',
    bug: 'reads look at the session id alone',
    check: 'SEC-06',
    canary: true,
    wrap: (real, shared) => {
      const store = remembering(real, shared)
      return wrapStore(store, {
        sessions: { get: (key, options) => store.sessions.get(namesake(shared, key) ?? key, options) },
      })
    },
  },
  {
    id: 'M16',
    bug: 'delete looks at the session id alone',
    check: 'SEC-07',
    wrap: (real, shared) => {
      const store = remembering(real, shared)
      return wrapStore(store, {
        sessions: { delete: (key, options) => store.sessions.delete(namesake(shared, key) ?? key, options) },
      })
    },
  },
]
