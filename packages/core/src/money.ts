const form = /^(?:0|[1-9]\d{0,6})(?:\.\d{1,12})?$/
const places = 12
const one = 10n ** BigInt(places)
/** The highest amount of one row, because SQLite keeps units in integers of 64 bits. */
const mostMoney = 9_000_000n * one

/**
 * The 10⁻¹² units of a decimal text from 0 to 9000000 with at most 12 places; `undefined` of anything else.
 *
 * @example
 * ```ts
 * import { fromMoneyUnits, moneyUnits } from '@daybook/core'
 *
 * console.log(moneyUnits('0.0123')) // 12300000000n
 * console.log(fromMoneyUnits('12300000000'), moneyUnits('-1')) // 0.0123 undefined
 * ```
 */
export function moneyUnits(text: unknown): bigint | undefined {
  if (typeof text !== 'string' || !form.test(text)) return undefined
  const [whole = '0', part = ''] = text.split('.')
  const units = BigInt(whole) * one + BigInt(part.padEnd(places, '0'))
  return units > mostMoney ? undefined : units
}

/** The shortest decimal text of so many 10⁻¹² units, as a database may give them. */
export function fromMoneyUnits(units: bigint | number | string): string {
  const all = BigInt(units)
  const part = (all % one).toString().padStart(places, '0').replace(/0+$/, '')
  return part === '' ? String(all / one) : `${all / one}.${part}`
}
