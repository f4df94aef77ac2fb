import type { CallOptions } from './call.ts'
import type { State, StateChange, UpdateOptions, UserKey } from './sessions.ts'

/** The app's own state, or that of one user of it. */
export type StateKey = { readonly appName: string; readonly userId?: never } | UserKey

export interface ScopedState<S extends State = State> {
  /** Keys without prefix. */
  readonly state: S
  /** 0 before anything was written. */
  readonly revision: number
  /** Milliseconds since 1970; 0 before anything was written. */
  readonly updatedAt: number
}

/**
 * State that outlives sessions: of an app, and of each user of an app. Sessions see it merged, with `app:` and `user:`.
 *
 * @example
 * ```ts
 * import { createInMemoryStore } from '@daybook/core'
 *
 * await using store = createInMemoryStore()
 * await store.state.update({ appName: 'shop', userId: 'ann' }, { set: { size: 39 } })
 * const user = await store.state.get({ appName: 'shop', userId: 'ann' })
 * console.log(user?.state, user?.revision) // { size: 39 } 1
 * ```
 */
export interface StateStore {
  /** `undefined` if nothing was ever written there. */
  get<S extends State = State>(key: StateKey, options?: CallOptions): Promise<ScopedState<S> | undefined>
  /**
   * Applies a delta or `{ replace }` under the row's lock: changes of different keys at once all survive. The first one
   * makes the row; before it the revision is 0. An empty delta writes nothing.
   */
  update<S extends State = State>(key: StateKey, change: StateChange, options?: UpdateOptions): Promise<ScopedState<S>>
}
