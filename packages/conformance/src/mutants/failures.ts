import { isStoreError, StoreError, type Store } from '@daybook/core'
import { EventEmitter } from 'node:events'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { listOf, remembered } from './answers.ts'
import { mapLoaded } from './sessions.ts'

/** What an append rejects with, made into something else. */
const mapFailure = (store: Store, map: (error: StoreError, args: readonly unknown[]) => unknown): Store =>
  wrapStore(store, {
    events: {
      append: (...args) =>
        store.events.append(...args).catch((error: unknown) => {
          throw isStoreError(error) ? map(error, args) : error
        }),
    },
  })

function asIfNothingWasRemoved(error: unknown): never {
  if (!isStoreError(error)) throw error
  const { removed: _told, ...facts } = error.facts
  throw new StoreError(error.code, error.message, { ...facts, cause: error.cause, retryable: error.retryable })
}

const withPayload = ({ code, message, facts, cause }: StoreError, args: readonly unknown[]) =>
  new StoreError(code, `${message}: ${JSON.stringify(args)}`, { ...facts, cause })

/** Errors, erasure and close, gone wrong. */
export const failureMutants: readonly Mutant[] = [
  {
    id: 'M310',
    bug: 'a message carries what was given',
    check: 'LIM-12',
    wrap: (store) => mapFailure(store, withPayload),
  },
  {
    id: 'M311',
    bug: 'a message carries what was given',
    check: 'ERR-06',
    wrap: (store) => mapFailure(store, withPayload),
  },
  {
    id: 'M312',
    bug: 'every error may be tried again',
    check: 'ERR-03',
    wrap: (store) => mapFailure(store, (error) => Object.defineProperty(error, 'retryable', { value: true })),
  },
  {
    id: 'M313',
    bug: 'an error has its code and not its brand',
    check: 'ERR-04',
    wrap: (store) =>
      mapFailure(store, ({ code, message }) => Object.assign(new Error(message), { name: 'StoreError', code })),
  },
  {
    id: 'M314',
    bug: 'the JSON of an error has its stack',
    check: 'ERR-07',
    wrap: (store) =>
      mapFailure(store, (error) => {
        const form = error.toJSON()
        return Object.defineProperty(error, 'toJSON', { value: () => ({ ...form, stack: error.stack }) })
      }),
  },
  {
    id: 'M315',
    bug: 'arguments are looked at before there is a promise',
    check: 'ERR-08',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          delete: (key, options) => {
            if (typeof key !== 'object') throw new StoreError('invalid_argument', 'key is an object')
            return store.sessions.delete(key, options)
          },
        },
      }),
  },
  {
    id: 'M316',
    bug: 'an iterator that was ended answers once more',
    check: 'ERR-09',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          tail: (key, options) => {
            const inner = store.events.tail(key, options)[Symbol.asyncIterator]()
            let last: Awaited<ReturnType<typeof inner.next>> | undefined
            let isEnded = false
            const iterator = {
              async next() {
                if (!isEnded || last === undefined) last = await inner.next()
                return last
              },
              async return() {
                isEnded = true
                await inner.return?.()
                return { done: true as const, value: undefined }
              },
              [Symbol.asyncIterator]: () => iterator,
            }
            return iterator
          },
        },
      }),
  },
  {
    id: 'M317',
    bug: 'what is appended is logged',
    check: 'SEC-12',
    wrap: (store, _shared, { logger }) =>
      wrapStore(store, {
        events: {
          append: (key, events, options) => {
            logger?.debug?.({ events: listOf(events) }, 'append')
            return store.events.append(key, events, options)
          },
        },
      }),
  },
  {
    id: 'M376',
    bug: 'a prune that is interrupted does not tell what it has removed',
    check: 'SES-17@interrupted',
    wrap: (store) =>
      wrapStore(store, { sessions: { prune: (query) => store.sessions.prune(query).catch(asIfNothingWasRemoved) } }),
  },
  {
    id: 'M377',
    bug: 'an erasure that is interrupted does not tell what it has removed',
    check: 'ERA-05',
    wrap: (store) =>
      wrapStore(store, { erase: (user, options) => store.erase(user, options).catch(asIfNothingWasRemoved) }),
  },
  {
    id: 'M375',
    bug: 'every state is called large',
    check: 'LIM-13',
    wrap: (store, _shared, { logger }) =>
      wrapStore(store, {
        events: {
          append: (key, events, options) => {
            logger?.warn?.({ field: 'session state', bytes: 100_001 }, 'session state is large')
            return store.events.append(key, events, options)
          },
        },
      }),
  },
  {
    id: 'M318',
    bug: 'erase leaves the state of the user',
    check: 'ERA-01',
    wrap: (store) =>
      wrapStore(store, {
        erase: async (user, options) => {
          const scope = await store.state.get(user)
          const receipt = await store.erase(user, options)
          if (scope !== undefined) await store.state.update(user, { set: scope.state })
          return receipt
        },
      }),
  },
  {
    id: 'M319',
    bug: 'erase does not tell users by their case',
    check: 'ERA-02',
    wrap: (store) =>
      wrapStore(store, {
        erase: async (user, options) => {
          await store.erase({ ...user, userId: user.userId.toUpperCase() })
          return store.erase(user, options)
        },
      }),
  },
  {
    id: 'M320',
    bug: 'erase counts no events',
    check: 'ERA-03',
    wrap: (store) =>
      wrapStore(store, { erase: async (user, options) => ({ ...(await store.erase(user, options)), events: 0 }) }),
  },
  {
    id: 'M321',
    bug: 'erase answers its first receipt again',
    check: 'ERA-04',
    wrap: (store, { memory }) =>
      wrapStore(store, {
        erase: async (user, options) => {
          const receipt = await store.erase(user, options)
          return remembered(memory, `receipt of ${JSON.stringify(user)}`, () => receipt)
        },
      }),
  },
  {
    id: 'M322',
    bug: 'what is disposed is not closed',
    check: 'RES-01',
    wrap: (store) => wrapStore(store, { [Symbol.asyncDispose]: () => Promise.resolve() }),
  },
  {
    id: 'M323',
    bug: 'close ends the calls that run',
    check: 'RES-03',
    wrap: (store) => {
      let isClosed = false
      return wrapStore(store, {
        events: {
          append: async (key, events, options) => {
            const answer = await store.events.append(key, events, options)
            if (isClosed) throw new StoreError('closed', 'the store was closed meanwhile')
            return answer
          },
        },
        close: () => {
          isClosed = true
          return store.close()
        },
      })
    },
  },
  {
    id: 'M324',
    bug: 'a call that finds the connection taken is refused',
    check: 'RES-05',
    wrap: (store) => {
      let running = 0
      return wrapStore(store, {
        events: {
          append: async (key, events, options) => {
            if (running > 3) throw new StoreError('busy', 'no connection is free')
            running += 1
            return store.events.append(key, events, options).finally(() => (running -= 1))
          },
        },
      })
    },
  },
  {
    id: 'M325',
    bug: 'every answer is kept',
    check: 'RES-11',
    wrap: (store, { memory }) => {
      const kept = remembered(memory, 'answers', (): unknown[] => [])
      return mapLoaded(store, (session) => {
        kept.push(Array.from({ length: 200 }, () => ({ ...session })))
        return session
      })
    },
  },
  {
    id: 'M326',
    bug: 'each append leaves a listener',
    check: 'RES-12',
    wrap: (store) => {
      const commits = new EventEmitter()
      return wrapStore(store, {
        events: {
          append: (key, events, options) => {
            commits.on('commit', () => {})
            return store.events.append(key, events, options)
          },
        },
      })
    },
  },
]
