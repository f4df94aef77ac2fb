import { StoreError, type Limits, type Store } from '@daybook/core'
import { SubjectError, type StoreUnderTest } from '../src/define.ts'
import { wrapStore } from '../src/wrap.ts'
import { memory } from './memory-subject.ts'

/** The in-memory store with something changed in each open of it. */
export const changed = (change: (store: Store) => Store, more: Partial<StoreUnderTest> = {}): StoreUnderTest => ({
  ...memory,
  ...more,
  subject: { ...memory.subject, name: 'a store that was changed' },
  async provision(request) {
    const place = await memory.provision(request)
    return { ...place, open: async (options) => change(await place.open(options)) }
  },
})

/** Delete says the contrary of what it did. */
export const lyingDelete = (store: Store): Store =>
  wrapStore(store, { sessions: { delete: async (key, options) => !(await store.sessions.delete(key, options)) } })

const nothing = () => Promise.resolve(undefined as never) // the bug: there is no answer

/** Every method is there and answers nothing. */
export const emptyStore = (store: Store): Store => {
  return wrapStore(store, {
    sessions: { create: nothing, get: nothing, list: nothing, delete: nothing },
    events: { append: nothing, list: nothing },
  })
}

/** Throws what no contract knows. */
export const crashing = (store: Store): Store =>
  wrapStore(store, { sessions: { count: () => Promise.reject(new TypeError('cannot read properties of undefined')) } })

/** No bug: it finds memories by likeness alone. */
export const withoutWords = (): StoreUnderTest => {
  const expects = { ...memory.expects, fullTextSearch: 'no' as const }
  const refusal = new StoreError('unsupported', 'no search by words', { capability: 'fullTextSearch' })
  const change = (store: Store): Store => {
    const wordless = wrapStore(store, {
      memories: {
        search: async (query) => {
          if (query.query === undefined) return store.memories.search(query)
          await store.memories.get({ appName: query.appName }, 'none') // that it is closed is said first
          throw refusal
        },
      },
    })
    return new Proxy(wordless, {
      get: (target, name) => (name === 'capabilities' ? expects : (Reflect.get(target, name) as unknown)),
    })
  }
  return changed(change, { expects })
}

/** No bug: its database has room for no more than this, and an opening that asks for more is refused. */
export const bounded = (most: Partial<Limits>): StoreUnderTest => ({
  ...memory,
  async provision(request) {
    const place = await memory.provision(request)
    return {
      ...place,
      open: async (options) => {
        const asked: Readonly<Record<string, number>> = { ...options?.limits }
        for (const [name, limit] of Object.entries(most))
          if ((asked[name] ?? 0) > limit) throw new SubjectError(`${name} is ${limit} at most`)
        return place.open({ ...options, limits: { ...most, ...options?.limits } })
      },
    }
  },
})
