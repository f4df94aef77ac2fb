import { isStoreError, type JoinedStore, type Lease, type LeaseToken, type SessionKey } from '@daybook/core'
import type { Mutant, Shared } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { isCode, nameOf } from './answers.ts'

/** The lease that a session was given last, whichever open gave it. */
const lastOf = ({ memory }: Shared, key: SessionKey) => memory.get(`lease ${nameOf(key)}`) as Lease | undefined // remembered below

const isConflict = (error: unknown) => isCode(error, 'conflict')
const ownerIn = (error: unknown) => (isStoreError(error) ? error.facts.owner : undefined)

/** Remembers leases, and does something else when one is refused. */
function taking<S extends JoinedStore>(
  store: S,
  shared: Shared,
  refused: (error: unknown, key: SessionKey, owner: string) => Lease,
): S {
  return wrapStore(store, {
    sessions: {
      lease: async (key, options) => {
        try {
          const lease = await store.sessions.lease(key, options)
          shared.memory.set(`lease ${nameOf(key)}`, lease)
          return lease
        } catch (error) {
          return refused(error, key, options.owner)
        }
      },
    },
  })
}

const remembering = <S extends JoinedStore>(store: S, shared: Shared): S =>
  taking(store, shared, (error) => {
    throw error
  })

/** Remembers leases, and tries a refused append once more, with another lease or none; `undefined`: it stays refused. */
function forgiving<S extends JoinedStore>(
  store: S,
  shared: Shared,
  instead: (given: LeaseToken | undefined, error: unknown, key: SessionKey) => { lease?: LeaseToken } | undefined,
): S {
  return wrapStore(remembering(store, shared), {
    events: {
      append: async (key, events, options) => {
        try {
          return await store.events.append(key, events, options)
        } catch (error) {
          const { lease: given, ...rest } = options ?? {}
          const other = isConflict(error) ? instead(given, error, key) : undefined
          if (other === undefined) throw error
          return store.events.append(key, events, { ...rest, ...other })
        }
      },
    },
  })
}

/** Passes an append without a lease, by the lease of the one who has the session. */
const ignoring = <S extends JoinedStore>(store: S, shared: Shared): S =>
  forgiving(store, shared, (given, _error, key) => {
    const lease = lastOf(shared, key)
    return given === undefined && lease !== undefined ? { lease } : undefined
  })

