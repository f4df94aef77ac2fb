import { setTimeout as wait } from 'node:timers/promises'
import type { Metric, MetricQuery, NewMetric, RecordedMetrics, Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { present } from '../expect.ts'
import { walkMetrics } from '../fixtures.ts'

/** When the first row of a check starts. */
export const start = 1_700_000_000_000

/** A row of which everything is given that a store would make up, so that it can be compared and repeated. */
export const span = (ctx: Ctx, spanId: string, more: Partial<NewMetric> = {}): NewMetric => ({
  appName: ctx.app,
  traceId: 't1',
  spanId,
  operationName: 'answer',
  operationType: 'chat',
  status: 'ok',
  startedAt: start,
  ...more,
})

/** Rows that meet a query, as the other open reads them, oldest record first. */
export const recorded = (
  ctx: Ctx,
  query: Omit<MetricQuery, 'appName'> = {},
  appName: string = ctx.app,
): Promise<Metric[]> => walkMetrics(ctx.other, { direction: 'asc', ...query, appName })

/**
 * Rows in the order of insertion, as soon as there are so many: where many write at once, that order shows a row only once no
 * earlier one can come any more.
 */
export async function feed(
  store: Store,
  query: Omit<MetricQuery, 'order'>,
  count: number,
): Promise<{ readonly items: readonly Metric[]; readonly nextCursor: string }> {
  for (let tried = 0; ; tried += 1) {
    const { items, nextCursor } = await store.metrics.query({ limit: 1000, ...query, order: 'recorded' })
    if (items.length >= count || tried === 200) return { items, nextCursor: present(nextCursor, 'where to go on') }
    await wait(25)
  }
}

/** What was given of a row that was read. */
export function given(row: Metric): Omit<Metric, 'schemaVersion' | 'recordedAt'> {
  const { schemaVersion: _version, recordedAt: _time, ...rest } = row
  return rest
}

export const spansOf = (rows: readonly Metric[]): string[] => rows.map(({ spanId }) => spanId)

export const counts = (some: Partial<RecordedMetrics>): RecordedMetrics => ({
  stored: 0,
  completed: 0,
  replaced: 0,
  duplicates: 0,
  ...some,
})
