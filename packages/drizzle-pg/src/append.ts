import { largeState, scopes } from '@daybook/core'
import {
  appendParams,
  bare,
  eventColumns,
  isEmptyDelta,
  param,
  selected,
  type Append,
  type Appended,
  type Params,
  type Row,
  type Statement,
  type StoredDelta,
} from '@daybook/drizzle'
import { sql, type Column, type SQL } from 'drizzle-orm'
import { announcement, topicOf } from './announcement.ts'
import type { DaybookTables } from './schema.ts'

// One statement, one round trip, one transaction. PostgreSQL promises no order among the parts of a WITH, so each reads from
// the one before: the locks are taken in the order session, user, app, as everywhere.
//
// It takes for granted what is almost always so. A missing session, another revision or somebody who holds the session makes it change nothing; an id that
// the session has, and a document over its limit, break a constraint, which undoes all of it. The script finds out which.

export interface AppendStatement {
  readonly statement: Statement
  readonly params: Params
}

const words = [
  'session',
  'user',
  'app',
  'unset',
  'revision',
  'lease',
  'compact',
  'announce',
  'joint',
  'many',
  'states',
] as const
type Word = (typeof words)[number]

/** @param statementFor builds the statement for the words that apply, once for each combination */
export function appendStatement(
  append: Append,
  statementFor: (variant: string) => Statement,
  announces: boolean,
): AppendStatement {
  const { key, events, deltas, expectedRevision, lease, limits, compactMark, joint, wantsStates } = append
  const changes = {
    session: !isEmptyDelta(deltas.session),
    user: !isEmptyDelta(deltas.user),
    app: !isEmptyDelta(deltas.app),
  }
  const isChanging = changes.session || changes.user || changes.app
  const applies: Record<Word, boolean> = {
    ...changes,
    unset: deltas.session.unset.length + deltas.user.unset.length + deltas.app.unset.length > 0,
    revision: expectedRevision !== undefined,
    lease: lease !== undefined,
    announce: announces,
    joint: joint !== undefined,
    many: events.length > 1,
    states: wantsStates === true,
    compact: compactMark !== undefined && isChanging,
  }
  let variant = ''
  for (const word of words) if (applies[word]) variant += variant === '' ? word : `_${word}`
  const params: Record<string, Params[string]> = { ...appendParams(append), ...eventParams(append) }
  for (const scope of scopes) {
    if (!applies[scope]) continue
    params[namesOf.set[scope]] = setOf(deltas[scope])
    params[namesOf.unset[scope]] = JSON.stringify(deltas[scope].unset)
    if (joint === undefined) continue
    params[namesOf.changes[scope]] = joint.changes[scope]
    params[namesOf.growth[scope]] = joint.growth[scope]
  }
  if (isChanging) params['stateBytes'] = limits.stateBytes
  if (joint !== undefined) params['changes'] = joint.changes.session
  if (applies.announce) params['topic'] = topicOf(key)
  if (applies.compact && compactMark !== undefined) params['compactMark'] = compactMark
  return { statement: statementFor(variant), params }
}

const named = <Suffix extends string>(suffix: Suffix) =>
  ({ session: `session${suffix}`, user: `user${suffix}`, app: `app${suffix}` }) as const
const namesOf = { set: named('Set'), unset: named('Unset'), changes: named('Changes'), growth: named('Growth') }

export const appendedBy = ([row]: readonly Row[]): Appended | undefined =>
  row === undefined
    ? undefined
    : {
        revision: Number(row['revision']),
        lastSeq: Number(row['lastSeq']),
        stateBytes: {
          session: Number(row['session'] ?? 0),
          user: Number(row['user'] ?? 0),
          app: Number(row['app'] ?? 0),
        },
        ...(Number(row['isOneMoment']) === 1 && { states: row }),
      }

export const deltaParams = (scope: string, delta: StoredDelta): Params => ({
  [`${scope}Set`]: setOf(delta),
  [`${scope}Unset`]: JSON.stringify(delta.unset),
})

export const setOf = ({ set }: StoredDelta): string => {
  let text = ''
  for (const [key, json] of set) text += `${text === '' ? '{' : ','}${JSON.stringify(key)}:${json}`
  return text === '' ? '{}' : `${text}}`
}

/** The columns of one event, or an array for each column, whatever the number of events, so that the statement is one text. */
function eventParams({ events }: Append): Params {
  const [first] = events
  return events.length === 1 && first !== undefined ? { ...first } : listParams(events)
}

const listParams = (events: Append['events']): Params => ({
  eventIds: arrayOf(events.map(({ eventId }) => eventId)),
  invocationIds: nullableArrayOf(events.map(({ invocationId }) => invocationId)),
  authors: nullableArrayOf(events.map(({ author }) => author)),
  branches: nullableArrayOf(events.map(({ branch }) => branch)),
  errorCodes: nullableArrayOf(events.map(({ errorCode }) => errorCode)),
  timestamps: arrayOf(events.map(({ timestamp }) => String(timestamp))),
  // Not as one JSON document: PostgreSQL would unescape what is in the payloads, and refuses NUL and lone surrogates there.
  payloads: arrayOf(events.map(({ payload }) => payload)),
})