export const leaseMutants: readonly Mutant[] = [
  {
    id: 'M135',
    bug: 'an append does not ask whether somebody has the session',
    check: 'LEA-02',
    canary: true,
    wrap: ignoring,
  },
  {
    id: 'M136',
    bug: 'the fence is not compared, only the owner',
    check: 'LEA-02',
    wrap: (store, shared) =>
      forgiving(store, shared, (given, _error, key) => {
        const lease = lastOf(shared, key)
        return lease !== undefined && given?.owner === lease.owner ? { lease } : undefined
      }),
  },
  {
    id: 'M137',
    bug: 'a lease that ended is good until somebody else takes the session',
    check: 'LEA-03@slept',
    wrap: (store, shared) =>
      forgiving(store, shared, (given, error, key) =>
        given !== undefined && ownerIn(error) === undefined && lastOf(shared, key)?.fence === given.fence
          ? {}
          : undefined,
      ),
  },
  {
    id: 'M138',
    bug: 'a lease that was released is still good for appends',
    check: 'LEA-04@release',
    wrap: (store, shared) =>
      forgiving(store, shared, (given, error) =>
        given !== undefined && ownerIn(error) === undefined ? {} : undefined,
      ),
  },
  {
    id: 'M139',
    bug: 'a lease is never renewed',
    check: 'LEA-04',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          lease: async (key, options) => {
            const lease = await store.sessions.lease(key, options)
            setTimeout(() => void lease.release().catch(() => {}), options.ttl).unref() // its store may be closed by then
            return lease
          },
        },
      }),
  },
  {
    id: 'M140',
    bug: 'two who find the session free both get it',
    check: 'LEA-01@race',
    canary: true,
    isRace: true,
    wrap: (store, shared) =>
      wrapStore(store, {
        sessions: {
          lease: async (key, options) => {
            const before = lastOf(shared, key)
            await store.sessions.get(key)
            return taking(store, shared, (error) => {
              const lease = lastOf(shared, key)
              if (!isConflict(error) || lease === undefined || lease === before) throw error
              return lease
            }).sessions.lease(key, options)
          },
        },
      }),
  },
  {
    id: 'M141',
    bug: 'an append looks first whether somebody has the session, and is written then',
    check: 'LEA-02@race',
    canary: true,
    isRace: true,
    wrap: (store, shared) =>
      wrapStore(remembering(store, shared), {
        events: {
          append: async (key, events, options) => {
            const held = lastOf(shared, key)
            await store.sessions.get(key)
            return held === undefined
              ? ignoring(store, shared).events.append(key, events, options)
              : store.events.append(key, events, options)
          },
        },
      }),
  },
  {
    id: 'M142',
    bug: 'the fence of a session that is created anew begins anew',
    check: 'LEA-03@recreated',
    wrap: (store, { memory }) =>
      wrapStore(store, {
        sessions: {
          lease: async (key, options) => {
            const lease = await store.sessions.lease(key, options)
            const fence = ((memory.get(`count ${nameOf(key)}`) as number | undefined) ?? 0) + 1 // set here alone
            memory.set(`count ${nameOf(key)}`, fence)
            memory.set(`real ${nameOf(key)} ${fence}`, lease.fence)
            return showing(lease, () => ({ fence }))
          },
          delete: (key, options) => {
            memory.delete(`count ${nameOf(key)}`)
            return store.sessions.delete(key, options)
          },
        },
        events: {
          append: (key, events, options) => {
            if (options?.lease === undefined) return store.events.append(key, events, options)
            const { owner, fence: shown } = options.lease
            const fence = memory.get(`real ${nameOf(key)} ${shown}`) as number | undefined // set above
            return store.events.append(key, events, { ...options, lease: { owner, fence: fence ?? shown } })
          },
        },
      }),
  },
  {
    id: 'M143',
    bug: 'a store that closes leaves its leases to their end',
    check: 'LEA-04@close',
    wrap: (store) =>
      wrapStore(store, {
        close: async () => {
          setTimeout(() => void store.close(), 1_000)
        },
      }),
  },
  {
    id: 'M144',
    bug: 'who was refused a session once is refused forever',
    check: 'LEA-05',
    wrap: (store, { memory }) =>
      wrapStore(store, {
        sessions: {
          lease: async (key, options) => {
            const refusal = memory.get(`refusal ${nameOf(key)}`)
            if (refusal instanceof Error) throw refusal
            return store.sessions.lease(key, options).catch((error: unknown) => {
              memory.set(`refusal ${nameOf(key)}`, error)
              throw error
            })
          },
        },
      }),
  },
  {
    id: 'M145',
    bug: 'a lease goes by the clock of the process, not by the store’s',
    check: 'LEA-06',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          lease: async (key, options) => {
            const expiresAt = Date.now() + options.ttl
            const lease = await store.sessions.lease(key, options)
            return showing(lease, () => ({ expiresAt }))
          },
        },
      }),
  },
  {
    id: 'M146',
    bug: 'a renewal by an earlier clock shortens the lease',
    check: 'LEA-06@backwards',
    wrap: (store, _shared, { now = Date.now }) =>
      wrapStore(store, {
        sessions: {
          lease: async (key, options) => {
            let expiresAt = now() + options.ttl
            const lease = await store.sessions.lease(key, options)
            const renew = async () => {
              await lease.renew()
              expiresAt = now() + options.ttl
            }
            return showing(lease, () => ({ expiresAt, renew }))
          },
        },
      }),
  },
  {
    id: 'M147',
    bug: 'who asks under the owner’s name shares the lease',
    check: 'LEA-01',
    wrap: (store, shared) =>
      taking(store, shared, (error, key, owner) => {
        const lease = lastOf(shared, key)
        if (!isConflict(error) || lease?.owner !== owner) throw error
        return lease
      }),
  },
  {
    id: 'M148',
    bug: 'a session that somebody has cannot be deleted',
    check: 'LEA-02@administration',
    wrap: (store, shared) =>
      wrapStore(remembering(store, shared), {
        sessions: {
          delete: (key, options) =>
            lastOf(shared, key)?.signal.aborted === false
              ? Promise.resolve(false)
              : store.sessions.delete(key, options),
        },
      }),
  },
  {
    id: 'M149',
    bug: 'a ttl out of its bounds is taken for the nearest one within',
    check: 'LEA-01@arguments',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          lease: (key, options) =>
            store.sessions.lease(key, { ...options, ttl: Math.min(86_400_000, Math.max(100, options.ttl)) }),
        },
      }),
  },
  {
    id: 'M150',
    bug: 'inside a transaction an append does not ask whether somebody has the session',
    check: 'LEA-02@transaction',
    wrap: remembering,
    transaction: (real, shared) => ({
      ...real,
      run: (store, body) => real.run(store, (joined, own) => body(ignoring(joined, shared), own)),
    }),
  },
]

/** The lease, with some members that say something else. */
const showing = (lease: Lease, members: () => object): Lease =>
  new Proxy(lease, {
    get(target, name) {
      const shown = members()
      const value: unknown = Object.hasOwn(shown, name) ? Reflect.get(shown, name) : Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value // bind answers any
    },
  })
