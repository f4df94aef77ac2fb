import type { DrizzleStoreOptions } from '@daybook/drizzle'

export interface SqliteStoreOptions extends DrizzleStoreOptions {
  /** Milliseconds to wait for another process that writes. Default 5,000. The event loop stays free meanwhile. */
  readonly busyTimeout?: number
}
