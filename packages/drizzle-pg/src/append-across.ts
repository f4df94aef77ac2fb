import { scopes } from '@daybook/core'
import {
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
} from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'
import { announcementOf, topicOf } from './announcement.ts'
import { arrayOf, bounded, lockTimeoutIsSet, nullable, nullableArrayOf, setOf, size } from './append.ts'
import type { DaybookTables } from './schema.ts'

// Appends to many sessions as one statement: a row of arrays for each. What it takes for granted of a session is asked of its
// row alone, so that one that is missing, or that somebody holds, is left out of what the others do; a broken constraint undoes
// all of it, and each goes by itself then.
//
// Locks are taken in the order sessions, users, as everywhere, and of each in the order in which they are given. A planner may
// find the rows in another one, so no lock is waited for long.

/**
 * So many statements at a time, and appends in one of them. More at a time keep two cores no busier and have fewer appends each: of 32 writers
 * 2 let 1.5 times as many events through as 10, and 4 let 1.4 times. Longer ones save little more, and keep those in them waiting.
 */
export const acrossBounds = { atOnce: 2, most: 16 } as const

/** A statement that takes keys away as well would be another one. */
export const takes = (append: Append): boolean => scopes.every((scope) => append.deltas[scope].unset.length === 0)

/** @param announces whether those who tail are told */
export function acrossParams(appends: readonly Append[], announces: boolean): Params {
  const column = (valueOf: (append: Append, event: Append['events'][number]) => string): string =>
    arrayOf(appends.flatMap((append) => append.events.map((event) => valueOf(append, event))))
  const nullableColumn = (valueOf: (event: Append['events'][number]) => string | null): string =>
    nullableArrayOf(appends.flatMap(({ events }) => events.map(valueOf)))
  return {
    apps: column(({ key }) => key.appName),
    users: column(({ key }) => key.userId),
    sessions: column(({ key }) => key.sessionId),
    sessionSets: column(({ deltas }) => deltaText(deltas.session)),
    userSets: column(({ deltas }) => deltaText(deltas.user)),
    eventIds: column((_, { eventId }) => eventId),
    invocationIds: nullableColumn(({ invocationId }) => invocationId),
    authors: nullableColumn(({ author }) => author),
    branches: nullableColumn(({ branch }) => branch),
    errorCodes: nullableColumn(({ errorCode }) => errorCode),
    timestamps: column((_, { timestamp }) => String(timestamp)),
    payloads: column((_, { payload }) => payload),
    now: appends.reduce((latest, { now }) => (now > latest ? now : latest), 0n),
    stateBytes: appends[0]?.limits.stateBytes ?? 0,
    ...(announces && { topics: column(({ key }) => topicOf(key)) }),
  }
}

/** Nothing where it changes nothing. */
const deltaText = (delta: Append['deltas']['user']): string => (isEmptyDelta(delta) ? '' : setOf(delta))

/** Of the appends in the order in which they were bound. */
export function acrossAnswers(rows: readonly Row[], count: number): readonly (Appended | undefined)[] {
  const answers: (Appended | undefined)[] = Array.from({ length: count }, () => undefined)
  for (const row of rows)
    answers[Number(row['n']) - 1] = {
      revision: Number(row['revision']),
      lastSeq: Number(row['lastSeq']),
      stateBytes: { session: Number(row['session'] ?? 0), user: Number(row['user'] ?? 0), app: 0 },
    }
  return answers
}

/** In a subselect, so that the planner does not see how many there are: one plan for all, that is made once. */
const elements = (name: string, type = 'text'): SQL => sql`(select ${param(name)}::text)::${sql.raw(type)}[]`

/** All of them; a planner takes it for a few, and walks the index of the sessions for each, as it does for one. */
const thoughtFew = sql.raw('x.n between 1 and 1000')

const none = (): boolean => false

export function buildAcross({ sessions, events, userStates }: DaybookTables, announces: boolean): Statement {
  const columns = [
    ...[
      'apps',
      'users',
      'sessions',
      'sessionSets',
      'userSets',
      'eventIds',
      'invocationIds',
      'authors',
      'branches',
      'errorCodes',
    ].map((name) => elements(name)),
    elements('timestamps', 'bigint'),
    elements('payloads'),
    ...(announces ? [elements('topics', 'bigint')] : []),
  ]
  const names = sql.raw(`a, u, s, ds, du, i, v, w, b, c, t, p${announces ? ', k' : ''}, n`)
  const x = sql`x as materialized (select * from unnest(${sql.join(columns, sql`, `)}) with ordinality as x (${names}) where ${thoughtFew})`
  const state = sql`case when x.ds = '' then ${sessions.state} else ${bounded(sql`(${sessions.state} || x.ds::jsonb)`, none)} end`
  const s = sql`s as (
      update ${sessions} set ${bare(sessions.state)} = ${state}, ${bare(sessions.revision)} = ${sessions.revision} + 1, ${bare(sessions.lastSeq)} = ${sessions.lastSeq} + 1,
        ${bare(sessions.updatedAt)} = greatest(${sessions.updatedAt}, ${param('now')}::bigint), ${bare(sessions.lastEventAt)} = x.t
      from x where ${sessions.appName} = x.a and ${sessions.userId} = x.u and ${sessions.sessionId} = x.s
        and coalesce(${sessions.leaseUntil}, 0) <= ${param('now')}::bigint and ${lockTimeoutIsSet}
      returning x.n, ${sessions.sid} as sid, ${sessions.revision} as revision, ${sessions.lastSeq} as last_seq, ${size(sql`${sessions.state}`)})`
  const key = sql`${bare(userStates.appName)}, ${bare(userStates.userId)}`
  const u = sql`u as (
      insert into ${userStates} (${key}, ${bare(userStates.state)}, ${bare(userStates.revision)}, ${bare(userStates.updatedAt)})
      select x.a, x.u, ${bounded(sql`x.du::jsonb`, none)}, 1, ${param('now')}::bigint from s join x on x.n = s.n where x.du <> '' order by x.n
      on conflict (${key}) do update set ${bare(userStates.state)} = ${bounded(sql`(${userStates.state} || excluded.${bare(userStates.state)})`, none)},
        ${bare(userStates.revision)} = ${userStates.revision} + 1, ${bare(userStates.updatedAt)} = greatest(${userStates.updatedAt}, excluded.${bare(userStates.updatedAt)})
      returning ${userStates.appName} as a, ${userStates.userId} as u, ${size(sql`${userStates.state}`)})`
  const e = sql`e as (
      insert into ${events} (${eventColumns(events)})
      select s.sid, s.last_seq, x.i, ${nullable('x.v')}, ${nullable('x.w')}, ${nullable('x.b')}, ${nullable('x.c')}, x.t, x.p::json
        from (select count(*) from u) as done, s join x on x.n = s.n)`
  const answer = {
    n: sql`s.n`,
    revision: sql`s.revision`,
    lastSeq: sql`s.last_seq`,
    session: sql`s.bytes`,
    // Hardly ever is one of them large.
    user: sql`case when x.du <> '' and exists (select from u where u.bytes is not null) then (select u.bytes from u where u.a = x.a and u.u = x.u) end`,
  }
  const told = announces ? sql`, ${announcementOf(sql`x.k`)}` : sql``
  return {
    sql: sql`with ${sql.join([x, s, u, e], sql`, `)} select ${selected(answer)}${told} from s join x on x.n = s.n`,
  }
}
