import { checkedChoice, checkedCount, checkedId, isWellFormed, listOf } from './arguments.ts'
import { StoreError } from './errors.ts'
import { byteLength, toJson, toJsonObject, toStorableJson, toStorableText } from './json.ts'
import { checkLimit, type Limits } from './limits.ts'
import { metricChoices, metricKinds, type MembersOfKind, type MetricKind, type MetricMember } from './metric-columns.ts'
import { fromMoneyUnits, moneyUnits } from './money.ts'
import { checkedTimestamp, lastTimestamp } from './time.ts'

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })

const longestDuration = 9_007_199_254_740
const nameCodePoints = 255
const tagCodePoints = 32
const mostSize = 2 ** 31 - 1
const mostLevel = 3

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
  size: (value, field) => checkedCount(value, field, { max: mostSize }),
  level: (value, field) => checkedCount(value, field, { max: mostLevel }),
  money: checkedMoney,
  object: (value, field, limits) => toStorableJson(toJsonObject(value, field, bounds(limits))),
  tags: checkedTags,
  json: (value, field, limits) => toStorableJson(toJson(value, field, bounds(limits))),
}

/** A value of a member, checked and in the form that it is stored in. */
export const checkedCell = (value: unknown, member: MetricMember, field: string, limits: Limits): string | number =>
  checks[metricKinds[member]](value, field, limits, member)

/**
 * The same for a value that is good beyond doubt, which almost all are; `undefined` leaves it to {@link checkedCell}, which says what
 * is wrong with it. A thousand rows have thirty thousand values, and no path is made for these.
 */
export type QuickCell = (value: unknown, limits: Limits) => string | number | undefined

const shortTextOf =
  (most: number): QuickCell =>
  (value) =>
    typeof value === 'string' && value.length <= most && isWellFormed(value) ? value : undefined

const wholeOf =
  (most: number): QuickCell =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most
      ? value + 0 /* never -0 */
      : undefined

const never: QuickCell = () => undefined

const quick: Readonly<Record<MetricKind, (member: MetricMember) => QuickCell>> = {
  id: () => (value, limits) =>
    typeof value === 'string' &&
    value !== '' &&
    value.length <= limits.idCodePoints &&
    value.length * 3 <= limits.idBytes &&
    isWellFormed(value)
      ? value
      : undefined,
  name: () => shortTextOf(nameCodePoints),
  tag: () => shortTextOf(tagCodePoints),
  text: (member) => (value, limits) =>
    typeof value === 'string' && value.length * 6 <= mostTextBytes(member, limits) ? value : undefined,
  choice(member) {
    const choices = new Set<unknown>(metricChoices[member as MembersOfKind<'choice'>]) // it is of this kind
    return (value) => (typeof value === 'string' && choices.has(value) ? value : undefined)
  },
  time: () => wholeOf(lastTimestamp),
  duration: () => (value) => durationOf(value),
  count: () => wholeOf(Number.MAX_SAFE_INTEGER),
  size: () => wholeOf(mostSize),
  level: () => wholeOf(mostLevel),
  money: () => never,
  object: () => never,
  tags: () => never,
  json: () => never,
}

export const quickCell = (member: MetricMember): QuickCell => quick[metricKinds[member]](member)

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
  const most = mostTextBytes(member, limits)
  if (value.length * 6 > most) checkLimit(field, 'bytes', most, byteLength(toStorableText(value)))
  return value
}

const mostTextBytes = (member: MetricMember, { eventBytes, eventNameBytes }: Limits): number =>
  member === 'error' ? eventBytes : eventNameBytes

function checkedDuration(value: unknown, field: string): number {
  const micros = durationOf(value)
  if (micros === undefined) throw invalid(field, `must be milliseconds from 0 to ${longestDuration}`)
  return micros
}

/** Its microseconds, which a number holds. */
function durationOf(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= 0 && value <= longestDuration)) return undefined
  const whole = Math.floor(value)
  return whole * 1000 + Math.round((value - whole) * 1000)
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
