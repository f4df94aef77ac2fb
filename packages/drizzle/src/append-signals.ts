import type { SessionKey } from '@daybook/core'

/** Tells those who wait for a session in this process that it has new events. */
export interface AppendSignals {
  notify(key: SessionKey): void
  /** Resolves at the next `notify` of the session, or when the signal fires. */
  wait(key: SessionKey, signal: AbortSignal): Promise<void>
}

const nameOf = ({ appName, userId, sessionId }: SessionKey) => JSON.stringify([appName, userId, sessionId])

export function createAppendSignals(): AppendSignals {
  const waiting = new Map<string, Set<() => void>>()
  return {
    notify(key) {
      if (waiting.size === 0) return // as almost always: nobody tails
      for (const wake of waiting.get(nameOf(key)) ?? []) wake()
    },
    wait: (key, signal) =>
      new Promise((resolve) => {
        const name = nameOf(key)
        const those = waiting.get(name) ?? new Set()
        waiting.set(name, those)
        const wake = () => {
          signal.removeEventListener('abort', wake)
          those.delete(wake)
          if (those.size === 0 && waiting.get(name) === those) waiting.delete(name)
          resolve()
        }
        those.add(wake)
        signal.addEventListener('abort', wake, { once: true })
        if (signal.aborted) wake()
      }),
  }
}
