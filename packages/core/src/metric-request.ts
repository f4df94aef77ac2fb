import { randomFillSync } from 'node:crypto'
import { checkedChoice, checkedOptions, checkedRecord, listOf } from './arguments.ts'
import { StoreError, type ErrorFacts } from './errors.ts'
import { byteLength, reading, unreadable } from './json.ts'
import { checkLimit, type Limits } from './limits.ts'
import { checkedCell, quickCell, type QuickCell } from './metric-cells.ts'
import { levelOfType, metricMembers, usageMembers, type MembersOfKind, type MetricMember } from './metric-columns.ts'
import type { NewMetric } from './metrics.ts'

/** What the requests of metrics are checked by. */
export interface MetricContext {
  readonly limits: Limits
  readonly now: () => number
}

/** Of the form that this version writes. */
export const metricSchemaVersion = 1

/**
 * A row that was checked and copied, ready to be stored; `null` for what is absent. Times are milliseconds, durations whole microseconds,
 * money the shortest decimal text, and what is JSON is text that every database can hold.
 */
export type MetricEntry = {
  readonly [M in Exclude<MetricMember, MembersOfKind<'duration'>>]: EntryValue<M>
} & { readonly durationUs: number | null; readonly firstChunkUs: number | null }

type EntryValue<M extends MetricMember> =
  M extends MembersOfKind<'object' | 'tags' | 'json'>
    ? string | null
    : M extends RequiredMember
      ? NonNullable<NewMetric[M]>
      : NonNullable<NewMetric[M]> | null

type RequiredMember = 'appName' | 'traceId' | 'spanId' | 'operationName' | 'operationType' | 'status' | 'startedAt'

export interface MetricRecordRequest {
  /** Those that are to be written: no two have the same key. */
  readonly entries: readonly MetricEntry[]
  /** Bytes of the texts of each of them, as they were given. */
  readonly bytes: readonly number[]
  /** What the rows say, between them: those that no row says need not be written. */
  readonly members: readonly MetricMember[]
  /** Rows that others of this call took the place of; they count as duplicates. */
  readonly folded: number
  readonly onDuplicate: 'keep' | 'replace'
  /** What an error tells where the store made ids. */
  readonly generated: ErrorFacts | undefined
}

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })

export function metricRecordRequest(rows: unknown, options: unknown, context: MetricContext): MetricRecordRequest {
  const { limits } = context
  const given = checkedOptions(options, ['onDuplicate'])
  const onDuplicate = checkedChoice(given.onDuplicate ?? 'keep', 'onDuplicate', ['keep', 'replace'])
  const list = listOf(rows, 'rows', { most: limits.metricBatch, unit: 'rows' })
  if (list === undefined) throw invalid('rows', 'must be a list of rows')
  const entries: MetricEntry[] = []
  const bytes: number[] = []
  const said = new Set<MetricMember>(madeMembers)
  let sum = 0
  let areGenerated = false
  for (let i = 0; i < list.length; i++) {
    const { entry, size, isGenerated } = newEntry(list[i], `rows[${i}]`, context, said)
    entries.push(entry)
    bytes.push(size)
    sum += size
    areGenerated ||= isGenerated
    if (sum > 2 * limits.metricBatchBytes) break // far over it: refused below, whatever is still to come
  }
  checkLimit('rows', 'bytes', limits.metricBatchBytes, sum)
  return {
    ...folded(entries, bytes),
    members: [...said],
    onDuplicate,
    generated: areGenerated ? { metricIds: entries.map(({ traceId, spanId }) => ({ traceId, spanId })) } : undefined,
  }
}

/** Those that the store says where a row does not. */
const madeMembers = ['traceId', 'spanId', 'operationType', 'status', 'startedAt', 'usageLevel'] as const

/** Of several with one key the last that has ended, or else the last, at its own place. */
function folded(
  entries: readonly MetricEntry[],
  bytes: readonly number[],
): Pick<MetricRecordRequest, 'entries' | 'bytes' | 'folded'> {
  const winners = new Map<string, MetricEntry>()
  for (const entry of entries) {
    const key = metricKey(entry)
    const before = winners.get(key)
    if (before !== undefined && before.status !== 'running' && entry.status === 'running') continue
    winners.set(key, entry)
  }
  const count = entries.length - winners.size
  if (count === 0) return { entries, bytes, folded: 0 }
  const isKept = (entry: MetricEntry | undefined) => entry !== undefined && winners.get(metricKey(entry)) === entry
  return { entries: entries.filter(isKept), bytes: bytes.filter((_, i) => isKept(entries[i])), folded: count }
}

