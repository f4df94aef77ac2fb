import type { AgentEvent, CallOptions, LoadedSession, SessionKey } from '@daybook/core'
import type { CallerTransaction } from '../define.ts'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { listOf, mapEvents, nameOf, remembered } from './answers.ts'

const withoutSignal = <O extends CallOptions>(options: O | undefined): O | undefined => {
  if (options === undefined) return undefined
  const { signal: _signal, ...rest } = options
  return rest as O // the same options, one of them left out
}

/** Events that a joined store appended, written again after the rollback. */
function keptAfterRollback(real: CallerTransaction): CallerTransaction {
  return {
    rows: () => real.rows(),
    async run(store, body) {
      const appended: { key: SessionKey; event: AgentEvent }[] = []
      try {
        return await real.run(store, (joined, own) =>
          body(
            wrapStore(joined, {
              events: {
                append: (key, events, options) => {
                  appended.push(...listOf(events).map((event) => ({ key, event })))
                  return joined.events.append(key, events, options)
                },
              },
            }),
            own,
          ),
        )
      } catch (error) {
        for (const { key, event } of appended) await store.events.append(key, event)
        throw error
      }
    },
  }
}

export const resourceMutants: readonly Mutant[] = [
  {
    id: 'M26',
    bug: 'a rollback keeps the event',
    check: 'TXN-02',
    wrap: (store) => store,
    transaction: keptAfterRollback,
  },
  {
    id: 'M40',
    bug: 'an answer is shared and mutable',
    check: 'RES-09',
    wrap: (store) => {
      const shared = new Map<string, LoadedSession>()
      return wrapStore(store, {
        sessions: {
          get: async (key, options) => {
            const fresh = await store.sessions.get(key, options)
            if (fresh === undefined) return undefined
            const name = `${nameOf(key)} ${fresh.revision}`
            if (!shared.has(name)) shared.set(name, fresh)
            return shared.get(name)
          },
        },
      })
    },
  },
  {
    id: 'M41',
    bug: 'an argument is kept by reference',
    check: 'RES-10',
    wrap: (store, { memory }) => {
      const kept = remembered(memory, 'kept', () => new Map<string, AgentEvent>())
      const inner = mapEvents(store, (event, key) => {
        const given = kept.get(`${nameOf(key)} ${event.id}`)
        return given === undefined ? event : { ...event, content: given.content }
      })
      return wrapStore(inner, {
        events: {
          append: (key, events, options) => {
            for (const event of listOf(events))
              if (event.id !== undefined) kept.set(`${nameOf(key)} ${event.id}`, event)
            return store.events.append(key, events, options)
          },
        },
      })
    },
  },
  {
    id: 'M47',
    bug: 'a call after close hangs',
    check: 'RES-02',
    wrap: (store) => {
      let isClosed = false
      return wrapStore(store, {
        sessions: { get: (key, options) => (isClosed ? new Promise(() => {}) : store.sessions.get(key, options)) },
        close: () => {
          isClosed = true
          return store.close()
        },
      })
    },
  },
  {
    id: 'M48',
    bug: 'an absent area is a silent no-op',
    check: 'META-03@memories',
    without: 'memories',
    canary: true,
    wrap: (store) => wrapStore(store, { memories: { add: () => Promise.resolve(undefined as never) } }), // the bug: it answers nothing
  },
  {
    id: 'M360',
    bug: 'an absent area is a silent no-op',
    check: 'META-03@artifacts',
    without: 'artifacts',
    wrap: (store) => wrapStore(store, { artifacts: { save: () => Promise.resolve(undefined as never) } }), // the bug: it answers nothing
  },
  {
    id: 'M361',
    bug: 'an absent area finds nothing',
    check: 'META-03@metrics',
    without: 'metrics',
    wrap: (store) => wrapStore(store, { metrics: { query: () => Promise.resolve(undefined as never) } }), // the bug: it answers nothing
  },
  {
    id: 'M55',
    bug: 'updatedAt is the clock of the last writer, also when it ran back',
    check: 'TIM-07',
    wrap: (store, _shared, { now = Date.now }) =>
      wrapStore(store, {
        sessions: {
          update: async (key, change, options) => {
            const updatedAt = now()
            return { ...(await store.sessions.update(key, change, options)), updatedAt }
          },
        },
      }),
  },
  {
    id: 'M56',
    bug: 'signal is ignored',
    check: 'RES-07',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          create: (session, options) => store.sessions.create(session, withoutSignal(options)),
          update: (key, change, options) => store.sessions.update(key, change, withoutSignal(options)),
        },
        events: { append: (key, events, options) => store.events.append(key, events, withoutSignal(options)) },
      }),
  },
]
