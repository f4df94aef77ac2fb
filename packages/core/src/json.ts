import { isStoreError, StoreError } from './errors.ts'
import { checkLimit } from './limits.ts'

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }
export type JsonObject = { [key: string]: JsonValue }

export interface JsonBounds {
  /** Deepest nesting allowed; `{}` and `[]` are one level, a scalar is none. */
  readonly depth: number
  /** Name of the limit that `depth` is, for the message. */
  readonly name: string
  /**
   * Bytes that the text may have. Checked by whoever writes the text; here it only ends the copying of a value that is far
   * over it, such as few objects that refer to each other many times, or an array of four billion holes.
   */
  readonly bytes?: number
}

/**
 * Copies a value the way `JSON.stringify` would write it, so that nothing of the caller's is kept: `undefined` members
 * dropped, `toJSON` applied, `-0` as `0`, holes as `null`. What JSON would lose or falsify (functions, symbols, BigInt,
 * NaN, infinities, cycles, maps, sets, buffers without `toJSON`) is refused as `invalid_argument` naming its path.
 *
 * @example
 * ```ts
 * import { toJson } from '@daybook/core'
 *
 * const bounds = { depth: 30, name: 'stateDepth' }
 * console.log(toJson({ at: new Date(0), none: undefined }, 'state', bounds)) // { at: '1970-01-01T00:00:00.000Z' }
 * ```
 */
export function toJson(value: unknown, field: string, bounds: JsonBounds): JsonValue {
  return walked(value, field, bounds).copy
}

function walked(
  value: unknown,
  field: string,
  bounds: JsonBounds,
): { readonly copy: JsonValue; readonly bytes: number } {
  const most = bounds.bytes === undefined ? Infinity : 2 * bounds.bytes
  const walk: Walk = { bounds, field, path: [], open: [], depth: 0, bytes: 0, most }
  try {
    const copy = copyOf(value, '', walk)
    if (copy === undefined) throw new StoreError('invalid_argument', `${field} is undefined`, { field })
    return { copy, bytes: walk.bytes }
  } catch (cause) {
    throw unreadable(pathOf(walk), cause)
  }
}

/** {@link toJson} for a value that has to be an object. */
export const toJsonObject = (value: unknown, field: string, bounds: JsonBounds): JsonObject =>
  measuredJsonObject(value, field, bounds).document

/** The same, and no more than how many bytes its text has: a text that is small for sure need not be made to be counted. */
export function measuredJsonObject(
  value: unknown,
  field: string,
  bounds: JsonBounds,
): { readonly document: JsonObject; readonly mostBytes: number } {
  const { copy: document, bytes } = walked(value, field, bounds)
  if (!isJsonObject(document)) throw new StoreError('invalid_argument', `${field} must be an object`, { field })
  return { document, mostBytes: (bytes + 2) * mostOfCounted }
}

/** Of two bytes that are counted for an item of a list, a number with its comma makes 25, and no character makes more than six. */
const mostOfCounted = 13

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Bytes of a text in UTF-8. */
export const byteLength = (text: string): number => Buffer.byteLength(text)

/** Deep equality of two JSON values; the order of keys does not count. */
export function jsonEquals(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => jsonEquals(item, at(b, i)))
  if (!isJsonObject(a) || !isJsonObject(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && jsonEquals(at(a, key), at(b, key)))
  )
}

/** A member that is known to be there. */
const at = (holder: JsonValue[] | JsonObject, key: string | number): JsonValue =>
  (holder as JsonObject)[key] as JsonValue // its key was just listed

/** One walk for a value, which reads each member once: a getter or a proxy may answer differently next time. */
interface Walk {
  readonly bounds: JsonBounds
  readonly field: string
  /** From the field to the value that is looked at, as far as `depth`; a text is made of it only for an error. */
  readonly path: (string | number)[]
  /** The objects on the way there, as far as `depth`. */
  readonly open: object[]
  depth: number
  /** At least so many bytes the text will have. */
  bytes: number
  /** Twice the limit is still counted to the end, so that whoever is a little over it is told the exact number. */
  readonly most: number
}

