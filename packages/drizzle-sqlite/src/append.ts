import { largeState, scopes, type Scope } from '@daybook/core'
import {
  growthBy,
  variants,
  type Append,
  type Appended,
  type EventValues,
  type Row,
  type Value,
} from '@daybook/drizzle'
import { getTableName } from 'drizzle-orm'
import type { Connection } from './connection.ts'
import { isEmptyDelta, isEmptyShape, mergedText, mergedValues, pairsPerCall, shapeOf } from './merged-state.ts'
import type { DaybookTables } from './schema.ts'

// An append as the fewest statements, their texts made once for each shape. The client takes them as one write batch, which
// does not stop at a statement that changes nothing: each statement after the first asks `changes()` whether the one before it
// did, so that the chain ends where the session is missing, at another revision, or held by somebody else, and nothing at all was
// written. Over a connection the code between the statements sees to that.

/** A statement with its values in place. */
export interface Sent {
  readonly text: string
  readonly values: readonly Value[]
}

export interface AppendStatements {
  /**
   * The batch for an append; `undefined` when it has to go the long way.
   *
   * @param looksForIds an id that is there ends the chain, where its error would undo more, or tell less
   */
  batch(append: Append, looksForIds: boolean): Sent[] | undefined
  /**
   * Appends inside a transaction: `undefined` when it has to go the long way, and nothing was written.
   *
   * @throws NotCommon, or the driver's error for a key that exists, when something was: undo it
   */
  run(connection: Connection, append: Append): Appended | undefined
}

/** Something was written before it turned out that this append has to go the long way. */
export class NotCommon extends Error {
  override readonly message = 'this append has to go the long way'
}

const mostCalls = 10
const mostStatements = 1_000

