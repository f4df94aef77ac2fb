import type { SQL, SQLWrapper } from 'drizzle-orm'

/** In which order rows of metrics came to be seen by others, where that is not the order of their positions. */
export interface MetricFeed {
  /** Which transaction wrote a row, as a text of digits. */
  readonly transaction: SQL
  /** Nothing will come to be seen that is before the row. */
  readonly isSettled: SQL
  /** What to sort by before the position. */
  readonly order: readonly SQL[]
  /** A row is after a place, or before it, as `isAfter` says. */
  beyond(isAfter: SQL, transaction: SQLWrapper, position: SQLWrapper): SQL
}
