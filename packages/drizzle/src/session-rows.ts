import {
  fromMicros,
  mergeInto,
  noSession,
  type JsonObject,
  type Session,
  type SessionKey,
  type SessionSummary,
  type StoredLease,
} from '@daybook/core'
import { sql, type SQL } from 'drizzle-orm'
import type { Dialect, InsertNew, NewSession, Params, Part, Row, Tx } from './dialect.ts'
import type { Script } from './script.ts'
import { assigned, param, selected, selecting } from './statements.ts'
import type { StoredForm } from './stored-form.ts'

/** A session as its row says, its own state apart from the merged one. */
export interface StoredSession extends SessionKey {
  readonly sid: string
  readonly state: JsonObject
  readonly revision: number
  readonly lastSeq: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly lastEventAt: number
  readonly lease: StoredLease | undefined
}

interface NewSessionRow {
  readonly key: SessionKey
  readonly state: JsonObject
  readonly initialState: JsonObject
  readonly lastSeq: number
  readonly createdAt: bigint
  readonly updatedAt: bigint
  readonly lastEventAt: bigint
}

interface SessionChangeRow {
  readonly state: JsonObject
  readonly lastSeq: number
  readonly updatedAt: bigint
  readonly lastEventAt: bigint
}

/** The row of a session: found by its full key, changed under its lock. */
export interface SessionRows {
  /** `… where` the session is the one of the key. */
  readonly isKey: SQL
  /** Columns of a session; without its state for lists. */
  readonly columns: Readonly<Record<string, SQL>>
  /** Columns of a session in a list: without what the list is of. */
  listColumns(isOfUser: boolean): Readonly<Record<string, SQL>>
  /** Columns of its lease, for {@link storedLeaseOf}. */
  readonly leaseColumns: Readonly<Record<string, SQL>>
  /** One session with the states it sees, as `state`, `userState`, `appState`. */
  readonly withStates: Part
  find(tx: Tx, key: SessionKey): Script<StoredSession | undefined>
  /** Locks the row, where there is one, until the transaction ends. */
  lockIfThere(tx: Tx, key: SessionKey): Script<StoredSession | undefined>
  /** The same, with `not_found` where there is none. */
  lock(tx: Tx, key: SessionKey): Script<StoredSession>
  insert(tx: Tx, row: NewSessionRow): Script<boolean>
  /** Writes a change and answers the new revision. */
  change(tx: Tx, session: StoredSession, change: SessionChangeRow): Script<number>
  initialState(tx: Tx, session: StoredSession): Script<JsonObject>
  /** The merged state out of a row with the three states. */
  mergedStateOf(row: Row, key: SessionKey): JsonObject
  /** A session out of a row of {@link SessionRows.withStates}, or of a list with its states. */
  sessionOf(row: Row, known?: KnownKey): Session
  /**
   * A session that was just created, with the states that it sees.
   *
   * @param document what its own state was written from, which nobody else has: it becomes part of the answer
   */
  createdFrom(session: NewSession, row: Row, document: JsonObject): Session
}

