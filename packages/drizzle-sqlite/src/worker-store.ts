import { StoreError, storeContext, unsupported, type Call, type MigrationReport } from '@daybook/core'
import {
  createRemoteStore,
  drizzleOptionNames,
  type Backend,
  type Condition,
  type Dialect,
  type Look,
  type Operation,
} from '@daybook/drizzle'
import { commonDialect, type Common } from './dialect.ts'
import type { SqliteStoreOptions } from './options.ts'
import { daybookTables } from './schema.ts'
import type { WorkerSqliteStore } from './store.ts'
import { newCell, stop } from './worker-call.ts'
import type { WorkerStart } from './worker-messages.ts'
import { startThread, type Thread } from './worker-link.ts'

type Place = Pick<WorkerStart, 'path' | 'isMemory' | 'pragmas' | 'busyTimeout'>

/** Starts a thread that has the database, and a store here that hands it its calls. */
export async function openWorkerStore(
  place: Place,
  options: SqliteStoreOptions,
  start: typeof startThread = startThread,
): Promise<WorkerSqliteStore> {
  const { limits, logger } = storeContext(options, [...drizzleOptionNames, 'busyTimeout'])
  const { prefix, tables, groupCommit = true } = options
  const names = { ...(prefix !== undefined && { prefix }), ...(tables !== undefined && { tables }) }
  const startAgain = () => start({ ...place, names, limits, groupCommit, logs: logger !== undefined }, logger)
  const thread = startAgain()
  const probe = await thread.opened
  const threads = lastingThread(thread, place.isMemory, startAgain)
  const store = createRemoteStore(elsewhere(commonDialect(options, probe)), options, ['busyTimeout'], (parts) =>
    workerBackend(parts, threads),
  )
  return Object.assign(store, {
    kind: 'worker' as const,
    tables: daybookTables(options),
    ...refusals,
  })
}

/** What the other stores have, for programs without types. */
const refusals = {
  transaction: () =>
    Promise.reject(unsupported('callerTransaction', 'a transaction across threads; open the store without worker')),
  using: () => {
    throw unsupported('callerTransaction', 'a transaction across threads; open the store without worker')
  },
}

type RemoteParts = Parameters<Parameters<typeof createRemoteStore>[3]>[0]

interface Threads {
  /** The one that lives; if it ended, another one. */
  current(): Promise<Thread>
  close(): Promise<void>
}

/** A thread that ended is replaced at the next call. What was in memory ended with it. */
function lastingThread(first: Thread, isMemory: boolean, restart: () => Thread): Threads {
  let thread = first
  return {
    async current() {
      if (thread.ended !== undefined && isMemory)
        throw new StoreError('unavailable', 'the thread of the store ended, and the database in memory with it', {
          retryable: false,
          cause: thread.ended.cause,
        })
      if (thread.ended !== undefined) thread = restart()
      await thread.opened
      return thread
    },
    close: () => thread.close(),
  }
}

function workerBackend({ calls, now, signals }: RemoteParts, threads: Threads): Backend {
  async function ask<T>(name: string, request: unknown, call: Call): Promise<T> {
    const sent = now()
    const thread = await threads.current()
    const cell = newCell()
    call.check()
    call.stoppable(() => {
      const isStopped = stop(cell)
      thread.hearRemovals() // it says so before it goes on, so what is stopped now has removed no more
      return isStopped
    })
    const ms = call.deadline - performance.now()
    const answer = await thread.ask({ name, request, now: sent, ms, cell }, call)
    call.stoppable(() => true) // what it wrote is told; the call may go on with something else
    return answer as T // what the thread answers to that name
  }

  async function within<T>(call: Call, operation: Operation<T>): Promise<T> {
    const request = operation.request()
    const { generated, appendsTo, chunks } = operation.prepare(request)
    if (generated !== undefined) call.generated(generated, chunks !== undefined)
    const answer = await ask<T>(operation.name, request, call)
    if (appendsTo !== undefined) signals.notify(appendsTo)
    return answer
  }

  return {
    perform: (operation) => calls.run(operation.name, operation.options, (call) => within(call, operation)),
    within,
    look: (key, afterSeq, call) => ask<Look | undefined>('look', { key, afterSeq }, call),
    migrate: (dryRun, call) => ask<MigrationReport>('migrate', { dryRun }, call),
    indexStatePath: (request, call) => ask<MigrationReport>('indexStatePath', request, call),
    dropStatePathIndex: (request, call) => ask<boolean>('dropStatePathIndex', request, call),
    ask: (call, isDeep) => ask<Condition>('ask', { isDeep }, call),
    close: () => threads.close(),
  }
}

/** The dialect without its verbs, which are in the thread. */
function elsewhere(common: Common): Dialect {
  return { ...common, read: never, write: never, loadSession: never, server: never, close: never }
}

function never(): never {
  throw new TypeError('the database is in another thread')
}
