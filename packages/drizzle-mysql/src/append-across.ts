import { largeState, scopes } from '@daybook/core'
import {
  eventColumns,
  eventNames,
  isEmptyDelta,
  param,
  variants,
  type Append,
  type Appended,
  type Params,
  type Row,
  type Statement,
  type Value,
} from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'
import { isEmpty, shaped, shapeOf, type Shaped } from './append-shape.ts'
import { merged, words, type Words } from './append.ts'
import { collations } from './column-types.ts'
import type { DaybookTables, Flavour } from './schema.ts'

// Appends to many sessions in one transaction: a look that locks what is free of their rows, an UPDATE for each shape of their
// deltas, and one INSERT. Nothing is waited for: what somebody else holds is skipped, and whose it is goes by itself, as one does
// that is not the common case.

/**
 * Transactions at a time, and appends in one of them, as it was measured on PostgreSQL. An append by itself took six times the server and
 * nine times the client that it took among 16.
 */
export const acrossBounds = { atOnce: 2, most: 16 } as const

/** Of a server that takes less, the events of a group might not fit into one statement. */
export const leastPacket = 8 * 1024 * 1024

/** Rows of a list in a statement: what is over is nobody's. So the texts stay few. */
const lengths = [4, acrossBounds.most]
const lengthFor = (count: number): number => lengths.find((length) => length >= count) ?? count

/** An append, and its session as the look found it. */
interface Member {
  readonly shape: Shaped
  readonly sid: number
  readonly lastSeq: number
}

interface Sent {
  readonly statement: Statement
  readonly params: Params
}

export interface Across {
  /** Locks what is free of the rows: a row for each append whose rows it has, told by its place `n`. */
  look(appends: readonly Append[]): Sent
  /** What writes those that were found, one statement after the other. */
  writes(appends: readonly Append[], found: readonly Row[]): readonly Sent[]
  /** In the order of the appends. */
  answers(appends: readonly Append[], found: readonly Row[]): readonly (Appended | undefined)[]
}

/** @param packet bytes of the largest statement, of which each has its share */
export function acrossSessions(tables: DaybookTables, flavour: Flavour, packet: number): Across {
  const lookFor = variants((length) => buildLook(tables, flavour, Number(length)))
  const updateFor = variants((key) => buildUpdate(tables, words[flavour], key))
  const insertFor = variants((count) => buildInsert(tables, Number(count)))
  const shapes = new WeakMap<Append, Shaped | undefined>()
  const shapeOfAppend = (append: Append): Shaped | undefined => {
    if (!shapes.has(append)) shapes.set(append, shaped(append, packet / acrossBounds.most))
    return shapes.get(append)
  }

  function update(key: string, members: readonly Member[], now: bigint): Sent {
    const rows = members.map(({ shape: { params }, sid }) => ({ ...params, sid }))
    return { statement: updateFor(key), params: { ...numbered(updateNames(key), rows, alikeOf(key).length), now } }
  }

  return {
    look(appends) {
      const rows = appends.flatMap((append, n) => {
        const shape = shapeOfAppend(append)
        return shape === undefined ? [] : [wanted(append, shape, n)]
      })
      const length = lengthFor(rows.length)
      return {
        statement: lookFor(String(length)),
        params: { ...numbered(lookNames, rows, length), now: latest(appends) },
      }
    },
    writes(appends, found) {
      const alike = new Map<string, Member[]>()
      const members = found.flatMap((row): Member[] => {
        const append = appends[Number(row['n'])]
        const shape = append && shapeOfAppend(append)
        return shape === undefined ? [] : [{ shape, sid: Number(row['sid']), lastSeq: Number(row['lastSeq']) + 1 }]
      })
      for (const member of members) {
        const { variant } = member.shape
        alike.set(variant, [...(alike.get(variant) ?? []), member])
      }
      const updates = [...alike].map(([variant, some]) =>
        update(keyOf({ variant, length: lengthFor(some.length) }), some, latest(appends)),
      )
      const rows = members.map(({ shape: { params }, sid, lastSeq }) => ({ ...params, sid, lastSeq }))
      const insert = { statement: insertFor(String(rows.length)), params: numbered(insertNames, rows, rows.length) }
      return [...updates, insert]
    },
    answers(appends, found) {
      const answers = appends.map((): Appended | undefined => undefined)
      for (const row of found)
        answers[Number(row['n'])] = { revision: Number(row['revision']) + 1, lastSeq: Number(row['lastSeq']) + 1 }
      return answers
    },
  }
}

const latest = (appends: readonly Append[]): bigint => appends.reduce((last, { now }) => (now > last ? now : last), 0n)

/** Rows of a list as parameters, each with the number of its row; the rest is NULL. */
function numbered(names: readonly string[], rows: readonly Params[], length: number): Params {
  const params: Record<string, Value> = {}
  for (let i = 0; i < length; i++) for (const name of names) params[`${name}_${i}`] = rows[i]?.[name] ?? null
  return params
}

/** The list that {@link numbered} binds, as rows `x`: what may stand in a FROM on either server. */
const listOf = (columns: readonly (readonly [name: string, as: (value: SQL) => SQL])[], length: number): SQL =>
  sql`(${sql.join(
    Array.from(
      { length },
      (_, i) =>
        sql`select ${sql.join(
          columns.map(([name, as]) => sql`${as(sql`${param(`${name}_${i}`)}`)} as ${sql.identifier(name)}`),
          sql`, `,
        )}`,
    ),
    sql` union all `,
  )}) as x`

