import { checkedChoice, checkedDelta, checkedFlag, checkedId, checkedOptionalCount, checkedOptions, checkedRecord, checkedSessionKey } from './arguments.ts'
import { composeDeltas, emptyDelta, scopeOf, splitDelta, type JsonDelta, type Scope } from './delta.ts'
import { StoreError } from './errors.ts'
import { uuidv7 } from './ids.ts'
import { byteLength, isJsonObject, jsonEquals, toJsonObject, type JsonObject } from './json.ts'
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
  readonly eventsAfterSeq: number | undefined
  readonly wantsState: boolean
  readonly onDuplicate: 'reject' | 'replace'
}

const optionNames = ['expectedRevision', 'eventsAfterSeq', 'state', 'onDuplicate']

export function appendRequest(key: unknown, events: unknown, options: unknown, { limits, now }: { limits: Limits; now: () => number }): AppendRequest {
  const checkedKey = checkedSessionKey(key, limits)
  const { expectedRevision, eventsAfterSeq, state, onDuplicate = 'reject' } = checkedOptions(options, optionNames)
  const list: unknown[] = Array.isArray(events) ? events : [events]
  checkLimit('events', 'events', limits.batchEvents, list.length)
  const afterSeq = checkedOptionalCount(eventsAfterSeq, 'eventsAfterSeq')
  const request: AppendRequest = {
    key: checkedKey,
    events: Array.from(list, (event, i) => newEvent(event, Array.isArray(events) ? `events[${i}]` : 'event', limits, now)),
    expectedRevision: checkedOptionalCount(expectedRevision, 'expectedRevision'),
    eventsAfterSeq: afterSeq,
    wantsState: checkedFlag(state, 'state') || afterSeq !== undefined,
    onDuplicate: checkedChoice(onDuplicate, 'onDuplicate', ['reject', 'replace']),
  }
  const bytes = request.events.reduce((sum, { text }) => sum + byteLength(text), 0)
  checkLimit('events', 'bytes', limits.batchBytes, bytes)
  return request
}

/** What a list of events does to the three scopes, one after the other. */
export const deltaOf = (events: readonly NewEvent[]): Record<Scope, JsonDelta> =>
  splitDelta(events.reduce((sum, { delta }) => composeDeltas(sum, delta), emptyDelta))

/** Whether an event of the same id says the same; a timestamp that the store gave does not count. */
export function isSameEvent(stored: JsonObject, { payload, isTimestampGiven }: NewEvent): boolean {
  if (isTimestampGiven) return jsonEquals(stored, payload)
  return jsonEquals({ ...stored, timestamp: null }, { ...payload, timestamp: null })
}

function newEvent(event: unknown, field: string, limits: Limits, now: () => number): NewEvent {
  checkedRecord(event, field)
  const given = toJsonObject(event, field, { depth: limits.eventDepth, name: 'eventDepth' })
  const id = given['id'] === undefined ? uuidv7(now) : checkedId(given['id'], `${field}.id`, limits)
  const isTimestampGiven = given['timestamp'] !== undefined
  const timestamp = checkedTimestamp(isTimestampGiven ? given['timestamp'] : now(), `${field}.timestamp`)
  const payload: JsonObject = { ...given, id, timestamp: given['timestamp'] ?? timestamp }
  const delta = takeDelta(payload, field, limits)
  const text = JSON.stringify(payload)
  checkLimit(field, 'bytes', limits.eventBytes, byteLength(text))
  const scalar = (name: string) => optionalScalar(given, name, field)
  return {
    id,
    timestamp,
    isTimestampGiven,
    payload,
    text,
    delta,
    invocationId: scalar('invocationId'),
    author: scalar('author'),
    branch: scalar('branch'),
    errorCode: scalar('errorCode'),
  }
}

/** The delta in an event's actions; afterwards `payload` has no `temp:` keys. */
function takeDelta(payload: JsonObject, field: string, limits: Limits): JsonDelta {
  const actions = payload['actions']
  if (actions === undefined || actions === null) return emptyDelta
  if (!isJsonObject(actions)) throw new StoreError('invalid_argument', `${field}.actions must be an object`, { field: `${field}.actions` })
  const { stateDelta: set, stateUnset: unset } = actions
  if (set === undefined && unset === undefined) return emptyDelta
  const delta = checkedDelta({ set, unset } as { set: JsonObject; unset: string[] }, `${field}.actions`, limits, { set: 'stateDelta', unset: 'stateUnset' }) // checked there
  const isKept = (key: string) => scopeOf(key).scope !== 'temp'
  const kept = {
    ...(isJsonObject(set) && { stateDelta: Object.fromEntries(Object.entries(set).filter(([key]) => isKept(key))) }),
    ...(Array.isArray(unset) && { stateUnset: unset.filter((key) => isKept(String(key))) }),
  }
  payload['actions'] = { ...actions, ...kept }
  return delta
}

function optionalScalar(event: JsonObject, name: string, field: string): string | null {
  const value = event[name]
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') throw new StoreError('invalid_argument', `${field}.${name} must be a string`, { field: `${field}.${name}` })
  return value
}
