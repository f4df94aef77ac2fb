import type { StoreOptions } from '@daybook/core'
import type { PayloadCodec } from './payload-codec.ts'
import type { TableNameOptions } from './table-names.ts'

/** Options of every store over Drizzle. */
export interface DrizzleStoreOptions extends StoreOptions, TableNameOptions {
  /**
   * Encodes events and state on their way into the database: encryption, compression. Of several the first one writes, and
   * each reads what was written with its `id`; what was written without a codec is read as it is. So it can be switched on
   * over a store that has data, and a key can be changed. Ids, times and the columns that filters use stay in clear.
   */
  readonly codec?: PayloadCodec | readonly PayloadCodec[]
}

/** Names of the options that every store over Drizzle takes besides those of every store. */
export const drizzleOptionNames: readonly string[] = ['prefix', 'tables', 'codec']
