import { fromMicros, fromMoneyUnits, moneyUnits, toMicros } from '@daybook/core'
import { bytesOfEmbedding, embeddingOfBytes } from '@daybook/drizzle'
import { customType } from 'drizzle-orm/sqlite-core'

/** Whole microseconds since 1970 in the column; milliseconds whose fraction carries microseconds in the code. */
export const time = customType<{ data: number; driverData: bigint | number }>({
  dataType: () => 'integer',
  toDriver: toMicros,
  fromDriver: fromMicros,
})

/** 32 bits a number, the lower byte first. */
export const vector = customType<{ data: Float32Array; driverData: Uint8Array | ArrayBuffer }>({
  dataType: () => 'blob',
  toDriver: (numbers) => bytesOfEmbedding([...numbers]),
  fromDriver: embeddingOfBytes,
})

/** Units of 10⁻¹² of an exact decimal. */
export function unitsOf(amount: string): bigint {
  const units = moneyUnits(amount)
  if (units === undefined) throw new RangeError('an amount of money is no decimal from 0 to 9000000')
  return units
}

/** A whole number of 10⁻¹² in the column, since SQLite's decimals are none; an exact decimal in the code. */
export const money = customType<{ data: string; driverData: bigint | number }>({
  dataType: () => 'integer',
  toDriver: unitsOf,
  fromDriver: fromMoneyUnits,
})
