import type { Delta, JsonDelta } from './delta.ts'
import { StoreError } from './errors.ts'
import { byteLength, measuredJsonObject, reading, unreadable } from './json.ts'
import { checkLimit, type Limits } from './limits.ts'
import type { SessionKey, UserKey } from './sessions.ts'
import type { StateKey } from './state.ts'
import type { Logger } from './store.ts'

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })

// Almost no text has one of these, and to look for them alone is much faster.
const suspect = /[\0\ud800-\udfff]/
const malformed = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

/** Without NUL and lone surrogates: text that every database takes as it is. */
export const isWellFormed = (text: string): boolean => !suspect.test(text) || !malformed.test(text)

/** An id by the rules of {@link SessionKey}. */
export function checkedId(value: unknown, field: string, limits: Limits): string {
  if (typeof value !== 'string') throw invalid(field, value === undefined ? 'is missing' : 'must be a string')
  if (value === '') throw invalid(field, 'is empty')
  if (!isWellFormed(value)) throw invalid(field, 'contains NUL or a lone surrogate')
  // A string has at least half as many code points as units, so short ones need not be counted.
  if (value.length > limits.idCodePoints) checkLimit(field, 'code points', limits.idCodePoints, codePoints(value))
  if (value.length * 3 > limits.idBytes) checkLimit(field, 'bytes', limits.idBytes, byteLength(value))
  return value
}

function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** An argument that has to be an object, read-only to us. */
export function checkedRecord(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || isArray(value, field)) throw invalid(field, 'must be an object')
  return value as Readonly<Record<string, unknown>> // an object can be asked for any key
}

function isArray(value: object, field: string): boolean {
  try {
    return Array.isArray(value)
  } catch (cause) {
    throw unreadable(field, cause) // a proxy that was revoked
  }
}

/** The items of an array of the caller's, read once; `undefined` of anything else. Its length is looked at first: it may be any. */
export const listOf = (
  value: unknown,
  field: string,
  { most, unit }: { readonly most: number; readonly unit: string },
): readonly unknown[] | undefined =>
  reading(field, () => {
    if (!Array.isArray(value)) return undefined
    checkLimit(field, unit, most, value.length)
    return Array.from<unknown>(value)
  })

/** The named members of an argument, each read once. */
export function membersOf<const Name extends string>(
  value: unknown,
  field: string,
  names: readonly Name[],
): Readonly<Partial<Record<Name, unknown>>> {
  const record = checkedRecord(value, field)
  const members: Partial<Record<Name, unknown>> = {}
  let read: string = ''
  try {
    for (const name of names) {
      read = name
      const member = record[name]
      if (member !== undefined) members[name] = member
    }
  } catch (cause) {
    throw unreadable(`${field}.${read}`, cause)
  }
  return members
}

export function checkedUserKey(key: unknown, limits: Limits, field = 'key'): UserKey {
  const { appName, userId } = membersOf(key, field, ['appName', 'userId'])
  return {
    appName: checkedId(appName, `${field}.appName`, limits),
    userId: checkedId(userId, `${field}.userId`, limits),
  }
}

/** The key out of anything that carries one, a session for example. */
export function checkedSessionKey(key: unknown, limits: Limits): SessionKey {
  const { appName, userId, sessionId } = membersOf(key, 'key', sessionKeyNames)
  return {
    appName: checkedId(appName, 'key.appName', limits),
    userId: checkedId(userId, 'key.userId', limits),
    sessionId: checkedId(sessionId, 'key.sessionId', limits),
  }
}

const sessionKeyNames = ['appName', 'userId', 'sessionId'] as const

export function checkedStateKey(key: unknown, limits: Limits): StateKey {
  const { appName, userId } = membersOf(key, 'key', ['appName', 'userId'])
  if (userId !== undefined) return checkedUserKey({ appName, userId }, limits)
  return { appName: checkedId(appName, 'key.appName', limits) }
}

/** The known options of a call; one with another name is refused, since it was meant to do something. */
export function checkedOptions<const Name extends string>(
  options: unknown,
  known: readonly Name[],
  field = 'options',
): Readonly<Partial<Record<Name, unknown>>> {
  const none: Partial<Record<Name, unknown>> = {}
  if (options === undefined) return none
  const record = checkedRecord(options, field)
  const names: readonly string[] = known
  for (const name of reading(field, () => Object.keys(record)))
    if (!names.includes(name) && !callOptions.includes(name))
      throw invalid(name, `is not an option here; there are ${[...known, ...callOptions].join(', ')}`)
  return membersOf(record, field, known)
}

