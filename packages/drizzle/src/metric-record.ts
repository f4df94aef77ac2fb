import { metricKey, type MetricEntry, type MetricRecordRequest, type RecordedMetrics } from '@daybook/core'
import { sql } from 'drizzle-orm'
import type { Dialect, Row, Tx } from './dialect.ts'
import type { RowsInsert, RowValues } from './many-rows.ts'
import type { MetricRows } from './metric-rows.ts'
import type { Script } from './script.ts'
import { param } from './statements.ts'

/** A row that is to be written, and about what it is in a statement. */
export interface WeighedMetric {
  readonly entry: MetricEntry
  readonly chars: number
}

/** A row on its way into the database. */
interface Written extends WeighedMetric {
  readonly values: RowValues
}

/** Writes rows, one transaction's worth. */
export type RecordMetrics = (
  tx: Tx,
  rows: readonly WeighedMetric[],
  how: {
    /** What the rows say between them, and perhaps more. */
    readonly members: MetricRecordRequest['members']
    readonly onDuplicate: MetricRecordRequest['onDuplicate']
    readonly now: bigint
    /** Nothing has told yet that others write the same rows. */
    readonly isHasty: boolean
  },
) => Script<RecordedMetrics>

/** Characters that a transaction carries at most, but for a row that is longer. */
const transactionChars = 4 * 1024 * 1024
/** Numbers are short. */
const charsOfNumber = 8

export const noneRecorded: RecordedMetrics = { stored: 0, completed: 0, replaced: 0, duplicates: 0 }

export const sumOf = (a: RecordedMetrics, b: RecordedMetrics): RecordedMetrics => ({
  stored: a.stored + b.stored,
  completed: a.completed + b.completed,
  replaced: a.replaced + b.replaced,
  duplicates: a.duplicates + b.duplicates,
})

/** So many rows at a time as one transaction should write. */
export function metricChunks(
  { entries, bytes, members }: MetricRecordRequest,
  { manyRows }: Pick<Dialect, 'manyRows'>,
): readonly (readonly WeighedMetric[])[] {
  const chunks: WeighedMetric[][] = []
  let last: WeighedMetric[] = []
  let chars = 0
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as MetricEntry // there are so many
    const row: WeighedMetric = { entry, chars: (bytes[i] ?? 0) + charsOfNumber * members.length }
    if (last.length === 0 || last.length === manyRows.inTransaction || chars + row.chars > transactionChars) {
      last = []
      chunks.push(last)
      chars = 0
    }
    last.push(row)
    chars += row.chars
  }
  return chunks
}