const pathOf = ({ field, path, depth }: Walk): string =>
  field +
  path
    .slice(0, depth)
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')

/** What `JSON.stringify` would write for a member; `undefined` stands for what JSON leaves out. */
function copyOf(given: unknown, key: string | number, walk: Walk): JsonValue | undefined {
  if (typeof given !== 'object' || given === null) return copyOfScalar(given, walk)
  const value = plain(given, key)
  return typeof value === 'object' && value !== null ? copyOfObject(value, walk) : copyOfScalar(value, walk)
}

function copyOfScalar(value: unknown, walk: Walk): JsonValue | undefined {
  switch (typeof value) {
    case 'string':
      grow(walk, value.length)
      return value
    case 'boolean':
    case 'undefined':
      return value
    case 'number':
      if (!Number.isFinite(value)) throw refused(walk, String(value))
      return value === 0 ? 0 : value
    default:
      if (value === null) return null
      throw refused(walk, `a ${typeof value}`)
  }
}

function plain(given: object, key: string | number): unknown {
  const { toJSON: method }: { readonly toJSON?: unknown } = given
  const value: unknown = typeof method === 'function' ? Reflect.apply(method, given, [String(key)]) : given
  if (typeof value !== 'object' || value === null || isCommon(value)) return value
  if (value instanceof Number) return Number(value)
  if (value instanceof String) return String(value)
  if (value instanceof Boolean) return Boolean.prototype.valueOf.call(value)
  return value
}

/** Plain objects and lists, which are almost all, need no look at what else they could be. */
function isCommon(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === Array.prototype
}

/** Reads something of the caller's: a getter, a proxy or a `toJSON` that throws makes an argument that cannot be read. */
export function reading<T>(field: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw unreadable(field, cause)
  }
}

/** What a reading that threw is told as; an error of ours stays as it is. */
export const unreadable = (field: string, cause: unknown): StoreError =>
  isStoreError(cause) ? cause : new StoreError('invalid_argument', `${field} cannot be read`, { field, cause })

function refused(walk: Walk, what: string): StoreError {
  const field = pathOf(walk)
  return new StoreError('invalid_argument', `${field} is ${what}, which JSON cannot hold`, { field })
}

function grow(walk: Walk, bytes: number): void {
  walk.bytes += bytes
  if (walk.bytes > walk.most) checkLimit(walk.field, 'bytes or more', walk.most / 2, walk.bytes)
}

const opaque = [Map, Set, WeakMap, WeakSet, Promise, ArrayBuffer, SharedArrayBuffer, RegExp, BigInt, Symbol]

function copyOfObject(value: object, walk: Walk): JsonValue {
  const { bounds, open, depth } = walk
  for (let i = 0; i < depth; i++) if (open[i] === value) throw refused(walk, 'part of a cycle')
  const keys = Array.isArray(value) ? undefined : keysOf(value, walk)
  const length = Array.isArray(value) ? value.length : 0
  if (depth === bounds.depth) throw tooDeep(walk)
  open[depth] = value
  walk.depth = depth + 1
  const copy =
    keys === undefined
      ? copyOfList(value, length, walk)
      : copyOfRecord(value as Readonly<Record<string, unknown>>, keys, walk) // an object can be asked for any key
  walk.depth = depth
  return copy
}

function tooDeep(walk: Walk): StoreError {
  const { depth, name } = walk.bounds
  const field = pathOf(walk)
  const facts = { field, limit: depth, actual: depth + 1 }
  return new StoreError('limit_exceeded', `${field} is nested deeper than ${name} allows: ${depth} levels`, facts)
}

/** The keys of an object that is no list and nothing that JSON cannot hold. */
function keysOf(value: object, walk: Walk): readonly string[] {
  const kind = isCommon(value) ? undefined : opaque.find((type) => value instanceof type)
  const keys = Object.keys(value)
  if (kind !== undefined) throw refused(walk, `a ${kind.name}`)
  return keys
}

