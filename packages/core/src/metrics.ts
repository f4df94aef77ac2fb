import type { CallOptions } from './call.ts'
import type { MetricAggregateQuery, MetricGroup, MetricMeasures } from './metric-aggregate.ts'
import type { MetricPruneQuery, MetricPruneReport, MetricQuery } from './metric-query.ts'
import type { Page } from './page.ts'

/** What kind of work a row is about. */
export type MetricOperationType =
  | 'chat'
  | 'generate_content'
  | 'text_completion'
  | 'embeddings'
  | 'retrieval'
  | 'execute_tool'
  | 'invoke_agent'
  | 'invoke_workflow'
  | 'agent_step'
  | 'task'
  | 'turn'
  | 'evaluation'
  | 'custom'

/**
 * How a span ended, or that it has not. `abandoned` is what a row reads as that is `running` and began more than an hour ago by the
 * store's clock; to record it is to record `running`.
 */
export type MetricStatus = 'running' | 'ok' | 'error' | 'cancelled' | 'abandoned'

/**
 * One call of a model or a tool, or any other span of an agent's work. What is absent is not known, and is never taken for zero.
 * Names have at most 255 code points, ids are as those of sessions. A {@link Metric} that was read can be recorded again.
 */
export interface NewMetric {
  readonly appName: string
  /** With `spanId` and the app the identity of the row. Default: 32 hexadecimal digits, as W3C's trace context has them. */
  readonly traceId?: string
  /** Unique within its trace. Default: 16 hexadecimal digits. */
  readonly spanId?: string
  /** The span around this one. Nothing says that it is stored: children end first. Without one the row is the root of its trace. */
  readonly parentSpanId?: string
  readonly userId?: string
  /** The session that this belongs to. Nothing says that it still exists: what it cost outlives it. */
  readonly sessionId?: string
  readonly eventId?: string
  /** At most 65,535 bytes as it is stored. */
  readonly invocationId?: string
  readonly agentName?: string
  /** What the caller calls it. Not empty. */
  readonly operationName: string
  /** Default `custom`. */
  readonly operationType?: MetricOperationType
  /** Who answered: `openai`, `anthropic`, `vertex_ai` … */
  readonly provider?: string
  readonly requestModel?: string
  /** The model that answered, or else the one that was asked. */
  readonly model?: string
  /** The provider's id of the answer: one call that was recorded twice under it counts once. */
  readonly responseId?: string
  readonly finishReason?: string
  /** Default `ok`. A row that is `running` is completed by the next one with its key. */
  readonly status?: MetricStatus
  /** Class or code of what went wrong. */
  readonly errorType?: string
  /** The message of what went wrong, in any length that the row has room for. */
  readonly error?: string
  /** Milliseconds since 1970. Default: the store's clock. */
  readonly startedAt?: number
  readonly endedAt?: number
  /** Milliseconds, kept to the microsecond. */
  readonly durationMs?: number
  /** Milliseconds to the first chunk of a stream, kept to the microsecond. */
  readonly firstChunkMs?: number
  /** Code points. */
  readonly textCharCount?: number
  readonly textWordCount?: number
  /** Bytes in UTF-8. */
  readonly textByteSize?: number
  readonly textLineCount?: number
  readonly textCustomMetrics?: Readonly<Record<string, unknown>>
  readonly imageCount?: number
  readonly imageTotalPixels?: number
  readonly imageFileSizeBytes?: number
  /** Of the largest image. */
  readonly imageWidth?: number
  readonly imageHeight?: number
  /** At most 32 code points. */
  readonly imageFormat?: string
  readonly imageCustomMetrics?: Readonly<Record<string, unknown>>
  /** All that was read, tokens of a cache included. */
  readonly inputTokens?: number
  /** All that was written, reasoning included. */
  readonly outputTokens?: number
  readonly totalTokens?: number
  /** Part of `inputTokens`. */
  readonly cacheReadTokens?: number
  /** Part of `inputTokens`. */
  readonly cacheWriteTokens?: number
  /** Part of `outputTokens`. */
  readonly reasoningTokens?: number
  readonly usageSource?: 'provider' | 'tokenizer' | 'estimate'
  /**
   * Whose usage it is: 0 that of the call itself, 1 of a step or turn, 2 of an agent, 3 of a task or workflow. In each trace only the
   * lowest level that is there counts, since what is above repeats it. Default: by `operationType`, where the row has tokens or a
   * cost; without them the row has no usage.
   */
  readonly usageLevel?: 0 | 1 | 2 | 3
  /**
   * What the provider says that it cost, as a decimal text: `'0.0123'`, from 0 to 9000000 with at most 12 places, exact to the last one.
   * Needs `currency`.
   */
  readonly providedCost?: string
  /** What a price list says that it cost; counts where the provider says nothing. Needs `currency`. */
  readonly computedCost?: string
  /** At most 32 code points, `USD` for example. Amounts of different currencies are never added. */
  readonly currency?: string
  /** The entry of the price list that was used. */
  readonly priceId?: string
  /** The parts of the cost. */
  readonly costDetail?: Readonly<Record<string, unknown>>
  readonly environment?: string
  readonly release?: string
  readonly tags?: readonly string[]
  /** Everything else that queries may ask for by path. */
  readonly customAttributes?: Readonly<Record<string, unknown>>
  /** What was said, in any JSON form. */
  readonly content?: unknown
}

