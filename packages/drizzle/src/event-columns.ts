import { sql, type SQL } from 'drizzle-orm'
import type { Dialect, EventValues } from './dialect.ts'
import { bare } from './statements.ts'

/** What an event has besides its place, in the order in which every statement names it. */
export const eventNames = [
  'eventId',
  'invocationId',
  'author',
  'branch',
  'errorCode',
  'timestamp',
  'payload',
] as const satisfies readonly (keyof EventValues)[]

/** The columns that an INSERT of events fills: its session, its place, and {@link eventNames}. */
export const eventColumns = (events: Dialect['tables']['events']): SQL =>
  sql.join(
    ['sid' as const, 'seq' as const, ...eventNames].map((name) => bare(events[name])),
    sql`, `,
  )
