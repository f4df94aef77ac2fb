// A row of metrics as the table of Daybook itself has it: the columns that a row of the bench fills, and what goes into them.
import { metricSchemaVersion, type JsonObject, type NewMetric } from '@daybook/core'

export type Cell = string | number | null

const micros = (ms: number | undefined) => (ms === undefined ? null : Math.round(ms * 1000))
const json = (value: object | undefined) => (value === undefined ? null : JSON.stringify(value))

/** Name, type on PostgreSQL, value. */
const columns: readonly (readonly [name: string, type: string, value: (row: NewMetric, now: number) => Cell])[] = [
  ['app_name', 'text', ({ appName }) => appName],
  ['trace_id', 'text', ({ traceId = '' }) => traceId],
  ['span_id', 'text', ({ spanId = '' }) => spanId],
  ['parent_span_id', 'text', ({ parentSpanId = null }) => parentSpanId],
  ['user_id', 'text', ({ userId = null }) => userId],
  ['session_id', 'text', ({ sessionId = null }) => sessionId],
  ['event_id', 'text', ({ eventId = null }) => eventId],
  ['operation_name', 'text', ({ operationName }) => operationName],
  ['operation_type', 'text', ({ operationType = 'custom' }) => operationType],
  ['status', 'text', ({ status = 'ok' }) => status],
  ['error_type', 'text', ({ errorType = null }) => errorType],
  ['error', 'text', ({ error = null }) => error],
  ['started_at', 'bigint', ({ startedAt }) => micros(startedAt)],
  ['duration_us', 'bigint', ({ durationMs }) => micros(durationMs)],
  ['text_char_count', 'bigint', ({ textCharCount = null }) => textCharCount],
  ['text_word_count', 'bigint', ({ textWordCount = null }) => textWordCount],
  ['text_byte_size', 'bigint', ({ textByteSize = null }) => textByteSize],
  ['text_line_count', 'bigint', ({ textLineCount = null }) => textLineCount],
  ['text_custom_metrics', 'jsonb', ({ textCustomMetrics }) => json(textCustomMetrics)],
  ['image_count', 'bigint', ({ imageCount = null }) => imageCount],
  ['image_total_pixels', 'bigint', ({ imageTotalPixels = null }) => imageTotalPixels],
  ['image_file_size_bytes', 'bigint', ({ imageFileSizeBytes = null }) => imageFileSizeBytes],
  ['image_width', 'int', ({ imageWidth = null }) => imageWidth],
  ['image_height', 'int', ({ imageHeight = null }) => imageHeight],
  ['image_format', 'text', ({ imageFormat = null }) => imageFormat],
  ['image_custom_metrics', 'jsonb', ({ imageCustomMetrics }) => json(imageCustomMetrics)],
  ['custom_attributes', 'jsonb', ({ customAttributes }) => json(customAttributes)],
  ['schema_version', 'int', () => metricSchemaVersion],
  ['recorded_at', 'bigint', (_, now) => now],
]

export const columnNames = columns.map(([name]) => name)
export const isDocument = (column: string): boolean =>
  columns.some(([name, type]) => name === column && type === 'jsonb')
export const cellsOf = (row: NewMetric): Cell[] => {
  const now = Date.now() * 1000
  return columns.map(([, , value]) => value(row, now))
}

/** One parameter for any number of rows: objects, of which what is NULL is left out. */
export const insertOfMany = `insert into daybook_metrics (${columnNames.join(', ')}) select ${columnNames.join(', ')}
  from json_to_recordset($1::text::json) as entry (${columns.map(([name, type]) => `${name} ${type}`).join(', ')})`

export const entriesOf = (rows: readonly NewMetric[]): string => {
  const now = Date.now() * 1000
  return JSON.stringify(
    rows.map((row) => {
      const entry: Record<string, unknown> = {}
      for (const [name, type, value] of columns) {
        const cell = value(row, now)
        if (cell !== null) entry[name] = type === 'jsonb' ? (JSON.parse(String(cell)) as object) : cell // what was just written
      }
      return entry
    }),
  )
}
type Documents = 'textCustomMetrics' | 'imageCustomMetrics' | 'customAttributes' | 'costDetail'

/** For the builder: the members of a row as they are, with what the table wants besides. */
export function valuesOf(given: NewMetric) {
  const { durationMs = 0, firstChunkMs: _, content: __, ...row } = given
  return {
    ...(row as Omit<typeof row, Documents> & Partial<Record<Documents, JsonObject>>), // the bench makes them of JSON
    traceId: row.traceId ?? '',
    spanId: row.spanId ?? '',
    operationType: row.operationType ?? 'custom',
    status: row.status ?? 'ok',
    startedAt: row.startedAt ?? 0,
    durationUs: Math.round(durationMs * 1000),
    schemaVersion: metricSchemaVersion,
    recordedAt: Date.now(),
  }
}
