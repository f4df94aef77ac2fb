/** Every way in which a call can fail. Stable within a major version; the message is for people and may change. */
export const errorCodes = [
  'not_found',
  'already_exists',
  'conflict',
  'invalid_argument',
  'limit_exceeded',
  'invalid_cursor',
  'unsupported',
  'unavailable',
  'outcome_unknown',
  'timeout',
  'busy',
  'aborted',
  'closed',
  'schema_mismatch',
  'corrupt',
  'internal',
] as const

export type ErrorCode = (typeof errorCodes)[number]

/** The facts of an error, for programs. Which of them are present depends on the code. */
export interface ErrorFacts {
  /** The argument that was refused, as a path: `key.sessionId`, `events[3].actions.stateDelta.x`. */
  readonly field?: string
  /** `limit_exceeded`: the limit, in the unit of the field (bytes, levels, code points, items). */
  readonly limit?: number
  /** `limit_exceeded`: what was given, in the same unit. */
  readonly actual?: number
  /** `conflict`: the revision that is stored now. */
  readonly revision?: number
  /** `conflict` about a lease: who has the session, and until when by the store's clock; absent where nobody has it. */
  readonly owner?: string
  readonly expiresAt?: number
  /** `unsupported`: the capability that is `no`. */
  readonly capability?: string
  /** `outcome_unknown`: the ids that the store had generated, so that a repeat can name them. */
  readonly sessionId?: string
  readonly eventIds?: readonly string[]
  readonly memoryIds?: readonly string[]
  readonly saveId?: string
  /** One for each row, in the order given; not of `outcome_unknown` alone, since rows are written in parts. */
  readonly metricIds?: readonly { readonly traceId: string; readonly spanId: string }[]
  /**
   * Of a call that removes in chunks and was interrupted: how much the chunks that were committed before had removed, by the
   * names of its report. Absent where that is nothing.
   */
  readonly removed?: Readonly<Record<string, number>>
  /** The driver's own code (SQLSTATE, errno, SQLite's name), where it gave one. */
  readonly driverCode?: string | number
}

export interface ErrorOptions extends ErrorFacts {
  readonly cause?: unknown
  /** Overrides what the code says. */
  readonly retryable?: boolean
}

const brand = Symbol.for('@daybook/core/StoreError')
const retryableCodes: ReadonlySet<ErrorCode> = new Set(['busy', 'unavailable', 'timeout', 'outcome_unknown'])

/**
 * The one error class of every store. The message never carries SQL, parameters, payloads or passwords; `cause` is the
 * driver's error and may: log it only where such things may be logged.
 *
 * @example
 * ```ts
 * import { StoreError } from '@daybook/core'
 *
 * const error = new StoreError('conflict', 'session s1 is at revision 4, not 3', { revision: 4 })
 * console.log(error.code, error.retryable, error.facts.revision) // conflict false 4
 * ```
 */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: ErrorCode
  /** True only if the same call, repeated as it is, may succeed. */
  readonly retryable: boolean
  readonly facts: ErrorFacts

  constructor(code: ErrorCode, message: string, { cause, retryable, ...facts }: ErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retryable = retryable ?? retryableCodes.has(code)
    this.facts = facts
    Object.defineProperty(this, brand, { value: true })
  }

  /** A stable form for logs and wires: no cause, no stack. */
  toJSON(): { name: 'StoreError'; code: ErrorCode; message: string; retryable: boolean } & ErrorFacts {
    return { name: this.name, code: this.code, message: this.message, retryable: this.retryable, ...this.facts }
  }
}

/**
 * Tells a StoreError from any other value, also across two installed copies of this package.
 *
 * @example
 * ```ts
 * import { createInMemoryStore, isStoreError } from '@daybook/core'
 *
 * await using store = createInMemoryStore()
 * try {
 *   await store.events.append({ appName: 'shop', userId: 'ann', sessionId: 's1' }, { author: 'user' })
 * } catch (error) {
 *   if (!isStoreError(error)) throw error
 *   console.log(error.code) // not_found
 * }
 * ```
 */
export const isStoreError = (error: unknown): error is StoreError =>
  typeof error === 'object' && error !== null && brand in error
