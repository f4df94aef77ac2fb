import type { Store } from '@daybook/core'
import type { StoreUnderTest } from '../src/define.ts'
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
