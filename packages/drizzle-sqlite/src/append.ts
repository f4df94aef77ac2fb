import type { Append, Appended, StoredDelta, Value } from '@daybook/drizzle'
import type { InStatement, InValue, ResultSet } from '@libsql/client'
import { getTableName } from 'drizzle-orm'
import type { DaybookTables } from './schema.ts'

// One write batch: BEGIN IMMEDIATE, the statements, COMMIT, in one round trip. A batch does not stop at a statement that
// changes nothing, so each statement after the first asks `changes()` whether the one before it did: the chain ends where
// the session is missing, at another revision, held by somebody else, or has one of the ids, and then nothing at all was written.

/** `json_set` takes 63 pairs on libSQL, whose parser has room for 22 calls inside each other in the deepest statement here. */
const pairsPerCall = 60
const mostCalls = 10
const mostStatements = 1_000

const size = `length(cast("state" as blob)) as "bytes"`

/** The batch for an append; `undefined` when it has to go the long way. */
export function appendBatch(tables: DaybookTables, append: Append): InStatement[] | undefined {
  const { key, events, deltas, expectedRevision, lease, now, limits, compactMark, joint } = append
  if (Object.values(deltas).some((delta) => callsFor(delta) > mostCalls) || events.length > mostStatements)
    return undefined
  const [sessions, eventTable] = [quoted(tables.sessions), quoted(tables.events)]
  const keyArgs = [key.appName, key.userId, key.sessionId]
  const isKey = `"app_name" = ? and "user_id" = ? and "session_id" = ?`
  const last = events.at(-1)
  if (last === undefined) return undefined

  const state = merged('"state"', deltas.session)
  const guards = [
    `not exists (select 1 from ${eventTable} e where e."sid" = ${sessions}."sid" and e."event_id" in (select value from json_each(?)))`,
  ]
  const guardArgs: Value[] = [JSON.stringify(events.map(({ eventId }) => eventId))]
  if (!isEmptyDelta(deltas.session)) {
    guards.push(`length(cast(${state.sql} as blob)) <= ?`)
    guardArgs.push(...state.args, BigInt(limits.stateBytes))
    if (joint !== undefined) {
      guards.push(`length(cast("state" as blob)) + ? <= ?`)
      guardArgs.push(BigInt(joint.growth.session), BigInt(limits.stateBytes))
    }
    if (compactMark !== undefined) {
      guards.push(`instr("state", ?) = 0`)
      guardArgs.push(compactMark)
    }
  }
  if (expectedRevision !== undefined) {
    guards.push(`"revision" = ?`)
    guardArgs.push(BigInt(expectedRevision))
  }
  if (lease === undefined) {
    guards.push(`coalesce("lease_until", 0) <= ?`)
    guardArgs.push(now)
  } else {
    guards.push(`"lease_owner" = ? and "lease_fence" = ? and "lease_until" > ?`)
    guardArgs.push(lease.owner, BigInt(lease.fence), now)
  }
  const batch: InStatement[] = [
    statement(
      `update ${sessions} set "state" = ${state.sql}, "revision" = "revision" + ?, "last_seq" = "last_seq" + ?, "updated_at" = max("updated_at", ?), "last_event_at" = ?
        where ${isKey} and ${guards.join(' and ')} returning "revision" as "revision", "last_seq" as "lastSeq"${isEmptyDelta(deltas.session) ? '' : `, ${size}`}`,
      [
        ...state.args,
        BigInt(joint?.changes.session ?? 1),
        BigInt(events.length),
        now,
        last.timestamp,
        ...keyArgs,
        ...guardArgs,
      ],
    ),
  ]
  for (const [i, event] of events.entries()) {
    batch.push(
      statement(
        `insert into ${eventTable} ("sid", "seq", "event_id", "invocation_id", "author", "branch", "error_code", "timestamp", "payload")
          select "sid", "last_seq" - ?, ?, ?, ?, ?, ?, ?, ? from ${sessions} where ${isKey} and changes() > 0`,
        [
          BigInt(events.length - 1 - i),
          event.eventId,
          event.invocationId,
          event.author,
          event.branch,
          event.errorCode,
          event.timestamp,
          event.payload,
          ...keyArgs,
        ],
      ),
    )
  }
  if (!isEmptyDelta(deltas.user))
    batch.push(scopeStatement('user', tables.userStates, { app_name: key.appName, user_id: key.userId }, append))
  if (!isEmptyDelta(deltas.app)) batch.push(scopeStatement('app', tables.appStates, { app_name: key.appName }, append))
  return batch
}

