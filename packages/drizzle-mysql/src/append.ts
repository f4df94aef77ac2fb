import { byteLength, largeState, scopes, type Scope } from '@daybook/core'
import {
  bare,
  growthBy,
  param,
  selected,
  type Append,
  type Appended,
  type Params,
  type Row,
  type Statement,
  type StoredDelta,
} from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'
import type { DaybookTables, Flavour } from './schema.ts'

// The common case in the fewest round trips. MariaDB runs a whole transaction as one prepared statement. MySQL has no such
// block, and a procedure is no way around it: to make one takes a right that the role of a migration may lack, and to call it
// one that the role of an application has not. There it is one UPDATE of all the documents and one INSERT, inside BEGIN and
// COMMIT, and the id that an UPDATE and an INSERT may leave behind brings back what RETURNING would.
//
// Locks are taken in the order session, user, app, as everywhere, and nothing is read before the first of them. What is not
// as the common case takes it for granted changes nothing, or breaks a constraint, which undoes all of it: the script finds
// out which.

/** An append as the statement that it takes, and what it binds. */
export interface Shaped {
  readonly variant: string
  readonly params: Params
}

/** So many keys of a delta have a place in a statement: one between takes the next, so that the texts to prepare stay few. */
const arities = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32]
const arityOf = (count: number): number | undefined => arities.find((arity) => arity >= count)

export interface Shape {
  readonly sets: Readonly<Record<Scope, number>>
  readonly unsets: Readonly<Record<Scope, number>>
  readonly hasMany: boolean
  readonly hasRevision: boolean
  readonly hasLease: boolean
  readonly hasMark: boolean
  readonly isJoint: boolean
  /** MariaDB alone: on MySQL a look at them is a round trip more, wherever it is made. */
  readonly hasStates: boolean
}

/** @param packet bytes of the largest statement; `undefined`: it has to go the long way */
export function shaped(append: Append, packet: number): Shaped | undefined {
  const { key, events, expectedRevision, lease, now, compactMark, joint, wantsStates } = append
  const params: Record<string, Params[string]> = {
    appName: key.appName,
    userId: key.userId,
    sessionId: key.sessionId,
    count: events.length,
    now,
    lastEventAt: events.at(-1)?.timestamp ?? now,
  }
  const changes = shapedDeltas(append)
  if (changes === undefined) return undefined
  const { sets, unsets } = changes
  Object.assign(params, changes.params)
  const hasMany = events.length > 1
  Object.assign(params, eventParams(append))
  const bytes = changes.bytes + events.reduce((sum, { payload }) => sum + byteLength(payload), 0)
  // In a list of events each payload is escaped once more.
  if (bytes * (hasMany ? 2 : 1) + 256 * 1024 > packet) return undefined
  if (joint !== undefined) params['sessionChanges'] = joint.changes.session
  if (expectedRevision !== undefined) params['expectedRevision'] = expectedRevision
  if (lease !== undefined) Object.assign(params, { leaseOwner: lease.owner, leaseFence: lease.fence })
  const hasDelta = scopes.some((scope) => sets[scope] + unsets[scope] > 0)
  const hasMark = compactMark !== undefined && hasDelta
  if (hasMark) params['compactMark'] = compactMark
  const shape: Shape = {
    sets,
    unsets,
    hasMany,
    hasRevision: expectedRevision !== undefined,
    hasLease: lease !== undefined,
    hasMark,
    isJoint: joint !== undefined,
    hasStates: wantsStates === true,
  }
  return { variant: JSON.stringify(shape), params }
}

interface ShapedDeltas {
  readonly sets: Readonly<Record<Scope, number>>
  readonly unsets: Readonly<Record<Scope, number>>
  readonly params: Params
  /** How much they add to a statement at most. */
  readonly bytes: number
}