/** The text of an array, as https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO says. */
export const arrayOf = (values: readonly string[]): string =>
  `{${values.map((value) => `"${value.replace(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`

/** Not NULL as an element: with array_nulls off the server takes it for the text. Each value stands behind a `=`. */
export const nullableArrayOf = (values: readonly (string | null)[]): string =>
  arrayOf(values.map((value) => (value === null ? '' : `=${value}`)))

const texts = (name: string): SQL => sql`${param(name)}::text::text[]`

/** A value of {@link nullableArrayOf}. */
export const nullable = (element: string): SQL =>
  sql.raw(`case when ${element} = '' then null else substr(${element}, 2) end`)

export type Has = (word: Word) => boolean

/** Of several appends that go together, none may bring the document over its limit, not even for a moment. */
const grown = (document: SQL, scope: string, has: Has): SQL =>
  has('joint')
    ? sql` and octet_length(${document}::text) + ${param(`${scope}Growth`)}::bigint <= ${param('stateBytes')}::bigint`
    : sql``

/** The statement for the words in `variant`. */
export function buildAppend({ sessions, events, userStates, appStates }: DaybookTables, variant: string): Statement {
  const has: Has = (word) => variant.split('_').includes(word)
  const isKey = sql`${sessions.appName} = ${param('appName')} and ${sessions.userId} = ${param('userId')} and ${sessions.sessionId} = ${param('sessionId')}`
  const state = has('session')
    ? sql`${bare(sessions.state)} = ${bounded(merged(sql`${sessions.state}`, 'session', has), has, grown(sql`${sessions.state}`, 'session', has))}, `
    : sql``
  const revision = has('revision') ? sql` and ${sessions.revision} = ${param('expectedRevision')}` : sql``
  const lease = has('lease')
    ? sql` and ${sessions.leaseOwner} = ${param('leaseOwner')} and ${sessions.leaseFence} = ${param('leaseFence')} and ${sessions.leaseUntil} > ${param('now')}::bigint`
    : sql` and coalesce(${sessions.leaseUntil}, 0) <= ${param('now')}::bigint`
  const parts = [
    sql`s as (
      update ${sessions} set ${state}${bare(sessions.revision)} = ${sessions.revision} + ${has('joint') ? sql`${param('changes')}::bigint` : sql`1`}, ${bare(sessions.lastSeq)} = ${sessions.lastSeq} + ${param('count')}::bigint,
        ${bare(sessions.updatedAt)} = greatest(${sessions.updatedAt}, ${param('now')}::bigint), ${bare(sessions.lastEventAt)} = ${param('lastEventAt')}::bigint
      where ${isKey}${revision}${lease} and ${lockTimeoutIsSet}
      returning ${sessions.sid} as sid, ${sessions.revision} as revision, ${sessions.lastSeq} as last_seq${has('session') ? sql`, ${size(sql`${sessions.state}`)}` : sql``}${has('states') ? sql`, ${sessions.state} as state` : sql``})`,
  ]
  let before = sql`s`
  if (has('user')) {
    const key = [userStates.appName, userStates.userId]
    parts.push(sql`u as (${scopePart(userStates, key, 'user', before, has, toldOf(userStates, has))})`)
    before = sql`u`
  }
  if (has('app')) {
    parts.push(sql`a as (${scopePart(appStates, [appStates.appName], 'app', before, has, toldOf(appStates, has))})`)
    before = sql`a`
  }
  parts.push(sql`e as (
      insert into ${events} (${eventColumns(events)})
      ${has('many') ? listed : single} from s, (select count(*) from ${before}) as done${has('many') ? list : sql``})`)
  const sizes = sql.join([
    ...(has('session') ? [sql`, s.bytes as "session"`] : []),
    ...(has('user') ? [sql`, (select bytes from u) as "user"`] : []),
    ...(has('app') ? [sql`, (select bytes from a) as "app"`] : []),
  ])
  const states = has('states') ? sql`, ${selected(statesSeen({ sessions, userStates, appStates }, isKey, has))}` : sql``
  const told = has('announce') ? sql`, ${announcement}` : sql``
  return {
    sql: sql`with ${sql.join(parts, sql`, `)} select s.revision as "revision", s.last_seq as "lastSeq"${sizes}${states}${told} from s`,
  }
}

const toldOf = (table: DaybookTables['userStates'] | DaybookTables['appStates'], has: Has): SQL =>
  sql`${size(sql`${table.state}`)}${has('states') ? sql`, ${table.state} as state, ${table.revision} as revision` : sql``}`

/**
 * What the session sees: of what the statement changed, as it is now, and of the rest, as it was when the statement began. If it had to wait
 * for a row, that may be two moments, one before and one after somebody's change of both; its revision tells.
 */
