import { isJsonObject, type JsonObject, type JsonValue } from '@daybook/core'
import { camelCaseEvent } from './event-keys.ts'
import { jsonObject, type Layout } from './layout.ts'
import type { SourceRow, TimeColumn } from './source.ts'

const base = {
  name: 'sqlspec',
  time: ({ sqlspecTime }) => sqlspecTime,
} as const satisfies Partial<Layout>

/**
 * SQLSpec's tables. The generation is told by the columns of the events: until 0.41 18 columns with pickled actions, until
 * 0.50 the whole event as JSON, since 0.51 with app and user beside it, and state by scope in tables of its own.
 */
export function sqlspecLayout(
  tables: Layout['tables'],
  columnsOf: (table: string) => ReadonlySet<string>,
): Layout | undefined {
  const columns = columnsOf(tables.events)
  const body = ['event_data', 'event_json'].find((name) => columns.has(name))
  const eventsNameUsers = columns.has('app_name') && columns.has('user_id')
  if (body !== undefined)
    return {
      ...base,
      schema: eventsNameUsers ? 'events as JSON, state by scope' : 'events as JSON',
      tables,
      eventsNameUsers,
      scopesInSessions: tables.userStates === undefined,
      body: ({ jsonText, name }) => ({ data: jsonText(name(body)) }),
      event: ({ id, data, at }, time) => fromPython(jsonObject(data, body), { id, at }, time),
      scopeState: withoutPrefix,
    }
  if (!columns.has('content') || !columns.has('actions')) return undefined
  return {
    ...base,
    schema: '18 columns',
    tables,
    eventsNameUsers,
    scopesInSessions: true,
    body: ({ jsonText, name }) => ({
      ...Object.fromEntries(scalars.map((column) => [column, name(column)])),
      ...Object.fromEntries(documents.map((column) => [column, jsonText(name(column))])),
    }),
    event: (row, time) => fromColumns(row, time),
    scopeState: withoutPrefix,
    left: {
      reason: 'pickled_actions',
      detail:
        'what their actions did (state, transfers, artifacts) is pickled, which is never loaded, since it can run code',
    },
  }
}

const scalars = [
  'invocation_id',
  'author',
  'branch',
  'partial',
  'turn_complete',
  'interrupted',
  'error_code',
  'error_message',
] as const
const documents = ['long_running_tool_ids_json', 'content', 'grounding_metadata', 'custom_metadata'] as const
const flags: ReadonlySet<string> = new Set(['partial', 'turn_complete', 'interrupted'])

function fromColumns(row: SourceRow, time: TimeColumn): JsonObject {
  const event: JsonObject = {}
  for (const column of scalars) {
    const value = row[column]
    if (flags.has(column) && (typeof value === 'boolean' || typeof value === 'number'))
      event[column] = Number(value) === 1
    else if (typeof value === 'string') event[column] = value
  }
  for (const column of documents) {
    const text = row[column]
    if (typeof text !== 'string') continue
    event[column.replace(/_json$/, '')] = JSON.parse(text) as JsonValue // JSON.parse answers nothing else
  }
  return fromPython(event, { id: row['id'], at: row['at'] }, time)
}

/** An event as ADK for Python dumps it: keys in snake case, seconds, and bytes in the alphabet of URLs. */
function fromPython(dumped: JsonObject, { id, at }: SourceRow, time: TimeColumn): JsonObject {
  const event = camelCaseEvent(dumped)
  const { timestamp } = event
  return {
    ...event,
    ...(event['content'] !== undefined && { content: withStandardBytes(event['content']) }),
    id: event['id'] ?? String(id),
    timestamp: typeof timestamp === 'number' ? Math.round(timestamp * 1e6) / 1e3 : time.read(at),
  }
}

/** The bytes of parts: those of `inlineData`, also of a tool's response, and thought signatures. */
function withStandardBytes(content: JsonValue): JsonValue {
  if (!isJsonObject(content) || !Array.isArray(content['parts'])) return content
  return { ...content, parts: content['parts'].map((part) => partWithStandardBytes(part)) }
}

function partWithStandardBytes(part: JsonValue): JsonValue {
  if (!isJsonObject(part)) return part
  const { inlineData, thoughtSignature, functionResponse } = part
  return {
    ...part,
    ...(isJsonObject(inlineData) && { inlineData: { ...inlineData, ...standard(inlineData, 'data') } }),
    ...standard(part, 'thoughtSignature', thoughtSignature),
    ...(functionResponse !== undefined && { functionResponse: withStandardBytes(functionResponse) }),
  }
}

const standard = (holder: JsonObject, name: string, value = holder[name]): JsonObject =>
  typeof value === 'string' ? { [name]: value.replaceAll('-', '+').replaceAll('_', '/') } : {}

/** Its tables of state keep the keys with their prefix. */
const withoutPrefix = (state: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(state).map(([key, value]) => [key.replace(/^(?:app|user):/, ''), value]))
