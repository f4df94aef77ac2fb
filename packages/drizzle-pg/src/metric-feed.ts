import type { MetricFeed } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import type { DaybookTables } from './schema.ts'

/** A transaction that began earlier may commit later: what is above the oldest one that is open waits for it. */
export const metricFeed = ({ metrics: { xact, position } }: DaybookTables): MetricFeed => ({
  transaction: sql`${xact}::text`,
  isSettled: sql`${xact} < pg_snapshot_xmin(pg_current_snapshot())`,
  order: [sql`${xact}`],
  beyond: (isAfter, transaction, place) =>
    sql`(${xact}, ${position}) ${isAfter} (${transaction}::text::xid8, ${place}::bigint)`,
})