/** How many places the deltas take, and what is bound there; `undefined` where there is none for a key. */
export function shapedDeltas({
  deltas,
  limits,
  joint,
}: Pick<Append, 'limits' | 'joint'> & {
  readonly deltas: Partial<Record<Scope, StoredDelta>>
}): ShapedDeltas | undefined {
  const params: Record<string, Params[string]> = {}
  const sets: Record<Scope, number> = { app: 0, user: 0, session: 0 }
  const unsets: Record<Scope, number> = { app: 0, user: 0, session: 0 }
  let bytes = 0
  for (const scope of scopes) {
    const delta = deltas[scope] ?? { set: [], unset: [] }
    const { set, unset } = delta
    if (set.some(([name]) => hasNoPath(name)) || unset.some((name) => hasNoPath(name))) return undefined
    const [setArity, unsetArity] = [arityOf(set.length), arityOf(unset.length)]
    if (setArity === undefined || unsetArity === undefined) return undefined
    sets[scope] = setArity
    unsets[scope] = unsetArity
    if (setArity + unsetArity === 0) continue
    const growth = joint?.growth[scope] ?? growthBy(delta)
    if (growth > limits.stateBytes) return undefined // may be too large by itself, which only the script can tell
    bytes += growth
    if (joint !== undefined) params[`${scope}Changes`] = joint.changes[scope]
    params[`${scope}Room`] = limits.stateBytes - growth
    // The last one fills the places that are left: to do it again changes nothing.
    for (let i = 0; i < setArity; i++) {
      const [name = '', json = ''] = set[Math.min(i, set.length - 1)] ?? []
      params[`${scope}Path${i}`] = pathOf(name)
      params[`${scope}Value${i}`] = json
    }
    for (let i = 0; i < unsetArity; i++) params[`${scope}Gone${i}`] = pathOf(unset[Math.min(i, unset.length - 1)] ?? '')
  }
  return { sets, unsets, params, bytes }
}

/** The path of a top-level key, whatever is in it. */
const pathOf = (key: string): string => `$.${JSON.stringify(key)}`

/** MariaDB takes a dash there, even inside quotes, for the beginning of a number. */
const hasNoPath = (key: string): boolean => key.startsWith('-')

const one = ['eventId', 'invocationId', 'author', 'branch', 'errorCode', 'timestamp', 'payload'] as const

/** The columns of one event, or one JSON text whatever their number. Payloads are text in it, so that the server unescapes nothing in them. */
function eventParams({ events }: Append): Params {
  const [first] = events
  if (events.length === 1 && first !== undefined) return Object.fromEntries(one.map((name) => [name, first[name]]))
  const rows = events.map((event) =>
    one.map((name) => {
      const value = event[name]
      return typeof value === 'bigint' ? String(value) : value
    }),
  )
  return { events: JSON.stringify(rows) }
}

export const isEmpty = ({ sets, unsets }: Shape, scope: Scope): boolean => sets[scope] + unsets[scope] === 0

/** By how much the revision of a scope grows. */
const changesOf = ({ isJoint }: Shape, scope: Scope): SQL => (isJoint ? bound(`${scope}Changes`) : sql`1`)

/** Everything that the two servers write differently in here. */
export interface Words {
  /** JSON text as a value that keeps its type. */
  readonly json: (text: SQL) => SQL
  /** The text of a document. */
  readonly text: (document: SQL) => SQL
  /** A document of at most so many bytes, told without writing it out where that can be seen from less. */
  readonly fits: (document: SQL, room: SQL) => SQL
}

export const words: Readonly<Record<Flavour, Words>> = {
  mariadb: {
    json: (text) => sql`json_compact(${text})`,
    text: (document) => document,
    fits: (document, room) => sql`octet_length(${document}) <= ${room}`,
  },
  mysql: {
    json: (text) => sql`cast(${text} as json)`,
    text: (document) => sql`cast(${document} as char)`,
    // A byte of the binary form is six of the text at most.
    fits: (document, room) =>
      sql`(json_storage_size(${document}) * 6 <= ${room} or octet_length(cast(${document} as char)) <= ${room})`,
  },
}

const bound = (name: string): SQL => sql`${param(name)}`

const places = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

