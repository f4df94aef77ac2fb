import { largeState, scopes, type Scope } from '@daybook/core'
import {
  bare,
  eventColumns,
  eventNames,
  param,
  selected,
  type Appended,
  type Row,
  type Statement,
} from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'
import { isEmpty, shapeOf, type Shape } from './append-shape.ts'
import type { DaybookTables, Flavour } from './schema.ts'

// The common case in the fewest round trips. MariaDB runs a whole transaction as one prepared statement. MySQL has no such
// block, and a procedure is no way around it: to make one takes a right that the role of a migration may lack, and to call it
// one that the role of an application has not. There it is one UPDATE of all the documents and one INSERT, inside BEGIN and
// COMMIT, and the id that an UPDATE and an INSERT may leave behind brings back what RETURNING would.
//
// Locks are taken in the order session, user, app, as everywhere, and nothing is read before the first of them. What is not
// as the common case takes it for granted changes nothing, or breaks a constraint, which undoes all of it: the script finds
// out which.

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

/**
 * A document with the delta of a scope applied.
 *
 * @param valueOf what is bound under a name
 */
export function merged(
  document: SQL,
  scope: Scope,
  { sets, unsets }: Shape,
  { json }: Words,
  valueOf: (name: string) => SQL = bound,
): SQL {
  const gone = places(unsets[scope]).map((i) => valueOf(`${scope}Gone${i}`))
  const rest = gone.length === 0 ? document : sql`json_remove(${document}, ${sql.join(gone, sql`, `)})`
  const pairs = places(sets[scope]).map(
    (i) => sql`${valueOf(`${scope}Path${i}`)}, ${json(valueOf(`${scope}Value${i}`))}`,
  )
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

const eventValues = sql.join(
  eventNames.map((name) => bound(name)),
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
    ? sql`insert into ${events} (${eventColumns(events)}) select v_sid, v_seq - ${param('count')} + x.n, ${listed} from ${eventList}`
    : sql`insert into ${events} (${eventColumns(events)}) values (v_sid, v_seq, ${eventValues})`
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
      sql: sql`insert into ${events} (${eventColumns(events)}) ${list} where ${isKeyOf(tables)} and last_insert_id(${sessions.revision} * 2 + (${sql.join([sql`false`, ...large], sql` or `)})) > 0`,
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
