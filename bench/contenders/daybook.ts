import type { Store } from '@daybook/core'
import type { Contender } from '../contender.ts'
import type { JsonObject } from '../data.ts'

/** Any store through its public methods and nothing else. */
export function daybookContender(store: Store, bulk: Pick<Contender, 'seedSessions' | 'sql'>): Contender {
  return {
    ...bulk,
    async create(key, state) {
      const session = await store.sessions.create<JsonObject>({ ...key, state })
      return session.state
    },
    async writer(key) {
      return async (event) => {
        const { events, revision } = await store.events.append(key, event)
        return { seq: events[0]?.seq ?? 0, revision }
      }
    },
    async load(key, last) {
      const loaded = await store.sessions.get<JsonObject>(key, { events: { last } })
      if (loaded === undefined) throw new Error('the session is missing')
      return { state: loaded.state, events: loaded.events.map(({ event }) => event) }
    },
    async list(user, limit, withState) {
      const page = await store.sessions.list({ ...user, limit, state: withState })
      return page.items.length
    },
    ...(store.capabilities.metrics === 'yes' && {
      record: async (rows) => void (await store.metrics.record(rows)),
    }),
    ...(store.capabilities.artifacts === 'yes' && {
      artifacts: {
        save: async (key, name, bytes) => void (await store.artifacts.save({ ...key, name }, bytes)),
        async load(key, name) {
          const loaded = await store.artifacts.load({ ...key, name })
          return loaded?.bytes.byteLength ?? 0
        },
      },
    }),
    ...(store.capabilities.memories === 'yes' && {
      memories: {
        add: async (user, texts) =>
          void (await store.memories.add(
            user,
            texts.map((text) => ({ text })),
          )),
        async search(user, query, limit) {
          const { items } = await store.memories.search({ ...user, query, limit })
          return items.length
        },
      },
    }),
    close: () => store.close(),
  }
}
