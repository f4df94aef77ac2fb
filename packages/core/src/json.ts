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
  const copy = copyOf({ '': value }, '', field, { bounds, open: new Set(), size: { field, bytes: 0 }, level: 0 })
  if (copy === undefined) throw new StoreError('invalid_argument', `${field} is undefined`, { field })
  return copy
}

/** {@link toJson} for a value that has to be an object. */
export function toJsonObject(value: unknown, field: string, bounds: JsonBounds): JsonObject {
  const copy = toJson(value, field, bounds)
  if (!isJsonObject(copy)) throw new StoreError('invalid_argument', `${field} must be an object`, { field })
  return copy
}

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

interface Walk {
  readonly bounds: JsonBounds
  readonly open: Set<object>
  /** At least so many bytes the text will have. */
  readonly size: { readonly field: string; bytes: number }
  readonly level: number
}

/** `undefined` stands for what JSON leaves out. Reads each member once: a getter or a proxy may answer differently next time. */
function copyOf(holder: object, key: string, field: string, walk: Walk): JsonValue | undefined {
  const value = reading(field, () => plain(Reflect.get(holder, key), key))
  switch (typeof value) {
    case 'undefined':
      return undefined
    case 'string':
      grow(walk, value.length)
      return value
    case 'boolean':
      return value
    case 'number':
      if (!Number.isFinite(value)) throw refused(field, String(value))
      return value === 0 ? 0 : value
    case 'object':
      return value === null ? null : copyOfObject(value, field, walk)
    default:
      throw refused(field, `a ${typeof value}`)
  }
}

/** What `JSON.stringify` would write in the value's place. */
function plain(given: unknown, key: string): unknown {
  const value = typeof given === 'object' && given !== null ? fromToJson(given, key) : given
  if (value instanceof Number) return Number(value)
  if (value instanceof String) return String(value)
  if (value instanceof Boolean) return Boolean.prototype.valueOf.call(value)
  return value
}

function fromToJson(value: object, key: string): unknown {
  const method: unknown = Reflect.get(value, 'toJSON')
  return typeof method === 'function' ? Reflect.apply(method, value, [key]) : value
}

/** Reads something of the caller's: a getter, a proxy or a `toJSON` that throws makes an argument that cannot be read. */
export function reading<T>(field: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (isStoreError(cause)) throw cause
    throw new StoreError('invalid_argument', `${field} cannot be read`, { field, cause })
  }
}

const refused = (field: string, what: string) =>
  new StoreError('invalid_argument', `${field} is ${what}, which JSON cannot hold`, { field })

// Twice the limit is still counted to the end, so that whoever is a little over it is told the exact number.
function grow({ bounds, size }: Walk, bytes: number): void {
  size.bytes += bytes
  if (bounds.bytes !== undefined && size.bytes > 2 * bounds.bytes)
    checkLimit(size.field, 'bytes or more', bounds.bytes, size.bytes)
}

const opaque = [Map, Set, WeakMap, WeakSet, Promise, ArrayBuffer, SharedArrayBuffer, RegExp, BigInt, Symbol]

function copyOfObject(value: object, field: string, walk: Walk): JsonValue {
  const { bounds, open } = walk
  const level = walk.level + 1
  if (open.has(value)) throw refused(field, 'part of a cycle')
  const kind = reading(field, () => opaque.find((type) => value instanceof type))
  if (kind !== undefined) throw refused(field, `a ${kind.name}`)
  if (level > bounds.depth) {
    throw new StoreError(
      'limit_exceeded',
      `${field} is nested deeper than ${bounds.name} allows: ${bounds.depth} levels`,
      {
        field,
        limit: bounds.depth,
        actual: level,
      },
    )
  }
  open.add(value)
  const copy = copyOfMembers(value, field, { ...walk, level })
  open.delete(value)
  return copy
}

function copyOfMembers(value: object, field: string, walk: Walk): JsonValue {
  const length = reading(field, () => (Array.isArray(value) ? value.length : undefined))
  if (length !== undefined) {
    grow(walk, 2 * length) // each element, and a comma or bracket
    return Array.from({ length }, (_, i) => copyOf(value, String(i), `${field}[${i}]`, walk) ?? null)
  }
  const copy: JsonObject = {}
  for (const key of reading(field, () => Object.keys(value))) {
    const member = copyOf(value, key, `${field}.${key}`, walk)
    if (member === undefined) continue
    grow(walk, key.length + 5) // quotes, a colon, the member, and a comma or brace
    define(copy, key, member)
  }
  return copy
}

/** A plain assignment to `__proto__` would set the prototype instead of a key. */
function define(target: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}

// Text that every database can hold -----------------------------------------------------------------------------------
// PostgreSQL refuses NUL, and native JSON types refuse lone surrogates. Both are written as a mark and a code, and so are
// the marks themselves, so that reading back is exact. The marks are chosen so that encoded strings keep the order of
// their code points: U+0001 follows NUL, U+D7FF precedes the surrogates.
const needsEncoding = /[\u0000\u0001\ud7ff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
const encodable = new RegExp(needsEncoding.source, 'g')
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
export const toStorableText = (text: string): string =>
  needsEncoding.test(text) ? text.replace(encodable, codeOf) : text

/** The inverse of {@link toStorableText}. */
export const fromStorableText = (text: string): string => text.replace(encoded, charOf)

/** JSON text whose keys and strings every native JSON type can hold. */
export function toStorableJson(value: JsonValue): string {
  const text = JSON.stringify(value)
  // JSON.stringify escapes NUL, U+0001 and lone surrogates, so a text without \u and without the mark needs nothing.
  return text.includes('\\u') || text.includes('\ud7ff') ? JSON.stringify(mapStrings(value, toStorableText)) : text
}

/** Parses what {@link toStorableJson} wrote, in whatever layout the database gives it back. */
export function fromStorableJson(text: string): JsonValue {
  const value = JSON.parse(text) as JsonValue // JSON.parse answers nothing else
  return text.includes('\\u') || text.includes('\ud7ff') ? mapStrings(value, fromStorableText) : value
}

function mapStrings(value: JsonValue, map: (text: string) => string): JsonValue {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, map))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [map(key), mapStrings(member, map)]))
}