/** What the batch did: `undefined` if its first statement found nothing to change. */
export function appendedBy(answers: readonly ResultSet[], { events, deltas }: Append): Appended | undefined {
  const [row] = answers[0]?.rows ?? []
  if (row === undefined) return undefined
  const others = (['user', 'app'] as const).filter((scope) => !isEmptyDelta(deltas[scope])) // in the order of the batch
  const sizes = others.map((scope, i) => [scope, answers[1 + events.length + i]?.rows[0]?.['bytes']] as const)
  const stateBytes = Object.fromEntries(
    [['session', row['bytes']] as const, ...sizes].map(([scope, bytes]) => [scope, Number(bytes ?? 0)]),
  )
  return { revision: Number(row['revision']), lastSeq: Number(row['lastSeq']), stateBytes }
}

/** A scope's document that would grow over its limit fails a CHECK on purpose: only an error undoes the whole batch. */
function scopeStatement(
  scope: 'user' | 'app',
  table: DaybookTables['userStates'] | DaybookTables['appStates'],
  key: Record<string, string>,
  { deltas, now, limits, compactMark, joint }: Append,
): InStatement {
  const delta = deltas[scope]
  const name = quoted(table)
  const columns = Object.keys(key).map((column) => `"${column}"`)
  const first = merged(`'{}'`, delta)
  const next = merged(`${name}."state"`, delta)
  const isCountable = compactMark === undefined ? '' : ` and instr(${name}."state", ?) = 0`
  const isGrown = joint === undefined ? '' : ` and length(cast(${name}."state" as blob)) + ? <= ?`
  const bounded = `case when length(cast(${next.sql} as blob)) <= ?${isCountable}${isGrown} then ${next.sql} else '"too large"' end`
  return statement(
    `insert into ${name} (${columns.join(', ')}, "state", "revision", "updated_at")
      select ${columns.map(() => '?').join(', ')}, ${first.sql}, ?, ? where changes() > 0
      on conflict (${columns.join(', ')}) do update set "state" = ${bounded}, "revision" = "revision" + excluded."revision", "updated_at" = max("updated_at", excluded."updated_at")
      returning ${size}`,
    [
      ...Object.values(key),
      ...first.args,
      BigInt(joint?.changes[scope] ?? 1),
      now,
      ...next.args,
      BigInt(limits.stateBytes),
      ...(compactMark === undefined ? [] : [compactMark]),
      ...(joint === undefined ? [] : [BigInt(joint.growth[scope]), BigInt(limits.stateBytes)]),
      ...next.args,
    ],
  )
}

interface Expression {
  readonly sql: string
  readonly args: readonly Value[]
}

/** A document with a delta applied: `json_set` and `json_remove`, a bounded number of keys at a time. */
function merged(document: string, { set, unset }: StoredDelta): Expression {
  let expression: Expression = { sql: document, args: [] }
  for (const keys of chunks(unset)) {
    expression = {
      sql: `json_remove(${expression.sql}${', ?'.repeat(keys.length)})`,
      args: [...expression.args, ...keys.map(pathOf)],
    }
  }
  for (const entries of chunks(set)) {
    const args = entries.flatMap(([key, value]) => [pathOf(key), value])
    expression = {
      sql: `json_set(${expression.sql}${', ?, json(?)'.repeat(entries.length)})`,
      args: [...expression.args, ...args],
    }
  }
  return expression
}

const callsFor = ({ set, unset }: StoredDelta): number => chunks(unset).length + chunks(set).length

const isEmptyDelta = ({ set, unset }: StoredDelta): boolean => set.length + unset.length === 0

function chunks<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / pairsPerCall) }, (_, i) =>
    items.slice(i * pairsPerCall, (i + 1) * pairsPerCall),
  )
}

/** The path of a top-level key. A quote inside the quoted label has to be written as an escape that SQLite decodes. */
const pathOf = (key: string): string => {
  const label = JSON.stringify(key).slice(1, -1)
  return `$."${label.replace(/\\[\s\S]/g, (escape) => (escape === '\\"' ? String.raw`\u0022` : escape))}"`
}

const quoted = (table: Parameters<typeof getTableName>[0]) => `"${getTableName(table)}"`

const statement = (text: string, args: readonly InValue[]): InStatement => ({ sql: text, args: [...args] })