/** A document with the delta of a scope applied. */
function merged(document: SQL, scope: Scope, { sets, unsets }: Shape, { json }: Words): SQL {
  const gone = places(unsets[scope]).map((i) => bound(`${scope}Gone${i}`))
  const rest = gone.length === 0 ? document : sql`json_remove(${document}, ${sql.join(gone, sql`, `)})`
  const pairs = places(sets[scope]).map((i) => sql`${param(`${scope}Path${i}`)}, ${json(bound(`${scope}Value${i}`))}`)
  return pairs.length === 0 ? rest : sql`json_set(${rest}, ${sql.join(pairs, sql`, `)})`
}

/** The document is one that the append may change: it stays within its limit, which can be told. */
function fits(document: SQL, scope: Scope, { hasMark }: Shape, { fits: isIn, text }: Words): SQL {
  const room = isIn(document, bound(`${scope}Room`))
  return hasMark ? sql`${room} and locate(${param('compactMark')}, ${text(document)}) = 0` : room
}

const isKeyOf = ({ sessions }: DaybookTables): SQL =>
  sql`${sessions.appName} = ${param('appName')} and ${sessions.userId} = ${param('userId')} and ${sessions.sessionId} = ${param('sessionId')}`

function guards({ sessions }: DaybookTables, shape: Shape, own: Words): SQL {
  const revision = shape.hasRevision ? sql` and ${sessions.revision} = ${param('expectedRevision')}` : sql``
  const room = isEmpty(shape, 'session') ? sql`` : sql` and ${fits(sql`${sessions.state}`, 'session', shape, own)}`
  const lease = shape.hasLease
    ? sql` and ${sessions.leaseOwner} = ${param('leaseOwner')} and ${sessions.leaseFence} = ${param('leaseFence')} and ${sessions.leaseUntil} > ${param('now')}`
    : sql` and coalesce(${sessions.leaseUntil}, 0) <= ${param('now')}`
  return sql`${revision}${lease}${room}`
}

const eventColumns = ({ events }: DaybookTables): SQL =>
  sql.join(
    [
      events.sid,
      events.seq,
      events.eventId,
      events.invocationId,
      events.author,
      events.branch,
      events.errorCode,
      events.timestamp,
      events.payload,
    ].map((column) => bare(column)),
    sql`, `,
  )

const eventValues = sql.join(
  one.map((name) => bound(name)),
  sql`, `,
)

/** The events of a list as rows `x`, counted from 1. */
const eventList = sql`json_table(${param('events')}, '$[*]' columns (n for ordinality, i varchar(191) path '$[0]', v longtext path '$[1]', a longtext path '$[2]', b longtext path '$[3]', c longtext path '$[4]', t bigint path '$[5]', p longtext path '$[6]')) as x`
const listed = sql.raw('x.i, x.v, x.a, x.b, x.c, x.t, x.p')

/** The variable of a block that says how large a document is. */
const bytesOf = (scope: Scope): SQL => sql.raw(`v_${scope}`)

/** MariaDB: the whole transaction. An error undoes it and comes out as it is. */
export function buildBlock(tables: DaybookTables, variant: string): Statement {
  const shape = shapeOf(variant)
  const own = words.mariadb
  const { sessions, events } = tables
  const changed = scopes.filter((scope) => !isEmpty(shape, scope))
  const measured = sql.join(
    changed.map(
      (scope) => sql`select (${documentOf(tables, scope, byteCount)}) into ${bytesOf(scope)};
    `,
    ),
  )
  const state = isEmpty(shape, 'session')
    ? sql``
    : sql`${bare(sessions.state)} = ${merged(sql`${sessions.state}`, 'session', shape, own)}, `
  const insert = shape.hasMany
    ? sql`insert into ${events} (${eventColumns(tables)}) select v_sid, v_seq - ${param('count')} + x.n, ${listed} from ${eventList}`
    : sql`insert into ${events} (${eventColumns(tables)}) values (v_sid, v_seq, ${eventValues})`
  return {
    sql: sql`begin not atomic
  declare v_sid, v_revision, v_seq, v_app, v_user, v_session bigint;
  declare exit handler for sqlexception begin rollback; resignal; end;
  set transaction isolation level read committed;
  start transaction;
  select ${sessions.sid}, ${sessions.revision} + ${changesOf(shape, 'session')}, ${sessions.lastSeq} + ${param('count')} into v_sid, v_revision, v_seq
    from ${sessions} where ${isKeyOf(tables)}${guards(tables, shape, own)} for update;
  if v_sid is null then rollback;
  else
    update ${sessions} set ${state}${bare(sessions.revision)} = v_revision, ${bare(sessions.lastSeq)} = v_seq,
      ${bare(sessions.updatedAt)} = greatest(${sessions.updatedAt}, ${param('now')}), ${bare(sessions.lastEventAt)} = ${param('lastEventAt')}
      where ${sessions.sid} = v_sid and ${isKeyOf(tables)};
    ${scopePart(tables, 'user', shape, own)}${scopePart(tables, 'app', shape, own)}${insert};
    ${measured}select v_revision as ${sql.identifier('revision')}, v_seq as ${sql.identifier('lastSeq')}${sql.join(changed.map((scope) => sql`, ${bytesOf(scope)} as ${sql.identifier(scope)}`))}${shape.hasStates ? sql`, ${statesSeen(tables)}` : sql``};
    commit;
  end if;
end`,
  }
}

