import type { AgentEvent, Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { listOf, nameOf, remembered } from './answers.ts'
import { mapLoaded } from './sessions.ts'

type State = Record<string, unknown>

const isRecord = (value: unknown): value is State =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const pick = (state: State, keep: (name: string) => boolean): State =>
  Object.fromEntries(Object.entries(state).filter(([name]) => keep(name)))

const isOwn = (name: string) => !/^(?:user|app):/.test(name)

const deltasOf = (events: readonly AgentEvent[]): State =>
  Object.assign({}, ...events.map(({ actions }) => actions?.stateDelta ?? {})) as State // deltas are records

/** App state of a delta is read, changed and written by itself, before the append. */
const appStateByHand = (store: Store): Store =>
  wrapStore(store, {
    events: {
      append: async (key, events, options) => {
        const delta = deltasOf(listOf(events))
        const set = Object.fromEntries(
          Object.entries(delta).flatMap(([name, value]) => (name.startsWith('app:') ? [[name.slice(4), value]] : [])),
        )
        if (Object.keys(set).length === 0) return store.events.append(key, events, options)
        const { appName } = key
        const { state = {} } = (await store.state.get({ appName })) ?? {}
        await store.state.update({ appName }, { replace: { ...state, ...set } })
        const rest = listOf(events).map((event) => ({
          ...event,
          actions: {
            ...event.actions,
            stateDelta: pick(event.actions?.stateDelta ?? {}, (name) => !name.startsWith('app:')),
          },
        }))
        return store.events.append(key, rest, options)
      },
    },
  })

/** State of sessions, users and apps, gone wrong. */
export const scopeMutants: readonly Mutant[] = [
  {
    id: 'M250',
    bug: 'a new session shows the state that it was given, and no other',
    check: 'STA-01',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          create: async (session, options) => ({
            ...(await store.sessions.create(session, options)),
            state: { ...session.state },
          }),
        },
      }),
  },
  {
    id: 'M251',
    bug: 'user state is shown to the session that wrote it',
    check: 'STA-02',
    wrap: (store, { memory }) => {
      const writers = remembered(memory, 'writers', () => new Set<string>())
      const inner = mapLoaded(store, (session, key) => ({
        ...session,
        state: pick(session.state, (name) => !name.startsWith('user:') || writers.has(nameOf(key))),
      }))
      return wrapStore(inner, {
        events: {
          append: (key, events, options) => {
            writers.add(nameOf(key))
            return store.events.append(key, events, options)
          },
        },
      })
    },
  },
  {
    id: 'M252',
    bug: 'the sessions of a user have one state',
    check: 'STA-03',
    wrap: (store, { memory }) => {
      const shared = remembered(memory, 'states of users', () => new Map<string, State>())
      const inner = mapLoaded(store, (session, { userId }) => ({
        ...session,
        state: { ...session.state, ...shared.get(userId) },
      }))
      return wrapStore(inner, {
        events: {
          append: (key, events, options) => {
            shared.set(key.userId, { ...shared.get(key.userId), ...deltasOf(listOf(events)) })
            return store.events.append(key, events, options)
          },
        },
      })
    },
  },
  {
    id: 'M253',
    bug: 'a list with states shows the sessions’ own ones alone',
    check: 'STA-05',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          list: async (query) => {
            const page = await store.sessions.list(query)
            const items = page.items.map(({ state, ...session }) =>
              state === undefined ? session : { ...session, state: pick(state, isOwn) },
            )
            return { ...page, items }
          },
        },
      }),
  },
  {
    id: 'M254',
    bug: 'a nested value is merged',
    check: 'STA-09',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          append: async (key, events, options) => {
            const { state = {} } = (await store.sessions.get(key)) ?? {}
            const merged = ([name, value]: readonly [string, unknown]) => {
              const before = state[name]
              return [name, isRecord(before) && isRecord(value) ? { ...before, ...value } : value] as const
            }
            const list = listOf(events).map((event) => {
              const { stateDelta } = event.actions ?? {}
              if (stateDelta === undefined) return event
              const delta = Object.fromEntries(Object.entries(stateDelta).map(merged))
              return { ...event, actions: { ...event.actions, stateDelta: delta } }
            })
            return store.events.append(key, list, options)
          },
        },
      }),
  },
  {
    id: 'M255',
    bug: 'an update that changes nothing writes all the same',
    check: 'STA-10',
    wrap: (store) =>
      wrapStore(store, {
        state: {
          update: async (key, change, options) => {
            const isEmpty = !('replace' in change) && Object.keys(change.set ?? {}).length === 0
            const before = isEmpty ? await store.state.get(key) : undefined
            return store.state.update(key, before === undefined ? change : { replace: before.state }, options)
          },
        },
      }),
  },
  {
    id: 'M256',
    bug: 'keys are cut at 191 characters',
    check: 'STA-11',
    wrap: (store) =>
      mapLoaded(store, (session) => ({
        ...session,
        state: Object.fromEntries(Object.entries(session.state).map(([name, value]) => [name.slice(0, 191), value])),
      })),
  },
  {
    id: 'M257',
    bug: 'state that is not there has no revision to compare',
    check: 'STA-12',
    wrap: (store) =>
      wrapStore(store, {
        state: {
          update: async (key, change, { expectedRevision, ...options } = {}) => {
            const isThere = expectedRevision !== undefined && (await store.state.get(key)) !== undefined
            return store.state.update(key, change, { ...options, ...(isThere && { expectedRevision }) })
          },
        },
      }),
  },
  {
    id: 'M258',
    bug: 'an update of three scopes is three of one',
    check: 'STA-13',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          update: async (key, change, options) => {
            const { set } = 'replace' in change ? { set: undefined } : change
            if (set === undefined) return store.sessions.update(key, change, options)
            for (const prefix of ['user:', 'app:']) {
              const part = pick(set, (name) => name.startsWith(prefix))
              if (Object.keys(part).length > 0) await store.sessions.update(key, { set: part }, options)
            }
            return store.sessions.update(key, { ...change, set: pick(set, isOwn) }, options)
          },
        },
      }),
  },
  {
    id: 'M259',
    bug: 'user state that an event sets is not what state.get answers',
    check: 'STA-14',
    wrap: (store) =>
      wrapStore(store, {
        state: {
          get: async (key, options) => {
            const scope = await store.state.get(key, options)
            return scope && { ...scope, state: pick(scope.state, (name) => scope.state[name] !== null) }
          },
        },
      }),
  },
  {
    id: 'M260',
    bug: 'app state of an event is read, changed and written',
    check: 'CON-10',
    isRace: true,
    wrap: appStateByHand,
  },
]
