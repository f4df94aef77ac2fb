import {
  checkedChoice,
  checkedDelta,
  checkedFlag,
  checkedId,
  checkedOptionalCount,
  checkedOptions,
  checkedRecord,
  checkedSessionKey,
  listOf,
} from './arguments.ts'
import { composeDeltas, emptyDelta, scopeOf, splitDelta, type JsonDelta, type Scope } from './delta.ts'
import { StoreError } from './errors.ts'
import { uuidv7 } from './ids.ts'
import {
  byteLength,
  isJsonObject,
  jsonEquals,
  toJsonObject,
  toStorableText,
  type JsonObject,
  type JsonValue,
} from './json.ts'
import { checkedLeaseToken } from './lease-request.ts'
import type { LeaseToken } from './lease.ts'
import { checkLimit, type Limits } from './limits.ts'
import type { SessionKey } from './sessions.ts'
import { checkedTimestamp } from './time.ts'

/** An event that was checked and copied, ready to be stored. */
export interface NewEvent {
  readonly id: string
  readonly timestamp: number
  /** False when the store gave the timestamp, so that a repeat of the call has another one. */
  readonly isTimestampGiven: boolean
  /** The whole event, id and timestamp filled in, `temp:` keys left out. */
  readonly payload: JsonObject
  /** The payload as JSON text. */
  readonly text: string
  /** Bytes of the text in UTF-8. */
  readonly bytes: number
  /** What it does to state, with prefixed keys. */
  readonly delta: JsonDelta
  readonly invocationId: string | null
  readonly author: string | null
  readonly branch: string | null
  readonly errorCode: string | null
}

/** The arguments of `events.append`, checked: nothing that could be refused without a look at the database is left. */
export interface AppendRequest {
  readonly key: SessionKey
  readonly events: readonly NewEvent[]
  readonly expectedRevision: number | undefined
  readonly lease: LeaseToken | undefined
  readonly eventsAfterSeq: number | undefined
  readonly wantsState: boolean
  readonly onDuplicate: 'reject' | 'replace'
  readonly deltas: 'apply' | 'record'
}

const optionNames = ['expectedRevision', 'lease', 'eventsAfterSeq', 'state', 'onDuplicate', 'deltas'] as const

export function appendRequest(
  key: unknown,
  events: unknown,
  options: unknown,
  { limits, now }: { limits: Limits; now: () => number },
): AppendRequest {
  const checkedKey = checkedSessionKey(key, limits)
  const {
    expectedRevision,
    lease,
    eventsAfterSeq,
    state,
    onDuplicate = 'reject',
    deltas = 'apply',
  } = checkedOptions(options, optionNames)
  const afterSeq = checkedOptionalCount(eventsAfterSeq, 'eventsAfterSeq')
  return {
    key: checkedKey,
    events: newEvents(events, limits, now),
    expectedRevision: checkedOptionalCount(expectedRevision, 'expectedRevision'),
    lease: checkedLeaseToken(lease, limits),
    eventsAfterSeq: afterSeq,
    wantsState: checkedFlag(state, 'state') || afterSeq !== undefined,
    onDuplicate: checkedChoice(onDuplicate, 'onDuplicate', ['reject', 'replace']),
    deltas: checkedChoice(deltas, 'deltas', ['apply', 'record']),
  }
}

function newEvents(events: unknown, limits: Limits, now: () => number): NewEvent[] {
  const batch = listOf(events, 'events', { most: limits.batchEvents, unit: 'events' })
  if (batch === undefined) return [newEvent(events, 'event', limits, now)]
  const checked: NewEvent[] = []
  let bytes = 0
  for (const [i, event] of batch.entries()) {
    const one = newEvent(event, `events[${i}]`, limits, now)
    checked.push(one)
    bytes += one.bytes
    if (bytes > 2 * limits.batchBytes) break // far over it: refused below, whatever is still to come
  }
  checkLimit('events', 'bytes', limits.batchBytes, bytes)
  return checked
}

