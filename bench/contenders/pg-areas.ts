// The limit of artifacts, memories and metrics on PostgreSQL: a table each, and the server's own full-text index.
import type { Contender } from '../contender.ts'
import { entriesOf, insertOfMany } from './metric-columns.ts'

type Run = (
  name: string,
  text: string,
  values: readonly unknown[],
) => Promise<readonly { readonly [column: string]: unknown }[]>

export const areaTables = [
  `create table bench_artifacts (app_name text, user_id text, session_id text, name text, version int, bytes bytea, primary key (app_name, user_id, session_id, name, version))`,
  `create table bench_memories (id bigserial primary key, app_name text not null, user_id text not null, text text not null, words tsvector generated always as (to_tsvector('simple', text)) stored)`,
  `create index on bench_memories using gin (words)`,
]

const save = `insert into bench_artifacts select $1::text, $2::text, $3::text, $4::text, coalesce((select max(version) + 1 from bench_artifacts where app_name = $1 and user_id = $2 and session_id = $3 and name = $4), 0), $5::bytea`
const load = `select bytes from bench_artifacts where app_name = $1 and user_id = $2 and session_id = $3 and name = $4 order by version desc limit 1`
const add = `insert into bench_memories (app_name, user_id, text) select $1, $2, value from json_array_elements_text($3::text::json)`
const search = `select id, text, ts_rank(words, q) as score from bench_memories, to_tsquery('simple', $3) as q where app_name = $1 and user_id = $2 and words @@ q order by score desc, id desc limit $4::bigint`

export const pgAreas = (run: Run): Required<Pick<Contender, 'artifacts' | 'memories' | 'record'>> => ({
  record: async (rows) => void (await run('record', insertOfMany, [entriesOf(rows)])),
  artifacts: {
    save: async ({ appName, userId, sessionId }, name, bytes) =>
      void (await run('save', save, [appName, userId, sessionId, name, Buffer.from(bytes)])),
    async load({ appName, userId, sessionId }, name) {
      const [row] = await run('load_artifact', load, [appName, userId, sessionId, name])
      return (row?.['bytes'] as Uint8Array | undefined)?.byteLength ?? 0 // as the statement says
    },
  },
  memories: {
    add: async ({ appName, userId }, texts) => void (await run('add', add, [appName, userId, JSON.stringify(texts)])),
    async search({ appName, userId }, query, most) {
      return (await run('search', search, [appName, userId, query.split(' ').join(' | '), most])).length
    },
  },
})
