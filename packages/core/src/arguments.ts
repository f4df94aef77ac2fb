import type { Delta, JsonDelta } from './delta.ts'
import { StoreError } from './errors.ts'
import { byteLength, toJsonObject } from './json.ts'
import { checkLimit, type Limits } from './limits.ts'
import type { SessionKey, StateChange, UserKey } from './sessions.ts'
import type { StateKey } from './state.ts'

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })

const malformed = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

/** An id by the rules of {@link SessionKey}. */
export function checkedId(value: unknown, field: string, limits: Limits): string {
  if (typeof value !== 'string') throw invalid(field, value === undefined ? 'is missing' : 'must be a string')
  if (value === '') throw invalid(field, 'is empty')
  if (malformed.test(value)) throw invalid(field, 'contains NUL or a lone surrogate')
  // A string has at least half as many code points as units, so short ones need not be counted.
  if (value.length > limits.idCodePoints) checkLimit(field, 'code points', limits.idCodePoints, [...value].length)
  if (value.length * 3 > limits.idBytes) checkLimit(field, 'bytes', limits.idBytes, byteLength(value))
  return value
}

/** An argument that has to be an object, read-only to us. */
export function checkedRecord(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(field, 'must be an object')
  return value as Readonly<Record<string, unknown>> // an object can be asked for any key
}

export function checkedUserKey(key: unknown, limits: Limits): UserKey {
  const { appName, userId } = checkedRecord(key, 'key')
  return { appName: checkedId(appName, 'key.appName', limits), userId: checkedId(userId, 'key.userId', limits) }
}

/** The key out of anything that carries one, a session for example. */
export function checkedSessionKey(key: unknown, limits: Limits): SessionKey {
  const { sessionId } = checkedRecord(key, 'key')
  return { ...checkedUserKey(key, limits), sessionId: checkedId(sessionId, 'key.sessionId', limits) }
}

export function checkedStateKey(key: unknown, limits: Limits): StateKey {
  const { appName, userId } = checkedRecord(key, 'key')
  if (userId !== undefined) return checkedUserKey(key, limits)
  return { appName: checkedId(appName, 'key.appName', limits) }
}

/** The options of a call; one with an unknown name is refused, since it was meant to do something. */
export function checkedOptions(options: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (options === undefined) return {}
  const record = checkedRecord(options, 'options')
  const unknown = Object.keys(record).find((name) => !known.includes(name) && !callOptions.includes(name))
  if (unknown !== undefined) {
    throw invalid(unknown, `is not an option here; there are ${[...known, ...callOptions].join(', ')}`)
  }
  return record
}

const callOptions: readonly string[] = ['signal', 'timeout']

/** A whole number from 0 (or `min`) to `max`. */
export function checkedCount(value: unknown, field: string, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(field, `must be a whole number from ${min} to ${max}`)
  }
  return value
}

export const checkedOptionalCount = (value: unknown, field: string): number | undefined =>
  value === undefined ? undefined : checkedCount(value, field)

export function checkedFlag(value: unknown, field: string): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(field, 'must be true or false')
  return value === true
}

export function checkedChoice<const Choice extends string>(value: unknown, field: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((one) => one === value)
  if (choice === undefined) throw invalid(field, `must be one of ${choices.join(', ')}`)
  return choice
}

export function checkedOptionalText(value: unknown, field: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw invalid(field, 'must be a string')
}

/** A delta, checked and copied; `names` says what its two members are called where it came from. */
export function checkedDelta(delta: Delta, field: string, limits: Limits, names = { set: 'set', unset: 'unset' }): JsonDelta {
  const setField = `${field}.${names.set}`
  const set = delta.set === undefined || delta.set === null ? {} : stateDocument(delta.set, setField, limits)
  const unset = checkedKeys(delta.unset, `${field}.${names.unset}`)
  const both = unset.find((key) => Object.hasOwn(set, key))
  if (both !== undefined) throw invalid(`${setField}.${both}`, `is also in ${names.unset}`)
  return { set, unset }
}

/** A checked state change: a delta, or a whole new document. */
export function checkedChange(change: unknown, field: string, limits: Limits): JsonDelta | { readonly replace: JsonDelta['set'] } {
  const record = checkedRecord(change, field)
  const stray = Object.keys(record).find((name) => !['set', 'unset', 'replace'].includes(name))
  if (stray !== undefined) throw invalid(`${field}.${stray}`, 'is not a part of a change; there are set, unset, and replace')
  if (!('replace' in record)) return checkedDelta(change as Exclude<StateChange, { replace: unknown }>, field, limits) // its members are checked there
  if ('set' in record || 'unset' in record) throw invalid(field, 'has replace together with set or unset')
  return { replace: stateDocument(record['replace'], `${field}.replace`, limits) }
}

function stateDocument(value: unknown, field: string, limits: Limits): JsonDelta['set'] {
  const document = toJsonObject(value, field, { depth: limits.stateDepth, name: 'stateDepth' })
  checkStateBytes(document, field, limits)
  return document
}

/** Throws `limit_exceeded` if a state document is too large. */
export function checkStateBytes(document: JsonDelta['set'], field: string, limits: Limits): void {
  checkLimit(field, 'bytes', limits.stateBytes, byteLength(JSON.stringify(document)))
}

function checkedKeys(value: unknown, field: string): string[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw invalid(field, 'must be a list of keys')
  return [...new Set(value.map((key: unknown, i) => {
    if (typeof key !== 'string') throw invalid(`${field}[${i}]`, 'must be a string')
    return key
  }))]
}