const callOptions: readonly string[] = ['signal', 'timeout']

/** A whole number from 0 (or `min`) to `max`. */
export function checkedCount(
  value: unknown,
  field: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {},
): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(field, `must be a whole number from ${min} to ${max}`)
  }
  return value === 0 ? 0 : value // never -0
}

export const checkedOptionalCount = (value: unknown, field: string): number | undefined =>
  value === undefined ? undefined : checkedCount(value, field)

export function checkedFlag(value: unknown, field: string): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(field, 'must be true or false')
  return value === true
}

export function checkedChoice<const Choice extends string>(
  value: unknown,
  field: string,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((one) => one === value)
  if (choice === undefined) throw invalid(field, `must be one of ${choices.join(', ')}`)
  return choice
}

export function checkedOptionalText(value: unknown, field: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw invalid(field, 'must be a string')
}

/** A delta, checked and copied; `names` says what its two members are called where it came from. */
export function checkedDelta(
  delta: { readonly [Part in keyof Delta]: unknown },
  field: string,
  limits: Limits,
  names: { readonly set: string; readonly unset: string } = { set: 'set', unset: 'unset' },
): JsonDelta {
  const setField = `${field}.${names.set}`
  const set = delta.set === undefined || delta.set === null ? {} : stateDocument(delta.set, setField, limits)
  const unset = checkedKeys(delta.unset, `${field}.${names.unset}`, limits)
  const both = unset.find((key) => Object.hasOwn(set, key))
  if (both !== undefined) throw invalid(`${setField}.${both}`, `is also in ${names.unset}`)
  return { set, unset }
}

/** A checked state change: a delta, or a whole new document. */
export function checkedChange(
  change: unknown,
  field: string,
  limits: Limits,
): JsonDelta | { readonly replace: JsonDelta['set'] } {
  const parts: readonly string[] = changeParts
  const stray = reading(field, () => Object.keys(checkedRecord(change, field))).find((name) => !parts.includes(name))
  if (stray !== undefined)
    throw invalid(`${field}.${stray}`, 'is not a part of a change; there are set, unset, and replace')
  const { set, unset, replace } = membersOf(change, field, changeParts)
  if (replace === undefined) return checkedDelta({ set, unset }, field, limits)
  if (set !== undefined || unset !== undefined) throw invalid(field, 'has replace together with set or unset')
  return { replace: stateDocument(replace, `${field}.replace`, limits) }
}

const changeParts = ['set', 'unset', 'replace'] as const

function stateDocument(value: unknown, field: string, limits: Limits): JsonDelta['set'] {
  const { document, mostBytes } = measuredJsonObject(value, field, {
    depth: limits.stateDepth,
    name: 'stateDepth',
    bytes: limits.stateBytes,
  })
  if (mostBytes > limits.stateBytes) checkStateBytes(document, field, limits)
  return document
}

/**
 * Throws `limit_exceeded` if a state document is too large, and warns of one that is merely large: at each delta the whole
 * document is written anew.
 */
export function checkStateBytes(document: JsonDelta['set'], field: string, limits: Limits, logger?: Logger): void {
  const bytes = byteLength(JSON.stringify(document))
  checkLimit(field, 'bytes', limits.stateBytes, bytes)
  warnOfLargeState(bytes, field, logger)
}

/** Bytes of a state above which the logger is warned. */
export const largeState = 100_000

/** For a store whose database grows a document by itself, and tells how large it is then. */
export function warnOfLargeState(bytes: number, field: string, logger: Logger | undefined): void {
  if (bytes > largeState) logger?.warn({ field, bytes }, `${field} is large, and is written as a whole at each change`)
}

function checkedKeys(value: unknown, field: string, limits: Limits): string[] {
  if (value === undefined || value === null) return []
  const keys = listOf(value, field, { most: limits.stateBytes, unit: 'keys' })
  if (keys === undefined) throw invalid(field, 'must be a list of keys')
  const checked = new Set<string>()
  for (const [i, key] of keys.entries()) {
    if (typeof key !== 'string') throw invalid(`${field}[${i}]`, 'must be a string')
    checked.add(key)
  }
  return [...checked]
}
