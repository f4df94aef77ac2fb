import { checkedChoice, checkedCount, checkedId, isWellFormed, listOf } from './arguments.ts'
import { StoreError } from './errors.ts'
import { byteLength, toJson, toJsonObject, toStorableJson, toStorableText } from './json.ts'
import { checkLimit, type Limits } from './limits.ts'
import { metricChoices, metricKinds, type MembersOfKind, type MetricKind, type MetricMember } from './metric-columns.ts'
import { fromMoneyUnits, moneyUnits } from './money.ts'
import { checkedTimestamp, toMicros } from './time.ts'

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })

const longestDuration = 9_007_199_254_740
const nameCodePoints = 255
const tagCodePoints = 32

type CellCheck = (value: unknown, field: string, limits: Limits, member: MetricMember) => string | number

const checks: Readonly<Record<MetricKind, CellCheck>> = {
  id: checkedId,
  name: (value, field) => shortText(value, field, nameCodePoints),
  tag: (value, field) => shortText(value, field, tagCodePoints),
  text: checkedText,
  choice: checkedOneOf,
  time: (value, field) => checkedTimestamp(value, field),
  duration: checkedDuration,
  count: (value, field) => checkedCount(value, field),
  size: (value, field) => checkedCount(value, field, { max: 2 ** 31 - 1 }),
  level: (value, field) => checkedCount(value, field, { max: 3 }),
  money: checkedMoney,
  object: (value, field, limits) => toStorableJson(toJsonObject(value, field, bounds(limits))),
  tags: checkedTags,
  json: (value, field, limits) => toStorableJson(toJson(value, field, bounds(limits))),
}

/** A value of a member, checked and in the form that it is stored in. */
export const checkedCell = (value: unknown, member: MetricMember, field: string, limits: Limits): string | number =>
  checks[metricKinds[member]](value, field, limits, member)

const bounds = ({ stateDepth, eventBytes }: Limits) => ({ depth: stateDepth, name: 'stateDepth', bytes: eventBytes })

/** What a member that has a closed list may say, as it is said. */
function checkedOneOf(value: unknown, field: string, _limits: Limits, member: MetricMember): string {
  return checkedChoice(value, field, metricChoices[member as MembersOfKind<'choice'>]) // it is of this kind
}

/** A text of so many code points at most, which every database holds as it is. */
function shortText(value: unknown, field: string, most: number): string {
  if (typeof value !== 'string') throw invalid(field, 'must be a string')
  if (!isWellFormed(value)) throw invalid(field, 'contains NUL or a lone surrogate')
  if (value.length > most) checkLimit(field, 'code points', most, Array.from(value).length)
  return value
}

function checkedText(value: unknown, field: string, limits: Limits, member: MetricMember): string {
  if (typeof value !== 'string') throw invalid(field, 'must be a string')
  const most = member === 'error' ? limits.eventBytes : limits.eventNameBytes
  if (value.length * 6 > most) checkLimit(field, 'bytes', most, byteLength(toStorableText(value)))
  return value
}

function checkedDuration(value: unknown, field: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= longestDuration))
    throw invalid(field, `must be milliseconds from 0 to ${longestDuration}`)
  return Number(toMicros(value))
}

export function checkedMoney(value: unknown, field: string): string {
  const units = moneyUnits(value)
  if (units === undefined) throw invalid(field, 'must be a decimal text from 0 to 9000000 with at most 12 places')
  return fromMoneyUnits(units)
}

const mostTags = 100

function checkedTags(value: unknown, field: string): string {
  const tags = listOf(value, field, { most: mostTags, unit: 'tags' })
  if (tags === undefined) throw invalid(field, 'must be a list of strings')
  return toStorableJson(tags.map((tag, i) => shortText(tag, `${field}[${i}]`, nameCodePoints)))
}
