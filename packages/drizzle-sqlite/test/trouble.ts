import type { HeldLock, Place, StoreInTrouble } from '@daybook/conformance'
import type { Store } from '@daybook/core'
import { createSqliteStore, openSqliteStore, type SqliteStoreOptions } from '@daybook/drizzle-sqlite'
import { createClient } from '@libsql/client'
import { drizzle as drizzleBetter } from 'drizzle-orm/better-sqlite3'
import { drizzle } from 'drizzle-orm/libsql'
import { open } from 'node:fs/promises'
import { fixedAes } from '../../drizzle/test/codecs.ts'
import { ask, betterDatabase, openFile, type DriverName, type OpenArgs } from './drivers.ts'
import type { besideFile } from './oracle.ts'

/** A store, and a way to give its own connection a PRAGMA. */
interface Tuned {
  readonly store: Store
  pragma(text: string): Promise<unknown>
}

async function tunedFile(path: string, options: SqliteStoreOptions = {}): Promise<Tuned> {
  const store = await openSqliteStore({ url: `file:${path}`, ...options })
  return { store, pragma: async (text) => store.db.$client.exec(`PRAGMA ${text}`) }
}

/** A store in a worker thread lets nobody near its connection. */
type TunedDriver = Exclude<DriverName, 'sqlite-worker'>

const tuned: Record<TunedDriver, (path: string) => Promise<Tuned>> = {
  sqlite: (path) => tunedFile(path),
  'sqlite-codec': (path) => tunedFile(path, { codec: fixedAes }),
  async 'better-sqlite3'(path) {
    const client = await betterDatabase(path)
    const store = await createSqliteStore(drizzleBetter({ client }))
    return { store, pragma: async (text) => client.pragma(text) }
  },
  // While nothing runs at the same time, the client takes the same connection again and again.
  async 'libsql-client'(path) {
    const client = createClient({ url: `file:${path}` })
    const store = await createSqliteStore(drizzle({ client }))
    return { store, pragma: (text) => client.execute(`PRAGMA ${text}`) }
  },
}

/** What SQLite itself calls a full disk and a read-only file, brought about on the store's own connection. */
export function storageOf({ driver, path }: OpenArgs): NonNullable<Place['storage']> {
  if (driver === 'sqlite-worker') return {}
  const under = async (fault: string, mended: string): Promise<StoreInTrouble> => {
    const opened = await tuned[driver](path)
    await opened.store.sessions.count({ appName: 'warm' })
    await opened.pragma(fault)
    return { store: opened.store, mend: async () => void (await opened.pragma(mended)) }
  }
  return {
    async full() {
      const [row] = await ask(driver, path, 'PRAGMA page_count')
      return under(`max_page_count = ${Number(row?.['page_count']) + 1}`, 'max_page_count = 1000000')
    },
    readOnly: () => under('query_only = ON', 'query_only = OFF'),
  }
}

/** A copy of the file with its first bytes overwritten. */
export async function openDamagedFile({ driver, path }: OpenArgs): Promise<Store> {
  const copy = `${path}.damaged`
  // By SQLite itself: whoever else opens and closes the file takes away the locks that this process has on it.
  await ask(driver, path, 'VACUUM INTO ?', [copy])
  const file = await open(copy, 'r+')
  await file.write(Buffer.alloc(4096, 'no database '), 0, 4096, 0)
  await file.close()
  return openFile[driver](copy)
}

/** A trigger of the application refuses every event. */
export function refusing(beside: ReturnType<typeof besideFile>, refusal: string): NonNullable<Place['refuse']> {
  return async (): Promise<HeldLock> => {
    await beside.rows(`create trigger refusal before insert on daybook_events begin select ${refusal}; end`)
    return { release: async () => void (await beside.rows('drop trigger refusal')) }
  }
}
