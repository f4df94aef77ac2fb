import type { JsonObject, JsonValue } from '@daybook/core'
import { bigint, decimal, index, int, json, mysqlTable, unique } from 'drizzle-orm/mysql-core'
import { exactText, time, type Flavour } from './column-types.ts'

const big = (column: string) => bigint(column, { mode: 'number' })
const money = (column: string) => decimal(column, { precision: 24, scale: 12 })

export function metricsTable(named: string, flavour: Flavour) {
  const longText = exactText('longtext', flavour)
  const id = exactText('varchar(191)', flavour)
  const name = exactText('varchar(255)', flavour)
  const tag = exactText('varchar(32)', flavour)
  return mysqlTable(
    named,
    {
      position: bigint({ mode: 'number' }).autoincrement().primaryKey(),
      appName: id('app_name').notNull(),
      traceId: id('trace_id').notNull(),
      spanId: id('span_id').notNull(),
      parentSpanId: id('parent_span_id'),
      userId: id('user_id'),
      sessionId: id('session_id'),
      eventId: id('event_id'),
      invocationId: longText('invocation_id'),
      agentName: name('agent_name'),
      operationName: name('operation_name').notNull(),
      operationType: tag('operation_type').notNull(),
      provider: name(),
      requestModel: name('request_model'),
      model: name(),
      responseId: name('response_id'),
      finishReason: name('finish_reason'),
      status: tag().notNull(),
      errorType: name('error_type'),
      error: longText(),
      startedAt: time('started_at').notNull(),
      endedAt: time('ended_at'),
      durationUs: big('duration_us'),
      firstChunkUs: big('first_chunk_us'),
      textCharCount: big('text_char_count'),
      textWordCount: big('text_word_count'),
      textByteSize: big('text_byte_size'),
      textLineCount: big('text_line_count'),
      textCustomMetrics: json('text_custom_metrics').$type<JsonObject>(),
      imageCount: big('image_count'),
      imageTotalPixels: big('image_total_pixels'),
      imageFileSizeBytes: big('image_file_size_bytes'),
      imageWidth: int('image_width'),
      imageHeight: int('image_height'),
      imageFormat: tag('image_format'),
      imageCustomMetrics: json('image_custom_metrics').$type<JsonObject>(),
      inputTokens: big('input_tokens'),
      outputTokens: big('output_tokens'),
      totalTokens: big('total_tokens'),
      cacheReadTokens: big('cache_read_tokens'),
      cacheWriteTokens: big('cache_write_tokens'),
      reasoningTokens: big('reasoning_tokens'),
      usageSource: tag('usage_source'),
      usageLevel: int('usage_level'),
      providedCost: money('provided_cost'),
      computedCost: money('computed_cost'),
      currency: tag(),
      priceId: name('price_id'),
      costDetail: json('cost_detail').$type<JsonObject>(),
      environment: name(),
      release: name(),
      tags: json().$type<readonly string[]>(),
      customAttributes: json('custom_attributes').$type<JsonObject>(),
      content: json().$type<NonNullable<JsonValue>>(),
      schemaVersion: int('schema_version').notNull(),
      recordedAt: time('recorded_at').notNull(),
    },
    (t) => [
      unique(`${named}_key`).on(t.appName, t.traceId, t.spanId),
      index(`${named}_session`).on(t.appName, t.userId, t.sessionId, t.startedAt),
      index(`${named}_age`).on(t.appName, t.startedAt),
      index(`${named}_operation`).on(t.appName, t.operationName, t.startedAt),
      index(`${named}_model`).on(t.appName, t.model, t.startedAt),
      index(`${named}_user`).on(t.appName, t.userId, t.startedAt),
    ],
  )
}
