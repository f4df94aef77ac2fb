import type { Loaded, LoadShape, Row, Statement } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import type { DaybookTables } from './schema.ts'

/**
 * The session and its events in one statement: the session's columns once, the events as one JSON array beside them. Not sorted for that:
 * what comes from the index in its order would be written to a file first, where there is much of it.
 */
export function buildLoad({ events }: DaybookTables, { session, events: found }: LoadShape): Statement {
  if (found === undefined) return session
  return {
    sql: sql`select s.*, (
      select json_agg(json_build_array(e.seq, e.id, e.payload)) from (select ${events.seq} as seq, ${events.eventId} as id, ${events.payload} as payload ${found.from}) as e
    )::text as "events" from (${session.sql}) as s`,
  }
}

export function loadedBy([row]: readonly Row[]): Loaded | undefined {
  if (row === undefined) return undefined
  const { events, ...session } = row
  const found = typeof events === 'string' ? (JSON.parse(events) as [number, string, object][]) : [] // as the statement above builds them
  const inOrder = found.toSorted(([a], [b]) => a - b)
  return { session, events: inOrder.map(([seq, eventId, payload]) => ({ seq, eventId, payload })) }
}
