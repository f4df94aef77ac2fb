import type { ArtifactKey, LeaseToken, SessionKey, Store } from '@daybook/core'
import { isStoreError } from '@daybook/core'
import type { AppendRecord } from './history.ts'
import { clockReaches, sharedClock } from './race.ts'

export interface AppendsArgs {
  readonly key: SessionKey
  readonly prefix: string
  readonly count: number
  /** When all who race begin, on the shared clock: a message may reach one when another is done already. */
  readonly begins?: number
}

export interface LeaseArgs {
  readonly key: SessionKey
  readonly ttl: number
  readonly owner: string
}

export interface UploadArgs {
  readonly key: ArtifactKey
  readonly pieces: number
}

/** What another process can be asked to do; arguments and answers go through structured clone. */
export interface WorkerScripts {
  /** Any method of the contract, by its path. */
  call(args: { readonly path: string; readonly args: readonly unknown[] }): Promise<unknown>
  /** Appends one after the other, as fast as they are acknowledged. */
  appends(args: AppendsArgs): Promise<AppendRecord[]>
  /** The ids of a session's events, as this process reads them. */
  order(key: SessionKey): Promise<readonly string[]>
  /** Sets keys of its own in all scopes, one after the other. */
  deltas(args: AppendsArgs): Promise<number>
  /** Takes a lease and keeps it. */
  lease(args: LeaseArgs): Promise<LeaseToken>
  /** Saves a stream that says when so many pieces of a megabyte were taken, and never ends. */
  upload(args: UploadArgs, say: (acknowledged: string) => void): Promise<never>
  /** Appends batches of `count` events until the process ends, and says of each at once that it was acknowledged. */
  batches(args: AppendsArgs, say: (acknowledged: string) => void): Promise<never>
}

export function workerScripts(store: Store): WorkerScripts {
  return {
    async call({ path, args }) {
      const [area = '', method = ''] = path.includes('.') ? path.split('.') : ['', path]
      const target: unknown = area === '' ? store : Reflect.get(store, area)
      if (typeof target !== 'object' || target === null) throw new Error(`there is no ${path}`)
      const found: unknown = Reflect.get(target, method)
      if (typeof found !== 'function') throw new Error(`there is no ${path}`)
      return (await found.apply(target, args)) as unknown // apply answers any
    },
    async appends({ key, prefix, count, begins }) {
      await clockReaches(begins)
      const records: AppendRecord[] = []
      for (let i = 0; i < count; i += 1) {
        const id = `${prefix}${i}`
        const began = sharedClock()
        const { events } = await store.events.append(key, { id, author: prefix })
        records.push({ by: prefix, id, seq: events[0]?.seq ?? -1, began, ended: sharedClock() })
      }
      return records
    },
    async order(key) {
      const loaded = await store.sessions.get(key, { events: 'all' })
      return loaded?.events.map(({ event }) => event.id) ?? []
    },
    async deltas({ key, prefix, count, begins }) {
      await clockReaches(begins)
      for (let i = 0; i < count; i += 1) {
        const name = `${prefix}${i}`
        await store.events.append(key, {
          id: name,
          actions: { stateDelta: { [name]: i, [`user:${name}`]: i, [`app:${name}`]: i } },
        })
      }
      return count
    },
    async lease({ key, ...options }) {
      const { owner, fence } = await store.sessions.lease(key, options)
      return { owner, fence }
    },
    async upload({ key, pieces }, say) {
      async function* endless() {
        for (let i = 0; i < pieces; i += 1) yield new Uint8Array(1024 * 1024)
        say('taken')
        await new Promise(() => {})
      }
      await store.artifacts.save(key, endless(), { timeout: 60_000 })
      throw new Error('it has no end')
    },
    async batches({ key, prefix, count }, say) {
      for (let n = 1; ; n += 1) {
        const stateDelta = { n, [`user:${prefix}`]: n, [`app:${prefix}`]: n }
        await store.events.append(
          key,
          Array.from({ length: count }, (_, i) => ({ id: `${prefix}${n}_${i + 1}`, actions: { stateDelta } })),
        )
        say(`${prefix}${n}`)
        await new Promise((resolve) => setImmediate(resolve)) // a synchronous driver would keep what was said to itself
      }
    },
  }
}

export type Failure = { readonly code: string | undefined; readonly message: string }

export const failureOf = (error: unknown): Failure => ({
  code: isStoreError(error) ? error.code : undefined,
  message:
    error instanceof Error
      ? `${error.message}${error.cause instanceof Error ? ` (cause: ${error.cause.message})` : ''}`
      : String(error),
})
