import type { CallOptions, Lease, LeaseOptions, SessionKey, Store } from '@daybook/core'

/** The leases that a service holds, by session. */
export interface SessionLeases {
  /** Takes one, which the service shows from now on with every append to the session. */
  take(store: Store, key: SessionKey, options: LeaseOptions): Promise<Lease>
  /** The one to show for a session. One that was lost is shown too, and refused, until its holder has released it. */
  of(key: SessionKey): Lease | undefined
}

const nameOf = ({ appName, userId, sessionId }: SessionKey) => JSON.stringify([appName, userId, sessionId])

export function createSessionLeases(): SessionLeases {
  const shown = new Map<string, Lease>()
  return {
    async take(store, key, options) {
      const name = nameOf(key)
      const lease = await store.sessions.lease(key, options)
      shown.set(name, lease)
      return forgottenWhenReleased(lease, () => {
        if (shown.get(name) === lease) shown.delete(name)
      })
    },
    of: (key) => shown.get(nameOf(key)),
  }
}

function forgottenWhenReleased(lease: Lease, forget: () => void): Lease {
  const release = async (options?: CallOptions) => {
    forget()
    await lease.release(options)
  }
  return {
    key: lease.key,
    owner: lease.owner,
    fence: lease.fence,
    signal: lease.signal,
    get expiresAt() {
      return lease.expiresAt
    },
    renew: (options) => lease.renew(options),
    release,
    [Symbol.asyncDispose]: () => release(),
  }
}
