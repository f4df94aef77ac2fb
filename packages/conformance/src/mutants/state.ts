import type { AgentEvent, StateChange, Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { listOf, mapEvents, nameOf, remembered } from './answers.ts'

/** Every change of state, by whichever method, mapped before it is made. */
function mapChanges(
  store: Store,
  map: (change: { set: Record<string, unknown>; unset: string[] }) => { set: Record<string, unknown>; unset: string[] },
): Store {
  const ofChange = (change: StateChange): StateChange =>
    'replace' in change ? change : map({ set: { ...change.set }, unset: [...(change.unset ?? [])] })
  const ofEvent = (event: AgentEvent): AgentEvent => {
    if (event.actions?.stateDelta === undefined && event.actions?.stateUnset === undefined) return event
    const { set, unset } = map({ set: { ...event.actions.stateDelta }, unset: [...(event.actions.stateUnset ?? [])] })
    return { ...event, actions: { ...event.actions, stateDelta: set, stateUnset: unset } }
  }
  return wrapStore(store, {
    sessions: { update: (key, change, options) => store.sessions.update(key, ofChange(change), options) },
    events: { append: (key, events, options) => store.events.append(key, listOf(events).map(ofEvent), options) },
    state: { update: (key, change, options) => store.state.update(key, ofChange(change), options) },
  })
}

const isNull = ([, value]: readonly [string, unknown]) => value === null

export const stateMutants: readonly Mutant[] = [
  {
    id: 'M17',
    bug: 'user state ignores the app',
    check: 'STA-04',
    wrap: (store, { memory }) => {
      const apps = remembered(memory, 'app of the user', () => new Map<string, string>())
      const first = (userId: string, appName: string) => {
        if (!apps.has(userId)) apps.set(userId, appName)
        return apps.get(userId) ?? appName
      }
      return wrapStore(store, {
        sessions: {
          create: (session, options) => {
            first(session.userId, session.appName)
            return store.sessions.create(session, options)
          },
        },
        state: {
          get: (key, options) =>
            store.state.get(
              key.userId === undefined ? key : { userId: key.userId, appName: first(key.userId, key.appName) },
              options,
            ),
        },
      })
    },
  },
  {
    id: 'M18',
    bug: 'temp: keys are stored in the event',
    check: 'STA-06',
    wrap: (store, { memory }) => {
      const kept = remembered(memory, 'temp', () => new Map<string, AgentEvent['actions']>())
      const inner = mapEvents(store, (event, key) => {
        const actions = kept.get(`${nameOf(key)} ${event.id}`)
        return actions === undefined ? event : { ...event, actions }
      })
      return wrapStore(inner, {
        events: {
          append: (key, events, options) => {
            for (const event of listOf(events))
              if (event.actions?.stateDelta !== undefined)
                kept.set(`${nameOf(key)} ${event.id ?? ''}`, structuredClone(event.actions))
            return store.events.append(key, events, options)
          },
        },
      })
    },
  },
  {
    id: 'M19',
    bug: 'a delta replaces the whole state',
    check: 'STA-07',
    canary: true,
    wrap: (store) =>
      wrapStore(store, {
        state: {
          update: (key, change, options) =>
            store.state.update(key, 'replace' in change ? change : { replace: { ...change.set } }, options),
        },
      }),
  },
  {
    id: 'M20',
    bug: 'null is taken as delete',
    check: 'STA-08',
    wrap: (store) =>
      mapChanges(store, ({ set, unset }) => ({
        set: Object.fromEntries(Object.entries(set).filter((entry) => !isNull(entry))),
        unset: [
          ...unset,
          ...Object.entries(set)
            .filter(isNull)
            .map(([key]) => key),
        ],
      })),
  },
  {
    id: 'M51',
    bug: 'the revision of app and user state is not bumped',
    check: 'STA-15',
    wrap: (store) =>
      wrapStore(store, {
        state: {
          get: async (key, options) => {
            const scope = await store.state.get(key, options)
            return scope && { ...scope, revision: 1 }
          },
          update: async (key, change, options) => ({
            ...(await store.state.update(key, change, options)),
            revision: 1,
          }),
        },
      }),
  },
  {
    id: 'M52',
    bug: 'unset is ignored',
    check: 'STA-08',
    wrap: (store) => mapChanges(store, ({ set }) => ({ set, unset: [] })),
  },
]