const whole = (value: SQL): SQL => sql`cast(${value} as signed)`
const text = (value: SQL): SQL => sql`cast(${value} as char)`
const x = (name: string): SQL => sql.raw(`x.${name}`)

const lookNames = ['n', 'appName', 'userId', 'sessionId', 'owner', 'sessionSpace', 'userSpace']

/** What it says of a large document is worth a warning, for which somebody has to measure it. */
function wanted({ key, deltas, limits }: Append, { params }: Shaped, n: number): Params {
  const { appName, userId, sessionId } = key
  const space = (room: Value | undefined) =>
    room === undefined || room === null
      ? Number.MAX_SAFE_INTEGER
      : Number(room) - Math.max(0, limits.stateBytes - largeState)
  return {
    n,
    appName,
    userId,
    sessionId,
    owner: isEmptyDelta(deltas.user) ? null : userId,
    sessionSpace: space(params['sessionRoom']),
    userSpace: space(params['userRoom']),
  }
}

function buildLook({ sessions, userStates }: DaybookTables, flavour: Flavour, length: number): Statement {
  const { fits } = words[flavour]
  const id = (value: SQL) => sql`convert(${value} using utf8mb4) collate ${sql.raw(collations[flavour])}`
  const list = listOf(
    lookNames.map((name) => [name, ['n', 'sessionSpace', 'userSpace'].includes(name) ? whole : id]),
    length,
  )
  return {
    sql: sql`select x.n as n, ${sessions.sid} as ${sql.identifier('sid')}, ${sessions.revision} as ${sql.identifier('revision')}, ${sessions.lastSeq} as ${sql.identifier('lastSeq')}
      from ${list} straight_join ${sessions} on ${sessions.appName} = ${x('appName')} and ${sessions.userId} = ${x('userId')} and ${sessions.sessionId} = ${x('sessionId')}
      left join ${userStates} on ${userStates.appName} = ${x('appName')} and ${userStates.userId} = ${x('owner')}
      where coalesce(${sessions.leaseUntil}, 0) <= ${param('now')} and ${fits(sql`${sessions.state}`, x('sessionSpace'))}
        and (${x('owner')} is null or ${fits(sql`${userStates.state}`, x('userSpace'))}) for update skip locked`,
  }
}

/** Those that change the same number of keys. */
interface Alike {
  readonly variant: string
  readonly length: number
}
const keyOf = (alike: Alike): string => JSON.stringify(alike)
const alikeOf = (key: string) => JSON.parse(key) as Alike // as it was written above

const placed = (count: number, ...names: readonly string[]): readonly string[] =>
  Array.from({ length: count }, (_, i) => names.map((name) => `${name}${i}`)).flat()

/** What an UPDATE binds for each of its rows, by the names that the shape gave it. */
function updateNames(key: string): readonly string[] {
  const { sets, unsets } = shapeOf(alikeOf(key).variant)
  const ofScopes = scopes.flatMap((scope) => [
    ...placed(sets[scope], `${scope}Path`, `${scope}Value`),
    ...placed(unsets[scope], `${scope}Gone`),
  ])
  return ['sid', 'lastEventAt', ...ofScopes]
}

function buildUpdate({ sessions, userStates }: DaybookTables, own: Words, key: string): Statement {
  const { variant, length } = alikeOf(key)
  const shape = shapeOf(variant)
  const wholes = new Set(['sid', 'lastEventAt'])
  const list = listOf(
    updateNames(key).map((name) => [name, wholes.has(name) ? whole : text]),
    length,
  )
  const now = param('now')
  const changed = (document: SQL, scope: 'session' | 'user') => merged(document, scope, shape, own, x)
  const ofSession = isEmpty(shape, 'session')
    ? sql``
    : sql`${sessions.state} = ${changed(sql`${sessions.state}`, 'session')}, `
  const ofUser = isEmpty(shape, 'user')
    ? { rows: sql``, changes: sql`` }
    : {
        rows: sql` straight_join ${userStates} on ${userStates.appName} = ${sessions.appName} and ${userStates.userId} = ${sessions.userId}`,
        changes: sql`, ${userStates.state} = ${changed(sql`${userStates.state}`, 'user')}, ${userStates.revision} = ${userStates.revision} + 1, ${userStates.updatedAt} = greatest(${userStates.updatedAt}, ${now})`,
      }
  return {
    sql: sql`update ${list} straight_join ${sessions} on ${sessions.sid} = ${x('sid')}${ofUser.rows}
      set ${ofSession}${sessions.revision} = ${sessions.revision} + 1, ${sessions.lastSeq} = ${sessions.lastSeq} + 1,
        ${sessions.updatedAt} = greatest(${sessions.updatedAt}, ${now}), ${sessions.lastEventAt} = ${x('lastEventAt')}${ofUser.changes}`,
  }
}

const insertNames = ['sid', 'lastSeq', ...eventNames]

const buildInsert = (tables: DaybookTables, count: number): Statement => ({
  sql: sql`insert into ${tables.events} (${eventColumns(tables.events)}) values ${sql.join(
    Array.from(
      { length: count },
      (_, i) =>
        sql`(${sql.join(
          insertNames.map((name) => sql`${param(`${name}_${i}`)}`),
          sql`, `,
        )})`,
    ),
    sql`, `,
  )}`,
})
