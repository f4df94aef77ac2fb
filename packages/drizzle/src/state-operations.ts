import {
  applyDelta,
  checkedOptions,
  checkedStateKey,
  isEmptyDelta,
  staleState,
  stateUpdateRequest,
  type CallOptions,
  type JsonObject,
  type ScopedState,
  type StateKey,
} from '@daybook/core'
import { reading, writing, type Operation, type Parts, type Prepared } from './operation.ts'
import type { Script } from './script.ts'

/** The methods of `store.state`. */
export interface StateOperations {
  readonly get: (key: unknown, options?: CallOptions) => Operation<ScopedState | undefined>
  readonly update: (key: unknown, change: unknown, options?: CallOptions) => Operation<ScopedState>
}

export function createStateOperations(parts: Parts): StateOperations {
  const { scopeStates, limits, logger, micros } = parts
  const scopeOf = ({ userId }: StateKey) => (userId === undefined ? scopeStates.app : scopeStates.user)
  return {
    get: (key, options) =>
      reading(
        'state.get',
        options,
        () => {
          checkedOptions(options, [])
          return checkedStateKey(key, limits)
        },
        (checked): Prepared<ScopedState | undefined> => ({ script: (tx) => scopeOf(checked).get(tx, checked) }),
      ),
    update: (key, given, options) =>
      writing(
        'state.update',
        options,
        () => stateUpdateRequest(key, given, options, parts),
        ({ key: checked, change, expectedRevision }): Prepared<ScopedState> => {
          const scope = scopeOf(checked)
          if (!('replace' in change) && isEmptyDelta(change))
            return { script: (tx) => unchanged(scope.get(tx, checked), checked, expectedRevision) }
          const next = 'replace' in change ? () => change.replace : (state: JsonObject) => applyDelta(state, change)
          return {
            script: (tx) =>
              scope.update(tx, { key: checked, change: next, expectedRevision, now: micros(), limits, logger }),
          }
        },
      ),
  }
}

/** An empty delta writes nothing; what was never written is empty, at revision 0. */
function* unchanged(
  current: Script<ScopedState | undefined>,
  key: StateKey,
  expectedRevision: number | undefined,
): Script<ScopedState> {
  const found = (yield* current) ?? { state: {}, revision: 0, updatedAt: 0 }
  if (expectedRevision !== undefined && expectedRevision !== found.revision)
    throw staleState(key, found.revision, expectedRevision)
  return found
}
