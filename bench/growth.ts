// A million events one by one would take an hour. They are copies of one session's, made by the database itself; the statements
// are the same on all of them.
import type { Contender, Tables } from './contender.ts'
import { createData } from './data.ts'
import { appName, fill } from './seed.ts'

export const eventsOfEach = 100
const users = 500
const template = { appName, userId: 'template', sessionId: 'template' }
const bareTemplate = { appName, userId: 'bare', sessionId: 'bare' }
export const grownUser = { appName, userId: 'glist' }
export const grownAt = (i: number) => ({ appName, userId: `g${i % users}`, sessionId: `g${i}` })
export const longest = { appName, userId: 'longest', sessionId: 'longest' }
const longestFactor = 100

/** Numbers of one statement: MySQL and MariaDB stop a recursion at 1,000. */
const together = 900

const numbers = (from: number, to: number) =>
  `with recursive n (i) as (select ${from} union all select i + 1 from n where i < ${to - 1})`

const copies: Readonly<Record<Tables, (from: number, to: number) => readonly string[]>> = {
  daybook: (from, to) => [
    `insert into daybook_sessions (app_name, user_id, session_id, state, initial_state, revision, last_seq, created_at, updated_at, last_event_at)
      ${numbers(from, to)} select s.app_name, concat('g', n.i % ${users}), concat('g', n.i), s.state, s.initial_state, s.revision, s.last_seq, s.created_at, s.updated_at, s.last_event_at
      from n cross join daybook_sessions s where s.app_name = '${appName}' and s.user_id = 'template'`,
    `insert into daybook_events (sid, seq, event_id, invocation_id, author, timestamp, payload)
      ${numbers(from, to)} select g.sid, e.seq, e.event_id, e.invocation_id, e.author, e.timestamp, e.payload
      from n join daybook_sessions g on g.app_name = '${appName}' and g.user_id = concat('g', n.i % ${users}) and g.session_id = concat('g', n.i)
      cross join daybook_events e join daybook_sessions s on s.sid = e.sid where s.app_name = '${appName}' and s.user_id = 'template'`,
  ],
  adk: (from, to) => [
    `insert into sessions (app_name, user_id, id, state, create_time, update_time)
      ${numbers(from, to)} select s.app_name, concat('g', n.i % ${users}), concat('g', n.i), s.state, s.create_time, s.update_time
      from n cross join sessions s where s.app_name = '${appName}' and s.user_id = 'template'`,
    `insert into events (id, app_name, user_id, session_id, invocation_id, timestamp, event_data)
      ${numbers(from, to)} select e.id, e.app_name, concat('g', n.i % ${users}), concat('g', n.i), e.invocation_id, e.timestamp, e.event_data
      from n cross join events e where e.app_name = '${appName}' and e.user_id = 'template'`,
  ],
}

/** Sessions of one user, a millisecond apart, without events and with hardly any state. */
const barely: Readonly<Record<Tables, (from: number, to: number) => string>> = {
  daybook: (from, to) =>
    `insert into daybook_sessions (app_name, user_id, session_id, state, initial_state, revision, last_seq, created_at, updated_at, last_event_at)
      ${numbers(from, to)} select s.app_name, '${grownUser.userId}', concat('l', n.i), s.state, s.initial_state, s.revision, s.last_seq,
      s.created_at + n.i * 1000, s.updated_at + n.i * 1000, s.last_event_at + n.i * 1000
      from n cross join daybook_sessions s where s.app_name = '${appName}' and s.user_id = 'bare'`,
  adk: (from, to) =>
    `insert into sessions (app_name, user_id, id, state, create_time, update_time)
      ${numbers(from, to)} select s.app_name, '${grownUser.userId}', concat('l', n.i), s.state, s.create_time, s.update_time
      from n cross join sessions s where s.app_name = '${appName}' and s.user_id = 'bare'`,
}

const lengthening: Readonly<Record<Tables, readonly string[]>> = {
  daybook: [
    `insert into daybook_events (sid, seq, event_id, invocation_id, author, timestamp, payload)
      ${numbers(0, longestFactor)} select g.sid, n.i * ${eventsOfEach} + e.seq, concat(e.event_id, '-', n.i), e.invocation_id, e.author, e.timestamp, e.payload
      from n join daybook_sessions g on g.app_name = '${appName}' and g.user_id = 'longest'
      cross join daybook_events e join daybook_sessions s on s.sid = e.sid where s.app_name = '${appName}' and s.user_id = 'template'`,
    `update daybook_sessions set last_seq = ${longestFactor * eventsOfEach} where app_name = '${appName}' and user_id = 'longest'`,
  ],
  adk: [
    `insert into events (id, app_name, user_id, session_id, invocation_id, timestamp, event_data)
      ${numbers(0, longestFactor)} select concat(e.id, '-', n.i), e.app_name, 'longest', 'longest', e.invocation_id, e.timestamp, e.event_data
      from n cross join events e where e.app_name = '${appName}' and e.user_id = 'template'`,
  ],
}

/** Whether a contender can be grown. */
export const grows = (contender: Contender): boolean => contender.sql !== undefined

/** The session that is copied, and one of 10,000 events. */
export async function sow(contender: Contender, seedNumber: number): Promise<void> {
  const data = createData(seedNumber)
  await fill(contender, template, eventsOfEach, data)
  await contender.create(bareTemplate, {})
  await contender.create(longest, data.sessionState())
  if (contender.sql === undefined) return
  for (const text of lengthening[contender.sql.tables]) await contender.sql.run(text)
}

/** Events from so many to so many, in sessions of 100, and as many sessions of one user. */
export async function grow({ sql }: Contender, from: number, to: number): Promise<void> {
  if (sql === undefined) return
  for (const [a, b] of pieces(from / eventsOfEach, to / eventsOfEach))
    for (const text of copies[sql.tables](a, b)) await sql.run(text)
  for (const [a, b] of pieces(from, to)) await sql.run(barely[sql.tables](a, b))
}

function* pieces(from: number, to: number): Generator<[from: number, to: number]> {
  for (let at = from; at < to; at += together) yield [at, Math.min(at + together, to)]
}
