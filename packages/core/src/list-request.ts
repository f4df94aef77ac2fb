import {
  checkedChoice,
  checkedCount,
  checkedFlag,
  checkedId,
  checkedOptionalCount,
  checkedOptionalText,
  checkedOptions,
  checkedRecord,
  checkedSessionKey,
  isWellFormed,
  membersOf,
} from './arguments.ts'
import { decodeCursor, encodeCursor, type Position } from './cursor.ts'
import { StoreError } from './errors.ts'
import type { EventFilter } from './events.ts'
import { reading, type JsonObject } from './json.ts'
import type { Limits } from './limits.ts'
import type { Page, PageOptions } from './page.ts'
import type { SessionKey, SessionQuery } from './sessions.ts'
import { moneyUnits } from './money.ts'
import { checkedWhere, whereBinding, type CheckedCondition } from './state-filter.ts'
import { checkedTimestamp } from './time.ts'

export interface PageRequest {
  readonly limit: number
  readonly offset: number
  /** Where the page before ended. */
  readonly position: Position | undefined
  readonly direction: 'asc' | 'desc'
  /** What a cursor of this list is bound to. */
  readonly binding: JsonObject
}

/** Of one app, or one user of it. */
export interface AppFilter {
  readonly appName: string
  readonly userId: string | undefined
}

export interface SessionFilterRequest extends AppFilter {
  readonly where: readonly CheckedCondition[]
}

export interface SessionListRequest extends PageRequest, SessionFilterRequest {
  readonly orderBy: NonNullable<SessionQuery['orderBy']>
  readonly wantsState: boolean
}

export type CheckedEventFilter = { readonly [K in keyof EventFilter]-?: EventFilter[K] | undefined }

export interface EventListRequest extends PageRequest {
  readonly key: SessionKey
  readonly filter: CheckedEventFilter
}

/** Names of the options that every page takes. */
export const pageNames = ['limit', 'cursor', 'offset'] as const
const eventFilterNames = ['since', 'after', 'afterSeq', 'author', 'invocationId', 'branch', 'last'] as const

/** Of which app or user of it a query is; `others` are the names that it may have besides. */
export function appFilter(query: unknown, limits: Limits, others: readonly string[]): AppFilter {
  const { appName, userId } = checkedOptions(checkedRecord(query, 'query'), ['appName', 'userId', ...others])
  return {
    appName: checkedId(appName, 'appName', limits),
    userId: userId === undefined ? undefined : checkedId(userId, 'userId', limits),
  }
}

/** The filter of `sessions.list` and `sessions.count`. */
export function sessionFilter(query: unknown, limits: Limits): SessionFilterRequest {
  const filter = appFilter(query, limits, ['where'])
  return { ...filter, where: checkedWhere(membersOf(query, 'query', ['where']).where, limits) }
}

const sessionListNames = ['appName', 'userId', 'where', ...pageNames, 'orderBy', 'direction', 'state'] as const

export function sessionListRequest(query: unknown, limits: Limits): SessionListRequest {
  const given = checkedOptions(checkedRecord(query, 'query'), sessionListNames)
  const appName = checkedId(given.appName, 'appName', limits)
  const userId = given.userId === undefined ? undefined : checkedId(given.userId, 'userId', limits)
  const where = checkedWhere(given.where, limits)
  const { orderBy = 'lastEventAt', direction = 'desc', state } = given
  const order = checkedChoice(orderBy, 'orderBy', ['lastEventAt', 'createdAt', 'updatedAt'])
  const way = checkedChoice(direction, 'direction', ['asc', 'desc'])
  const binding = {
    list: 'sessions',
    appName,
    userId: userId ?? null,
    orderBy: order,
    direction: way,
    ...whereBinding(where),
  }
  return {
    appName,
    userId,
    where,
    orderBy: order,
    wantsState: checkedFlag(state, 'state'),
    ...pageRequest(given, { direction: way, binding, limits, shape: ['number', 'text', 'text'] }),
  }
}

