import {
  toMicros,
  toStorableText,
  type CheckedEventFilter,
  type NewEvent,
  type SessionKey,
  type StoredEvent,
  type UserKey,
} from '@daybook/core'
import { sql, type SQL } from 'drizzle-orm'
import type { Dialect, EventValues, LoadShape, Params, Part, Row, Tx } from './dialect.ts'
import { eventColumns, eventNames } from './event-columns.ts'
import { createDeleteListed, type DeleteListed } from './listed-rows.ts'
import type { Script } from './script.ts'
import { sessionKeyParams, type SessionRows, type StoredSession } from './session-rows.ts'
import { assigned, insertInto, param, selected, selecting, variants } from './statements.ts'
import type { StoredForm } from './stored-form.ts'

interface EventPage {
  readonly filter: CheckedEventFilter
  readonly direction: 'asc' | 'desc'
  /** Exclusive, in the direction of the page. */
  readonly beyondSeq?: number | undefined
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

export interface EventRows {
  /** Statements and parameters that bring a session, and the events of a filter, as one view. */
  load(key: SessionKey, filter: CheckedEventFilter | undefined): { readonly shape: LoadShape; readonly params: Params }
  /** What such rows hold, oldest first, whichever way they were read. */
  eventsOf(rows: readonly Row[], user: UserKey): StoredEvent[]
  /** The columns of an event of a user. */
  values(event: NewEvent, user: UserKey): EventValues
  page(tx: Tx, key: SessionKey, page: EventPage): Script<readonly StoredEvent[]>
  /** Those of the ids that the session has. */
  byIds(tx: Tx, session: StoredSession, ids: readonly string[]): Script<readonly StoredEvent[]>
  find(tx: Tx, key: SessionKey, eventId: string): Script<StoredEvent | undefined>
  /** Whether a session that is locked has an event of that place, whatever the transaction sees. */
  isThere(tx: Tx, session: StoredSession, seq: number): Script<boolean>
  insert(tx: Tx, session: StoredSession, seq: number, event: NewEvent): Script<void>
  replace(tx: Tx, session: StoredSession, seq: number, event: NewEvent): Script<void>
  copy(tx: Tx, from: string, to: string, throughSeq: number): Script<void>
  /** Deletes the events of a session, and says how many there were. */
  readonly deleteAll: DeleteListed
}

const conditions = {
  since: (t: Dialect['tables']['events']) => sql`${t.timestamp} >= ${param('since')}`,
  after: (t: Dialect['tables']['events']) => sql`${t.timestamp} > ${param('after')}`,
  afterSeq: (t: Dialect['tables']['events']) => sql`${t.seq} > ${param('afterSeq')}`,
  author: (t: Dialect['tables']['events']) => sql`${t.author} = ${param('author')}`,
  invocationId: (t: Dialect['tables']['events']) => sql`${t.invocationId} = ${param('invocationId')}`,
  branch: (t: Dialect['tables']['events']) => sql`${t.branch} = ${param('branch')}`,
  before: (t: Dialect['tables']['events']) => sql`${t.seq} < ${param('beyondSeq')}`,
  beyond: (t: Dialect['tables']['events']) => sql`${t.seq} > ${param('beyondSeq')}`,
}
type Condition = keyof typeof conditions
const isCondition = (name: string): name is Condition => name in conditions

export function createEventRows(
  { tables, expressions }: Dialect,
  sessionRows: SessionRows,
  form: StoredForm,
): EventRows {
  const { sessions, events } = tables
  const columns = { seq: events.seq, eventId: events.eventId, payload: expressions.payloadText(events.payload) }
  // Not a join: some planners do not see that the events of one session come from the index in their order, and sort all of them.
  const ofSession = sql`${events.sid} = (select ${sessions.sid} from ${sessions} where ${sessionRows.isKey})`
  const isSid = sql`${events.sid} = ${param('sid')}`

  /** A variant is the names of its conditions, its direction, and what bounds it: `since,author|desc|limit`. */
  const eventsFrom = variants((variant): SQL => {
    const [names = '', direction, bound] = variant.split('|')
    const where = names
      .split(',')
      .filter(isCondition)
      .map((name) => conditions[name](events))
    const all = sql.join([ofSession, ...where], sql` and `)
    const limit =
      bound === 'limit'
        ? sql` limit ${param('limit')}`
        : bound === 'offset'
          ? sql` limit ${param('limit')} offset ${param('offset')}`
          : sql``
    return sql`from ${events} where ${all} order by ${events.seq} ${sql.raw(direction === 'desc' ? 'desc' : 'asc')}${limit}`
  })
  const listed = { plain: ['seq', 'eventId'], documents: ['payload'] }
  const select = variants((variant): Part => ({ ...selecting(columns, eventsFrom(variant)), listed }))
  const shape = variants((variant): LoadShape => ({
    session: sessionRows.withStates,
    events: variant === '' ? undefined : select(variant), // no events asked for
    isEncoded: form.isEncoded,
    isNewest: variant === '|desc|limit',
  }))

  const byIds = {
    sql: expressions.selectEach(
      columns,
      expressions.strings(param('ids')),
      events,
      sql`${isSid} and ${events.eventId} = one.value`,
    ),
  }
  const byId = {
    sql: sql`select ${selected(columns)} from ${events} where ${ofSession} and ${events.eventId} = ${param('eventId')}`,
  }
  const bySeq = {
    sql: sql`select ${selected({ seq: events.seq })} from ${events} where ${isSid} and ${events.seq} = ${param('seq')}${expressions.forUpdate}`,
  }
  const values = {
    invocationId: param('invocationId'),
    author: param('author'),
    branch: param('branch'),
    errorCode: param('errorCode'),
    timestamp: param('timestamp'),
    payload: expressions.payload(param('payload')),
  }
  const insert = {
    sql: insertInto(events, { sid: param('sid'), seq: param('seq'), eventId: param('eventId'), ...values }),
  }
  const replace = {
    sql: sql`update ${events} set ${assigned(
      replacedNames.map((name) => [events[name], values[name]]),
    )} where ${isSid} and ${events.seq} = ${param('seq')} and ${events.eventId} = ${param('eventId')}`,
  }
  const copied = sql.join(
    [events.seq, ...eventNames.map((name) => events[name])].map((column) => sql`${column}`),
    sql`, `,
  )
  const copy = {
    sql: sql`insert into ${events} (${eventColumns(events)}) select ${expressions.wholeParam(param('to'))}, ${copied}
      from ${events} where ${isSid} and ${events.seq} <= ${param('throughSeq')}`,
  }
  const deleteAll = createDeleteListed({ expressions }, events, events.sid)

  const storedEventOf = (row: Row, user: UserKey): StoredEvent =>
    form.eventOf(row['payload'], Number(row['seq']), row['eventId'], user)

  const eventValues = (event: NewEvent, user: UserKey): EventValues => ({
    eventId: event.id,
    invocationId: storableOrNull(event.invocationId),
    author: storableOrNull(event.author),
    branch: storableOrNull(event.branch),
    errorCode: storableOrNull(event.errorCode),
    timestamp: toMicros(event.timestamp),
    payload: form.payload(event, user),
  })

  return {
    load(key, filter) {
      if (filter === undefined || filter.last === 0) return { shape: shape(''), params: sessionKeyParams(key) }
      const limit = filter.last
      const variant = `${namesOf(filter)}|${limit === undefined ? 'asc|all' : 'desc|limit'}`
      return {
        shape: shape(variant),
        params: { ...sessionKeyParams(key), ...filterParams(filter), ...(limit !== undefined && { limit }) },
      }
    },
    eventsOf(rows, user) {
      const isReversed = Number(rows[0]?.['seq']) > Number(rows.at(-1)?.['seq'])
      const stored: StoredEvent[] = []
      for (const row of isReversed ? rows.toReversed() : rows) stored.push(storedEventOf(row, user))
      return stored
    },
    values: eventValues,
    *page(tx, key, { filter, direction, beyondSeq, limit, offset }) {
      const beyond = beyondSeq === undefined ? '' : direction === 'asc' ? ',beyond' : ',before'
      const bound = limit === undefined ? 'all' : offset === undefined || offset === 0 ? 'limit' : 'offset'
      const params = {
        ...sessionKeyParams(key),
        ...filterParams(filter),
        ...(beyondSeq !== undefined && { beyondSeq }),
      }
      const rows = yield* tx.rows(select(`${namesOf(filter)}${beyond}|${direction}|${bound}`), {
        ...params,
        ...(limit !== undefined && { limit }),
        ...(bound === 'offset' && { offset: offset ?? 0 }),
      })
      return rows.map((row) => storedEventOf(row, key))
    },
    *byIds(tx, session, ids) {
      const rows = yield* tx.rows(byIds, { sid: BigInt(session.sid), ids: JSON.stringify([...new Set(ids)]) })
      return rows.map((row) => storedEventOf(row, session))
    },
    *find(tx, key, eventId) {
      const [row] = yield* tx.rows(byId, { ...sessionKeyParams(key), eventId })
      return row === undefined ? undefined : storedEventOf(row, key)
    },
    *isThere(tx, session, seq) {
      return (yield* tx.rows(bySeq, { sid: BigInt(session.sid), seq })).length > 0
    },
    *insert(tx, session, seq, event) {
      yield* tx.change(insert, { ...eventValues(event, session), sid: BigInt(session.sid), seq })
    },
    *replace(tx, session, seq, event) {
      yield* tx.change(replace, { ...eventValues(event, session), sid: BigInt(session.sid), seq })
    },
    *copy(tx, from, to, throughSeq) {
      yield* tx.change(copy, { sid: BigInt(from), to: BigInt(to), throughSeq })
    },
    deleteAll,
  }
}

const [, ...replacedNames] = eventNames

const filterNames = ['since', 'after', 'afterSeq', 'author', 'invocationId', 'branch'] as const

const namesOf = (filter: CheckedEventFilter) => filterNames.filter((name) => filter[name] !== undefined).join(',')

function filterParams(filter: CheckedEventFilter): Params {
  const params: Record<string, string | number | bigint> = {}
  for (const name of filterNames) {
    const value = filter[name]
    if (value === undefined) continue
    params[name] = typeof value === 'string' ? toStorableText(value) : name === 'afterSeq' ? value : toMicros(value)
  }
  return params
}

/** All events. */
export const noFilter: CheckedEventFilter = {
  since: undefined,
  after: undefined,
  afterSeq: undefined,
  author: undefined,
  invocationId: undefined,
  branch: undefined,
  last: undefined,
}

const storableOrNull = (text: string | null) => (text === null ? null : toStorableText(text))
