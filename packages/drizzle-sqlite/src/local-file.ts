import { StoreError } from '@daybook/core'
import { storeErrorOf } from '@daybook/drizzle'
import { setTimeout as wait } from 'node:timers/promises'
import { createConnection, type Connection } from './connection.ts'
import { failureOf } from './errors.ts'
import { openNative, type NativeDatabase } from './native.ts'

/** A local database that the store opened, and closes. */
interface LocalFile {
  readonly database: NativeDatabase
  readonly connection: Connection
  /** Closes it with everything in the main file. */
  readonly close: () => void
}

/** @param pragmas statements that set the connection up */
export async function openLocalFile(path: string, pragmas: readonly string[], busyTimeout: number): Promise<LocalFile> {
  const database = await openLocal(path, pragmas, busyTimeout)
  const connection = createConnection(database, { hasSlowRows: true })
  return { database, connection, close: () => closeWhole(database, connection) }
}

/** Another process may be just as busy setting the journal mode: a lock is waited for, without holding the thread. */
async function openLocal(path: string, pragmas: readonly string[], busyTimeout: number): Promise<NativeDatabase> {
  const begun = performance.now()
  const database = reached(() => openNative(path))
  for (const pragma of pragmas) {
    for (;;) {
      try {
        database.exec(pragma)
        break
      } catch (error) {
        const failure = failureOf(error)
        if (failure.kind !== 'locked' || performance.now() - begun > busyTimeout) {
          database.close()
          throw storeErrorOf(failure, error)
        }
        await wait(10 + Math.random() * 20)
      }
    }
  }
  return database
}

/** The binding reports a missing folder without a code. */
function reached<T>(open: () => T): T {
  try {
    return open()
  } catch (cause) {
    throw new StoreError(
      'unavailable',
      'the database file cannot be opened: does its folder exist, and may it be written?',
      { cause, retryable: false },
    )
  }
}

/**
 * The binding lets go of the file only when its statements have been collected, so SQLite's own checkpoint at the last
 * close does not come: without this one the last writes would stay in the `-wal` beside the file.
 */
function closeWhole(database: NativeDatabase, connection: Connection): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {
    // Somebody else reads or writes: theirs will be the last close.
  }
  connection.close()
}
