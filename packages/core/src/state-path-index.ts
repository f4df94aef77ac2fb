import { checkedChoice, checkedFlag, checkedOptions } from './arguments.ts'
import type { Calls } from './calls.ts'
import { byteLength } from './json.ts'
import { checkLimit, type Limits } from './limits.ts'
import { unsupported } from './refusals.ts'
import type { StatePath } from './sessions.ts'
import { checkedPath } from './state-filter.ts'
import type { IndexedType, Store } from './store.ts'

/** The arguments of `indexStatePath` and `dropStatePathIndex`, checked. */
export interface StatePathIndexRequest {
  readonly path: StatePath
  readonly type: IndexedType
  readonly dryRun: boolean
}

/** The path is recorded as text beside the migrations. */
const longestText = 150

export function statePathIndexRequest(
  path: unknown,
  type: unknown,
  options: unknown,
  limits: Limits,
  does: 'make' | 'drop',
): StatePathIndexRequest {
  const checked = checkedPath(path, 'path', limits)
  checkLimit('path', 'bytes', longestText, byteLength(JSON.stringify(checked)))
  const { dryRun } = checkedOptions(options, does === 'make' ? ['dryRun'] : [])
  return {
    path: checked,
    type: checkedChoice(type, 'type', ['string', 'number', 'boolean']),
    dryRun: checkedFlag(dryRun, 'dryRun'),
  }
}

const refused = (): never => {
  throw unsupported('jsonPathIndex', 'indexes on paths of state')
}

/**
 * What a store without the ability `jsonPathIndex` answers: each method rejects with `unsupported`, or `closed`.
 *
 * @example
 * ```ts
 * import { createCalls, withoutPathIndexes } from '@daybook/core'
 *
 * const { indexStatePath } = withoutPathIndexes(createCalls())
 * await indexStatePath(['region'], 'string').catch((error) => console.log(error.code)) // unsupported
 * ```
 */
export function withoutPathIndexes(calls: Calls): Pick<Store, 'indexStatePath' | 'dropStatePathIndex'> {
  return {
    indexStatePath: (_path, _type, options) => calls.run('indexStatePath', options, refused),
    dropStatePathIndex: (_path, _type, options) => calls.run('dropStatePathIndex', options, refused),
  }
}
