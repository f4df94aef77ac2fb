import type { Loaded, LoadShape, Row, Statement } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'

/**
 * The session and its events in one statement, which is one view: the session first, then a row for each event. Not a join,
 * which would send the session's documents again with every event; and not sorted, since the server may lack the room to sort
 * rows that have a body.
 */
export function buildLoad({ session, sessionColumns, events }: LoadShape): Statement {
  if (events === undefined) return session
  const nothing = sql.join(
    sessionColumns.map(() => sql`null`),
    sql`, `,
  )
  return {
    sql: sql`select s.*, null as ${sql.identifier('seq')}, null as ${sql.identifier('eventId')}, null as ${sql.identifier('payload')} from (${session.sql}) as s
      union all select ${nothing}, e.* from (${events.sql}) as e`,
  }
}

export function loadedBy(rows: readonly Row[]): Loaded | undefined {
  const session = rows.find((row) => isMissing(row['seq']))
  if (session === undefined) return undefined
  const events = rows.filter(({ seq }) => !isMissing(seq))
  return { session, events: events.toSorted((a, b) => Number(a['seq']) - Number(b['seq'])) }
}

const isMissing = (value: unknown) => value === null || value === undefined
