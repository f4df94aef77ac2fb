import type { Loaded, LoadShape, Row, Statement } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'

/** The session and its events in one statement, which is one view. Rows with a body are not sorted: the server may lack the room. */
export function buildLoad({ session, events }: LoadShape): Statement {
  if (events === undefined) return session
  return { sql: sql`select s.*, e.* from (${session.sql}) as s left join (${events.sql}) as e on true` }
}

export function loadedBy(rows: readonly Row[]): Loaded | undefined {
  const [first] = rows
  if (first === undefined) return undefined
  const events = rows.filter(({ seq }) => seq !== null && seq !== undefined)
  return { session: first, events: events.toSorted((a, b) => Number(a['seq']) - Number(b['seq'])) }
}