export function createRecordMetrics(
  { tables, expressions, manyRows }: Dialect,
  metricRows: Pick<MetricRows, 'whole' | 'insertFor'>,
): RecordMetrics {
  const { metrics } = tables
  const keys = expressions.texts(param('keys'), ['appName', 'traceId', 'spanId'])
  const given = [
    sql`one.${sql.identifier('appName')}`,
    sql`one.${sql.identifier('traceId')}`,
    sql`one.${sql.identifier('spanId')}`,
  ] as const
  const [appName, traceId, spanId] = given
  const isGiven = sql`${metrics.appName} = ${appName} and ${metrics.traceId} = ${traceId} and ${metrics.spanId} = ${spanId}`
  const key = { appName: metrics.appName, traceId: metrics.traceId, spanId: metrics.spanId }
  const known = {
    sql: sql`${expressions.selectEach({ ...key, status: metrics.status }, keys, metrics, isGiven)}${expressions.forUpdate}`,
  }
  const removeRunning = {
    sql: expressions.deleteEach(
      metrics,
      [
        [metrics.appName, appName],
        [metrics.traceId, traceId],
        [metrics.spanId, spanId],
        [metrics.status, sql.raw("'running'")],
      ],
      keys,
    ),
  }

  function* lookedUp(tx: Tx, rows: readonly Written[]): Script<ReadonlyMap<string, string>> {
    const found = yield* tx.rows(known, { keys: keysOf(rows) })
    return new Map(found.map((row) => [metricKey(keyIn(row)), String(row['status'])]))
  }

  /** How many were new of rows that others may have written just now. */
  function* insertMissing(tx: Tx, insert: RowsInsert, rows: readonly Written[]): Script<number> {
    let inserted = 0
    for (let at = 0; at < rows.length;) {
      const portion = portionOf(rows, at)
      at += portion.length
      inserted +=
        (yield* tx.many.insertNew(insert, valuesIn(portion), false)) ?? (yield* insertRest(tx, insert, portion))
    }
    return inserted
  }

  /** Some are there, and the database wrote none. */
  function* insertRest(tx: Tx, insert: RowsInsert, rows: readonly Written[], isFirst = false): Script<number> {
    const there = yield* lookedUp(tx, rows)
    const missing = rows.filter(({ entry }) => !there.has(metricKey(entry)))
    if (missing.length < rows.length || isFirst) return yield* insertMissing(tx, insert, missing)
    // What was there has gone again: one by one, so that this comes to an end.
    let inserted = 0
    for (const row of rows) inserted += (yield* tx.many.insertNew(insert, [row.values], false)) ?? 0
    return inserted
  }

  /** Most rows are new. Only where some are not is looked at what was there. */
  function* keep(tx: Tx, insert: RowsInsert, rows: readonly Written[], isHasty: boolean): Script<RecordedMetrics> {
    const inserted = isHasty ? yield* tx.many.insertNew(insert, valuesIn(rows), true) : undefined
    if (inserted === rows.length) return { ...noneRecorded, stored: inserted }
    // A row that is running where an ended one was given was there before: what was inserted is as it was given.
    const ended = rows.filter(({ entry }) => entry.status !== 'running')
    const completed = ended.length === 0 ? 0 : yield* tx.change(removeRunning, { keys: keysOf(ended) })
    const again = completed === 0 ? [] : ended
    const late = yield* inserted === undefined ? insertRest(tx, insert, rows, true) : insertMissing(tx, insert, again)
    const written = (inserted ?? 0) + late
    return { stored: written - completed, completed, replaced: 0, duplicates: rows.length - written }
  }

  function* replace(tx: Tx, insert: RowsInsert, rows: readonly Written[]): Script<RecordedMetrics> {
    const there = yield* lookedUp(tx, rows)
    const isThere = ({ entry }: Written) => there.has(metricKey(entry))
    const wasRunning = ({ entry }: Written) => there.get(metricKey(entry)) === 'running'
    const isEnd = ({ entry }: Written) => entry.status !== 'running'
    const completing = rows.filter((row) => wasRunning(row) && isEnd(row))
    const completed = completing.length === 0 ? 0 : yield* tx.change(removeRunning, { keys: keysOf(completing) })
    const missing = rows.filter((row) => !isThere(row) || (wasRunning(row) && isEnd(row)))
    const inserted = yield* insertMissing(tx, insert, missing)
    const existing = rows.filter((row) => isThere(row) && wasRunning(row) !== isEnd(row))
    // Of those that somebody else wrote meanwhile nobody can tell which they are.
    const late = inserted === missing.length ? [] : missing.filter(isEnd)
    for (let at = 0; at < existing.length + late.length;) {
      const portion = portionOf([...existing, ...late], at)
      at += portion.length
      yield* tx.many.replace(insert, valuesIn(portion))
    }
    const replaced = existing.length + (late.length === 0 ? 0 : missing.length - inserted)
    const stored = inserted - completed
    return { stored, completed, replaced, duplicates: rows.length - stored - completed - replaced }
  }

  function portionOf(rows: readonly Written[], from: number): readonly Written[] {
    let [to, chars] = [from, 0]
    while (to < rows.length) {
      chars += rows[to]?.chars ?? 0
      if (to > from && chars > manyRows.statementBytes) break
      to++
    }
    return rows.slice(from, from + manyRows.inStatement(to - from))
  }

  return function* recordMetrics(tx, rows, { members, onDuplicate, now, isHasty }) {
    const { insert, valuesOf } = onDuplicate === 'keep' ? metricRows.insertFor(members) : metricRows.whole
    const written = rows.map(({ entry, chars }): Written => ({ entry, chars, values: valuesOf(entry, now) }))
    let sum = noneRecorded
    for (let from = 0; from < written.length;) {
      const portion = portionOf(written, from)
      from += portion.length
      const done = onDuplicate === 'keep' ? keep(tx, insert, portion, isHasty) : replace(tx, insert, portion)
      sum = sumOf(sum, yield* done)
    }
    return sum
  }
}

const valuesIn = (rows: readonly Written[]): readonly RowValues[] => rows.map(({ values }) => values)

/** In one order, so that two who ask for the same rows wait for each other and not in a circle. */
const keysOf = (rows: readonly Written[]): string =>
  JSON.stringify(
    rows.map(({ entry: { appName, traceId, spanId } }) => ({ appName, traceId, spanId })).toSorted(byMetricKey),
  )

type Key = Pick<MetricEntry, 'appName' | 'traceId' | 'spanId'>

export const byMetricKey = (a: Key, b: Key): number => (metricKey(a) < metricKey(b) ? -1 : 1)

const keyIn = (row: Row): Key => ({
  appName: String(row['appName']),
  traceId: String(row['traceId']),
  spanId: String(row['spanId']),
})
