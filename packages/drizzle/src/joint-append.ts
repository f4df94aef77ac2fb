import { scopes, type Scope } from '@daybook/core'
import type { Append, Appended, StoredDelta } from './dialect.ts'

// Appends to one session that wait for each other become one append, which counts like many.

const sizeOf = ({ set, unset }: StoredDelta): number =>
  set.reduce((sum, [key, json]) => sum + key.length + json.length, 0) + unset.reduce((sum, key) => sum + key.length, 0)

/** Of events and deltas, about. */
export const bytesOf = ({ events, deltas }: Append): number =>
  events.reduce((sum, { payload }) => sum + payload.length, 0) +
  scopes.reduce((sum, scope) => sum + sizeOf(deltas[scope]), 0)

const inEach = <T>(make: (scope: Scope) => T): Record<Scope, T> => ({
  session: make('session'),
  user: make('user'),
  app: make('app'),
})

/** Many appends to one session as one, which counts like many; one as it is. */
export function joined(appends: readonly Append[]): Append {
  const [first] = appends
  if (first === undefined) throw new TypeError('a group has members')
  if (appends.length === 1) return first
  const { wantsStates: _, ...rest } = first // they would be those after all of them
  return {
    ...rest,
    events: appends.flatMap(({ events }) => events),
    deltas: inEach((scope) => composed(appends.map(({ deltas }) => deltas[scope]))),
    now: appends.reduce((latest, { now }) => (now > latest ? now : latest), first.now),
    joint: {
      changes: inEach((scope) =>
        scope === 'session' ? appends.length : appends.filter(({ deltas }) => !isEmptyDelta(deltas[scope])).length,
      ),
      growth: inEach((scope) => appends.reduce((sum, { deltas }) => sum + growthBy(deltas[scope]), 0)),
    },
  }
}

export const isEmptyDelta = ({ set, unset }: StoredDelta): boolean => set.length + unset.length === 0

/** By so many bytes a document grows at most, whatever the database writes between its members. */
export const growthBy = ({ set }: StoredDelta): number =>
  set.reduce((sum, [key, json]) => sum + Buffer.byteLength(JSON.stringify(key)) + Buffer.byteLength(json) + 4, 0)

/** The delta that does what all of them do, one after the other. */
function composed(deltas: readonly StoredDelta[]): StoredDelta {
  const set = new Map<string, string>()
  const unset = new Set<string>()
  for (const delta of deltas) {
    for (const key of delta.unset) {
      set.delete(key)
      unset.add(key)
    }
    for (const [key, json] of delta.set) {
      unset.delete(key)
      set.set(key, json)
    }
  }
  return { set: [...set], unset: [...unset] }
}

/** What each would have got alone: its revision, and its place. */
export function shares(appends: readonly Append[], appended: Appended): readonly Appended[] {
  if (appends.length === 1) return [appended]
  const { revision, lastSeq } = appended
  let at: Appended = { revision, lastSeq }
  return appends
    .toReversed()
    .map(({ events }) => {
      const own = at
      at = { revision: at.revision - 1, lastSeq: at.lastSeq - events.length }
      return own
    })
    .toReversed()
}
