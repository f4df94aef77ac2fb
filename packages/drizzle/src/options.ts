import type { StoreOptions } from '@daybook/core'
import type { TableNameOptions } from './table-names.ts'

/** Options of every store over Drizzle. */
export interface DrizzleStoreOptions extends StoreOptions, TableNameOptions {}
