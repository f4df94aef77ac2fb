import type { Store } from '@daybook/core'
import { openFile, type OpenArgs } from './drivers.ts'

/** How another process of the suite opens the same file. */
export function openWorkerStore(args: unknown): Promise<Store> {
  const { driver, path } = args as OpenArgs // what subjects.ts sends
  return openFile[driver](path)
}
