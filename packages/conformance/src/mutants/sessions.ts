import { type LoadedSession, type Session, type SessionKey, type Store } from '@daybook/core'
import { randomUUID } from 'node:crypto'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { isCode, mapKeys, nameOf, remembered } from './answers.ts'

type State = Record<string, unknown>

/** The store with every session spoilt that `get` answers. */
export const mapLoaded = (
  store: Store,
  map: (session: LoadedSession, key: SessionKey) => LoadedSession | Promise<LoadedSession>,
): Store =>
  wrapStore(store, {
    sessions: {
      get: async (key, options) => {
        const session = await store.sessions.get(key, options)
        return session && map(session, key)
      },
    },
  })

const mapCreated = (store: Store, map: (session: Session) => Session): Store =>
  wrapStore(store, {
    sessions: { create: async (session, options) => map(await store.sessions.create(session, options)) },
  })

const withSessionId = (store: Store, map: (id: string) => string): Store =>
  mapKeys(store, (key) => (key.sessionId === undefined ? key : { ...key, sessionId: map(key.sessionId) }))

const owned = (state: State): State =>
  Object.fromEntries(Object.entries(state).filter(([name]) => !/^(?:user|app):/.test(name)))

const alwaysDeleted = (store: Store): Store =>
  wrapStore(store, {
    sessions: {
      delete: async (key, options) => {
        await store.sessions.delete(key, options)
        return true
      },
    },
  })

