import { fromMicros, toMicros } from '@daybook/core'
import { customType } from 'drizzle-orm/pg-core'
import { arrayText } from './vectors.ts'

/** Whole microseconds since 1970 in the column; milliseconds whose fraction carries microseconds in the code. */
export const time = customType<{ data: number; driverData: string }>({
  dataType: () => 'bigint',
  toDriver: (timestamp) => String(toMicros(timestamp)),
  fromDriver: fromMicros,
})

/** Compared and ordered byte for byte, whatever the database's own collation is. */
export const id = customType<{ data: string }>({ dataType: () => 'varchar(191) COLLATE "C"' })
export const name = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' })

/** Bytes as they are. */
export const binary = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' })

/** Sent as text: a driver need not know the type. */
export const vector = customType<{ data: Float32Array; driverData: string | readonly number[] }>({
  dataType: () => 'real[]',
  toDriver: (numbers) => arrayText([...numbers]),
  fromDriver: (given) =>
    Float32Array.from(typeof given === 'string' ? given.slice(1, -1).split(',').map(Number) : given),
})