export function createSessionRows({ tables, expressions }: Dialect, form: StoredForm): SessionRows {
  const { sessions, userStates, appStates } = tables
  const isKey = sql`${sessions.appName} = ${param('appName')} and ${sessions.userId} = ${param('userId')} and ${sessions.sessionId} = ${param('sessionId')}`
  const ofList = {
    sessionId: sql`${sessions.sessionId}`,
    revision: sql`${sessions.revision}`,
    lastSeq: sql`${sessions.lastSeq}`,
    createdAt: expressions.time(sessions.createdAt),
    updatedAt: expressions.time(sessions.updatedAt),
    lastEventAt: expressions.time(sessions.lastEventAt),
  }
  const columns = {
    sid: expressions.wholeText(sessions.sid),
    appName: sql`${sessions.appName}`,
    userId: sql`${sessions.userId}`,
    ...ofList,
  }
  const leaseColumns = {
    leaseOwner: sql`${sessions.leaseOwner}`,
    leaseFence: expressions.wholeText(sessions.leaseFence),
    leaseUntil: expressions.wholeText(sessions.leaseUntil),
  }
  const own = { ...columns, state: expressions.jsonText(sessions.state) }
  const byKey = sql`select ${selected({ ...own, ...leaseColumns })} from ${sessions} where ${isKey}`
  const find = { sql: byKey }
  const lock = { sql: sql`${byKey}${expressions.forUpdate}` }
  const states = {
    state: own.state,
    userState: expressions.jsonText(userStates.state),
    appState: expressions.jsonText(appStates.state),
  }
  const withStates: Part = {
    ...selecting(
      { ...columns, ...states },
      sql`from ${sessions}
      left join ${userStates} on ${userStates.appName} = ${sessions.appName} and ${userStates.userId} = ${sessions.userId}
      left join ${appStates} on ${appStates.appName} = ${sessions.appName}
      where ${isKey}`,
    ),
    listed: { plain: Object.keys(columns), documents: Object.keys(states) },
  }
  const insert: InsertNew = {
    into: sessions,
    target: [sessions.appName, sessions.userId, sessions.sessionId],
    values: {
      appName: param('appName'),
      userId: param('userId'),
      sessionId: param('sessionId'),
      state: expressions.json(param('state')),
      initialState: expressions.payload(param('initialState')),
      revision: sql`1`,
      lastSeq: param('lastSeq'),
      createdAt: param('createdAt'),
      updatedAt: param('updatedAt'),
      lastEventAt: param('lastEventAt'),
    },
  }
  const change = {
    sql: sql`update ${sessions} set ${assigned([
      [sessions.state, expressions.json(param('state'))],
      [sessions.revision, param('revision')],
      [sessions.lastSeq, param('lastSeq')],
      [sessions.updatedAt, param('updatedAt')],
      [sessions.lastEventAt, param('lastEventAt')],
    ])} where ${sessions.sid} = ${param('sid')} and ${isKey}`,
  }
  const initialState = {
    sql: sql`select ${selected({ state: expressions.payloadText(sessions.initialState) })} from ${sessions} where ${sessions.sid} = ${param('sid')} and ${isKey}`,
  }

  const storedSessionOf = (row: Row): StoredSession => {
    const summary = summaryOf(row)
    return {
      ...summary,
      sid: String(row['sid']),
      lease: storedLeaseOf(row),
      state: form.stateOf(row['state'], summary),
    }
  }

  const withOthers = (document: JsonObject, { appName, userId }: SessionKey, row: Row): JsonObject =>
    mergeInto(document, {
      user: form.stateOf(row['userState'], { appName, userId }),
      app: form.stateOf(row['appState'], { appName }),
    })

  const mergedFrom = (key: SessionKey, row: Row): JsonObject => {
    const { appName, userId, sessionId } = key
    return withOthers(form.stateOf(row['state'], { appName, userId, sessionId }), key, row)
  }

  function* lockIfThere(tx: Tx, key: SessionKey): Script<StoredSession | undefined> {
    const [row] = yield* tx.rows(lock, sessionKeyParams(key))
    return row === undefined ? undefined : storedSessionOf(row)
  }

  return {
    isKey,
    columns,
    listColumns: (isOfUser) => (isOfUser ? ofList : { userId: columns.userId, ...ofList }),
    leaseColumns,
    withStates,
    *find(tx, key) {
      const [row] = yield* tx.rows(find, sessionKeyParams(key))
      return row === undefined ? undefined : storedSessionOf(row)
    },
    lockIfThere,
    *lock(tx, key) {
      const session = yield* lockIfThere(tx, key)
      if (session === undefined) throw noSession(key)
      return session
    },
    mergedStateOf: (row, key) => mergedFrom(key, row),
    sessionOf(row, known) {
      const summary = summaryOf(row, known)
      // Not spread: to copy the summaries of a page takes longer than to make them.
      return Object.assign(summary, { state: mergedFrom(summary, row) })
    },
    createdFrom: ({ key, createdAt, now }, row, document) => ({
      ...key,
      revision: 1,
      lastSeq: 0,
      createdAt: fromMicros(createdAt),
      updatedAt: fromMicros(now),
      lastEventAt: fromMicros(createdAt),
      state: withOthers(document, key, row),
    }),
    *insert(tx, { key, state, initialState: initial, ...rest }) {
      return yield* tx.insertNew(insert, {
        ...sessionKeyParams(key),
        state: form.state(state, key),
        initialState: form.state(initial, key),
        ...rest,
      })
    },
    *change(tx, session, { state, ...rest }) {
      const revision = session.revision + 1
      yield* tx.change(change, {
        ...sessionKeyParams(session),
        sid: BigInt(session.sid),
        state: form.state(state, session, session.state),
        revision,
        ...rest,
      })
      return revision
    },
    *initialState(tx, session) {
      const [row] = yield* tx.rows(initialState, { ...sessionKeyParams(session), sid: BigInt(session.sid) })
      return form.stateOf(row?.['state'], session)
    },
  }
}

export const sessionKeyParams = ({ appName, userId, sessionId }: SessionKey): Params => ({ appName, userId, sessionId })

/** The lease in a row; `undefined` where there was none, or it was released. */
export const storedLeaseOf = ({ leaseOwner, leaseFence, leaseUntil }: Row): StoredLease | undefined =>
  typeof leaseOwner === 'string' && typeof leaseUntil === 'string'
    ? { owner: leaseOwner, fence: Number(leaseFence), expiresAt: timeOf(leaseUntil) }
    : undefined

/** The part of a key that a list is of, and that is not in its rows. */
export type KnownKey = Partial<Pick<SessionKey, 'appName' | 'userId'>>

export const summaryOf = (row: Row, { appName, userId }: KnownKey = {}): SessionSummary => ({
  appName: appName ?? String(row['appName']),
  userId: userId ?? String(row['userId']),
  sessionId: String(row['sessionId']),
  revision: Number(row['revision']),
  lastSeq: Number(row['lastSeq']),
  createdAt: timeOf(row['createdAt']),
  updatedAt: timeOf(row['updatedAt']),
  lastEventAt: timeOf(row['lastEventAt']),
})

const timeOf = (micros: unknown): number => fromMicros(typeof micros === 'number' ? micros : String(micros))