function copyOfList(list: object, length: number, walk: Walk): JsonValue[] {
  const { path } = walk
  const last = walk.depth - 1
  grow(walk, 2 * length) // each item, and a comma or bracket
  const copy: JsonValue[] = []
  for (let i = 0; i < length; i++) {
    path[last] = i
    copy.push(copyOf(Reflect.get(list, i), i, walk) ?? null)
  }
  return copy
}

/** Written for its first hundred runs, in which a call costs more than what it does. */
function copyOfRecord(record: Readonly<Record<string, unknown>>, keys: readonly string[], walk: Walk): JsonObject {
  const { path } = walk
  const last = walk.depth - 1
  const copy: JsonObject = {}
  for (const key of keys) {
    path[last] = key
    const given = record[key]
    const isText = typeof given === 'string'
    const member = isText ? given : copyOf(given, key, walk)
    if (member === undefined) continue
    walk.bytes += key.length + 5 + (isText ? given.length : 0) // quotes, a colon, the member, and a comma or brace
    if (walk.bytes > walk.most) grow(walk, 0)
    define(copy, key, member)
  }
  return copy
}

/** A plain assignment to `__proto__` would set the prototype instead of a key. */
export function define(target: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}

// Text that every database can hold -----------------------------------------------------------------------------------
// PostgreSQL refuses NUL, and native JSON types refuse lone surrogates. Both are written as a mark and a code, and so are
// the marks themselves, so that reading back is exact. The marks are chosen so that encoded strings keep the order of
// their code points: U+0001 follows NUL, U+D7FF precedes the surrogates.
const suspect = /[\u0000\u0001\ud7ff-\udfff]/ // almost no text has one of these, and to look for them alone is much faster
const encodable = /[\u0000\u0001\ud7ff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const encoded = /[\u0001\ud7ff]([\u0002\u0003\ue000-\ue7ff])/g
const codeOf = (char: string) => {
  if (char === '\u0000') return '\u0001\u0002'
  if (char === '\u0001') return '\u0001\u0003'
  if (char === '\ud7ff') return '\ud7ff\u0002'
  return `\ud7ff${String.fromCharCode(char.charCodeAt(0) - 0xd800 + 0xe000)}`
}
const charOf = (pair: string, code: string) => {
  if (code === '\u0002') return pair[0] === '\u0001' ? '\u0000' : '\ud7ff'
  if (code === '\u0003') return '\u0001'
  return String.fromCharCode(code.charCodeAt(0) - 0xe000 + 0xd800)
}

/**
 * A string as every database can hold it: reversible, and in the same order. Almost always the string itself.
 *
 * @example
 * ```ts
 * import { fromStorableText, toStorableText } from '@daybook/core'
 *
 * const stored = toStorableText('a\0b')
 * console.log(stored.includes('\0'), fromStorableText(stored) === 'a\0b') // false true
 * console.log(toStorableText('plain 😀')) // plain 😀
 * ```
 */
export const toStorableText = (text: string): string => (suspect.test(text) ? text.replace(encodable, codeOf) : text)

/** The inverse of {@link toStorableText}. */
export const fromStorableText = (text: string): string => text.replace(encoded, charOf)

/** JSON text whose keys and strings every native JSON type can hold. */
export function toStorableJson(value: JsonValue): string {
  const text = JSON.stringify(value)
  // JSON.stringify escapes NUL, U+0001 and lone surrogates, so a text without \u and without the mark needs nothing.
  return isStoredAsItIs(text) ? text : JSON.stringify(mapStrings(value, toStorableText))
}

/** Parses what {@link toStorableJson} wrote, in whatever layout the database gives it back. */
export function fromStorableJson(text: string): JsonValue {
  const value = JSON.parse(text) as JsonValue // JSON.parse answers nothing else
  return isStoredAsItIs(text) ? value : mapStrings(value, fromStorableText)
}

/** Whether JSON text is the same in the storable form, and the other way round: {@link fromStorableJson} is the parser alone then. */
export const isStoredAsItIs = (text: string): boolean => !text.includes('\\u') && !text.includes('\ud7ff')

function mapStrings(value: JsonValue, map: (text: string) => string): JsonValue {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, map))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [map(key), mapStrings(member, map)]))
}
