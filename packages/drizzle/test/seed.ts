import type { Seed } from '@daybook/conformance'

/** How a database spells what the seed needs. */
interface Spelling {
  /** A table of the store, by its name without the prefix. */
  readonly table: (name: string) => string
  /** An expression that is a text of JSON, as the column that keeps it wants it. */
  readonly json: (text: string) => string
}

/** Whole numbers from 1; one recursion would be deeper than servers allow. */
const numbers = (count: number): string => {
  const side = Math.ceil(Math.sqrt(count))
  return `(with recursive d (i) as (select 0 union all select i + 1 from d where i < ${side - 1}) select a.i * ${side} + b.i + 1 as n from d a, d b) x where x.n <= ${count}`
}

const start = 1_700_000_000_000

function artifactStatements(appName: string, count: number, { table, json }: Spelling): string[] {
  const key = `'${appName}', 'ann', 's1'`
  const names = 'app_name, user_id, session_id, name, next_version'
  const columns = 'aid, version, save_id, upload_id, chunks, size, sha256, metadata, created_at'
  const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const ofAnn = `app_name = '${appName}' and user_id = 'ann' and session_id = 's1'`
  const rest = `0, 0, '${nothing}', ${json(`'{}'`)}, ${start} * 1000`
  return [
    `insert into ${table('artifacts')} (${names}) select ${key}, concat('a', x.n), 1 from ${numbers(count)}`,
    `insert into ${table('artifact_versions')} (${columns})
      select aid, 0, name, concat('${appName}.', name), ${rest} from ${table('artifacts')} where ${ofAnn}`,
    `insert into ${table('artifacts')} (${names}) values (${key}, 'many', ${count})`,
    `insert into ${table('artifact_versions')} (${columns})
      select (select aid from ${table('artifacts')} where ${ofAnn} and name = 'many'), x.n - 1, concat('v', x.n), concat('${appName}.v', x.n), ${rest} from ${numbers(count)}`,
  ]
}

/**
 * The statements that fill an app, in words that every database here understands. Each looks up the one row that it belongs to
 * by itself: joined, before anybody has counted the rows, that row was sought anew for each of 10,000.
 */
export function seedStatements(
  { appName, sessions, users, events, artifacts = 0 }: Seed,
  { table, json }: Spelling,
): string[] {
  if (!/^\w+$/.test(appName)) throw new Error('the name of a seeded app goes into SQL')
  const columns =
    'app_name, user_id, session_id, state, initial_state, revision, last_seq, created_at, updated_at, last_event_at'
  const at = `(${start} + x.n * 1000) * 1000`
  const session = (user: string, id: string, count: number) =>
    `insert into ${table('sessions')} (${columns})
      select '${appName}', ${user}, ${id}, ${json(`'{"a":1}'`)}, ${json(`'{}'`)}, 1, 0, ${at}, ${at}, ${at} from ${numbers(count)}`
  const body = `concat('{"id":"e', x.n, '","author":"user","timestamp":', ${start} + x.n, '}')`
  const ofAnn = `app_name = '${appName}' and user_id = 'ann' and session_id = 's1'`
  return [
    session(`'ann'`, `concat('s', x.n)`, sessions),
    session(`concat('u', x.n)`, `'s1'`, users),
    `insert into ${table('events')} (sid, seq, event_id, author, timestamp, payload)
      select (select sid from ${table('sessions')} where ${ofAnn}), x.n, concat('e', x.n), 'user', (${start} + x.n) * 1000, ${json(body)} from ${numbers(events)}`,
    `update ${table('sessions')} set last_seq = ${events} where ${ofAnn}`,
    ...(artifacts === 0 ? [] : artifactStatements(appName, artifacts, { table, json })),
  ]
}
