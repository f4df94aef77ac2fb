import { StoreError } from './errors.ts'

/** 9999-12-31T23:59:59.999Z, the last instant a timestamp may name. */
export const lastTimestamp = 253_402_300_799_999

/** Milliseconds up to which their microseconds are a number. */
const mostExact = Number.MAX_SAFE_INTEGER / 1000

/**
 * Microseconds since 1970 of a timestamp (milliseconds whose fraction carries microseconds). Exact to the microsecond
 * until 2248, to the millisecond until 9999; a bigint, because the later ones are beyond 2^53.
 *
 * @example
 * ```ts
 * import { fromMicros, toMicros } from '@daybook/core'
 *
 * console.log(toMicros(1_700_000_000_000.123)) // 1700000000000123n
 * console.log(fromMicros('1700000000000123')) // 1700000000000.123
 * ```
 */
export function toMicros(timestamp: number): bigint {
  if (timestamp < mostExact && Number.isInteger(timestamp)) return BigInt(timestamp * 1000)
  const whole = Math.floor(timestamp)
  return BigInt(whole) * 1000n + BigInt(Math.round((timestamp - whole) * 1000))
}

/** The timestamp of so many microseconds since 1970, as a database driver gives them. */
export function fromMicros(micros: bigint | number | string): number {
  const near = typeof micros === 'string' ? numberOf(micros) : Number(micros)
  if (near <= Number.MAX_SAFE_INTEGER) return near / 1000
  // Later times are beyond 2^53 in microseconds, not in milliseconds.
  return Number(BigInt(micros) / 1000n) + Number(BigInt(micros) % 1000n) / 1000
}

/** `Number(text)`, in half its time for digits that are a safe integer: a page of sessions has three times in each row. */
function numberOf(text: string): number {
  let number = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (!(digit >= 0 && digit <= 9)) return Number(text)
    number = number * 10 + digit
  }
  return number
}

/** Refuses what is not a time of the years 1970–9999. A finer fraction than a microsecond is rounded to the nearest. */
export function checkedTimestamp(value: unknown, field: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= lastTimestamp)) {
    throw new StoreError('invalid_argument', `${field} must be milliseconds since 1970, from 0 to ${lastTimestamp}`, {
      field,
    })
  }
  return Number.isInteger(value) ? value + 0 /* never -0 */ : Math.min(fromMicros(toMicros(value)), lastTimestamp)
}
