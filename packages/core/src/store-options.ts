import { checkedAreas, type Area } from './areas.ts'
import { checkedCount, membersOf } from './arguments.ts'
import { createCalls, type Calls } from './calls.ts'
import { checkedDimensions } from './embeddings.ts'
import { StoreError } from './errors.ts'
import { reading } from './json.ts'
import { defaultLimits, type Limits } from './limits.ts'
import type { Logger, StoreOptions } from './store.ts'
import { checkedTimestamp } from './time.ts'

/** Names of the options that every store takes. */
export const storeOptionNames: readonly (keyof StoreOptions)[] = [
  'logger',
  'now',
  'timeout',
  'limits',
  'embeddingDimensions',
  'areas',
]

/** What the methods of a store share: its options, checked. */
export interface StoreContext {
  readonly limits: Limits
  /** The store's clock: a valid timestamp, or `invalid_argument` from a clock that is broken. */
  readonly now: () => number
  readonly calls: Calls
  readonly logger: Logger | undefined
  /** How many numbers an embedding has; `undefined` where there are none. */
  readonly embeddingDimensions: number | undefined
  /** The optional areas that this store may use. */
  readonly areas: ReadonlySet<Area>
}

/**
 * The options that every store takes, checked. `others` names those that this kind of store takes besides; `limits` are
 * what it has when nothing is said, and `most` what the option can move them to, where that is less than elsewhere.
 *
 * @example
 * ```ts
 * import { storeContext } from '@daybook/core'
 *
 * const { limits, now, calls } = storeContext({ limits: { pageMax: 50 }, now: () => 5 })
 * console.log(limits.pageMax, limits.pageDefault, now()) // 50 50 5
 * await calls.close()
 * ```
 */
export function storeContext(
  options: unknown = {},
  others: readonly string[] = [],
  limits: Limits = defaultLimits,
  most: Partial<Limits> = {},
): StoreContext {
  refuseStrangers(options, 'options', [...storeOptionNames, ...others])
  const given = membersOf(options, 'options', storeOptionNames)
  const logger = guarded(checkedLogger(given.logger))
  return {
    limits: checkedLimits(given.limits, limits, { ...highest, ...most }),
    now: checkedClock(given.now),
    calls: createCalls({ logger, timeout: given.timeout as number | undefined }), // createCalls checks it
    logger,
    embeddingDimensions: checkedDimensions(given.embeddingDimensions),
    areas: checkedAreas(given.areas),
  }
}

/**
 * Where a limit ends that options can move: deeper documents would overrun the stack of whatever walks them, longer names a
 * column of MySQL, and longer ids the keys of all servers.
 */
const highest: Partial<Limits> = {
  idCodePoints: defaultLimits.idCodePoints,
  idBytes: defaultLimits.idBytes,
  eventDepth: 500,
  stateDepth: 500,
  eventNameBytes: defaultLimits.eventNameBytes,
}

function checkedLimits(limits: unknown, defaults: Limits, most: Partial<Limits>): Limits {
  if (limits === undefined) return Object.freeze({ ...defaults })
  const names = Object.keys(defaults) as (keyof Limits)[] // Limits is an interface of these keys and no others
  refuseStrangers(limits, 'limits', names)
  const given = membersOf(limits, 'limits', names)
  const limit = (name: keyof Limits) => {
    const max = most[name] ?? Number.MAX_SAFE_INTEGER
    return given[name] === undefined ? defaults[name] : checkedCount(given[name], `limits.${name}`, { min: 1, max })
  }
  const checked: { -readonly [Name in keyof Limits]: number } = { ...defaults }
  for (const name of names) checked[name] = limit(name)
  if (given.pageDefault === undefined) checked.pageDefault = Math.min(checked.pageDefault, checked.pageMax)
  if (checked.pageDefault > checked.pageMax) throw invalid('limits.pageDefault', 'is over limits.pageMax')
  return Object.freeze(checked)
}

function checkedClock(now: unknown): () => number {
  if (now === undefined) return () => Date.now() // looked up anew, so that a test may replace the clock of the process
  if (typeof now !== 'function') throw invalid('now', 'must be a function that answers milliseconds since 1970')
  return () => checkedTimestamp(Reflect.apply(now, undefined, []), 'now')
}

function checkedLogger(logger: unknown): Logger | undefined {
  if (logger === undefined) return undefined
  const methods = membersOf(logger, 'logger', ['debug', 'info', 'warn', 'error'])
  const missing = (['debug', 'info', 'warn', 'error'] as const).find((name) => typeof methods[name] !== 'function')
  if (missing !== undefined) throw invalid(`logger.${missing}`, 'must be a function')
  return logger as Logger // its methods were just looked at
}

/** A logger that fails must not fail a call whose write is committed. */
function guarded(logger: Logger | undefined): Logger | undefined {
  if (logger === undefined) return undefined
  const log = (level: keyof Logger) => (facts: object, message: string) => {
    try {
      logger[level](facts, message)
    } catch {
      // There is nowhere left to say it.
    }
  }
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

function refuseStrangers(given: unknown, field: string, names: readonly string[]): void {
  membersOf(given, field, [])
  const stranger = reading(field, () => Object.keys(given as object)).find((name) => !names.includes(name)) // membersOf refuses what is no object
  if (stranger !== undefined) throw invalid(`${field}.${stranger}`, `is not an option; there are ${names.join(', ')}`)
}

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })
