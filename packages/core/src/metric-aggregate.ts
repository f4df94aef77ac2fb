import type { CallOptions } from './call.ts'
import type { MembersOfKind } from './metric-columns.ts'
import type { MetricSelection } from './metric-query.ts'
import type { StatePath } from './sessions.ts'

/** Members that rows are grouped by; `parentAgent` is the agent of the span around. */
export type MetricDimension =
  | 'operationName'
  | 'operationType'
  | 'provider'
  | 'model'
  | 'agentName'
  | 'userId'
  | 'sessionId'
  | 'status'
  | 'environment'
  | 'release'
  | 'errorType'
  | 'parentAgent'

/** A value inside `customAttributes`; one of another type, or none, is `null`. */
export interface AttributeDimension {
  readonly attribute: StatePath
  readonly type: 'string' | 'number' | 'boolean'
}

/** Members that are added up and compared. */
export type MeasuredMember = MembersOfKind<'duration' | 'count' | 'size'>
export type TokenMember =
  | 'inputTokens'
  | 'outputTokens'
  | 'totalTokens'
  | 'cacheReadTokens'
  | 'cacheWriteTokens'
  | 'reasoningTokens'

/**
 * What is told of a group. `count`, `errorCount` (status `error`), `errorRate`; tokens, `cost` and `unpriced`, in which usage counts
 * once whatever repeats it; and of a member `sum`, `avg`, `min`, `max` over the rows that have it, each as it stands, and the
 * percentile: the smallest value that is at least as large as so many thousandths of them, so 950 is the 95th. `countDistinct`: how
 * many different values there are.
 */
export type MetricMeasure =
  | 'count'
  | 'errorCount'
  | 'errorRate'
  | 'cost'
  | 'unpriced'
  | TokenMember
  | { readonly sum: MeasuredMember }
  | { readonly avg: MeasuredMember }
  | { readonly min: MeasuredMember }
  | { readonly max: MeasuredMember }
  | { readonly percentile: number; readonly of: MeasuredMember }
  | { readonly countDistinct: 'traceId' | 'sessionId' | 'userId' }

/** Measures by the names that their values have in the answer. */
export type MetricMeasures = Readonly<Record<string, MetricMeasure>>

export interface MetricBucket {
  readonly size: 'minute' | 'hour' | 'day'
  /** How far the clock by which days and hours begin is ahead of UTC, in minutes. Default 0. */
  readonly offsetMinutes?: number
}

export interface MetricAggregateQuery<M extends MetricMeasures = MetricMeasures> extends MetricSelection, CallOptions {
  /** Default: all rows are one group, also where there are none. At most 5. */
  readonly groupBy?: readonly (MetricDimension | AttributeDimension)[]
  /** Parts each group by when its rows started. With `since` and `before` spans without rows are in the answer too. */
  readonly bucket?: MetricBucket
  readonly measures: M
  /** By the value of a measure, except `cost`; ties, and groups by default, are in the order of bucket and key. Default `asc`. */
  readonly orderBy?: { readonly measure: keyof M & string; readonly direction?: 'asc' | 'desc' }
  readonly limit?: number
  readonly cursor?: string
}

export interface MoneyAmount {
  readonly currency: string
  /** A decimal text, exact. */
  readonly amount: string
}

/** Of a group without a value it is `null`; counts are 0, and a cost is an empty list. */
export type MeasureValue<M extends MetricMeasure> = M extends 'cost'
  ? readonly MoneyAmount[]
  : M extends 'count' | 'errorCount' | 'unpriced' | { readonly countDistinct: string }
    ? number
    : number | null

export interface MetricGroup<M extends MetricMeasures = MetricMeasures> {
  /** When the span of time begins, in milliseconds; only with `bucket`. */
  readonly bucket?: number
  /** A value for each part of `groupBy`, in its order; `null` for rows without one. */
  readonly key: readonly (string | number | boolean | null)[]
  readonly values: { readonly [Name in keyof M]: MeasureValue<M[Name]> }
}
