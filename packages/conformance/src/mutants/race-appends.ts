import type { AgentEvent, Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { isCode, listOf, nameOf } from './answers.ts'

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

/** Races of appends, as {@link ./races.ts} has them of everything else. */
export const raceAppendMutants: readonly Mutant[] = [
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
    id: 'M59',
    bug: 'an append is acknowledged before it is written',
    check: 'FLT-08',
    inWorkers: true,
    wrap: appendLater,
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
]