function statesSeen(
  { sessions, userStates, appStates }: Pick<DaybookTables, 'sessions' | 'userStates' | 'appStates'>,
  isKey: SQL,
  has: Has,
): Readonly<Record<string, SQL>> {
  const isOfUser = sql`from ${userStates} where ${userStates.appName} = ${param('appName')} and ${userStates.userId} = ${param('userId')}`
  const isOfApp = sql`from ${appStates} where ${appStates.appName} = ${param('appName')}`
  const moments = [
    sql`(select ${sessions.revision} from ${sessions} where ${isKey}) + 1 = s.revision`,
    ...(has('user')
      ? [sql`coalesce((select ${userStates.revision} ${isOfUser}), 0) + 1 = (select u.revision from u)`]
      : []),
    ...(has('app')
      ? [sql`coalesce((select ${appStates.revision} ${isOfApp}), 0) + 1 = (select a.revision from a)`]
      : []),
  ]
  return {
    state: sql`s.state::text`,
    userState: has('user') ? sql`(select u.state::text from u)` : sql`(select ${userStates.state}::text ${isOfUser})`,
    appState: has('app') ? sql`(select a.state::text from a)` : sql`(select ${appStates.state}::text ${isOfApp})`,
    isOneMoment: sql`(${sql.join(moments, sql` and `)})::int`,
  }
}

/** Says nothing of a row, so it is done before the first one is looked for, and the locks after it obey. It ends with the statement. */
export const lockTimeoutIsSet = sql`(select set_config('lock_timeout', ${param('lockTimeout')}::text, true)) is not null`

/** The columns of one event in a SELECT: a list of one costs a fifth of the statement more. */
const single = sql`select s.sid, s.last_seq, ${sql.join(
  ['eventId', 'invocationId', 'author', 'branch', 'errorCode'].map((name) => sql`${param(name)}::text`),
  sql`, `,
)}, ${param('timestamp')}::bigint, ${param('payload')}::text::json`

const listed = sql`select s.sid, s.last_seq - ${param('count')}::bigint + x.n, x.i, ${nullable('x.v')}, ${nullable('x.a')}, ${nullable('x.b')}, ${nullable('x.c')}, x.t, x.p::json`
const list = sql`, unnest(${texts('eventIds')}, ${texts('invocationIds')}, ${texts('authors')}, ${texts('branches')},
        ${texts('errorCodes')}, ${param('timestamps')}::text::bigint[], ${texts('payloads')}) with ordinality as x (i, v, a, b, c, t, p, n)`

/** The first change of a scope makes its row; later ones merge into it. */
export function scopePart(
  table: DaybookTables['userStates'] | DaybookTables['appStates'],
  key: readonly Column[],
  scope: 'user' | 'app',
  before: SQL,
  has: Has,
  returning = size(sql`${table.state}`),
): SQL {
  const names = sql.join(
    key.map((column) => bare(column)),
    sql`, `,
  )
  const values = sql.join(
    key.map((column) => param(column.name === 'app_name' ? 'appName' : 'userId')),
    sql`, `,
  )
  return sql`insert into ${table} (${names}, ${bare(table.state)}, ${bare(table.revision)}, ${bare(table.updatedAt)})
      select ${values}, ${bounded(sql`${param(`${scope}Set`)}::text::jsonb`, has)}, ${has('joint') ? sql`${param(`${scope}Changes`)}::bigint` : sql`1`}, ${param('now')}::bigint from ${before}
      on conflict (${names}) do update set ${bare(table.state)} = ${bounded(merged(sql`${table.state}`, scope, has), has, grown(sql`${table.state}`, scope, has))},
        ${bare(table.revision)} = ${table.revision} + excluded.${bare(table.revision)}, ${bare(table.updatedAt)} = greatest(${table.updatedAt}, excluded.${bare(table.updatedAt)})
      returning ${returning}`
}

/** How large a document is; not of one that is small for sure, since its text is made for that: a byte of the binary form is six of the text at most. */
export const size = (state: SQL): SQL =>
  sql`case when pg_column_size(${state}) * 6 > ${sql.raw(String(largeState))} then octet_length(${state}::text) end as bytes`

/** Most deltas unset nothing, and to look through a list of nothing is a plan of its own each time. */
function merged(state: SQL, scope: string, has: Has): SQL {
  const rest = has('unset')
    ? sql`(${state} - array(select jsonb_array_elements_text(${param(`${scope}Unset`)}::text::jsonb)))`
    : state
  return sql`(${rest} || ${param(`${scope}Set`)}::text::jsonb)`
}

/** A byte of a document is no more than so many of its text: of a number like 1e308 the server writes every digit. */
const bytesOfText = sql.raw('64')

/**
 * A document over its limit becomes one that the CHECK refuses. Its text has blanks that ours has not, so this errs to the
 * script; it is written out only where its size does not tell already. OFFSET keeps the planner from computing the document twice.
 */
export const bounded = (document: SQL, has: Has, further = sql``): SQL =>
  sql`(select case when (pg_column_size(d) * ${bytesOfText}::bigint <= ${param('stateBytes')}::bigint or octet_length(d::text) <= ${param('stateBytes')}::bigint)${has('compact') ? sql` and strpos(d::text, ${param('compactMark')}::text) = 0` : sql``}${further} then d else '"too large"'::jsonb end from (select ${document} as d offset 0) as next)`
