import { define, type JsonObject } from './json.ts'

/** A change of one JSON document by its top-level keys. A set value replaces what was there; it is not merged into it. */
export interface Delta {
  readonly set?: Readonly<Record<string, unknown>>
  /** Keys to remove. `null` is a value: to set it is not to remove. A key in both is refused. */
  readonly unset?: readonly string[]
}

/** A delta that was checked and copied. */
export interface JsonDelta {
  readonly set: JsonObject
  readonly unset: readonly string[]
}

export const scopes = ['app', 'user', 'session'] as const
export type Scope = (typeof scopes)[number]

export const emptyDelta: JsonDelta = { set: {}, unset: [] }

export const isEmptyDelta = ({ set, unset }: JsonDelta): boolean => unset.length === 0 && Object.keys(set).length === 0

/**
 * The delta that does what `first` and then `second` do.
 *
 * @example
 * ```ts
 * import { applyDelta, composeDeltas, mergedState, splitDelta } from '@daybook/core'
 *
 * const delta = composeDeltas({ set: { a: 1, 'user:b': 2 }, unset: [] }, { set: { 'app:c': 3 }, unset: ['a'] })
 * const { session, user, app } = splitDelta(delta)
 * const states = { session: applyDelta({ a: 0, d: 4 }, session), user: applyDelta({}, user), app: applyDelta({}, app) }
 * console.log(mergedState(states)) // { d: 4, 'user:b': 2, 'app:c': 3 }
 * ```
 */
export function composeDeltas(first: JsonDelta, second: JsonDelta): JsonDelta {
  if (isEmptyDelta(first)) return second
  if (isEmptyDelta(second)) return first
  const set = new Map(Object.entries(first.set))
  const unset = new Set(first.unset)
  for (const key of second.unset) {
    set.delete(key)
    unset.add(key)
  }
  for (const [key, value] of Object.entries(second.set)) {
    set.set(key, value)
    unset.delete(key)
  }
  return { set: Object.fromEntries(set), unset: [...unset] }
}

/** A new document: `state` with the delta applied. */
export function applyDelta(state: JsonObject, { set, unset }: JsonDelta): JsonObject {
  const next = new Map(Object.entries(state))
  for (const key of unset) next.delete(key)
  for (const [key, value] of Object.entries(set)) next.set(key, value)
  return Object.fromEntries(next)
}

/** Which scope a prefixed key means, and its name there; `temp:` keys are in no scope. */
export function scopeOf(key: string): { scope: Scope | 'temp'; name: string } {
  const scope = prefixOf(key)
  return scope === 'session' ? { scope, name: key } : { scope, name: key.slice(scope.length + 1) }
}

/** The scope that a key names. */
function prefixOf(key: string): Scope | 'temp' {
  const colon = key.indexOf(':')
  if (colon !== 3 && colon !== 4) return 'session' // as most do
  const prefix = key.slice(0, colon)
  return prefix === 'app' || prefix === 'user' || prefix === 'temp' ? prefix : 'session'
}

/** Splits a delta with prefixed keys into its three scopes; `temp:` keys are dropped. */
export function splitDelta({ set, unset }: JsonDelta): Record<Scope, JsonDelta> {
  const sets: Record<Scope, JsonObject> = { app: {}, user: {}, session: {} }
  const unsets: Record<Scope, string[]> = { app: [], user: [], session: [] }
  for (const key of Object.keys(set)) {
    const scope = prefixOf(key)
    if (scope === 'temp') continue
    const name = scope === 'session' ? key : key.slice(scope.length + 1)
    define(sets[scope], name, set[key] ?? null)
  }
  for (const key of unset) {
    const { scope, name } = scopeOf(key)
    if (scope !== 'temp') unsets[scope].push(name)
  }
  return {
    app: { set: sets.app, unset: unsets.app },
    user: { set: sets.user, unset: unsets.user },
    session: { set: sets.session, unset: unsets.session },
  }
}

/** What an agent sees: session keys as they are, user and app keys with their prefix. */
export const mergedState = ({ session, user, app }: Record<Scope, JsonObject>): JsonObject =>
  mergeInto(Object.fromEntries(Object.entries(session)), { user, app })

/** The same, written into a document of a session that nobody else has. */
export function mergeInto(session: JsonObject, { user, app }: Record<'user' | 'app', JsonObject>): JsonObject {
  // With its prefix no key is `__proto__`.
  for (const key of Object.keys(user)) session[`user:${key}`] = user[key] ?? null
  for (const key of Object.keys(app)) session[`app:${key}`] = app[key] ?? null
  return session
}