export function createAppendStatements(tables: DaybookTables): AppendStatements {
  const [sessions, events] = [quoted(tables.sessions), quoted(tables.events)]
  const isKey = `"app_name" = ? and "user_id" = ? and "session_id" = ?`
  const eventColumns = `"sid", "seq", "event_id", "invocation_id", "author", "branch", "error_code", "timestamp", "payload"`

  /** A variant is the {@link shapeOf} of the delta and the words that apply. */
  const updateText = variants((variant) => {
    const [shape = '', ...words] = variant.split('|')
    const has = (word: string) => words.includes(word)
    const guards = [
      isKey,
      ...(has('new')
        ? [
            `not exists (select 1 from ${events} e where e."sid" = ${sessions}."sid" and e."event_id" in (select value from json_each(?)))`,
          ]
        : []),
      ...(isEmptyShape(shape) ? [] : [`${size} + ? <= ?`]),
      ...(has('compact') ? [`instr("state", ?) = 0`] : []),
      ...(has('revision') ? [`"revision" = ?`] : []),
      has('lease')
        ? `"lease_owner" = ? and "lease_fence" = ? and "lease_until" > ?`
        : `coalesce("lease_until", 0) <= ?`,
    ]
    const state = isEmptyShape(shape) ? '' : `"state" = ${mergedText('"state"', shape)}, `
    // One column of four values: to a driver each costs more than to part it again.
    const told = ['"sid"', '"revision"', '"last_seq"', isEmptyShape(shape) ? '0' : size].join(` || ',' || `)
    return `update ${sessions} set ${state}"revision" = "revision" + ?, "last_seq" = "last_seq" + ?, "updated_at" = max("updated_at", ?), "last_event_at" = ?
      where ${guards.join(' and ')} returning ${told} as "told"`
  })

  function update(append: Append, looksForIds: boolean, growth: number): Sent {
    const { key, events: added, deltas, expectedRevision, lease, now, limits, compactMark, joint } = append
    const delta = deltas.session
    const isChanging = !isEmptyDelta(delta)
    let variant = shapeOf(delta)
    const values = mergedValues(delta)
    values.push(wholeOf(joint?.changes.session ?? 1), wholeOf(added.length), now)
    values.push(added.at(-1)?.timestamp ?? now, key.appName, key.userId, key.sessionId)
    if (looksForIds) {
      variant += '|new'
      values.push(JSON.stringify(added.map(({ eventId }) => eventId)))
    }
    if (isChanging) values.push(BigInt(growth), BigInt(limits.stateBytes))
    if (isChanging && compactMark !== undefined) {
      variant += '|compact'
      values.push(compactMark)
    }
    if (expectedRevision !== undefined) {
      variant += '|revision'
      values.push(BigInt(expectedRevision))
    }
    if (lease === undefined) values.push(now)
    else {
      variant += '|lease'
      values.push(lease.owner, BigInt(lease.fence), now)
    }
    return { text: updateText(variant), values }
  }

  const eventText = variants(
    (rows) => `insert into ${events} (${eventColumns}) values ${listOf('(?, ?, ?, ?, ?, ?, ?, ?, ?)', Number(rows))}`,
  )
  const eventInBatchText = variants((rows) => {
    const isOne = rows === '1' // a list would take twice as long to prepare
    const list = isOne ? '' : `, (values ${listOf('(?, ?, ?, ?, ?, ?, ?, ?)', Number(rows))})`
    const values = isOne
      ? '?, ?, ?, ?, ?, ?, ?, ?'
      : 'column1, column2, column3, column4, column5, column6, column7, column8'
    return `insert into ${events} (${eventColumns}) select "sid", "last_seq" - ${values} from ${sessions}${list} where ${isKey} and changes() > 0`
  })

  const places = {
    user: { table: quoted(tables.userStates), columns: ['"app_name"', '"user_id"'] },
    app: { table: quoted(tables.appStates), columns: ['"app_name"'] },
  }

  /** A variant is the scope, the {@link shapeOf} of its delta and the words that apply. */
  const scopeText = variants((variant) => {
    const [scope, shape = '', ...words] = variant.split('|')
    const has = (word: string) => words.includes(word)
    const { table, columns } = places[scope === 'app' ? 'app' : 'user']
    const fits = `length(cast(${table}."state" as blob)) + ? <= ?${has('compact') ? ` and instr(${table}."state", ?) = 0` : ''}`
    const next = mergedText(`${table}."state"`, shape)
    // In a batch a document that grows over its limit fails a CHECK on purpose: only an error undoes the whole of it.
    const state = has('batch') ? `case when ${fits} then ${next} else '"too large"' end` : next
    const source = has('batch') ? 'select' : 'values ('
    return `insert into ${table} (${columns.join(', ')}, "state", "revision", "updated_at")
      ${source} ${columns.map(() => '?').join(', ')}, ${mergedText(`'{}'`, shape)}, ?, ?${has('batch') ? ' where changes() > 0' : ')'}
      on conflict (${columns.join(', ')}) do update set "state" = ${state}, "revision" = "revision" + excluded."revision", "updated_at" = max("updated_at", excluded."updated_at")
      ${has('batch') ? '' : `where ${fits}`} ${has('told') ? `returning ${size} as "bytes"` : ''}`
  })

  function scopeChange(scope: 'user' | 'app', append: Append, growth: number, how: 'batch' | 'told' | 'small'): Sent {
    const { key, deltas, now, compactMark, joint, limits } = append
    const delta = deltas[scope]
    const merged = mergedValues(delta)
    const most = how === 'small' ? Math.min(largeState, limits.stateBytes) : limits.stateBytes
    const fits: Value[] = [BigInt(growth), BigInt(most)]
    if (compactMark !== undefined) fits.push(compactMark)
    const place = scope === 'user' ? [key.appName, key.userId] : [key.appName]
    const [first, second] = how === 'batch' ? [fits, merged] : [merged, fits]
    const words = how === 'batch' ? '|batch|told' : how === 'told' ? '|told' : ''
    return {
      text: scopeText(`${scope}|${shapeOf(delta)}${words}${compactMark === undefined ? '' : '|compact'}`),
      values: [...place, ...merged, wholeOf(joint?.changes[scope] ?? 1), now, ...first, ...second],
    }
  }

  /** Bytes of the document, if they are worth telling. */
  function changeScope(connection: Connection, scope: 'user' | 'app', append: Append, growth: number): number {
    const small = scopeChange(scope, append, growth, 'small')
    if (growth < largeState && connection.change(small.text, small.values) > 0) return 0
    const { text, values } = scopeChange(scope, append, growth, 'told')
    const [row] = connection.rows(text, values)
    if (row === undefined) throw new NotCommon()
    return Number(row['bytes'])
  }

  function insertEvents(connection: Connection, added: readonly EventValues[], sid: bigint, lastSeq: number): void {
    const [only] = added
    if (added.length === 1 && only !== undefined)
      return void connection.change(eventText('1'), [sid, BigInt(lastSeq), ...valuesOf(only)])
    for (const chunk of chunksOf(added)) {
      const rows = chunk.flatMap(({ event, behind }) => [sid, BigInt(lastSeq - behind), ...valuesOf(event)])
      connection.change(eventText(String(chunk.length)), rows)
    }
  }

  return {
    batch(append, looksForIds) {
      const { key, events: added } = append
      const growth = growthIfCommon(append)
      if (growth === undefined) return undefined
      const batch: Sent[] = [update(append, looksForIds, growth.session)]
      for (const chunk of chunksOf(added)) {
        const rows = chunk.flatMap(({ event, behind }) => [BigInt(behind), ...valuesOf(event)])
        batch.push({
          text: eventInBatchText(String(chunk.length)),
          values: [...rows, key.appName, key.userId, key.sessionId],
        })
      }
      for (const scope of otherScopes(append)) batch.push(scopeChange(scope, append, growth[scope], 'batch'))
      return batch
    },
    run(connection, append) {
      const growth = growthIfCommon(append)
      if (growth === undefined) return undefined
      const { text, values } = update(append, false, growth.session)
      const [row] = connection.rows(text, values)
      if (row === undefined) return undefined
      const { sid, revision, lastSeq, stateBytes } = changedBy(row)
      insertEvents(connection, append.events, sid, lastSeq)
      for (const scope of otherScopes(append)) stateBytes[scope] = changeScope(connection, scope, append, growth[scope])
      return { revision, lastSeq, stateBytes }
    },
  }
}