export function eventListRequest(key: unknown, query: unknown, limits: Limits): EventListRequest {
  const session = checkedSessionKey(key, limits)
  const given = checkedOptions(query, [...eventFilterNames, ...pageNames, 'direction'])
  const { direction = 'asc' } = given
  const way = checkedChoice(direction, 'direction', ['asc', 'desc'])
  const filter = checkedEventFilter(given)
  if (
    filter.last !== undefined &&
    [given.limit, given.cursor, given.offset, given.direction].some((option) => option !== undefined)
  ) {
    throw new StoreError(
      'invalid_argument',
      'last is one page, oldest first, and takes no limit, cursor, offset or direction',
      { field: 'last' },
    )
  }
  const { last, ...bound } = filter
  if (last !== undefined) checkedCount(last, 'last', { max: limits.pageMax })
  const binding = { list: 'events', ...session, ...nullsFor(bound), direction: way }
  return { key: session, filter, ...pageRequest(given, { direction: way, binding, limits, shape: ['number'] }) }
}

/** The option `events` of `sessions.get`: `undefined` when none are to be read. */
export function eventsOption(value: unknown): CheckedEventFilter | undefined {
  if (value === undefined) return undefined
  if (value === 'all') return checkedEventFilter({})
  const names: readonly string[] = eventFilterNames
  const stray = reading('events', () => Object.keys(checkedRecord(value, 'events'))).find(
    (name) => !names.includes(name),
  )
  if (stray !== undefined)
    throw new StoreError('invalid_argument', `events.${stray} is not a filter; there are ${names.join(', ')}`, {
      field: `events.${stray}`,
    })
  return checkedEventFilter(membersOf(value, 'events', eventFilterNames))
}

function checkedEventFilter(filter: { readonly [K in keyof EventFilter]: unknown }): CheckedEventFilter {
  return {
    since: optionalTime(filter.since, 'since'),
    after: optionalTime(filter.after, 'after'),
    afterSeq: checkedOptionalCount(filter.afterSeq, 'afterSeq'),
    author: checkedOptionalText(filter.author, 'author'),
    invocationId: checkedOptionalText(filter.invocationId, 'invocationId'),
    branch: checkedOptionalText(filter.branch, 'branch'),
    last: checkedOptionalCount(filter.last, 'last'),
  }
}

const optionalTime = (value: unknown, field: string) =>
  value === undefined ? undefined : checkedTimestamp(value, field)

const nullsFor = (filter: Readonly<Record<string, string | number | undefined>>): JsonObject =>
  Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, value ?? null]))

interface List {
  readonly direction: 'asc' | 'desc'
  readonly binding: JsonObject
  readonly limits: Limits
  /** What the parts of a position are. */
  readonly shape: readonly ('number' | 'text' | 'maybe number' | 'maybe money')[]
}

/** What a part of a position looks like; those that may be absent are empty then. */
const partFits: Readonly<Record<List['shape'][number], (part: string | number) => boolean>> = {
  number: (part) => /^\d{1,18}$/.test(String(part)),
  text: (part) => typeof part === 'string' && isWellFormed(part),
  'maybe number': (part) => part === '' || /^\d{1,18}$/.test(String(part)),
  'maybe money': (part) => part === '' || moneyUnits(part) !== undefined,
}

export function pageRequest(
  page: { readonly [K in keyof PageOptions]: unknown },
  { direction, binding, limits, shape }: List,
): PageRequest {
  const { limit = limits.pageDefault, offset = 0, cursor } = page
  if (cursor !== undefined && page.offset !== undefined) {
    throw new StoreError('invalid_argument', 'offset and cursor are two ways to page; give one', { field: 'offset' })
  }
  return {
    limit: checkedCount(limit, 'limit', { max: limits.pageMax }),
    offset: checkedCount(offset, 'offset'),
    position: cursor === undefined ? undefined : checkedPosition(decodeCursor(binding, cursor), shape),
    direction,
    binding,
  }
}

/** The seal of a cursor is no secret, so what is inside is looked at before a database sees it. */
function checkedPosition(position: Position, shape: List['shape']): Position {
  const fits = (part: string | number, i: number) => partFits[shape[i] ?? 'text'](part)
  if (position.length === shape.length && position.every(fits)) return position
  throw new StoreError('invalid_cursor', 'the cursor names no position of this list', { field: 'cursor' })
}

/** A page out of rows that were read with one more than `limit`, which tells whether there is another page. */
export function pageOf<Row, T>(
  rows: readonly Row[],
  { limit, binding }: PageRequest,
  positionOf: (row: Row) => Position,
  itemOf: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map((row) => itemOf(row)),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(binding, positionOf(last)) : undefined,
  }
}