/** What an append of these events, of those given, does to the three scopes, one after the other. */
export const deltaOf = ({ deltas }: AppendRequest, events: readonly NewEvent[]): Record<Scope, JsonDelta> =>
  splitDelta(deltas === 'record' ? emptyDelta : composed(events))

function composed([first, ...others]: readonly NewEvent[]): JsonDelta {
  let sum = first?.delta ?? emptyDelta
  for (const { delta } of others) sum = composeDeltas(sum, delta)
  return sum
}

/** Whether an event of the same id says the same; a timestamp that the store gave does not count. */
export function isSameEvent(stored: JsonObject, { payload, isTimestampGiven }: NewEvent): boolean {
  if (isTimestampGiven) return jsonEquals(stored, payload)
  return jsonEquals({ ...stored, timestamp: null }, { ...payload, timestamp: null })
}

function newEvent(event: unknown, field: string, limits: Limits, now: () => number): NewEvent {
  checkedRecord(event, field)
  const given = toJsonObject(event, field, { depth: limits.eventDepth, name: 'eventDepth', bytes: limits.eventBytes })
  const id = given['id'] === undefined ? uuidv7(now) : checkedId(given['id'], `${field}.id`, limits)
  const isTimestampGiven = given['timestamp'] !== undefined
  const timestamp = checkedTimestamp(isTimestampGiven ? given['timestamp'] : now(), `${field}.timestamp`)
  // What was copied is nobody else's, and what is there already keeps its place.
  const payload = given
  payload['id'] = id
  payload['timestamp'] = given['timestamp'] ?? timestamp
  const delta = takeDelta(payload, field, limits)
  const text = JSON.stringify(payload)
  const bytes = byteLength(text)
  checkLimit(field, 'bytes', limits.eventBytes, bytes)
  return {
    id,
    timestamp,
    isTimestampGiven,
    payload,
    text,
    bytes,
    delta,
    invocationId: optionalScalar(given, 'invocationId', field, limits),
    author: optionalScalar(given, 'author', field, limits),
    branch: optionalScalar(given, 'branch', field, limits),
    errorCode: optionalScalar(given, 'errorCode', field, limits),
  }
}

/** The delta in an event's actions; afterwards `payload` has no `temp:` keys. */
function takeDelta(payload: JsonObject, field: string, limits: Limits): JsonDelta {
  const actions = payload['actions']
  if (actions === undefined || actions === null) return emptyDelta
  if (!isJsonObject(actions))
    throw new StoreError('invalid_argument', `${field}.actions must be an object`, { field: `${field}.actions` })
  const { stateDelta, stateUnset } = actions
  if (stateDelta === undefined && stateUnset === undefined) return emptyDelta
  // Only what is stored has to fit into a state, so `temp:` keys go first.
  const set = isJsonObject(stateDelta) ? withoutTemporary(stateDelta) : stateDelta
  const unset = Array.isArray(stateUnset) ? stateUnset.filter((key) => isStored(key)) : stateUnset
  if (set !== undefined) actions['stateDelta'] = set
  if (unset !== undefined) actions['stateUnset'] = unset
  return checkedDelta({ set, unset }, `${field}.actions`, limits, { set: 'stateDelta', unset: 'stateUnset' })
}

const withoutTemporary = (delta: JsonObject): JsonObject =>
  Object.keys(delta).every(isStored)
    ? delta
    : Object.fromEntries(Object.entries(delta).filter(([key]) => isStored(key)))

const isStored = (key: JsonValue) => typeof key !== 'string' || scopeOf(key).scope !== 'temp'

function optionalScalar(event: JsonObject, name: string, field: string, limits: Limits): string | null {
  const value = event[name]
  if (value === undefined || value === null) return null
  if (typeof value !== 'string')
    throw new StoreError('invalid_argument', `${field}.${name} must be a string`, { field: `${field}.${name}` })
  const most = limits.eventNameBytes
  if (value.length * 8 > most) checkLimit(`${field}.${name}`, 'bytes', most, byteLength(toStorableText(value)))
  return value
}
