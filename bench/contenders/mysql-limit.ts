// The limit on MariaDB and MySQL: one round trip for each operation, on Daybook's own tables. MariaDB takes an append as an
// anonymous block; MySQL has none, so there it is a stored procedure.
import { createPool, type Pool, type RowDataPacket } from 'mysql2/promise'
import type { Contender, Entry } from '../contender.ts'
import type { JsonObject, JsonValue } from '../data.ts'
import { deltaOf, type Delta } from './delta.ts'
import { merged } from './merged.ts'
import { areaTables, mysqlAreas } from './mysql-areas.ts'
import { makeTables, mysqlBulk } from './mysql-tables.ts'

type Flavour = 'mariadb' | 'mysql'
type Parameter = string | number

/** Keys of the session and of the user that an append sets. */
type Arity = readonly [session: number, user: number]

const isKey = 'app_name = ? and user_id = ? and session_id = ?'
const asJson = { mariadb: 'json_compact(?)', mysql: 'cast(? as json)' }
const pairs = (flavour: Flavour, count: number) => `, ?, ${asJson[flavour]}`.repeat(count)

/** `seq` and `revision` come from the row that the first statement locks; what is inserted is given by value, since INSERT … SELECT would lock what it reads. */
function appendBody(flavour: Flavour, [session, user]: Arity): string {
  const upsert = `
    insert into daybook_user_states (app_name, user_id, state, revision, updated_at)
      values (?, ?, json_set('{}'${pairs(flavour, user)}), 1, ?)
      on duplicate key update state = json_set(state${pairs(flavour, user)}), revision = revision + 1, updated_at = greatest(updated_at, ?);`
  return `
    declare the_sid, the_seq, the_revision bigint;
    declare exit handler for sqlexception begin rollback; resignal; end;
    start transaction;
    update daybook_sessions set ${session === 0 ? '' : `state = json_set(state${pairs(flavour, session)}), `}revision = revision + 1,
      last_seq = last_seq + 1, updated_at = greatest(updated_at, ?), last_event_at = ? where ${isKey};
    select sid, last_seq, revision into the_sid, the_seq, the_revision from daybook_sessions where ${isKey};
    ${user === 0 ? '' : upsert}
    insert into daybook_events (sid, seq, event_id, invocation_id, author, timestamp, payload)
      values (the_sid, the_seq, ?, ?, ?, ?, ?);
    commit;
    select the_seq as seq, the_revision as revision;`
}

const pairsOf = (entries: readonly (readonly [string, JsonValue])[]): Parameter[] =>
  entries.flatMap(([key, value]) => [`$."${key}"`, JSON.stringify(value)])

/** As they follow each other in the body. */
function appendParameters(key: readonly string[], delta: Delta, now: number, event: readonly Parameter[]): Parameter[] {
  const [appName = '', userId = ''] = key
  const at = event[3] ?? now
  const user = pairsOf(delta.user)
  return [
    ...pairsOf(delta.session),
    now,
    at,
    ...key,
    ...key,
    ...(delta.user.length === 0 ? [] : [appName, userId, ...user, now, ...user, now]),
    ...event,
  ]
}

/** Those that the smoke and the workloads need. */
const arities: readonly Arity[] = [
  [2, 1],
  [1, 0],
  [0, 1],
]
const procedureName = ([session, user]: Arity) => `bench_append_${session}_${user}`

function procedure(arity: Arity): string {
  const types: string[] = []
  const body = appendBody('mysql', arity).replaceAll('?', () => `p${types.push('longtext')}`)
  return `create procedure ${procedureName(arity)}(${types.map((type, i) => `p${i + 1} ${type} character set utf8mb4`).join(', ')}) begin ${body} end`
}

const create = `insert into daybook_sessions (app_name, user_id, session_id, state, initial_state, revision, last_seq, created_at, updated_at, last_event_at)
  values (?, ?, ?, ?, ?, 1, 0, ?, ?, ?)`
const scopes = `(select state from daybook_user_states where app_name = ? and user_id = ?) as user, (select state from daybook_app_states where app_name = ?) as app`
const createProcedure = `create procedure bench_create(app varchar(191) character set utf8mb4 collate utf8mb4_0900_bin, usr varchar(191) character set utf8mb4 collate utf8mb4_0900_bin, ses varchar(191) character set utf8mb4 collate utf8mb4_0900_bin, doc longtext character set utf8mb4, at bigint) begin
    ${create.replace(/values .*/, 'values (app, usr, ses, doc, doc, 1, 0, at, at, at)')};
    select (select state from daybook_user_states where app_name = app and user_id = usr) as user, (select state from daybook_app_states where app_name = app) as app;
  end`

/** The session's documents come with one of its events only: each row would bring them again. */
const load = `select if(e.seq is null or e.seq = s.last_seq, s.state, null) as state, if(e.seq is null or e.seq = s.last_seq, u.state, null) as user,
    if(e.seq is null or e.seq = s.last_seq, a.state, null) as app, s.revision, s.last_seq, s.created_at, s.updated_at, s.last_event_at, e.seq, e.payload
  from (select * from daybook_sessions where ${isKey}) s
  left join daybook_user_states u on u.app_name = s.app_name and u.user_id = s.user_id
  left join daybook_app_states a on a.app_name = s.app_name
  left join daybook_events e on e.sid = s.sid and e.seq > s.last_seq - ?`