/** A row as it is read. Of one read with `light` the JSON members and `error` are absent. */
export interface Metric extends NewMetric {
  readonly traceId: string
  readonly spanId: string
  readonly operationType: MetricOperationType
  readonly status: MetricStatus
  readonly startedAt: number
  /** The version of the form that it was stored in. */
  readonly schemaVersion: number
  /** The store's clock when it was inserted, or when it was completed. */
  readonly recordedAt: number
}

export interface RecordMetricsOptions extends CallOptions {
  /**
   * What becomes of a row whose key is there already. `keep`, the default: the first one that has ended stays. `replace`: the new one
   * takes its place, for repricing and import; its place in the order `recorded`, and its `recordedAt`, stay.
   */
  readonly onDuplicate?: 'keep' | 'replace'
}

/** What became of the rows of one call: the four add up to as many as were given. */
export interface RecordedMetrics {
  /** The key was new. */
  readonly stored: number
  /** The key was that of a running row, whose end this is. */
  readonly completed: number
  /** Only with `replace`. */
  readonly replaced: number
  /** The key was there, or came more than once in this call; or the row was running, and another one was there. */
  readonly duplicates: number
}

/**
 * What every call of a model, a tool and an agent took, and what it cost.
 *
 * @example
 * ```ts
 * import { createInMemoryStore } from '@daybook/core'
 *
 * await using store = createInMemoryStore()
 * const call = { appName: 'shop', operationName: 'answer', operationType: 'chat', model: 'm1' } as const
 * await store.metrics.record([
 *   { ...call, durationMs: 810.5, inputTokens: 900, outputTokens: 70, computedCost: '0.0031', currency: 'USD' },
 *   { ...call, durationMs: 120, status: 'error', errorType: 'RateLimit' },
 * ])
 * const { items } = await store.metrics.query({ appName: 'shop', where: { status: 'error' } })
 * console.log(items.map(({ errorType }) => errorType)) // [ 'RateLimit' ]
 * ```
 */
export interface MetricStore {
  /**
   * Stores rows, each key once, however often it is recorded: so a call can be repeated after any failure, and two recorders with the
   * same rows store them once. Up to `limits.metricBatch` rows and `limits.metricBatchBytes`, checked all before any is written, and
   * written in chunks, each a transaction: of a call that fails half-way some chunks are there, and the repeat stores the rest.
   *
   * Of rows with the same key in one call the last that has ended counts, and without one the last. A row that has ended completes a
   * running one, and is then recorded anew; a running row changes nothing that has ended. Rows of one call are inserted in the order
   * given where all are new, else in any.
   *
   * A row is bounded as an event is (`eventBytes`), and its JSON as state is (`stateDepth`).
   *
   * @throws `invalid_argument`, `limit_exceeded` before any I/O, naming the row and its member: `rows[3].durationMs` · others with
   * `facts.metricIds`, the ids of all rows in the order given, where the store had made some of them: name them in the repeat
   */
  record(rows: readonly NewMetric[], options?: RecordMetricsOptions): Promise<RecordedMetrics>
  /**
   * Rows of one app that meet all filters, a page of them.
   *
   * With `order: 'recorded'`, oldest first, the answer always has a `nextCursor`, also at the end: ask again with it for what was
   * recorded since, from any process.
   */
  query(query: MetricQuery): Promise<Page<Metric>>
  /** Counts, sums, percentiles and costs of the rows of one app, by groups and spans of time: the same on every database, to the last digit. */
  aggregate<const M extends MetricMeasures>(query: MetricAggregateQuery<M>): Promise<Page<MetricGroup<M>>>
  /**
   * Deletes old rows in bounded chunks, each a transaction: one that was interrupted keeps the chunks before it, and its error says how
   * many (`facts.removed`). Deletes whole traces, those of which the newest row began before `before`; with `userId` or `sessionId` the
   * rows that name them and began before it, whatever their trace.
   */
  prune(query: MetricPruneQuery): Promise<MetricPruneReport>
}
