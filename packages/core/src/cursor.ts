import { StoreError } from './errors.ts'
import type { JsonValue } from './json.ts'

/** Where a page ended: the sort key of its last row. */
export type Position = readonly (string | number)[]

/** Not of `node:crypto`, whose hash of so short a text takes as long as the rows of a page. One character that differs changes both halves. */
function seal(query: JsonValue, position: string): string {
  const text = `${JSON.stringify(query)}\0${position}`
  let [a, b] = [0x9e3779b9, 0x85ebca6b]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x9e3779b1)
    b = Math.imul(b ^ code, 0x5f356495)
    a ^= a >>> 15
    b ^= b >>> 13
  }
  return `${hexOf(a)}${hexOf(b)}`
}

const hexOf = (half: number): string => (half >>> 0).toString(16).padStart(8, '0')

/**
 * A cursor for the page after `position` of `query`: opaque, URL-safe, and good only for that query. The seal is a
 * checksum, not a secret: what a cursor may show is decided by the key in the query's own WHERE.
 *
 * @example
 * ```ts
 * import { decodeCursor, encodeCursor } from '@daybook/core'
 *
 * const query = { list: 'events', author: 'user' }
 * const cursor = encodeCursor(query, [7])
 * console.log(decodeCursor(query, cursor)) // [ 7 ]
 * ```
 */
export function encodeCursor(query: JsonValue, position: Position): string {
  const body = Buffer.from(JSON.stringify(position)).toString('base64url')
  return `${body}.${seal(query, body)}`
}

/** The position inside a cursor; `invalid_cursor` if it was tampered with or belongs to another query. */
export function decodeCursor(query: JsonValue, cursor: unknown): Position {
  const [body, given, ...more] = typeof cursor === 'string' ? cursor.split('.') : []
  const isSealed = body !== undefined && more.length === 0 && seal(query, body) === given
  const position = isSealed ? parsed(Buffer.from(body, 'base64url').toString()) : undefined
  if (Array.isArray(position) && position.every((part) => typeof part === 'string' || typeof part === 'number'))
    return position
  throw new StoreError(
    'invalid_cursor',
    'the cursor is damaged, or was made by a list with another key, filter or order',
    { field: 'cursor' },
  )
}

/** Anybody can make a seal, so what it seals may be no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
