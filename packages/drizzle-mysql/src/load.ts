import { selected, type Loaded, type LoadShape, type Part, type Row, type Statement } from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'

/**
 * The session and its events in one statement, which is one view: the session first, then a row for each event. Not a join,
 * which would send the session's documents again with every event, and no subselects, whose rows the server would write to a
 * table of its own first; and not sorted, since it may lack the room to sort rows that have a body.
 */
export function buildLoad({ session, events }: LoadShape): Statement {
  if (events === undefined) return session
  const [ofSession, ofEvents] = [session.columns, events.columns]
  return {
    sql: sql`${half({ ...ofSession, ...none(ofEvents) }, session.from)} union all (${half({ ...none(ofSession), ...ofEvents }, events.from)})`,
  }
}

const half = (columns: Part['columns'], from: SQL): SQL => sql`select ${selected(columns)} ${from}`

/** The columns, with nothing in them. */
const none = (columns: Part['columns']): Part['columns'] =>
  Object.fromEntries(Object.keys(columns).map((alias) => [alias, sql`null`]))

export function loadedBy(rows: readonly Row[]): Loaded | undefined {
  const session = rows.find((row) => isMissing(row['seq']))
  if (session === undefined) return undefined
  const events = rows.filter(({ seq }) => !isMissing(seq))
  return { session, events: events.toSorted((a, b) => Number(a['seq']) - Number(b['seq'])) }
}

const isMissing = (value: unknown) => value === null || value === undefined