/** What a batch did, of which these are the answers: `undefined` if its first statement found nothing to change. */
export function appendedBy(answers: readonly (readonly Row[])[], append: Append): Appended | undefined {
  const [row] = answers[0] ?? []
  if (row === undefined) return undefined
  const { revision, lastSeq, stateBytes } = changedBy(row)
  for (const [i, scope] of otherScopes(append).entries())
    stateBytes[scope] = Number(answers[1 + chunksOf(append.events).length + i]?.[0]?.['bytes'] ?? 0)
  return { revision, lastSeq, stateBytes }
}

/** What the first statement tells of the session. */
function changedBy({ told }: Row) {
  const [sid = '', revision, lastSeq, bytes] = String(told).split(',')
  const stateBytes: Partial<Record<Scope, number>> = { session: Number(bytes) }
  return { sid: BigInt(sid), revision: Number(revision), lastSeq: Number(lastSeq), stateBytes }
}

/** The scopes beside the session's that an append changes: user before app, as everywhere. */
const otherScopes = ({ deltas }: Append) => others.filter((scope) => !isEmptyDelta(deltas[scope]))
const others = ['user', 'app'] as const

/**
 * By how much each document grows; `undefined` where the statements cannot take the append. What a delta alone makes larger than a
 * state may be is told by who can count it.
 */
function growthIfCommon({ events, deltas, joint, limits }: Append): Record<Scope, number> | undefined {
  if (events.length === 0 || events.length > mostStatements) return undefined
  const growth: Record<Scope, number> = { session: 0, user: 0, app: 0 }
  for (const scope of scopes) {
    const { set, unset } = deltas[scope]
    if (set.length + unset.length > 0) growth[scope] = joint?.growth[scope] ?? growthBy(deltas[scope])
    const calls = Math.ceil(set.length / pairsPerCall) + Math.ceil(unset.length / pairsPerCall)
    if (calls > mostCalls || growth[scope] >= limits.stateBytes) return undefined
  }
  return growth
}

/** Almost always one. */
const wholeOf = (count: number): bigint => (count === 1 ? 1n : BigInt(count))

interface Placed {
  readonly event: EventValues
  /** How many come after it. */
  readonly behind: number
}

/** Rows of one INSERT: ten, or one, so that there are two texts to keep prepared. */
const rowsAtOnce = 10

function chunksOf(events: Append['events']): readonly (readonly Placed[])[] {
  const placed = events.map((event, i) => ({ event, behind: events.length - 1 - i }))
  const inTens = placed.length - (placed.length % rowsAtOnce)
  const tens = Array.from({ length: inTens / rowsAtOnce }, (_, i) => placed.slice(i * rowsAtOnce, (i + 1) * rowsAtOnce))
  return [...tens, ...placed.slice(inTens).map((one) => [one])]
}

const listOf = (item: string, count: number): string => Array.from({ length: count }, () => item).join(', ')

const valuesOf = (event: EventValues): Value[] => [
  event.eventId,
  event.invocationId,
  event.author,
  event.branch,
  event.errorCode,
  event.timestamp,
  event.payload,
]

const size = `length(cast("state" as blob))`

const quoted = (table: Parameters<typeof getTableName>[0]) => `"${getTableName(table)}"`
