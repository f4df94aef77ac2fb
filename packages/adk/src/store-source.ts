import { StoreError, type Store } from '@daybook/core'

/** Where a service has its store from. */
export interface StoreSource {
  /** `undefined` until it is open. */
  readonly store: Store | undefined
  /** Opens it, once: whoever comes meanwhile waits with the first. One that failed is tried again by the next caller. */
  open(): Promise<Store>
  /** Closes what {@link open} has opened, and only that. Idempotent. */
  close(): Promise<void>
}

/** A store that is somebody else's, or a function that opens one: that is migrated and closed here. */
export function createStoreSource(given: Store | (() => Promise<Store>)): StoreSource {
  if (typeof given !== 'function') return { store: given, open: async () => given, close: async () => {} }
  let opening: Promise<Store> | undefined
  let store: Store | undefined
  let isClosed = false
  const begin = async () => {
    const opened = await given()
    try {
      await opened.migrate()
    } catch (error) {
      await opened.close()
      throw error
    }
    store = opened
    return opened
  }
  return {
    get store() {
      return store
    },
    async open() {
      if (isClosed) throw new StoreError('closed', 'the service is closed')
      opening ??= begin()
      try {
        return await opening
      } catch (error) {
        opening = undefined
        throw error
      }
    },
    async close() {
      isClosed = true
      const opened = await opening?.catch(() => undefined)
      await opened?.close()
    },
  }
}

const sources = new WeakMap<object, StoreSource>()

/** Lets other services share the store of one. */
export function lendSource(service: object, source: StoreSource): void {
  sources.set(service, source)
}

/** The store of a service, which closes it itself; `undefined` of anything else. */
export function sharedSource(service: object): StoreSource | undefined {
  const source = sources.get(service)
  return (
    source && {
      get store() {
        return source.store
      },
      open: () => source.open(),
      close: async () => {},
    }
  )
}
