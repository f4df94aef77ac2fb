import { byteLength, scopes, type Scope } from '@daybook/core'
import { appendParams, eventNames, growthBy, type Append, type Params, type StoredDelta } from '@daybook/drizzle'

// Which statement an append takes, told by a text: those of one text have the same, so that it stays prepared.

/** An append as the statement that it takes, and what it binds. */
export interface Shaped {
  readonly variant: string
  readonly params: Params
}

/** So many keys of a delta have a place in a statement: one between takes the next, so that the texts to prepare stay few. */
const arities = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32]
const arityOf = (count: number): number | undefined => arities.find((arity) => arity >= count)

export interface Shape {
  readonly sets: Readonly<Record<Scope, number>>
  readonly unsets: Readonly<Record<Scope, number>>
  readonly hasMany: boolean
  readonly hasRevision: boolean
  readonly hasLease: boolean
  readonly hasMark: boolean
  readonly isJoint: boolean
  /** MariaDB alone: on MySQL a look at them is a round trip more, wherever it is made. */
  readonly hasStates: boolean
}

/** @param packet bytes of the largest statement; `undefined`: it has to go the long way */
export function shaped(append: Append, packet: number): Shaped | undefined {
  const { events, expectedRevision, lease, compactMark, joint, wantsStates } = append
  const params: Record<string, Params[string]> = { ...appendParams(append) }
  const changes = shapedDeltas(append)
  if (changes === undefined) return undefined
  const { sets, unsets } = changes
  Object.assign(params, changes.params)
  const hasMany = events.length > 1
  Object.assign(params, eventParams(append))
  const bytes = changes.bytes + events.reduce((sum, { payload }) => sum + byteLength(payload), 0)
  // In a list of events each payload is escaped once more.
  if (bytes * (hasMany ? 2 : 1) + 256 * 1024 > packet) return undefined
  if (joint !== undefined) params['sessionChanges'] = joint.changes.session
  const hasDelta = scopes.some((scope) => sets[scope] + unsets[scope] > 0)
  const hasMark = compactMark !== undefined && hasDelta
  if (hasMark) params['compactMark'] = compactMark
  const shape: Shape = {
    sets,
    unsets,
    hasMany,
    hasRevision: expectedRevision !== undefined,
    hasLease: lease !== undefined,
    hasMark,
    isJoint: joint !== undefined,
    hasStates: wantsStates === true,
  }
  return { variant: JSON.stringify(shape), params }
}

interface ShapedDeltas {
  readonly sets: Readonly<Record<Scope, number>>
  readonly unsets: Readonly<Record<Scope, number>>
  readonly params: Params
  /** How much they add to a statement at most. */
  readonly bytes: number
}

/** How many places the deltas take, and what is bound there; `undefined` where there is none for a key. */
export function shapedDeltas({
  deltas,
  limits,
  joint,
}: Pick<Append, 'limits' | 'joint'> & {
  readonly deltas: Partial<Record<Scope, StoredDelta>>
}): ShapedDeltas | undefined {
  const params: Record<string, Params[string]> = {}
  const sets: Record<Scope, number> = { app: 0, user: 0, session: 0 }
  const unsets: Record<Scope, number> = { app: 0, user: 0, session: 0 }
  let bytes = 0
  for (const scope of scopes) {
    const delta = deltas[scope] ?? { set: [], unset: [] }
    const { set, unset } = delta
    if (set.some(([name]) => hasNoPath(name)) || unset.some((name) => hasNoPath(name))) return undefined
    const [setArity, unsetArity] = [arityOf(set.length), arityOf(unset.length)]
    if (setArity === undefined || unsetArity === undefined) return undefined
    sets[scope] = setArity
    unsets[scope] = unsetArity
    if (setArity + unsetArity === 0) continue
    const growth = joint?.growth[scope] ?? growthBy(delta)
    if (growth > limits.stateBytes) return undefined // may be too large by itself, which only the script can tell
    bytes += growth
    if (joint !== undefined) params[`${scope}Changes`] = joint.changes[scope]
    params[`${scope}Room`] = limits.stateBytes - growth
    // The last one fills the places that are left: to do it again changes nothing.
    for (let i = 0; i < setArity; i++) {
      const [name = '', json = ''] = set[Math.min(i, set.length - 1)] ?? []
      params[`${scope}Path${i}`] = pathOf(name)
      params[`${scope}Value${i}`] = json
    }
    for (let i = 0; i < unsetArity; i++) params[`${scope}Gone${i}`] = pathOf(unset[Math.min(i, unset.length - 1)] ?? '')
  }
  return { sets, unsets, params, bytes }
}

/** The path of a top-level key, whatever is in it. */
const pathOf = (key: string): string => `$.${JSON.stringify(key)}`

/** MariaDB takes a dash there, even inside quotes, for the beginning of a number. */
const hasNoPath = (key: string): boolean => key.startsWith('-')

/** The columns of one event, or one JSON text whatever their number. Payloads are text in it, so that the server unescapes nothing in them. */
function eventParams({ events }: Append): Params {
  const [first] = events
  if (events.length === 1 && first !== undefined)
    return Object.fromEntries(eventNames.map((name) => [name, first[name]]))
  const rows = events.map((event) =>
    eventNames.map((name) => {
      const value = event[name]
      return typeof value === 'bigint' ? String(value) : value
    }),
  )
  return { events: JSON.stringify(rows) }
}

export const isEmpty = ({ sets, unsets }: Shape, scope: Scope): boolean => sets[scope] + unsets[scope] === 0

export const shapeOf = (variant: string) => JSON.parse(variant) as Shape // as it was written above