/** What a session does from its creation to its end, gone wrong. */
export const sessionMutants: readonly Mutant[] = [
  {
    id: 'M200',
    bug: 'a new session begins at revision 0',
    check: 'SES-01',
    wrap: (store) => mapCreated(store, (session) => ({ ...session, revision: 0 })),
  },
  {
    id: 'M201',
    bug: 'a default id is a UUID without a time',
    check: 'SES-02',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          create: (session, options) => store.sessions.create({ sessionId: randomUUID(), ...session }, options),
        },
      }),
  },
  {
    id: 'M202',
    bug: 'ids are kept as they are written in a URL',
    check: 'SES-03',
    wrap: (store) => withSessionId(store, (id) => encodeURIComponent(id)),
  },
  {
    id: 'M203',
    bug: 'a create that is refused has set the state of the app before',
    check: 'SES-04',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          create: async (session, options) => {
            const app = Object.entries(session.state ?? {}).filter(([name]) => name.startsWith('app:'))
            const set = Object.fromEntries(app.map(([name, value]) => [name.slice(4), value]))
            return store.sessions.create(session, options).catch(async (error: unknown) => {
              await store.state.update({ appName: session.appName }, { set })
              throw error
            })
          },
        },
      }),
  },
  {
    id: 'M204',
    bug: 'a session that is not there has an empty state',
    check: 'SES-05',
    wrap: (store) =>
      wrapStore(store, {
        sessions: { stateAt: async (key, seq, options) => (await store.sessions.stateAt(key, seq, options)) ?? {} },
      }),
  },
  {
    id: 'M205',
    bug: 'a list brings the states though nobody asked',
    check: 'SES-06',
    wrap: (store) =>
      wrapStore(store, { sessions: { list: (query) => store.sessions.list({ ...query, state: true }) } }),
  },
  { id: 'M206', bug: 'delete says true whatever it found', check: 'SES-10', wrap: alwaysDeleted },
  {
    id: 'M207',
    bug: 'an update is a creation: createdAt moves',
    check: 'SES-11',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          update: async (key, change, options) => {
            const session = await store.sessions.update(key, change, options)
            return { ...session, createdAt: session.updatedAt }
          },
        },
      }),
  },
  {
    id: 'M208',
    bug: 'events are found by the session id alone',
    check: 'SES-12',
    wrap: (store, { memory }) => {
      const first = remembered(memory, 'first of an id', () => new Map<string, SessionKey>())
      return wrapStore(store, {
        sessions: {
          get: async (key, options) => {
            const session = await store.sessions.get(key, options)
            const other = first.get(key.sessionId) ?? key
            first.set(key.sessionId, other)
            const found = await store.sessions.get(other, options)
            return session && { ...session, events: found?.events ?? [] }
          },
        },
      })
    },
  },
  {
    id: 'M209',
    bug: 'temp: keys of the first state are kept',
    check: 'SES-13',
    wrap: (store, { memory }) => {
      const kept = remembered(memory, 'temp', () => new Map<string, State>())
      const inner = mapLoaded(store, (session, key) => ({
        ...session,
        state: { ...session.state, ...kept.get(nameOf(key)) },
      }))
      return wrapStore(inner, {
        sessions: {
          create: async (session, options) => {
            const created = await store.sessions.create(session, options)
            const temp = Object.entries(session.state ?? {}).filter(([name]) => name.startsWith('temp:'))
            kept.set(nameOf(created), Object.fromEntries(temp))
            return created
          },
        },
      })
    },
  },
  {
    id: 'M210',
    bug: 'a fork has the state of now, from wherever it is made',
    check: 'SES-15',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          fork: async (key, options) => {
            const forked = await store.sessions.fork(key, options)
            return { ...forked, state: (await store.sessions.get(key))?.state ?? {} }
          },
        },
      }),
  },
  {
    id: 'M211',
    bug: 'stateAt answers the state of now',
    check: 'SES-15@stateAt',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          stateAt: async (key, seq, options) => {
            const then = await store.sessions.stateAt(key, seq, options)
            return then && owned((await store.sessions.get(key))?.state ?? {})
          },
        },
      }),
  },
  {
    id: 'M212',
    bug: 'count ignores the user',
    check: 'SES-16',
    wrap: (store) =>
      wrapStore(store, { sessions: { count: ({ userId: _user, ...filter }) => store.sessions.count(filter) } }),
  },
  {
    id: 'M213',
    bug: 'prune takes what changed at the very moment, too',
    check: 'SES-17',
    wrap: (store) =>
      wrapStore(store, {
        sessions: { prune: (query) => store.sessions.prune({ ...query, before: query.before + 0.001 }) },
      }),
  },
  { id: 'M214', bug: 'delete says true whatever it found', check: 'SES-14', wrap: alwaysDeleted },
  {
    id: 'M215',
    bug: 'a revision is counted by the open that writes',
    check: 'LIFE-05',
    wrap: (store) => {
      let writes = 0
      const inner = mapLoaded(store, (session) => ({ ...session, revision: Math.min(session.revision, 1 + writes) }))
      return wrapStore(inner, {
        events: {
          append: (key, events, options) => {
            writes += 1
            return store.events.append(key, events, options)
          },
        },
      })
    },
  },
  {
    id: 'M216',
    bug: 'an open goes on to answer a session that another one deleted',
    check: 'LIFE-06',
    wrap: (store) => {
      const seen = new Map<string, LoadedSession>()
      return wrapStore(store, {
        sessions: {
          get: async (key, options) => {
            const session = await store.sessions.get(key, options)
            if (session !== undefined) seen.set(nameOf(key), session)
            return session ?? seen.get(nameOf(key))
          },
        },
      })
    },
  },
  {
    id: 'M217',
    bug: 'erase counts a state of the user that is not there',
    check: 'LIFE-01',
    wrap: (store) =>
      wrapStore(store, { erase: async (user, options) => ({ ...(await store.erase(user, options)), userStates: 1 }) }),
  },
  {
    id: 'M218',
    bug: 'without tables nothing is found, and nobody is told',
    check: 'LIFE-12',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          delete: (key, options) =>
            store.sessions.delete(key, options).catch((error: unknown) => {
              if (isCode(error, 'schema_mismatch')) return false
              throw error
            }),
        },
      }),
  },
  ...(['LIFE-02', 'MIG-03'] as const).map((check, i): Mutant => ({
    id: `M${219 + i}`,
    bug: 'a migration that finds nothing to do says that it did it all',
    check,
    wrap: (store, { memory }) =>
      wrapStore(store, {
        migrate: async (options) => {
          const report = await store.migrate(options)
          const all = remembered(memory, 'migrations', () => report.applied)
          return { ...report, applied: all }
        },
      }),
  })),
  {
    id: 'M221',
    bug: 'an option of migrate that nobody knows is left out',
    check: 'MIG-08',
    wrap: (store) =>
      wrapStore(store, { migrate: ({ dryRun } = {}) => store.migrate(dryRun === undefined ? {} : { dryRun }) }),
  },
  ...(['MIG-06', 'MIG-07', 'LIFE-08'] as const).map((check, i): Mutant => ({
    id: `M${222 + i}`,
    bug: 'a migration that cannot be made is taken for made',
    check,
    wrap: (store) =>
      wrapStore(store, {
        migrate: (options) => store.migrate(options).catch(() => ({ applied: [], current: 'none' })),
      }),
  })),
]
