import type { Store } from '@daybook/core'
import { openSqliteStore } from '@daybook/drizzle-sqlite'
import { openFile, type OpenArgs } from './drivers.ts'

/** How another process of the suite opens the same place: a file by its driver, or a server by its address. */
export function openWorkerStore(args: unknown): Promise<Store> {
  const given = args as OpenArgs | { readonly url: string } // what subjects.ts sends
  return 'url' in given ? openSqliteStore(given) : openFile[given.driver](given.path)
}
