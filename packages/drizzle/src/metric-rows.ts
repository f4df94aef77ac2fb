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
  /** Of all columns: whoever replaces a row replaces what the new one does not say, too. */
  readonly whole: MetricInsert
  /**
   * Of those columns that rows have said so far: of the fifty most are in no row of an application, and each is a value to send. A
   * statement is made anew when another one comes, which soon ends.
   */
  insertFor(members: readonly MetricMember[]): MetricInsert
  /** What {@link MetricRows.rowOf} reads, and `position`. */
  columns(fields: 'light' | 'full'): Readonly<Record<string, SQL>>
  readonly rowOf: (row: Row) => MetricRow
}

interface MetricInsert {
  readonly insert: RowsInsert
  readonly valuesOf: (entry: MetricEntry, recordedAt: bigint) => RowValues
}

export function createMetricRows({ tables, expressions }: Dialect, form: StoredForm): MetricRows {
  const { metrics } = tables
  const columnOf = (member: MetricMember): Column => metrics[entryNames[member]]
  const insertOf = (members: readonly MetricMember[]): MetricInsert => {
    const cells = members.map((member) => entryNames[member])
    const stores = members.map((member) => (member === 'content' ? storeContent : stored[metricKinds[member]]))
    return {
      insert: {
        into: metrics,
        target: [metrics.appName, metrics.traceId, metrics.spanId],
        columns: [
          ...members.map((member) => ({ column: columnOf(member), kind: boundAs[metricKinds[member]] })),
          { column: metrics.schemaVersion, kind: 'whole' },
          { column: metrics.recordedAt, kind: 'whole', isKept: true },
        ],
      },
      valuesOf(entry, recordedAt) {
        const values: Value[] = []
        for (let i = 0; i < cells.length; i++) {
          const value = entry[cells[i] as keyof MetricEntry] // there are so many
          const store = stores[i]
          values.push(value === null || store === undefined ? value : store(value, entry))
        }
        values.push(metricSchemaVersion, recordedAt)
        return values
      },
    }
  }
  const storeContent: Store = (value, entry) => form.metricContent(String(value), entry)
  const whole = insertOf(metricMembers)
  let said: ReadonlySet<MetricMember> = new Set()
  let insertOfSaid = whole
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
    whole,
    insertFor(members) {
      if (members.some((member) => !said.has(member))) {
        said = new Set([...said, ...members])
        insertOfSaid = insertOf(metricMembers.filter((member) => said.has(member)))
      }
      return insertOfSaid
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

type Store = (value: string | number, entry: MetricEntry) => Value

/** Absent where it goes as it is. */
const stored: Readonly<Partial<Record<MetricKind, Store>>> = {
  text: (value) => toStorableText(String(value)),
  time: (value) => microsOf(Number(value)),
}

/** Most times are a number in microseconds, too, which is made and written faster. */
function microsOf(timestamp: number): number | bigint {
  const micros = timestamp * 1000
  return Number.isInteger(timestamp) && Number.isSafeInteger(micros) ? micros : toMicros(timestamp)
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
