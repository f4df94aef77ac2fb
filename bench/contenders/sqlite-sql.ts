// The limit's statements on SQLite, for every driver, on Daybook's own tables.
import type { JsonValue } from '../data.ts'

// `+?`: of a parameter by itself better-sqlite3’s SQLite looks at the value to plan with, and prepares the statement anew for each.
const isKey = 'app_name = +? and user_id = +? and session_id = +?'

export const createSession = `insert into daybook_sessions (app_name, user_id, session_id, state, initial_state, revision, last_seq, created_at, updated_at, last_event_at)
  values (?, ?, ?, ?, ?, 1, 0, ?, ?, ?)
  returning (select state from daybook_user_states u where u.app_name = daybook_sessions.app_name and u.user_id = daybook_sessions.user_id) as "user",
    (select state from daybook_app_states a where a.app_name = daybook_sessions.app_name) as "app"`

const pairs = (count: number) => ', ?, json(?)'.repeat(count)

/** `json_set` without pairs answers its document. */
export const updateSession = (keys: number) =>
  `update daybook_sessions set state = json_set(state${pairs(keys)}), revision = revision + 1, last_seq = last_seq + 1,
    updated_at = max(updated_at, ?), last_event_at = ? where ${isKey} returning sid, revision, last_seq as seq`

/** Over the row of the session, so that nothing is written of a missing one. */
export const upsertUser = (keys: number) =>
  `insert into daybook_user_states (app_name, user_id, state, revision, updated_at)
    select app_name, user_id, json_set('{}'${pairs(keys)}), 1, ? from daybook_sessions where ${isKey}
    on conflict (app_name, user_id) do update set state = json_set(state${pairs(keys)}), revision = revision + 1, updated_at = max(updated_at, excluded.updated_at)`

export const insertEvent = `insert into daybook_events (sid, seq, event_id, invocation_id, author, timestamp, payload)
  select sid, last_seq, ?, ?, ?, ?, ? from daybook_sessions where ${isKey}`

/** One row: the bodies of the events as the inside of one JSON array. Their `seq` follow from the last one, which has no gaps before it. */
export const loadSession = `select s.state, u.state as "user", a.state as "app", s.revision, s.last_seq as seq, s.created_at, s.updated_at, s.last_event_at,
    (select group_concat(payload) from (select payload from daybook_events where sid = s.sid and seq > s.last_seq - ? order by seq)) as events
  from daybook_sessions s
  left join daybook_user_states u on u.app_name = s.app_name and u.user_id = s.user_id
  left join daybook_app_states a on a.app_name = s.app_name
  where s.app_name = +? and s.user_id = +? and s.session_id = +?`

const summary = 's.session_id, s.revision, s.last_seq, s.created_at, s.updated_at, s.last_event_at'
const recent = `where s.app_name = +? and s.user_id = +? order by s.last_event_at desc, s.session_id limit +?`
export const listSessions = `select ${summary} from daybook_sessions s ${recent}`
export const listWithState = `select ${summary}, s.state, u.state as "user", a.state as "app" from daybook_sessions s
  left join daybook_user_states u on u.app_name = s.app_name and u.user_id = s.user_id
  left join daybook_app_states a on a.app_name = s.app_name ${recent}`

/** The arguments of `json_set` for a delta. */
export const pairsOf = (entries: readonly (readonly [string, JsonValue])[]): string[] =>
  entries.flatMap(([key, value]) => [`$."${key}"`, JSON.stringify(value)])
