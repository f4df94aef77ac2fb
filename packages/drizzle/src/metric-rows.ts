import {
  entryNames,
  fromMicros,
  fromMoneyUnits,
  fromStorableText,
  heavyMembers,
  metricKinds,
  metricMembers,
  metricSchemaVersion,
  toMicros,
  toStorableText,
  type MetricEntry,
  type MetricKind,
  type MetricMember,
  type MetricRow,
} from '@daybook/core'
import { sql, type Column, type SQL } from 'drizzle-orm'
import type { Dialect, Row, Value } from './dialect.ts'
import type { RowsColumn, RowsInsert, RowValues } from './many-rows.ts'
import type { StoredForm } from './stored-form.ts'

/** The row of a metric, and the form in which it holds one. */
export interface MetricRows {
  readonly insert: RowsInsert
  readonly valuesOf: (entry: MetricEntry, recordedAt: bigint) => RowValues
  /** What {@link MetricRows.rowOf} reads, and `position`. */
  columns(fields: 'light' | 'full'): Readonly<Record<string, SQL>>
  readonly rowOf: (row: Row) => MetricRow
}

export function createMetricRows({ tables, expressions }: Dialect, form: StoredForm): MetricRows {
  const { metrics } = tables
  const columnOf = (member: MetricMember): Column => metrics[entryNames[member]]
  const columns: RowsColumn[] = [
    ...metricMembers.map((member) => ({ column: columnOf(member), kind: boundAs[metricKinds[member]] })),
    { column: metrics.schemaVersion, kind: 'whole' },
    { column: metrics.recordedAt, kind: 'whole', isKept: true },
  ]
  const stores = metricMembers.map((member) => [entryNames[member], stored[metricKinds[member]]] as const)
  const read = (member: MetricMember): SQL => {
    const kind = metricKinds[member]
    if (boundAs[kind] === 'json') return expressions.castText(columnOf(member))
    if (kind === 'money') return expressions.moneyText(columnOf(member))
    return boundAs[kind] === 'whole' ? expressions.wholeText(columnOf(member)) : sql`${columnOf(member)}`
  }
  const selection = (members: readonly MetricMember[]): Readonly<Record<string, SQL>> => ({
    ...Object.fromEntries(members.map((member) => [member, read(member)])),
    schemaVersion: sql`${metrics.schemaVersion}`,
    recordedAt: expressions.wholeText(metrics.recordedAt),
    position: expressions.wholeText(metrics.position),
  })
  const heavy = new Set(heavyMembers)
  const selections = {
    full: selection(metricMembers),
    light: selection(metricMembers.filter((member) => !heavy.has(member))),
  }

  return {
    insert: { into: metrics, target: [metrics.appName, metrics.traceId, metrics.spanId], columns },
    valuesOf(entry, recordedAt) {
      const values: Value[] = stores.map(([name, store]) => {
        const value = entry[name]
        if (value === null) return null
        return name === 'content' ? form.metricContent(String(value), entry) : store(value)
      })
      values.push(metricSchemaVersion, recordedAt)
      return values
    },
    columns: (fields) => selections[fields],
    rowOf(row) {
      const cells: Record<string, unknown> = {}
      for (const member of metricMembers) {
        const value = row[member] ?? null
        cells[entryNames[member]] = value === null ? null : loaded[metricKinds[member]](value)
      }
      const { content } = cells
      if (typeof content === 'string') cells['content'] = form.metricContentOf(content, cells as unknown as MetricRow) // its key was read
      cells['schemaVersion'] = Number(row['schemaVersion'])
      cells['recordedAt'] = fromMicros(String(row['recordedAt']))
      return cells as unknown as MetricRow // each cell was read as its kind
    },
  }
}

const boundAs: Readonly<Record<MetricKind, RowsColumn['kind']>> = {
  id: 'text',
  name: 'text',
  tag: 'text',
  text: 'text',
  choice: 'text',
  time: 'whole',
  duration: 'whole',
  count: 'whole',
  size: 'whole',
  level: 'whole',
  money: 'money',
  object: 'json',
  tags: 'json',
  json: 'json',
}

type Store = (value: string | number) => Value
const asItIs: Store = (value) => value

const stored: Readonly<Record<MetricKind, Store>> = {
  id: asItIs,
  name: asItIs,
  tag: asItIs,
  text: (value) => toStorableText(String(value)),
  choice: asItIs,
  time: (value) => toMicros(Number(value)),
  duration: asItIs,
  count: asItIs,
  size: asItIs,
  level: asItIs,
  money: asItIs,
  object: asItIs,
  tags: asItIs,
  json: asItIs,
}

type Load = (value: unknown) => unknown
const text: Load = String
const whole: Load = Number
const micros: Load = (value) => fromMicros(String(value))

const loaded: Readonly<Record<MetricKind, Load>> = {
  id: text,
  name: text,
  tag: text,
  text: (value) => fromStorableText(String(value)),
  choice: text,
  time: micros,
  duration: whole,
  count: whole,
  size: whole,
  level: whole,
  money: (value) => fromMoneyUnits(String(value)),
  object: text,
  tags: text,
  json: text,
}