/** What the session sees. Its row is locked, so that one look at all of them is one moment. */
const statesSeen = (tables: DaybookTables): SQL =>
  selected({
    state: sql`(${documentOf(tables, 'session', asItIs)})`,
    userState: sql`(${documentOf(tables, 'user', asItIs)})`,
    appState: sql`(${documentOf(tables, 'app', asItIs)})`,
  })

const asItIs = (document: SQL): SQL => document
const byteCount = (document: SQL): SQL => sql`octet_length(${document})`

/** One look at the document of a scope. */
function documentOf(tables: DaybookTables, scope: Scope, look: (state: SQL) => SQL): SQL {
  const { sessions, userStates, appStates } = tables
  const table = { session: sessions, user: userStates, app: appStates }[scope]
  const isOfUser = sql`${userStates.appName} = ${param('appName')} and ${userStates.userId} = ${param('userId')}`
  const isOfApp = sql`${appStates.appName} = ${param('appName')}`
  const where = { session: isKeyOf(tables), user: isOfUser, app: isOfApp }[scope]
  return sql`select ${look(sql`${table.state}`)} from ${table} where ${where}`
}

/** The first change of a scope makes its row; later ones merge into it. A document that would be over its limit fails a CHECK. */
export function scopePart(
  { userStates, appStates }: DaybookTables,
  scope: 'user' | 'app',
  shape: Shape,
  own: Words,
): SQL {
  if (isEmpty(shape, scope)) return sql``
  const table = scope === 'user' ? userStates : appStates
  const key =
    scope === 'user'
      ? { names: [userStates.appName, userStates.userId], values: [param('appName'), param('userId')] }
      : { names: [appStates.appName], values: [param('appName')] }
  const names = sql.join(
    [...key.names, table.state, table.revision, table.updatedAt].map((column) => bare(column)),
    sql`, `,
  )
  const next = sql`if(${fits(sql`${table.state}`, scope, shape, own)}, ${merged(sql`${table.state}`, scope, shape, own)}, '"too large"')`
  return sql`insert into ${table} (${names}) values (${sql.join(key.values, sql`, `)}, ${merged(sql`'{}'`, scope, shape, own)}, ${changesOf(shape, scope)}, ${param('now')})
      on duplicate key update ${bare(table.state)} = ${next}, ${bare(table.revision)} = ${table.revision} + ${changesOf(shape, scope)},
        ${bare(table.updatedAt)} = greatest(${table.updatedAt}, ${param('now')});
    `
}

/** MySQL: what is between BEGIN and COMMIT. */
export interface Steps {
  /** Changes every document, and leaves the new `last_seq` behind. Changes nothing where a row is missing. */
  readonly update: Statement
  /** Writes the events, the last of them at `lastSeq`, and leaves behind what {@link insertedBy} reads. */
  readonly insert: Statement
  /** How large the documents are that were changed: a row. */
  readonly sizes: Statement
}

