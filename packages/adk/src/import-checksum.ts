import { isJsonObject, type JsonValue } from '@daybook/core'
import { createHash } from 'node:crypto'

/** JSON text that is the same for equal values: keys in order. */
function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item)).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const keys = Object.keys(value).toSorted()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`).join(',')}}`
}

/** A short form of a value, the same for equal values. */
export const digest = (value: JsonValue): string => createHash('sha256').update(canonical(value)).digest('base64')

/** A checksum of a session, from the digests of its state and of its events in their order. */
export function sessionChecksum(state: string, events: Iterable<string>): string {
  const hash = createHash('sha256').update(state)
  for (const event of events) hash.update(event)
  return hash.digest('hex')
}
