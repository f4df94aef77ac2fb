import { checkedCount, checkedFlag, checkedRecord, isStoreError, StoreError, type Capabilities } from '@daybook/core'
import {
  applicationTransaction,
  createEngine,
  joiningStore,
  storeErrorOf,
  type CheckedServer,
  type DrizzleStoreOptions,
  type ServerPlace,
} from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { databaseOver } from './database.ts'
import { pgDialect } from './dialect.ts'

import { driverOf, type PgDatabase, type PgExecutor } from './driver.ts'
import { abortedTransaction, failureOf } from './errors.ts'
import { createListener } from './listener.ts'
import { probe } from './probe.ts'
import { daybookTables, type PgTableOptions } from './schema.ts'
import { stillOpenIn } from './still-open.ts'
import type { PgStore } from './store.ts'
import { executorTx } from './transactions.ts'
import { createVectors } from './vectors.ts'
import { createWaits } from './waits.ts'

export interface PgStoreOptions extends DrizzleStoreOptions, PgTableOptions {
  /** `false` sends no prepared statements, for a pooler in transaction mode that loses them. Default `true`. */
  readonly prepare?: boolean
  /** Milliseconds that a call waits for a connection when all are in use. Default: its `timeout`. */
  readonly acquireTimeout?: number
  /**
   * `false`: `events.tail` asks again and again, here and, as far as they wait for this store's appends, in other processes.
   * Default `true`: it is woken by NOTIFY, over one connection that is there while somebody tails.
   */
  readonly notify?: boolean
}

/** The options that this dialect has besides those of every store over Drizzle. */
export const pgOptionNames = [
  'schema',
  'prepare',
  'acquireTimeout',
  'notify',
] as const satisfies (keyof PgStoreOptions)[]

/**
 * A store over a Drizzle database that you already have: `drizzle-orm/postgres-js`, `drizzle-orm/node-postgres` or
 * `drizzle-orm/pglite`. `close()` does not close it.
 *
 * @throws `unsupported` for another driver, or PostgreSQL below 14 · `unavailable` when the server cannot be reached
 */
export const createPgStore = <Db extends PgDatabase>(db: Db, options: PgStoreOptions = {}): Promise<PgStore<Db>> =>
  pgStore(db, options, async () => {})

/** Where a store was opened, to be named in errors, and the bounds that it was given. */
type OpenedPlace = ServerPlace & Partial<Pick<CheckedServer, 'lockTimeout' | 'statementTimeout'>>

/**
 * @param close closes what the store opened itself
 */
export async function pgStore<Db extends PgDatabase>(
  db: Db,
  options: PgStoreOptions,
  close: () => Promise<void>,
  place?: OpenedPlace,
): Promise<PgStore<Db>> {
  const { prepare, acquireTimeout, notify } = checkedRecord(options, 'options')
  const driver = driverOf(db, {
    prepare: prepare === undefined || checkedFlag(prepare, 'prepare'),
    acquireTimeout:
      acquireTimeout === undefined ? undefined : checkedCount(acquireTimeout, 'acquireTimeout', { min: 1 }),
  })
  const waits = createWaits(place?.lockTimeout, place?.statementTimeout)
  const vectors = createVectors()
  const database = databaseOver(db, driver, waits)
  const announces = (notify === undefined || checkedFlag(notify, 'notify')) && !driver.isSingle
  const { connectToListen, isDirect } = driver
  const listener = announces && connectToListen !== undefined ? createListener(connectToListen) : undefined
  const dialect = pgDialect({ database, driver, waits, vectors, listener, announces, options, close })
  const engine = createEngine(dialect, options, pgOptionNames)
  const isHeard = await engine.calls.run('open', undefined, async (call) => {
    const server = await probe(database.executor(call)).catch(rethrown(place))
    waits.learn(server.settings)
    vectors.learn(server)
    return listener !== undefined && isDirect !== undefined && (await isDirect(call).catch(rethrown(place)))
  })
  if (!isHeard) await listener?.close()
  const capabilities: Capabilities = {
    ...engine.store.capabilities,
    liveNotify: isHeard ? 'yes' : 'no',
    nativeVectors: vectors.distance === undefined ? 'no' : 'yes',
  }

  const transaction = applicationTransaction<Db, PgExecutor>(engine, {
    begin: (body, call) => database.transaction(body, { isolationLevel: 'read committed' }, call),
    verbs: (tx) => executorTx(database.within(tx)),
    beforeCommit: (tx) => refuseAborted(database.within(tx)),
  })
  const using: PgStore<Db>['using'] = (tx) => {
    const verbs = executorTx(database.within(tx))
    return joiningStore(engine, verbs, stillOpenIn(verbs))
  }
  return Object.assign(engine.store, { capabilities, db, tables: daybookTables(options), transaction, using })
}

const rethrown =
  (place: ServerPlace | undefined) =>
  (error: unknown): never => {
    throw isStoreError(error) ? error : storeErrorOf(failureOf(error), error, place)
  }

/** A statement that failed, caught by the application: PostgreSQL answers its COMMIT by rolling back, without an error. */
async function refuseAborted(tx: PgExecutor): Promise<void> {
  try {
    await tx.execute(sql`select 1`)
  } catch (cause) {
    if (failureOf(cause).driverCode !== abortedTransaction) throw cause
    throw new StoreError('internal', 'a statement in the transaction had failed, so all of it was rolled back', {
      cause,
    })
  }
}