/** The same for the same row alone: no id has a NUL. */
export const metricKey = ({ appName, traceId, spanId }: Pick<MetricEntry, 'appName' | 'traceId' | 'spanId'>): string =>
  `${appName}\0${traceId}\0${spanId}`

type SameName = Exclude<MetricMember, MembersOfKind<'duration'>>

/** What a member is in an entry: the same, but for durations. */
export const entryNames: Readonly<Record<MetricMember, keyof MetricEntry>> = {
  ...(Object.fromEntries(metricMembers.map((member) => [member, member])) as Record<
    SameName, // each is its own name, and those that are not follow
    SameName
  >),
  durationMs: 'durationUs',
  firstChunkMs: 'firstChunkUs',
}

const noEntry = Object.fromEntries(metricMembers.map((member) => [entryNames[member], null]))

type Cells = Record<string, string | number | null>

/** What is known of a member before there is a value. */
interface MemberPlan {
  readonly member: MetricMember
  readonly cell: keyof MetricEntry
  readonly quick: QuickCell
  readonly isUsage: boolean
}

const plans: ReadonlyMap<string, MemberPlan> = new Map(
  metricMembers.map((member) => [
    member,
    { member, cell: entryNames[member], quick: quickCell(member), isUsage: usageMembers.includes(member) },
  ]),
)

function newEntry(row: unknown, field: string, { limits, now }: MetricContext, said: Set<MetricMember>) {
  const record = checkedRecord(row, field)
  const cells: Cells = { ...noEntry }
  let size = 0
  let hasUsage = false
  for (const name of reading(field, () => Object.keys(record))) {
    const value = memberOf(record, name, field)
    if (value === undefined || value === null || isOfTheStore(name)) continue
    const plan = plans.get(name)
    if (plan === undefined)
      throw invalid(`${field}.${name}`, `is no part of a metric; there are ${metricMembers.join(', ')}`)
    const cell = plan.quick(value, limits) ?? checkedCell(value, plan.member, `${field}.${name}`, limits)
    cells[plan.cell] = cell
    if (typeof cell === 'string') size += byteLength(cell)
    hasUsage ||= plan.isUsage
    said.add(plan.member)
  }
  checkLimit(field, 'bytes', limits.eventBytes, size)
  const isGenerated = cells['traceId'] === null || cells['spanId'] === null
  cells['traceId'] ??= hexId(16)
  cells['spanId'] ??= hexId(8)
  cells['operationType'] ??= 'custom'
  cells['status'] ??= 'ok'
  if (cells['status'] === 'abandoned') cells['status'] = 'running' // as it is stored
  cells['startedAt'] ??= now()
  const entry = cells as unknown as MetricEntry // each cell was checked by the kind of its member
  checkWhole(entry, field)
  if (hasUsage) cells['usageLevel'] ??= levelOfType[entry.operationType]
  return { entry, size, isGenerated }
}

/** Without a closure for each of thirty thousand. */
function memberOf(record: Readonly<Record<string, unknown>>, name: string, field: string): unknown {
  try {
    return record[name]
  } catch (cause) {
    throw unreadable(field, cause)
  }
}

/** What has to be said whatever else is, and what goes together. */
function checkWhole(entry: MetricEntry, field: string): void {
  const missing = (['appName', 'operationName'] as const).find((member) => (entry[member] as string | null) === null) // until here it may be
  if (missing !== undefined) throw invalid(`${field}.${missing}`, 'is missing')
  if (entry.operationName === '') throw invalid(`${field}.operationName`, 'is empty')
  const hasCost = entry.providedCost !== null || entry.computedCost !== null
  if (hasCost && entry.currency === null)
    throw invalid(`${field}.currency`, 'is missing: a cost is an amount of something')
}

/** A row that was read says these, and may be recorded again. */
const isOfTheStore = (name: string): boolean => name === 'schemaVersion' || name === 'recordedAt'

/** Random and never zero, as W3C's trace context asks for. */
function hexId(bytes: 8 | 16): string {
  const id = randomFillSync(Buffer.alloc(bytes)).toString('hex')
  return /[^0]/.test(id) ? id : hexId(bytes)
}
