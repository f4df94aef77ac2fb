import { selected, type Loaded, type LoadShape, type Row, type Statement } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { documentText } from './expressions.ts'

/**
 * The session and its events in one statement, which is one view, as rows of three columns: of the session a row for each of its columns,
 * by name, then one for each event, in the order of its own columns. What is one JSON text instead takes the server twice as long to write where the events are many.
 * Nothing is sorted that comes from the index in its order.
 */
export function buildLoad({ session, events }: LoadShape): Statement {
  if (events === undefined) return session
  const named = Object.keys(session.columns).map(
    (alias) => sql`(${sql.raw(`'${alias}'`)}, s.${sql.identifier(alias)}::text)`,
  )
  return {
    sql: sql`select null::bigint as "seq", one.name as "name", ${documentText(sql`one.value`)} as "value"
      from (${session.sql}) as s cross join lateral (values ${sql.join(named, sql`, `)}) as one (name, value)
      union all (select ${selected(events.columns)} ${events.from})`,
    listed: { plain: ['seq', 'name'], documents: ['value'] }, // most of them
  }
}

export function loadedBy({ events: wanted }: LoadShape, rows: readonly Row[]): Loaded | undefined {
  const [first] = rows
  if (first === undefined) return undefined
  if (wanted === undefined) return { session: first, events: [] }
  const session: Record<string, unknown> = {}
  const events: Row[] = []
  for (const { seq, name, value } of rows)
    if (seq === null) session[String(name)] = value
    else events.push({ seq: Number(seq), eventId: name, payload: value })
  return { session, events: events.toSorted((a, b) => Number(a['seq']) - Number(b['seq'])) }
}
