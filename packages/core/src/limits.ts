import { StoreError } from './errors.ts'

/** The numbers beyond which a call is `limit_exceeded`, with nothing written. At the limit everything round-trips. */
export interface Limits {
  /** Unicode code points of an id. No more, as of its bytes. */
  readonly idCodePoints: number
  /** Bytes of an id in UTF-8: four such ids fit the index key of every database. */
  readonly idBytes: number
  /** Bytes of one event as JSON text in UTF-8. */
  readonly eventBytes: number
  /** Levels of nesting of an event; `{}` is one. */
  readonly eventDepth: number
  /** Bytes of each of an event's `author`, `branch`, `invocationId` and `errorCode` as they are stored. No more: so many every database holds. */
  readonly eventNameBytes: number
  /** Bytes of the state document of one scope as JSON text in UTF-8. */
  readonly stateBytes: number
  /** Levels of nesting of a state document, the document itself included. */
  readonly stateDepth: number
  /** Events of one append. */
  readonly batchEvents: number
  /** Bytes of all events of one append. */
  readonly batchBytes: number
  /** Bytes of one version of an artifact. */
  readonly artifactBytes: number
  /** Bytes of the metadata of one version as JSON text in UTF-8. */
  readonly artifactMetadataBytes: number
  /** Embeddings that one search compares: of the searched scopes, or with `nativeVectors` of those that are about as alike as the last one found. */
  readonly embeddingsCompared: number
  /** Rows of one call of `metrics.record`. */
  readonly metricBatch: number
  /** Bytes of all rows of one such call: their texts, and their JSON as text, in UTF-8. */
  readonly metricBatchBytes: number
  /** Groups of one aggregate of metrics, spans of time without rows included. */
  readonly metricGroups: number
  /** Items of a page when `limit` is not given. */
  readonly pageDefault: number
  /** The highest `limit`. */
  readonly pageMax: number
}

export const defaultLimits: Limits = {
  idCodePoints: 191,
  idBytes: 512,
  eventBytes: 8 * 1024 * 1024,
  eventDepth: 100,
  eventNameBytes: 65_535,
  stateBytes: 4 * 1024 * 1024,
  stateDepth: 30,
  batchEvents: 1000,
  batchBytes: 12 * 1024 * 1024,
  artifactBytes: 64 * 1024 * 1024,
  artifactMetadataBytes: 64 * 1024,
  embeddingsCompared: 10_000,
  metricBatch: 50_000,
  metricBatchBytes: 64 * 1024 * 1024,
  metricGroups: 10_000,
  pageDefault: 100,
  pageMax: 1000,
}

/**
 * Throws `limit_exceeded` naming field, limit and actual when `actual` is over it.
 *
 * @example
 * ```ts
 * import { checkLimit, defaultLimits, isStoreError } from '@daybook/core'
 *
 * try {
 *   checkLimit('events', 'events', defaultLimits.batchEvents, 1001)
 * } catch (error) {
 *   if (isStoreError(error)) console.log(error.message) // events has 1001 events, and 1000 are allowed
 * }
 * ```
 */
export function checkLimit(field: string, unit: string, limit: number, actual: number): void {
  if (actual > limit) {
    throw new StoreError('limit_exceeded', `${field} has ${actual} ${unit}, and ${limit} are allowed`, {
      field,
      limit,
      actual,
    })
  }
}
