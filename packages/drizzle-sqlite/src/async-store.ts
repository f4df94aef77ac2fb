import { createCalls, isStoreError } from '@daybook/core'
import {
  applicationTransaction,
  ensuringByInsert,
  bound,
  createEngine,
  joiningStore,
  step,
  storeErrorOf,
  type Failure,
  type ServerPlace,
  type Row,
  type Tx,
} from '@daybook/drizzle'
import { clientDialect, probeClient, settledUnlessSent } from './client-dialect.ts'
import { commonDialect, insertAllStatement, insertNewStatement, serverLimits } from './dialect.ts'
import { failureOf } from './errors.ts'
import { manyRowsThrough } from './many-rows.ts'
import type { SqliteStoreOptions } from './options.ts'
import { daybookTables } from './schema.ts'
import type { AsyncDatabase, AsyncExecutor, AsyncSqliteStore } from './store.ts'

interface AsyncSetup {
  readonly isMemory: boolean
  readonly isOwned: boolean
  /** Where it was opened, to be named in errors. */
  readonly place?: ServerPlace
}

/** A store over `@libsql/client`, local or a server. */
export async function asyncStore<Db extends AsyncDatabase>(
  db: Db,
  options: SqliteStoreOptions,
  setup: AsyncSetup,
): Promise<AsyncSqliteStore<Db>> {
  const tables = daybookTables(options)
  // A server that takes the connection and then says nothing would be waited for without end.
  const opening = createCalls({ timeout: options.timeout })
  const probe = await opening.run('open', undefined, () =>
    probeClient(db.$client, setup.isMemory).catch(known(setup.place)),
  )
  const dialect = clientDialect({
    common: commonDialect(options, probe, db.$client.protocol === 'file' ? {} : serverLimits),
    tables,
    client: db.$client,
    probe,
    isOwned: setup.isOwned,
  })
  const engine = createEngine(dialect, options, ['busyTimeout'])

  const transaction = applicationTransaction<Db, AsyncExecutor>(engine, {
    begin: (body, call) => dialect.lock.write(() => settledUnlessSent(call, db.transaction(body)), call),
    verbs: executorTx,
  })
  const using = (tx: AsyncExecutor) => joiningStore({ ...engine, failureOf: joinedFailureOf }, executorTx(tx))
  return Object.assign(engine.store, { kind: 'async' as const, db, tables, transaction, using })
}

const known =
  (place: ServerPlace | undefined) =>
  (error: unknown): never => {
    throw isStoreError(error) ? error : storeErrorOf(failureOf(error), error, place)
  }

/** To a store that joined a transaction, its end is the end. */
function joinedFailureOf(error: unknown): Failure {
  const failure = failureOf(error)
  return failure.driverCode === 'TRANSACTION_CLOSED' ? { ...failure, kind: 'closed' } : failure
}

/** The verbs inside a transaction of Drizzle over `@libsql/client`. */
const executorTx = (tx: AsyncExecutor): Tx =>
  ensuringByInsert({
    rows: (statement, params = {}) => step(async () => (await tx.all(bound(statement, params))) as readonly Row[]), // objects by alias
    change: (statement, params = {}) => step(async () => (await tx.run(bound(statement, params))).rowsAffected),
    insertNew: (insert, params = {}) =>
      step(async () => (await tx.run(bound(insertNewStatement(insert), params))).rowsAffected > 0),
    *insertAll(insert, params = {}) {
      yield* step(async () => tx.run(bound(insertAllStatement(insert), params)))
      return undefined
    },
    many: manyRowsThrough(async (statement, params) => (await tx.run(bound(statement, params))).rowsAffected),
  })