const summary = 's.session_id, s.revision, s.last_seq, s.created_at, s.updated_at, s.last_event_at'
const recent = `where s.app_name = ? and s.user_id = ? order by s.last_event_at desc, s.session_id limit ?`
const list = `select ${summary} from daybook_sessions s ${recent}`
const listWithState = `select ${summary}, s.state, u.state as user, a.state as app from daybook_sessions s
  left join daybook_user_states u on u.app_name = s.app_name and u.user_id = s.user_id
  left join daybook_app_states a on a.app_name = s.app_name ${recent}`

type Document = string | JsonObject | null
interface ScopesRow extends RowDataPacket {
  readonly state: Document
  readonly user: Document
  readonly app: Document
}
interface AppendedRow extends RowDataPacket {
  readonly seq: number
  readonly revision: number
}
type LoadRow = [state: Document, user: Document, app: Document, ...number[]] & { 8: number | null; 9: string }

const micros = (ms: number) => Math.round(ms * 1000)
/** As text or parsed, by the version of the server. */
const parsed = (value: Document) => (typeof value === 'string' ? (JSON.parse(value) as JsonObject) : value) // what the store wrote
const viewOf = (state: Document, user: Document, app: Document) =>
  merged(parsed(state) ?? {}, parsed(user), parsed(app))

function limit(pool: Pool, flavour: Flavour, url: string): Contender {
  const blocks = new Map<string, string>()
  function blockOf(arity: Arity): string {
    const name = procedureName(arity)
    const known = blocks.get(name) ?? `begin not atomic ${appendBody('mariadb', arity)} end`
    blocks.set(name, known)
    return known
  }
  async function append(arity: Arity, parameters: readonly Parameter[]): Promise<AppendedRow | undefined> {
    const marks = parameters.map(() => '?').join(', ')
    const [results] =
      flavour === 'mariadb'
        ? await pool.query<RowDataPacket[][]>(blockOf(arity), [...parameters])
        : await pool.execute<RowDataPacket[][]>(`call ${procedureName(arity)}(${marks})`, [...parameters])
    const rows = results.find((result) => Array.isArray(result))
    return rows?.[0] as AppendedRow | undefined // as the body says
  }
  return {
    ...mysqlBulk(url),
    async create({ appName, userId, sessionId }, state) {
      const [json, now] = [JSON.stringify(state), micros(Date.now())]
      if (flavour === 'mysql') {
        const call = 'call bench_create(?, ?, ?, ?, ?)'
        const [[rows]] = await pool.execute<ScopesRow[][]>(call, [appName, userId, sessionId, json, now])
        return viewOf(state, rows?.[0]?.user ?? null, rows?.[0]?.app ?? null)
      }
      const parameters = [appName, userId, sessionId, json, json, now, now, now, appName, userId, appName]
      const [[row]] = await pool.execute<ScopesRow[]>(`${create} returning ${scopes}`, parameters)
      return viewOf(state, row?.user ?? null, row?.app ?? null)
    },
    async writer({ appName, userId, sessionId }) {
      const key = [appName, userId, sessionId]
      return async (event) => {
        const delta = deltaOf(event)
        const { id, invocationId, author, timestamp } = event
        const columns = [id, invocationId, author, micros(timestamp), JSON.stringify(event)]
        const parameters = appendParameters(key, delta, micros(Date.now()), columns)
        const row = await append([delta.session.length, delta.user.length], parameters)
        if (row === undefined) throw new Error('the session is missing')
        return { seq: row.seq, revision: row.revision }
      }
    },
    async load({ appName, userId, sessionId }, last) {
      const [answer] = await pool.execute<RowDataPacket[][]>({ sql: load, rowsAsArray: true }, [
        appName,
        userId,
        sessionId,
        last,
      ])
      const rows = answer as unknown as readonly LoadRow[] // as the statement says
      const whole = rows.find(([state]) => state !== null)
      if (whole === undefined) throw new Error('the session is missing')
      const events = rows.filter((row) => row[8] !== null).toSorted((a, b) => Number(a[8]) - Number(b[8]))
      return {
        state: viewOf(whole[0], whole[1], whole[2]),
        events: events.map((row) => JSON.parse(row[9]) as { readonly id: string }), // what the store wrote
      }
    },
    async list({ appName, userId }, most, withState) {
      const parameters = [appName, userId, String(most)]
      const [rows] = await pool.execute<ScopesRow[]>(withState ? listWithState : list, parameters)
      return rows.map((row) => (withState ? { ...row, state: viewOf(row.state, row.user, row.app) } : row)).length
    },
    close: () => pool.end(),
  }
}

export const mysqlLimits = (flavour: Flavour): readonly Entry[] => [
  {
    name: 'limit',
    driver: 'mysql2',
    async open({ url, pool }) {
      await makeTables(url)
      const connections = createPool({ uri: url, connectionLimit: pool })
      if (flavour === 'mysql')
        for (const text of [createProcedure, ...arities.map(procedure)]) await connections.query(text)
      for (const text of areaTables) await connections.query(text)
      return { ...limit(connections, flavour, url), ...mysqlAreas(connections, flavour) }
    },
  },
]
