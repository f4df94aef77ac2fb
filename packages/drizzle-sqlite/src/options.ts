import type { DrizzleStoreOptions } from '@daybook/drizzle'

export interface SqliteStoreOptions extends DrizzleStoreOptions {
  /** Milliseconds to wait for another process that writes. Default 5,000. The event loop stays free meanwhile. */
  readonly busyTimeout?: number
}

/** Options that other stores do not have. */
export const optionNames: readonly string[] = ['busyTimeout']
