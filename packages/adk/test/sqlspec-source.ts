import { createClient } from '@libsql/client'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import { query } from './source-statements.ts'

type Value = string | number | boolean | Buffer | null

/** Inserts rows by name of column. */
async function insert(url: string, table: string, rows: readonly Readonly<Record<string, Value>>[]): Promise<void> {
  for (const row of rows) {
    const columns = Object.keys(row)
    const list = columns.join(', ')
    if (url.startsWith('sqlite://')) {
      const client = createClient({ url: `file:${url.slice('sqlite://'.length)}` })
      await client.execute({
        sql: `insert into ${table} (${list}) values (${columns.map(() => '?').join(', ')})`,
        args: Object.values(row),
      })
      client.close()
    } else if (url.startsWith('postgres')) {
      const client = new Client({ connectionString: url })
      await client.connect()
      const places = columns.map((_, i) => `$${i + 1}`).join(', ')
      await client.query(`insert into ${table} (${list}) values (${places})`, Object.values(row))
      await client.end()
    } else {
      const connection = await createConnection({ uri: url.replace(/^mariadb:/, 'mysql:') })
      await connection.query(`set time_zone = '+00:00'`)
      await connection.execute(
        `insert into ${table} (${list}) values (${columns.map(() => '?').join(', ')})`,
        Object.values(row),
      )
      await connection.end()
    }
  }
}

interface Types {
  readonly id: string
  readonly json: string
  readonly time: string
  readonly bytes: string
  readonly flag: string
}

const typesOf = (url: string): Types =>
  url.startsWith('sqlite://')
    ? { id: 'TEXT', json: 'TEXT', time: 'REAL', bytes: 'BLOB', flag: 'INTEGER' }
    : url.startsWith('postgres')
      ? { id: 'VARCHAR(128)', json: 'JSONB', time: 'TIMESTAMPTZ', bytes: 'BYTEA', flag: 'BOOLEAN' }
      : { id: 'VARCHAR(128)', json: 'JSON', time: 'TIMESTAMP(6)', bytes: 'BLOB', flag: 'BOOLEAN' }

/** As its stores write times: a Julian day, or UTC with microseconds. */
const timeOf = (url: string, ms: number): Value => {
  if (url.startsWith('sqlite://')) return 2_440_587.5 + ms / 86_400_000
  const text = `${new Date(ms).toISOString().slice(0, 23).replace('T', ' ')}000`
  return url.startsWith('postgres') ? `${text}+00` : text
}

/** An event of ADK for Python, dumped by `model_dump(exclude_none=True, mode="json")`: seconds, snake case, bytes for URLs. */
const pythonEvents = (start: number) => [
  {
    id: 'p0',
    invocation_id: 'i1',
    author: 'user',
    timestamp: start / 1000 + 0.000_25,
    content: { role: 'user', parts: [{ text: 'Grüße 😀' }, { inline_data: { mime_type: 'image/png', data: '-_8A' } }] },
    actions: { state_delta: { topic: 'a', 'user:home_city': 'Oslo' }, artifact_delta: { 'my_file.txt': 0 } },
  },
  {
    id: 'p1',
    invocation_id: 'i1',
    author: 'agent',
    timestamp: (start + 1) / 1000,
    long_running_tool_ids: ['c1'],
    content: {
      role: 'model',
      parts: [{ function_call: { id: 'c1', name: 'look', args: { snake_arg: 1 } }, thought_signature: 'a-b_' }],
    },
    custom_metadata: { snake_key: [{ a_b: 1 }] },
    turn_complete: false,
    usage_metadata: { prompt_token_count: 3 },
  },
]

/** What JavaScript's ADK would call these. */
export const expectedEvents = (start: number) => [
  {
    id: 'p0',
    invocationId: 'i1',
    author: 'user',
    timestamp: start + 0.25,
    content: { role: 'user', parts: [{ text: 'Grüße 😀' }, { inlineData: { mimeType: 'image/png', data: '+/8A' } }] },
    actions: { stateDelta: { topic: 'a', 'user:home_city': 'Oslo' }, artifactDelta: { 'my_file.txt': 0 } },
  },
  {
    id: 'p1',
    invocationId: 'i1',
    author: 'agent',
    timestamp: start + 1,
    longRunningToolIds: ['c1'],
    content: {
      role: 'model',
      parts: [{ functionCall: { id: 'c1', name: 'look', args: { snake_arg: 1 } }, thoughtSignature: 'a+b/' }],
    },
    customMetadata: { snake_key: [{ a_b: 1 }] },
    turnComplete: false,
    usageMetadata: { promptTokenCount: 3 },
  },
]

const sessionColumns = ({ id, json, time }: Types) =>
  `id ${id} PRIMARY KEY, app_name ${id} NOT NULL, user_id ${id} NOT NULL, state ${json} NOT NULL,
   create_time ${time} NOT NULL, update_time ${time} NOT NULL`

const sessionRow = (url: string, id: string, start: number, state: object) => ({
  id,
  app_name: 'shop',
  user_id: 'ann',
  state: JSON.stringify(state),
  create_time: timeOf(url, start - 1000),
  update_time: timeOf(url, start + 1),
})

/**
 * The tables of 0.51 and later: `_sessions_table_ddl`, `_events_table_ddl`, `_app_states_table_ddl` and
 * `_user_states_table_ddl` of sqlspec/adapters/{aiosqlite,asyncpg,asyncmy}/adk/store.py, without indexes; rows as
 * `event_to_record` of sqlspec/extensions/adk/converters.py makes them.
 */