/** The revision, and whether one of the documents is large, in the one number that an INSERT leaves behind. */
export const insertedBy = (lastId: number): { readonly revision: number; readonly isLarge: boolean } => ({
  revision: Math.floor(lastId / 2),
  isLarge: lastId % 2 === 1,
})

export function buildSteps(tables: DaybookTables, variant: string): Steps {
  const shape = shapeOf(variant)
  const own = words.mysql
  const { sessions, events, userStates, appStates } = tables
  const rows: SQL[] = [sql`${sessions}`]
  const where: SQL[] = [sql`${isKeyOf(tables)}${guards(tables, shape, own)}`]
  const changes: SQL[] = [
    sql`${sessions.revision} = ${sessions.revision} + ${changesOf(shape, 'session')}`,
    sql`${sessions.lastSeq} = last_insert_id(${sessions.lastSeq} + ${param('count')})`,
    sql`${sessions.updatedAt} = greatest(${sessions.updatedAt}, ${param('now')})`,
    sql`${sessions.lastEventAt} = ${param('lastEventAt')}`,
  ]
  const change = (
    scope: Scope,
    table: DaybookTables['sessions'] | DaybookTables['userStates'] | DaybookTables['appStates'],
  ) => changes.push(sql`${table.state} = ${merged(sql`${table.state}`, scope, shape, own)}`)
  if (!isEmpty(shape, 'session')) change('session', sessions)
  const keys = {
    user: sql`${userStates.appName} = ${param('appName')} and ${userStates.userId} = ${param('userId')}`,
    app: sql`${appStates.appName} = ${param('appName')}`,
  }
  for (const [scope, table] of [
    ['user', userStates],
    ['app', appStates],
  ] as const) {
    if (isEmpty(shape, scope)) continue
    rows.push(sql`${table}`)
    where.push(sql`${keys[scope]} and ${fits(sql`${table.state}`, scope, shape, own)}`)
    change(scope, table)
    changes.push(sql`${table.revision} = ${table.revision} + ${changesOf(shape, scope)}`)
    changes.push(sql`${table.updatedAt} = greatest(${table.updatedAt}, ${param('now')})`)
  }
  const changed = scopes.filter((scope) => !isEmpty(shape, scope))
  const large = changed.map(
    (scope) => sql`(${documentOf(tables, scope, (state) => sql`not ${own.fits(state, sql.raw(String(largeState)))}`)})`,
  )
  const list = shape.hasMany
    ? sql`select ${sessions.sid}, ${param('lastSeq')} - ${param('count')} + x.n, ${listed} from ${sessions} straight_join ${eventList}`
    : sql`select ${sessions.sid}, ${param('lastSeq')}, ${eventValues} from ${sessions}`
  return {
    update: {
      sql: sql`update ${sql.join(rows, sql` straight_join `)} set ${sql.join(changes, sql`, `)} where ${sql.join(where, sql` and `)}`,
    },
    insert: {
      sql: sql`insert into ${events} (${eventColumns(tables)}) ${list} where ${isKeyOf(tables)} and last_insert_id(${sessions.revision} * 2 + (${sql.join([sql`false`, ...large], sql` or `)})) > 0`,
    },
    sizes: {
      sql: sql`select ${sql.join(
        [
          sql`1 as one`,
          ...changed.map(
            (scope) =>
              sql`(${documentOf(tables, scope, (state) => sql`octet_length(${own.text(state)})`)}) as ${sql.identifier(scope)}`,
          ),
        ],
        sql`, `,
      )}`,
    },
  }
}

export const shapeOf = (variant: string) => JSON.parse(variant) as Shape // as it was written above

export const appendedBy = ([row]: readonly Row[]): Appended | undefined =>
  row === undefined
    ? undefined
    : {
        revision: Number(row['revision']),
        lastSeq: Number(row['lastSeq']),
        stateBytes: sizesIn(row),
        ...('state' in row && { states: row }),
      }

/** Of the documents that were changed. */
export const sizesIn = (row: Row | undefined): NonNullable<Appended['stateBytes']> =>
  Object.fromEntries(scopes.map((scope) => [scope, Number(row?.[scope] ?? 0)]))
