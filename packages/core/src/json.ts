import { StoreError } from './errors.ts'

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }
export type JsonObject = { [key: string]: JsonValue }

export interface JsonBounds {
  /** Deepest nesting allowed; `{}` and `[]` are one level, a scalar is none. */
  readonly depth: number
  /** Name of the limit that `depth` is, for the message. */
  readonly name: string
}

/**
 * Copies a value the way `JSON.stringify` would write it, so that nothing of the caller's is kept: `undefined` members
 * dropped, `toJSON` applied, `-0` as `0`, holes as `null`. What JSON would lose or falsify (functions, symbols, BigInt,
 * NaN, infinities, cycles, maps, sets, buffers without `toJSON`) is refused as `invalid_argument` naming its path.
 */
export function toJson(value: unknown, field: string, bounds: JsonBounds): JsonValue {
  const copy = copyOf({ '': value }, '', field, { bounds, open: new Set(), level: 0 })
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
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => jsonEquals(item, at(b, i)))
  if (!isJsonObject(a) || !isJsonObject(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && jsonEquals(at(a, key), at(b, key)))
}

/** A member that is known to be there. */
const at = (holder: JsonValue[] | JsonObject, key: string | number): JsonValue => (holder as JsonObject)[key] as JsonValue // its key was just listed

interface Walk {
  readonly bounds: JsonBounds
  readonly open: Set<object>
  readonly level: number
}

/** `undefined` stands for what JSON leaves out. Reads each member once: a getter or a proxy may answer differently next time. */
function copyOf(holder: object, key: string, field: string, walk: Walk): JsonValue | undefined {
  let value: unknown
  try {
    value = Reflect.get(holder, key)
    if (typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function') {
      value = Reflect.apply(value.toJSON, value, [key])
    }
  } catch (cause) {
    throw new StoreError('invalid_argument', `${field} cannot be read`, { field, cause })
  }
  switch (typeof value) {
    case 'undefined':
      return undefined
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (!Number.isFinite(value)) throw refused(field, String(value))
      return value === 0 ? 0 : value
    case 'object':
      if (value === null) return null
      if (value instanceof Number || value instanceof String || value instanceof Boolean) {
        return copyOf({ '': value.valueOf() }, '', field, walk)
      }
      return copyOfObject(value, field, walk)
    default:
      throw refused(field, `a ${typeof value}`)
  }
}

const refused = (field: string, what: string) =>
  new StoreError('invalid_argument', `${field} is ${what}, which JSON cannot hold`, { field })

const opaque = [Map, Set, WeakMap, WeakSet, Promise, ArrayBuffer, SharedArrayBuffer, RegExp]

function copyOfObject(value: object, field: string, walk: Walk): JsonValue {
  const { bounds, open } = walk
  const level = walk.level + 1
  if (open.has(value)) throw refused(field, 'part of a cycle')
  const kind = opaque.find((type) => value instanceof type)
  if (kind !== undefined) throw refused(field, `a ${kind.name}`)
  if (level > bounds.depth) {
    throw new StoreError('limit_exceeded', `${field} is nested deeper than ${bounds.name} allows: ${bounds.depth} levels`, {
      field,
      limit: bounds.depth,
      actual: level,
    })
  }
  open.add(value)
  try {
    const inner = { bounds, open, level }
    if (Array.isArray(value)) {
      return Array.from({ length: value.length }, (_, i) => copyOf(value, String(i), `${field}[${i}]`, inner) ?? null)
    }
    const copy: JsonObject = {}
    for (const key of keysOf(value, field)) {
      const member = copyOf(value, key, `${field}.${key}`, inner)
      if (member !== undefined) define(copy, key, member)
    }
    return copy
  } finally {
    open.delete(value)
  }
}

function keysOf(value: object, field: string): string[] {
  try {
    return Object.keys(value)
  } catch (cause) {
    throw new StoreError('invalid_argument', `${field} cannot be read`, { field, cause })
  }
}

/** A plain assignment to `__proto__` would set the prototype instead of a key. */
function define(target: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
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

/** A string as every database can hold it: reversible, and in the same order. Almost always the string itself. */
export const toStorableText = (text: string): string => (needsEncoding.test(text) ? text.replace(encodable, codeOf) : text)

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