export async function writeScopedTables(url: string, start: number): Promise<void> {
  const types = typesOf(url)
  const { id, json, time } = types
  await query(
    url,
    `CREATE TABLE adk_session (${sessionColumns(types)})`,
    `CREATE TABLE adk_event (id ${id} PRIMARY KEY, app_name ${id} NOT NULL, user_id ${id} NOT NULL,
      session_id ${id} NOT NULL, invocation_id ${id}, timestamp ${time} NOT NULL, event_data ${json} NOT NULL,
      FOREIGN KEY (session_id) REFERENCES adk_session(id) ON DELETE CASCADE)`,
    `CREATE TABLE adk_app_state (app_name ${id} PRIMARY KEY, state ${json} NOT NULL, update_time ${time} NOT NULL)`,
    `CREATE TABLE adk_user_state (app_name ${id} NOT NULL, user_id ${id} NOT NULL, state ${json} NOT NULL,
      update_time ${time} NOT NULL, PRIMARY KEY (app_name, user_id))`,
  )
  const update_time = timeOf(url, start)
  await insert(url, 'adk_session', [sessionRow(url, 's1', start, { topic: 'a', given: 1 })])
  await insert(
    url,
    'adk_event',
    pythonEvents(start).map((event) => ({
      id: event.id,
      app_name: 'shop',
      user_id: 'ann',
      session_id: 's1',
      invocation_id: event.invocation_id,
      timestamp: timeOf(url, event.timestamp * 1000),
      event_data: JSON.stringify(event),
    })),
  )
  await insert(url, 'adk_app_state', [{ app_name: 'shop', state: '{"app:next_id":7}', update_time }])
  await insert(url, 'adk_user_state', [
    { app_name: 'shop', user_id: 'ann', state: '{"user:home_city":"Oslo"}', update_time },
  ])
}

/**
 * The tables until 0.41: `_get_create_sessions_table_sql` and `_get_create_events_table_sql` of the same files there, without
 * indexes; a pickle that would run code if it were loaded.
 */
export async function writeDecomposedTables(url: string, start: number): Promise<void> {
  const types = typesOf(url)
  const { id, json, time, bytes, flag } = types
  await query(
    url,
    `CREATE TABLE adk_sessions (${sessionColumns(types)})`,
    `CREATE TABLE adk_events (id ${id} PRIMARY KEY, session_id ${id} NOT NULL, app_name ${id} NOT NULL,
      user_id ${id} NOT NULL, invocation_id VARCHAR(256) NOT NULL, author VARCHAR(256) NOT NULL, actions ${bytes} NOT NULL,
      long_running_tool_ids_json ${json}, branch VARCHAR(256), timestamp ${time} NOT NULL, content ${json},
      grounding_metadata ${json}, custom_metadata ${json}, partial ${flag}, turn_complete ${flag}, interrupted ${flag},
      error_code VARCHAR(256), error_message VARCHAR(1024),
      FOREIGN KEY (session_id) REFERENCES adk_sessions(id) ON DELETE CASCADE)`,
  )
  await insert(url, 'adk_sessions', [
    sessionRow(url, 's1', start, { topic: 'a', 'user:home_city': 'Bergen', 'app:next_id': 6, 'user:old': 1 }),
    sessionRow(url, 's2', start + 5000, { 'user:home_city': 'Oslo', 'app:next_id': 7 }),
  ])
  await insert(
    url,
    'adk_events',
    pythonEvents(start).map(({ custom_metadata, content, long_running_tool_ids, ...event }) => ({
      id: event.id,
      session_id: 's1',
      app_name: 'shop',
      user_id: 'ann',
      invocation_id: event.invocation_id,
      author: event.author,
      actions: Buffer.from(`cos\nsystem\n(S'false'\ntR.`),
      long_running_tool_ids_json: long_running_tool_ids === undefined ? null : JSON.stringify(long_running_tool_ids),
      timestamp: timeOf(url, Math.floor(event.timestamp * 1000)),
      content: JSON.stringify(content),
      custom_metadata: custom_metadata === undefined ? null : JSON.stringify(custom_metadata),
      turn_complete:
        event.turn_complete === undefined
          ? null
          : url.startsWith('postgres')
            ? event.turn_complete
            : Number(event.turn_complete),
    })),
  )
}

/** Between them, `event_data` beside `author`, and no app and user: the same files at 0.42. */
export async function writeEventTables(url: string, start: number): Promise<void> {
  const types = typesOf(url)
  const { id, json, time } = types
  await query(
    url,
    `CREATE TABLE adk_sessions (${sessionColumns(types)})`,
    `CREATE TABLE adk_events (id ${id} PRIMARY KEY, session_id ${id} NOT NULL, invocation_id ${id}, author ${id},
      timestamp ${time} NOT NULL, event_data ${json} NOT NULL,
      FOREIGN KEY (session_id) REFERENCES adk_sessions(id) ON DELETE CASCADE)`,
  )
  await insert(url, 'adk_sessions', [
    sessionRow(url, 's1', start, { topic: 'a', 'user:home_city': 'Oslo', 'app:next_id': 7 }),
  ])
  await insert(
    url,
    'adk_events',
    pythonEvents(start).map((event) => ({
      id: event.id,
      session_id: 's1',
      invocation_id: event.invocation_id,
      author: event.author,
      timestamp: timeOf(url, event.timestamp * 1000),
      event_data: JSON.stringify(event),
    })),
  )
}
