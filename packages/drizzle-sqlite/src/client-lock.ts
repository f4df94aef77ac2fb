import { StoreError, type Call } from '@daybook/core'
import { createWriterQueue } from '@daybook/drizzle'
import type { Client, Transaction } from '@libsql/client'
import { failureOf } from './errors.ts'
import type { Probe } from './probe.ts'

// After SQLITE_BUSY a connection of `@libsql/client` is poisoned: its statement stays unreset, and what the connection then
// acknowledges is lost. `executeMultiple` alone leaves no statement behind, so the lock is first tried with that. Where a
// statement met SQLITE_BUSY all the same, only new connections help, as the very next thing.

/** Who may use the connections of a client, and when. */
export interface ClientLock {
  /** One writer of this process at a time, once nobody else has the database's lock. */
  write<T>(work: () => Promise<T>, call: Pick<Call, 'onOver'>): Promise<T>
  /** Readers do not wait, except where they would be in the writer's way. */
  read<T>(work: () => Promise<T>): Promise<T>
  commit(transaction: Transaction): Promise<void>
  /** Whether a batch may commit: where readers stop a commit, it fails and cannot be undone. */
  readonly canBatch: boolean
}

export function createClientLock(
  client: Client,
  { isMemory, journalMode }: Pick<Probe, 'isMemory' | 'journalMode'>,
): ClientLock {
  const writers = createWriterQueue()
  const isLocal = client.protocol === 'file'
  const isFile = isLocal && !isMemory // a database in memory is never busy, and would be lost with its connection
  const canBatch = !isFile || journalMode === 'wal'
  const readsInTurn = isLocal && (isMemory || !canBatch)
  let replaced = 0

  async function alone<T>(work: () => Promise<T>): Promise<T> {
    await client.executeMultiple('BEGIN IMMEDIATE; ROLLBACK')
    try {
      return await work()
    } catch (error) {
      if (failureOf(error).kind === 'locked') {
        replaced++
        client.reconnect()
      }
      throw error
    }
  }

  async function besides<T>(work: () => Promise<T>): Promise<T> {
    const before = replaced
    try {
      return await work()
    } catch (error) {
      throw replaced === before
        ? error
        : new ConnectionReplaced('a writer had to replace the connections', { cause: error })
    }
  }

  return {
    canBatch,
    write: (work, call) => writers.run(() => (isFile ? alone(work) : isLocal ? work() : whileRunning(work(), call))),
    read: (work) => (readsInTurn ? writers.run(work) : besides(work)),
    commit: (transaction) => (isLocal ? transaction.executeMultiple('COMMIT') : transaction.commit()),
  }
}

/**
 * A server has a stream for each transaction, so one that goes silent need not hold up the next writer: it gives up its turn
 * with its call. On a local connection what it left would be in the way.
 */
async function whileRunning<T>(work: Promise<T>, call: Pick<Call, 'onOver'>): Promise<T> {
  let stay: (() => void) | undefined
  const ended = new Promise<never>((_, reject) => {
    stay = call.onOver(() => reject(new StoreError('aborted', 'the call was over before its writer'))) // the call has its own answer already
  })
  try {
    return await Promise.race([work, ended])
  } finally {
    stay?.()
    work.catch(() => {}) // nobody waits for what a call that is over has left
  }
}

/** What a reader meets whose connection was closed under it: it has to begin anew. */
class ConnectionReplaced extends Error {
  readonly code = 'DAYBOOK_CONNECTION_REPLACED'
}
