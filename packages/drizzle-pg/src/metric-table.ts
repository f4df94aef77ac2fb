import type { JsonObject, JsonValue } from '@daybook/core'
import { sql } from 'drizzle-orm'
import { bigint, customType, index, integer, jsonb, unique, type pgTable } from 'drizzle-orm/pg-core'
import { id, name as exactText, time } from './column-types.ts'

const name = customType<{ data: string }>({ dataType: () => 'varchar(255) COLLATE "C"' })
const tag = customType<{ data: string }>({ dataType: () => 'varchar(32) COLLATE "C"' })
/** The transaction that wrote the row: what is open cannot be passed by, and a feed waits for it. */
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' })
const big = (column: string) => bigint(column, { mode: 'number' })
const money = customType<{ data: string }>({ dataType: () => 'numeric(24,12)' })

/** @param table what makes it in its schema */
export const metricsTable = (table: typeof pgTable, named: string) =>
  table(
    named,
    {
      position: bigint({ mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
      xact: xid8().default(sql`pg_current_xact_id()`),
      appName: id('app_name').notNull(),
      traceId: id('trace_id').notNull(),
      spanId: id('span_id').notNull(),
      parentSpanId: id('parent_span_id'),
      userId: id('user_id'),
      sessionId: id('session_id'),
      eventId: id('event_id'),
      invocationId: exactText('invocation_id'),
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
      error: exactText(),
      startedAt: time('started_at').notNull(),
      endedAt: time('ended_at'),
      durationUs: big('duration_us'),
      firstChunkUs: big('first_chunk_us'),
      textCharCount: big('text_char_count'),
      textWordCount: big('text_word_count'),
      textByteSize: big('text_byte_size'),
      textLineCount: big('text_line_count'),
      textCustomMetrics: jsonb('text_custom_metrics').$type<JsonObject>(),
      imageCount: big('image_count'),
      imageTotalPixels: big('image_total_pixels'),
      imageFileSizeBytes: big('image_file_size_bytes'),
      imageWidth: integer('image_width'),
      imageHeight: integer('image_height'),
      imageFormat: tag('image_format'),
      imageCustomMetrics: jsonb('image_custom_metrics').$type<JsonObject>(),
      inputTokens: big('input_tokens'),
      outputTokens: big('output_tokens'),
      totalTokens: big('total_tokens'),
      cacheReadTokens: big('cache_read_tokens'),
      cacheWriteTokens: big('cache_write_tokens'),
      reasoningTokens: big('reasoning_tokens'),
      usageSource: tag('usage_source'),
      usageLevel: integer('usage_level'),
      providedCost: money('provided_cost'),
      computedCost: money('computed_cost'),
      currency: tag(),
      priceId: name('price_id'),
      costDetail: jsonb('cost_detail').$type<JsonObject>(),
      environment: name(),
      release: name(),
      tags: jsonb().$type<readonly string[]>(),
      customAttributes: jsonb('custom_attributes').$type<JsonObject>(),
      content: jsonb().$type<NonNullable<JsonValue>>(),
      schemaVersion: integer('schema_version').notNull(),
      recordedAt: time('recorded_at').notNull(),
    },
    (t) => [
      unique(`${named}_key`).on(t.appName, t.traceId, t.spanId),
      index(`${named}_session`).on(t.appName, t.userId, t.sessionId, t.startedAt),
      index(`${named}_age`).on(t.appName, t.startedAt),
      index(`${named}_operation`).on(t.appName, t.operationName, t.startedAt),
      index(`${named}_model`).on(t.appName, t.model, t.startedAt),
      index(`${named}_user`).on(t.appName, t.userId, t.startedAt),
      index(`${named}_feed`).on(t.xact, t.position),
    ],
  )
