import {
  isStoreError,
  type AgentEvent,
  type AppendResult,
  type LoadedSession,
  type SessionKey,
  type Store,
} from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { listOf, nameOf, remembered } from './answers.ts'

const isCode = (error: unknown, code: string) => isStoreError(error) && error.code === code

const appendBug = 'an append reads the revision, then writes at it, and takes a conflict for success'

const appendAtReadRevision = (store: Store): Store =>
  wrapStore(store, {
    events: {
      append: async (key, events, options) => {
        const session = await store.sessions.get(key)
        if (session === undefined || options?.expectedRevision !== undefined)
          return store.events.append(key, events, options)
        try {
          return await store.events.append(key, events, { ...options, expectedRevision: session.revision })
        } catch (error) {
          if (!isCode(error, 'conflict')) throw error
          return {
            events: listOf(events).map(({ id = '' }, i) => ({ id, seq: session.lastSeq + i + 1, duplicate: false })),
            revision: session.revision + 1,
          }
        }
      },
    },
  })

/** The events go to the store one append after the other, after they were acknowledged. */
export function appendLater(store: Store): Store {
  let writing = Promise.resolve()
  const counts = new Map<string, number>()
  return wrapStore(store, {
    events: {
      append: async (key, events, options) => {
        const session = await store.sessions.get(key)
        if (session === undefined) return store.events.append(key, events, options)
        const lastSeq = counts.get(nameOf(key)) ?? session.lastSeq
        const list = structuredClone([...listOf(events)])
        counts.set(nameOf(key), lastSeq + list.length)
        const before = writing
        const write = async () => {
          await before
          await new Promise((resolve) => setTimeout(resolve, 20))
          await store.events.append(key, list, options)
        }
        writing = write()
        writing.catch(() => {}) // the bug: nobody listens
        return {
          events: list.map(({ id = '' }, i) => ({ id, seq: lastSeq + i + 1, duplicate: false })),
          revision: session.revision + 1,
        }
      },
    },
  })
}

/** Something else than to give up, when an append finds a lock. */
const whenLocked = (store: Store, instead: (error: unknown, events: readonly AgentEvent[]) => AppendResult): Store =>
  wrapStore(store, {
    events: {
      append: (key, events, options) =>
        store.events.append(key, events, options).catch((error: unknown) => {
          if (['busy', 'timeout', 'outcome_unknown'].some((code) => isCode(error, code)))
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
  { id: 'M22', bug: appendBug, check: 'CON-01', canary: true, isRace: true, wrap: appendAtReadRevision },
  {
    id: 'M22@process',
    bug: appendBug,
    check: 'CON-01@process',
    canary: true,
    isRace: true,
    inWorkers: true,
    wrap: appendAtReadRevision,
  },
  {
    id: 'M23',
    bug: 'expectedRevision is compared in a read before the write',
    check: 'CON-04',
    canary: true,
    isRace: true,
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: async (key, events, options) => {
            if (options?.expectedRevision === undefined) return store.events.append(key, events, options)
            const { expectedRevision, ...rest } = options
            const session = await store.sessions.get(key)
            return store.events.append(key, events, session?.revision === expectedRevision ? rest : options)
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
    id: 'M27',
    bug: 'a batch is written event by event, so half of it can be read',
    check: 'TXN-04',
    isRace: true,
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: async (key, events, options) => {
            const none: AgentEvent[] = []
            let answer = await store.events.append(key, none, options)
            const answers = []
            for (const event of listOf(events)) {
              answer = await store.events.append(key, event, options)
              answers.push(...answer.events)
            }
            return { ...answer, events: answers }
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
    id: 'M59',
    bug: 'an append is acknowledged before it is written',
    check: 'FLT-08',
    inWorkers: true,
    wrap: appendLater,
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
  { id: 'M340', bug: appendBug, check: 'CON-14', isRace: true, wrap: appendAtReadRevision },
  { id: 'M341', bug: appendBug, check: 'CON-14@process', isRace: true, inWorkers: true, wrap: appendAtReadRevision },
  {
    id: 'M342',
    bug: 'whether an event is known is looked up before the append',
    check: 'CON-11',
    isRace: true,
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: async (key, events, options) => {
            const known = await Promise.all(
              listOf(events).map(async ({ id }) => id !== undefined && (await store.events.get(key, id)) !== undefined),
            )
            const answer = await store.events.append(key, events, options)
            return { ...answer, events: answer.events.map((one, i) => ({ ...one, duplicate: known[i] === true })) }
          },
        },
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
