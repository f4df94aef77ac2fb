import type { CallOptions } from './call.ts'
import type { MembersOfKind } from './metric-columns.ts'
import type { NewMetric } from './metrics.ts'
import type { StateCondition } from './sessions.ts'

/** Bounds of a number: all that are given hold. */
export interface NumberRange {
  readonly gt?: number
  readonly gte?: number
  readonly lt?: number
  readonly lte?: number
}

/** Bounds of an amount, as decimal texts. */
export interface MoneyRange {
  readonly gt?: string
  readonly gte?: string
  readonly lt?: string
  readonly lte?: string
}

/** Members that are compared as texts. */
export type MetricTextMember = Exclude<MembersOfKind<'id' | 'name' | 'tag' | 'choice'>, 'appName'> | 'invocationId'
/** Members that are compared as numbers. `recordedAt` is what the store says. */
export type MetricNumberMember = MembersOfKind<'time' | 'duration' | 'count' | 'size' | 'level'> | 'recordedAt'

/**
 * Which rows: those that meet all of it. A text is compared byte for byte; a list means any of its values, and `null` that the
 * member is absent. A range never takes rows in which the member is absent. At most 1,000 values.
 */
export type MetricFilter = {
  readonly [M in MetricTextMember]?: OneOf<NonNullable<NewMetric[M]> | null>
} & { readonly [M in MetricNumberMember]?: OneOf<number | null> | NumberRange } & {
  /** What it cost: `providedCost`, else `computedCost`, in whatever currency; say `currency` as well. */
  readonly cost?: MoneyRange | null
  /** Rows without `parentSpanId`. */
  readonly root?: true
  /** Rows whose usage counts, and whose cost is not known. */
  readonly unpriced?: true
  /** Conditions on `customAttributes`, as those of `sessions.list` on state. */
  readonly attributes?: readonly StateCondition[]
}

type OneOf<T> = T | readonly T[]

/** Which rows of one app a query looks at. */
export interface MetricSelection {
  readonly appName: string
  readonly where?: MetricFilter
  /** Those that started at this time or later. */
  readonly since?: number
  /** Those that started before this time. */
  readonly before?: number
}

export type MetricOrder = 'startedAt' | 'durationMs' | 'cost' | 'recorded'

export interface MetricQuery extends MetricSelection, CallOptions {
  /**
   * Default `startedAt`. `recorded`: in the order of insertion, which breaks ties in the others. Rows without a duration or a cost are
   * before all that have one, or after them with `desc`; costs are compared whatever their currency.
   */
  readonly order?: MetricOrder
  /** Default `desc`, of `recorded` `asc`. Ties too are in this direction. */
  readonly direction?: 'asc' | 'desc'
  /** `light` leaves out JSON members and the text of errors. Default `full`. */
  readonly fields?: 'light' | 'full'
  /** How many at most; 0 answers an empty page. Default and maximum are in `limits`. */
  readonly limit?: number
  /** The `nextCursor` of the page before, of the same query. */
  readonly cursor?: string
}

export interface MetricPruneQuery extends CallOptions {
  readonly appName: string
  /** Only rows of this user, in whatever trace. */
  readonly userId?: string
  /** Only rows of this session, in whatever trace. Goes with `userId`. */
  readonly sessionId?: string
  /** What began before this time. */
  readonly before: number
  /** Count, but delete nothing. */
  readonly dryRun?: boolean
  /** Rows deleted in one transaction, or a few more where a trace is larger. Default 1,000. */
  readonly chunk?: number
}

export interface MetricPruneReport {
  readonly metrics: number
  /** Traces that were deleted as a whole; 0 with `userId` or `sessionId`. */
  readonly traces: number
  readonly dryRun: boolean
}
