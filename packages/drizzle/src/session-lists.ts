import {
  pageOf,
  unsupported,
  type CheckedCondition,
  type Page,
  type SessionFilterRequest,
  type SessionListRequest,
  type SessionSummary,
} from '@daybook/core'
import { sql, type Column, type SQL } from 'drizzle-orm'
import type { Dialect, Params, Row, Statement, Tx } from './dialect.ts'
import { knownPathIndexes } from './path-indexes.ts'
import type { Script } from './script.ts'
import { summaryOf, type SessionRows } from './session-rows.ts'
import { stateFilter } from './state-filters.ts'
import { bare, param, selected, variants } from './statements.ts'

export interface SessionLists {
  list(tx: Tx, request: SessionListRequest): Script<Page<SessionSummary>>
  count(tx: Tx, filter: SessionFilterRequest): Script<number>
}

export function createSessionLists(dialect: Dialect, sessionRows: SessionRows): SessionLists {
  const { tables, expressions, jsonPaths } = dialect
  const knownIndexes = knownPathIndexes(dialect)
  const { sessions, userStates, appStates } = tables
  const ofApp = sql`${sessions.appName} = ${param('appName')}`
  const ofUser = sql`${ofApp} and ${sessions.userId} = ${param('userId')}`
  const statesBy = (text: (column: Column) => SQL) => ({
    state: text(sessions.state),
    userState: text(userStates.state),
    appState: text(appStates.state),
  })
  const states = statesBy(expressions.jsonText)
  const walkedStates = statesBy(expressions.unsortedJsonText ?? expressions.jsonText)
  // Where the order is that of an index, the states are read on the way. Any other page is found by its keys, and only then are
  // they read: sorted are the keys, and no documents. The page is outer, so that it stays the first of the join.
  const page = sql.identifier('page')
  const inPage = (column: Column) => sql`${page}.${bare(column)}`
  const ofPage = sql`left join ${sessions} on ${sessions.sid} = ${inPage(sessions.sid)}`
  const theirStates = sql`left join ${userStates} on ${userStates.appName} = ${sessions.appName} and ${userStates.userId} = ${sessions.userId}
    left join ${appStates} on ${appStates.appName} = ${sessions.appName}`

  const documents = Object.keys(states)

  const noFilter = sql``
  /** A variant is `order|direction` and the words that apply: `user`, `state`, `beyond`, `offset`. */
  const select = variants((variant) => selectWhere(variant, noFilter))
  const selectWhere = (variant: string, filter: SQL): Statement => {
    const [orderBy = '', direction, ...words] = variant.split('|')
    const has = (word: string) => words.includes(word)
    const time =
      { createdAt: sessions.createdAt, updatedAt: sessions.updatedAt, lastEventAt: sessions.lastEventAt }[orderBy] ??
      sessions.lastEventAt
    const isDescending = direction === 'desc'
    // The first condition is what an index can use; the second one settles ties.
    const beyond: SQL = isDescending
      ? sql` and ${time} <= ${param('time')} and (${time} < ${param('time')} or ${afterTie()})`
      : sql` and ${time} >= ${param('time')} and (${time} > ${param('time')} or ${afterTie()})`
    const isFound = sql`where ${has('user') ? ofUser : ofApp}${has('beyond') ? beyond : sql``}${filter}`
    const rows = sql`from ${sessions} ${isFound}`
    const bounds = sql`limit ${param('limit')}${has('offset') ? sql` offset ${param('offset')}` : sql``}`
    // Of one user's sessions the user settles no tie, and a planner that is told to sort by it may miss the index.
    const keys = has('user') ? [time, sessions.sessionId] : [time, sessions.sessionId, sessions.userId]
    const orderOf = (key: (column: Column) => SQL) =>
      sql`order by ${sql.join(
        keys.map((column) => (column === time && isDescending ? sql`${key(column)} desc` : key(column))),
        sql`, `,
      )}`
    const columns = sessionRows.listColumns(has('user'))
    const order = orderOf((column) => sql`${column}`)
    const isByLastEvent = has('user') && time === sessions.lastEventAt
    const first = (all: SQL) =>
      isByLastEvent && isDescending && !has('offset') && filter === noFilter && expressions.firstRows !== undefined
        ? expressions.firstRows(sql`${all} ${order}`, param('limit'))
        : sql`${all} ${order} ${bounds}`
    const plain = Object.keys(columns)
    const byValues = isByLastEvent ? {} : { isPlannedByValues: true as const }
    if (!has('state'))
      return { sql: first(sql`select ${selected(columns)} ${rows}`), listed: { plain, documents: [] }, ...byValues }
    const listed = { plain, documents }
    const isWalked = isByLastEvent && isDescending && filter === noFilter
    if (isWalked)
      return {
        sql: first(
          sql`select ${dialect.alongRecent ?? sql``}${selected({ ...columns, ...walkedStates })} from ${sessions} ${theirStates} ${isFound}`,
        ),
        listed,
      }
    const found = sql`select ${sql.join([sql`${sessions.sid}`, ...keys.map((column) => sql`${column}`)], sql`, `)} ${rows} ${order} ${bounds}`
    return {
      sql: sql`select ${selected({ ...columns, ...states })} from (${found}) as ${page} ${ofPage} ${theirStates} ${orderOf(inPage)}`,
      listed,
      ...byValues,
    }
  }
  const afterTie = () =>
    sql`${sessions.sessionId} > ${param('sessionId')} or (${sessions.sessionId} = ${param('sessionId')} and ${sessions.userId} > ${param('afterUserId')})`
  const countWhere = (user: string, filter: SQL) => ({
    sql: sql`select count(*) as "count" from ${sessions} where ${user === 'user' ? ofUser : ofApp}${filter}`,
  })
  const counted = variants((user) => countWhere(user, sql``))

  /** Rows that meet a filter on state, which follows other conditions. Another process may drop an index that it names. */
  function* filtered(
    tx: Tx,
    where: readonly CheckedCondition[],
    statementOf: (filter: SQL) => Statement,
    params: Params,
  ): Script<readonly Row[]> {
    if (jsonPaths === undefined) throw unsupported('jsonPathFilter', 'filters on state')
    const indexes = yield* knownIndexes(tx)
    const by = (known: typeof indexes) => {
      const filter = stateFilter(jsonPaths, sessions.state, where, known)
      const statement: Statement = { ...statementOf(sql` and ${filter.sql}`), isOneOff: true }
      return tx.rows(statement, { ...params, ...filter.params })
    }
    try {
      return yield* by(indexes)
    } catch (error) {
      if (indexes.length === 0 || dialect.failureOf(error).kind !== 'missing_schema') throw error
      return yield* by([])
    }
  }

  return {
    *list(tx, request) {
      const { appName, userId, orderBy, direction, limit, offset, position, wantsState } = request
      if (limit === 0) return { items: [], nextCursor: undefined }
      const params: Record<string, Params[string]> = { appName, limit: limit + 1 }
      let variant = `${orderBy}|${direction}`
      if (userId !== undefined) {
        variant += '|user'
        params['userId'] = userId
      }
      if (wantsState) variant += '|state'
      if (position !== undefined) {
        const [time, sessionId, afterUserId] = position
        variant += '|beyond'
        params['time'] = BigInt(time ?? 0)
        params['sessionId'] = String(sessionId)
        params['afterUserId'] = String(afterUserId)
      }
      if (offset > 0) {
        variant += '|offset'
        params['offset'] = offset
      }
      const rows =
        request.where.length === 0
          ? yield* tx.rows(select(variant), params)
          : yield* filtered(tx, request.where, (filter) => selectWhere(variant, filter), params)
      const known = userId === undefined ? { appName } : { appName, userId }
      const positionOf = (row: Row) => [String(row[orderBy]), String(row['sessionId']), userId ?? String(row['userId'])]
      return pageOf(
        rows,
        request,
        positionOf,
        wantsState ? (row) => sessionRows.sessionOf(row, known) : (row) => summaryOf(row, known),
      )
    },
    *count(tx, { appName, userId, where }) {
      const user = userId === undefined ? '' : 'user'
      const params: Params = { appName, ...(userId !== undefined && { userId }) }
      const [row] =
        where.length === 0
          ? yield* tx.rows(counted(user), params)
          : yield* filtered(tx, where, (filter) => countWhere(user, filter), params)
      return Number(row?.['count'])
    },
  }
}
