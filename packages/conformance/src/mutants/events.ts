import { StoreError, type AgentEvent, type AppendResult } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { listOf, remembered } from './answers.ts'

const pretend = (events: readonly AgentEvent[], lastSeq: number, revision: number): AppendResult => ({
  events: events.map(({ id = 'none' }, i) => ({ id, seq: lastSeq + i + 1, duplicate: false })),
  revision,
})

export const eventMutants: readonly Mutant[] = [
  {
    id: 'M01',
    bug: 'every seventh acknowledged append is dropped',
    check: 'EVT-03',
    canary: true,
    wrap: (store, { memory }) => {
      const count = remembered(memory, 'appends', () => ({ made: 0 }))
      return wrapStore(store, {
        events: {
          append: async (key, events, options) => {
            count.made += 1
            const session = await store.sessions.get(key)
            if (count.made % 7 !== 0 || session === undefined) return store.events.append(key, events, options)
            return pretend(listOf(events), session.lastSeq, session.revision + 1)
          },
        },
      })
    },
  },
  {
    id: 'M02',
    bug: 'a repeated append is stored again',
    check: 'EVT-06',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: async (key, events, options) => {
            const answer = await store.events.append(key, events, options)
            for (const [i, one] of answer.events.entries()) {
              if (one.duplicate)
                await store.events.append(key, { ...listOf(events)[i], id: `${one.id}-${answer.revision}` })
            }
            return answer
          },
        },
      }),
  },
  {
    id: 'M25',
    bug: 'state is written before the event, in a transaction of its own',
    check: 'TXN-01',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: async (key, events, options) => {
            const delta = Object.assign(
              {},
              ...listOf(events).map(({ actions }) => actions?.stateDelta ?? {}),
            ) as Record<string, unknown> // deltas are records
            await store.sessions.update(key, { set: delta }).catch(() => {}) // the append below says what is wrong
            return store.events.append(key, events, options)
          },
        },
      }),
  },
  {
    id: 'M28',
    bug: 'an error is swallowed',
    check: 'ERR-02',
    canary: true,
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: (key, events, options) =>
            store.events.append(key, events, options).catch(() => pretend(listOf(events), 0, 1)),
        },
      }),
  },
  {
    id: 'M29',
    bug: 'a conflict has the wrong code',
    check: 'ERR-01',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: (key, events, options) =>
            store.events.append(key, events, options).catch((error: unknown) => {
              throw error instanceof StoreError && error.code === 'conflict'
                ? new StoreError('internal', error.message, { cause: error })
                : error
            }),
        },
      }),
  },
  {
    id: 'M53',
    bug: 'a replaced event gets a new seq',
    check: 'EVT-07',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: async (key, events, options) => {
            const answer = await store.events.append(key, events, options)
            if (options?.onDuplicate !== 'replace') return answer
            const { lastSeq = 0 } = (await store.sessions.get(key)) ?? {}
            return { ...answer, events: answer.events.map((one, i) => ({ ...one, seq: lastSeq + i + 1 })) }
          },
        },
      }),
  },
  {
    id: 'M54',
    bug: 'a tail skips an event',
    check: 'EVT-15',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          async *tail(key, options) {
            for await (const stored of store.events.tail(key, options)) if (stored.seq !== 5) yield stored
          },
        },
      }),
  },
  {
    id: 'M160',
    bug: 'deltas that are only to be recorded are applied',
    check: 'EVT-18',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: (key, events, options) => store.events.append(key, events, { ...options, deltas: 'apply' }),
        },
      }),
  },
  {
    id: 'M161',
    bug: 'a session that began elsewhere is taken for a new one',
    check: 'SES-18',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          create: ({ appName, userId, sessionId, state }, options) =>
            store.sessions.create(
              { appName, userId, ...(sessionId && { sessionId }), ...(state && { state }) },
              options,
            ),
        },
      }),
  },
]
