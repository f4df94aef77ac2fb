import { fromMicros, toMicros, type JsonObject } from '@daybook/core'
import { bytesOfEmbedding, embeddingOfBytes } from '@daybook/drizzle'
import { customType } from 'drizzle-orm/mysql-core'

/** The two servers that speak MySQL's protocol, and what they write differently. */
export type Flavour = 'mysql' | 'mariadb'

/** Byte-exact, and `a` is not `a `. No one name of it serves both servers. */
export const collations: Readonly<Record<Flavour, string>> = {
  mysql: 'utf8mb4_0900_bin',
  mariadb: 'utf8mb4_nopad_bin',
}

/** Whole microseconds since 1970 in the column; milliseconds whose fraction carries microseconds in the code. */
export const time = customType<{ data: number; driverData: string }>({
  dataType: () => 'bigint',
  toDriver: (timestamp) => String(toMicros(timestamp)),
  fromDriver: fromMicros,
})

/** JSON text as it was written: a native JSON column would order its keys and write its numbers anew. */
export const jsonText = customType<{ data: JsonObject; driverData: string }>({
  dataType: () => 'longtext',
  toDriver: (value) => JSON.stringify(value),
  fromDriver: (text) => JSON.parse(text) as JsonObject, // what the store writes there
})

/** Bytes as they are. */
export const binary = customType<{ data: Uint8Array }>({ dataType: () => 'longblob' })

/** 32 bits a number, the lower byte first. */
export const vector = customType<{ data: Float32Array; driverData: Uint8Array }>({
  dataType: () => 'longblob',
  toDriver: (numbers) => bytesOfEmbedding([...numbers]),
  fromDriver: embeddingOfBytes,
})

/** Text of a type that is compared byte for byte. */
export const exactText = (type: string, flavour: Flavour) =>
  customType<{ data: string }>({ dataType: () => `${type} CHARACTER SET utf8mb4 COLLATE ${collations[flavour]}` })
