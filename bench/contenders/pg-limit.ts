// The limit on PostgreSQL: one prepared statement for each operation, on Daybook's own tables.
import { Pool } from 'pg'
import postgres from 'postgres'
import type { Contender, Entry } from '../contender.ts'
import type { JsonObject, JsonValue } from '../data.ts'
import { deltaOf } from './delta.ts'
import { merged } from './merged.ts'
import { areaTables, pgAreas } from './pg-areas.ts'
import { makeTables, pgBulk } from './pg-tables.ts'

const isKey = 'app_name = $1 and user_id = $2 and session_id = $3'

const create = `with s as (
    insert into daybook_sessions (app_name, user_id, session_id, state, initial_state, revision, last_seq, created_at, updated_at, last_event_at)
    values ($1, $2, $3, $4::text::jsonb, $4::text::json, 1, 0, $5::bigint, $5::bigint, $5::bigint)
    returning sid)
  select (select state from daybook_user_states where app_name = $1 and user_id = $2) as "user",
    (select state from daybook_app_states where app_name = $1) as "app" from s`

const appendSession = `s as (
    update daybook_sessions set state = (state - $4::text::text[]) || $5::text::jsonb, revision = revision + 1, last_seq = last_seq + 1,
      updated_at = greatest(updated_at, $6::bigint), last_event_at = $7::bigint
    where ${isKey} returning sid, revision, last_seq)`
const appendUser = `u as (
    insert into daybook_user_states (app_name, user_id, state, revision, updated_at)
    select $1, $2, $12::text::jsonb, 1, $6::bigint from s
    on conflict (app_name, user_id) do update set state = daybook_user_states.state || excluded.state,
      revision = daybook_user_states.revision + 1, updated_at = greatest(daybook_user_states.updated_at, excluded.updated_at)
    returning 1)`
// PostgreSQL promises no order among the parts: each reads from the one before, so that locks are taken in one order.
const appendEvent = (before: string) => `e as (
    insert into daybook_events (sid, seq, event_id, invocation_id, author, timestamp, payload)
    select s.sid, s.last_seq, $8, $9, $10, $7::bigint, $11::text::json from s, (select count(*) from ${before}) as done)`
const appended = `select revision, last_seq as seq from s`
const append = `with ${appendSession}, ${appendEvent('s')} ${appended}`
const appendWithUser = `with ${appendSession}, ${appendUser}, ${appendEvent('u')} ${appended}`

const load = `select s.state, u.state as "user", a.state as "app", s.revision, s.last_seq, s.created_at, s.updated_at, s.last_event_at, (
    select json_agg(json_build_array(e.seq, e.payload)) from (
      select seq, payload from daybook_events where sid = s.sid order by seq desc limit $4::bigint) as e) as events
  from daybook_sessions s
  left join daybook_user_states u on u.app_name = $1 and u.user_id = $2
  left join daybook_app_states a on a.app_name = $1
  where s.app_name = $1 and s.user_id = $2 and s.session_id = $3`

const summary = 's.session_id, s.revision, s.last_seq, s.created_at, s.updated_at, s.last_event_at'
const recent = `where s.app_name = $1 and s.user_id = $2 order by s.last_event_at desc, s.session_id`
/** Of one LIMIT by itself PostgreSQL expects too much to keep a plan. */
const firstOf = (ordered: string) =>
  `select * from (select * from (${ordered} limit $3::bigint) as page limit $3::bigint) as page limit $3::bigint`
const list = firstOf(`select ${summary} from daybook_sessions s ${recent}`)
const listWithState = firstOf(`select ${summary}, s.state, u.state as "user", a.state as "app" from daybook_sessions s
  left join daybook_user_states u on u.app_name = $1 and u.user_id = $2
  left join daybook_app_states a on a.app_name = $1 ${recent}`)

interface Row {
  readonly state: JsonObject
  readonly user: JsonObject | null
  readonly app: JsonObject | null
  readonly revision: string
  readonly seq: string
  readonly events: readonly (readonly [seq: number, event: { readonly id: string }])[] | null
}

type Parameter = string | number
type Run = (name: string, text: string, parameters: readonly Parameter[]) => Promise<readonly Row[]>

const micros = (ms: number) => Math.round(ms * 1000)
const jsonOf = (entries: readonly (readonly [string, JsonValue])[]) => JSON.stringify(Object.fromEntries(entries))

function limit(run: Run, url: string, close: () => Promise<void>): Contender {
  return {
    ...pgBulk(url),
    async create({ appName, userId, sessionId }, state) {
      const parameters = [appName, userId, sessionId, JSON.stringify(state), micros(Date.now())]
      const [row] = await run('create', create, parameters)
      return merged(state, row?.user ?? null, row?.app ?? null)
    },
    async writer({ appName, userId, sessionId }) {
      return async (event) => {
        const { session, user } = deltaOf(event)
        const [at, now] = [micros(event.timestamp), micros(Date.now())]
        const { id, invocationId, author } = event
        const parameters: Parameter[] = [appName, userId, sessionId, '{}', jsonOf(session), now, at]
        parameters.push(id, invocationId, author, JSON.stringify(event))
        const [row] =
          user.length === 0
            ? await run('append', append, parameters)
            : await run('append_user', appendWithUser, [...parameters, jsonOf(user)])
        if (row === undefined) throw new Error('the session is missing')
        return { seq: Number(row.seq), revision: Number(row.revision) }
      }
    },
    async load({ appName, userId, sessionId }, last) {
      const [row] = await run('load', load, [appName, userId, sessionId, last])
      if (row === undefined) throw new Error('the session is missing')
      const events = (row.events ?? []).toSorted(([a], [b]) => a - b) // as the index has them: a sort of many goes through a file
      return { state: merged(row.state, row.user, row.app), events: events.map(([, event]) => event) }
    },
    async list({ appName, userId }, most, withState) {
      const rows = withState
        ? await run('list_state', listWithState, [appName, userId, most])
        : await run('list', list, [appName, userId, most])
      return rows.map((row) => (withState ? { ...row, state: merged(row.state, row.user, row.app) } : row)).length
    },
    close,
  }
}

export const pgLimits: readonly Entry[] = [
  {
    name: 'limit',
    driver: 'postgres.js',
    async open({ url, pool }) {
      await makeTables(url)
      const sql = postgres(url, { max: pool, onnotice: () => {} })
      for (const text of areaTables) await sql.unsafe(text)
      const run: Run = async (_, text, parameters) => sql.unsafe<Row[]>(text, [...parameters], { prepare: true })
      const areas = pgAreas(async (_, text, values) => sql.unsafe(text, [...values] as string[], { prepare: true })) // what the driver takes
      return { ...limit(run, url, () => sql.end()), ...areas }
    },
  },
  {
    name: 'limit-node-postgres',
    driver: 'node-postgres',
    async open({ url, pool }) {
      await makeTables(url)
      const clients = new Pool({ connectionString: url, max: pool, idleTimeoutMillis: 0 })
      for (const text of areaTables) await clients.query(text)
      const run: Run = async (name, text, values) =>
        (await clients.query<Row>({ name, text, values: [...values] })).rows
      const areas = pgAreas(
        async (name, text, values) => (await clients.query({ name, text, values: [...values] })).rows,
      )
      return { ...limit(run, url, () => clients.end()), ...areas }
    },
  },
]
