import type { AgentEvent, AppendResult, LoadedSession, SessionKey, Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { isCode, listOf, nameOf, remembered } from './answers.ts'

/** Something else than to give up, when an append finds a lock. */
const whenLocked = (store: Store, instead: (error: unknown, events: readonly AgentEvent[]) => AppendResult): Store =>
  wrapStore(store, {
    events: {
      append: (key, events, options) =>
        store.events.append(key, events, options).catch((error: unknown) => {
          if ((['busy', 'timeout', 'outcome_unknown'] as const).some((code) => isCode(error, code)))
            return instead(error, listOf(events))
          throw error
        }),
    },
  })

// Each turns one call into a read, then a write, through the store's own opens: to find it takes the interleaving that a
// real bug takes, and without a race it is right.
export const raceMutants: readonly Mutant[] = [
  {
    id: 'M21',
    bug: 'a state update is read, changed and written',
    check: 'CON-03',
    canary: true,
    isRace: true,
    wrap: (store) =>
      wrapStore(store, {
        state: {
          update: async (key, change, options) => {
            if ('replace' in change || options?.expectedRevision !== undefined)
              return store.state.update(key, change, options)
            const { state = {} } = (await store.state.get(key)) ?? {}
            const gone = new Set(change.unset)
            const kept = Object.fromEntries(Object.entries(state).filter(([name]) => !gone.has(name)))
            return store.state.update(key, { replace: { ...kept, ...change.set } }, options)
          },
        },
      }),
  },
  {
    id: 'M24',
    bug: 'create looks first, and takes what came meanwhile for its own',
    check: 'CON-05',
    canary: true,
    isRace: true,
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          create: async (session, options) => {
            const { sessionId } = session
            if (sessionId === undefined || (await store.sessions.get({ ...session, sessionId })) !== undefined)
              return store.sessions.create(session, options)
            try {
              return await store.sessions.create(session, options)
            } catch (error) {
              const there = isCode(error, 'already_exists')
                ? await store.sessions.get({ ...session, sessionId })
                : undefined
              if (there === undefined) throw error
              const { events: _events, ...own } = there
              return own
            }
          },
        },
      }),
  },
  {
    id: 'M49',
    bug: 'a read is answered from a cache that only the own writes clear',
    check: 'CON-08',
    canary: true,
    isRace: true,
    wrap: (store) => {
      // One cache for each open: that is the bug.
      const cache = new Map<string, LoadedSession>()
      return wrapStore(store, {
        sessions: {
          get: async (key, options) => {
            const name = `${nameOf(key)} ${JSON.stringify(options ?? {})}`
            const session = cache.get(name) ?? (await store.sessions.get(key, options))
            if (session !== undefined) cache.set(name, session)
            return structuredClone(session)
          },
        },
        events: {
          append: async (key, events, options) => {
            const answer = await store.events.append(key, events, options)
            cache.clear()
            return answer
          },
        },
      })
    },
  },
  {
    id: 'M57',
    bug: 'a writer that finds a lock stops the event loop while it waits',
    check: 'CON-15',
    wrap: (store) =>
      whenLocked(store, (error) => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500)
        throw error
      }),
  },
  {
    id: 'M58',
    bug: 'a writer that finds a lock takes its event for stored',
    check: 'CON-15',
    wrap: (store) =>
      whenLocked(store, (_error, events) => ({
        events: events.map(({ id = '' }, i) => ({ id, seq: i + 1, duplicate: false })),
        revision: 1,
      })),
  },
  {
    id: 'M67',
    bug: 'a writer that finds a lock gives up at once',
    check: 'CON-15@short',
    wrap: (store) =>
      wrapStore(store, {
        events: { append: (key, events, options) => store.events.append(key, events, { ...options, timeout: 100 }) },
      }),
  },
  {
    id: 'M115',
    bug: 'a change of state is acknowledged before it is made',
    check: 'CON-14@register',
    wrap: (store) =>
      wrapStore(store, {
        state: {
          update: async (key, change, options) => {
            const made = new Promise((resolve) => setTimeout(resolve, 30)).then(() =>
              store.state.update(key, change, options),
            )
            made.catch(() => {}) // nobody waits for it: that is the bug
            return { state: {}, revision: 0, updatedAt: 0 } // the bug: what it will be nobody knows
          },
        },
      }),
  },
  {
    id: 'M386',
    bug: 'a reader looks for the newest event once more, after the others',
    check: 'CON-07',
    fact: 'concurrentWriters',
    isRace: true,
    wrap: (store) =>
      wrapStore(store, {
        events: {
          list: async (key, query) => {
            const page = await store.events.list(key, query)
            await new Promise((resolve) => setTimeout(resolve, 5))
            const { items } = await store.events.list(key, { last: 1 })
            const newer = items.filter(({ seq }) => seq > (page.items.at(-1)?.seq ?? 0))
            return { ...page, items: [...page.items, ...newer] }
          },
        },
      }),
  },
  {
    id: 'M387',
    bug: 'each session waits for the others of its app',
    check: 'CON-09',
    wrap: (store, { memory }) => {
      const made = remembered(memory, 'sessions', (): SessionKey[] => [])
      return wrapStore(store, {
        sessions: {
          create: async (session, options) => {
            const created = await store.sessions.create(session, options)
            made.push({ appName: created.appName, userId: created.userId, sessionId: created.sessionId })
            return created
          },
        },
        events: {
          append: async (key, events, options) => {
            const isOther = ({ appName, sessionId }: SessionKey) =>
              appName === key.appName && sessionId !== key.sessionId
            for (const other of made.filter(isOther))
              await store.sessions.update(other, { set: { waited: true } }, { timeout: 6_000 }).catch(() => {}) // the bug is the wait
            return store.events.append(key, events, options)
          },
        },
      })
    },
  },
  {
    id: 'M388',
    bug: 'who deletes a session is always told that it was there',
    check: 'CON-12',
    inWorkers: true,
    wrap: (store) =>
      wrapStore(store, {
        sessions: { delete: async (key, options) => (await store.sessions.delete(key, options)) || true },
      }),
  },
  {
    id: 'M343',
    bug: 'whether a session is there is looked up before it is deleted',
    check: 'CON-13',
    isRace: true,
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          delete: async (key, options) => {
            const session = await store.sessions.get(key)
            await store.sessions.delete(key, options)
            return session !== undefined
          },
        },
      }),
  },
  {
    id: 'M344',
    bug: 'a session is read, and its events after it',
    check: 'CON-16',
    isRace: true,
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          get: async (key, options) => {
            const session = await store.sessions.get(key, { ...options, events: { last: 0 } })
            for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate) // a store may write once a turn
            return session && { ...session, events: (await store.events.list(key)).items }
          },
        },
      }),
  },
]
