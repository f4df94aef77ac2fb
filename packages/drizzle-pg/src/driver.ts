import { StoreError, type Call } from '@daybook/core'
import { createTurns, readEarly, remembered, type PoolState, type Row, type Value } from '@daybook/drizzle'
import type { SQL } from 'drizzle-orm'
import { documentType } from './expressions.ts'
import type { ListenConnection } from './listener.ts'
import { nodePostgres, type DriverOptions, type NodePostgresPool } from './node-postgres.ts'
import { sending, wire } from './wire.ts'

// The parts of the drivers that a store uses. Drizzle's own `execute` leaves statements unprepared, so the hot ones go to
// the driver itself, under a name.

interface PostgresAnswer {
  /** `null` of a statement without parameters. */
  readonly columns: readonly { readonly name: string; readonly type: number }[] | null
}

interface PostgresQuery extends PromiseLike<readonly Row[]> {
  /** Hands over each row as it comes; none is answered then. */
  forEach(each: (row: Record<string, unknown>, answer: PostgresAnswer) => void): PromiseLike<unknown>
}

/** postgres.js */
interface PostgresClient {
  unsafe(text: string, values: Value[], options: { prepare: boolean }): PostgresQuery
  readonly options: { readonly max: number }
}

type PgliteQuery = (text: string, values: Value[]) => Promise<{ readonly rows: readonly Row[] }>

/** PGlite */
interface PgliteClient {
  query: PgliteQuery
  transaction<T>(body: (tx: { query: PgliteQuery }) => Promise<T>): Promise<T>
}

interface Prepared {
  /** Unlike that of any other text: a pool may serve stores with other tables too. */
  readonly name: string
  readonly text: string
  /** Asked for when there is a connection. */
  readonly values: () => readonly Value[]
}

/** What a store needs to know and to do beside Drizzle. */
export interface Driver {
  /** One connection for everything: two sessions are never written at the same moment. */
  readonly isSingle: boolean
  /** What waits in the driver's own queue cannot be told from what was sent, and is sent after its call. */
  readonly hidesItsQueue?: true
  /** Runs a prepared statement outside of transactions, once there is a connection for it. `commits`: it writes. */
  prepared(statement: Prepared, call: Call, does?: 'commits'): Promise<readonly Row[]>
  /** Waits for a connection where the driver would do so without being able to tell when it sends. */
  inTurn<T>(call: Call, work: () => Promise<T>): Promise<T>
  /** Puts an error that came from the driver into one that has a code. */
  coded(error: unknown): unknown
  /**
   * Makes a connection besides the pool's, on which notifications arrive, unless the signal fires first; rejects with {@link Deaf} behind a pooler. Absent
   * where the driver has no such connection that can be kept apart.
   */
  readonly connectToListen?: (signal: AbortSignal) => Promise<ListenConnection>
  /** Whether the server's own connection is at the other end, and not a pooler's. */
  readonly isDirect?: (call: Call) => Promise<boolean>
  /** How many connections there are, where the driver tells. */
  readonly pool?: () => PoolState
}

/** The part of a Drizzle database or transaction that runs statements. */
export interface PgExecutor {
  execute(query: SQL): PromiseLike<unknown>
}

/** The part of a Drizzle database that a store uses. */
export interface PgDatabase extends PgExecutor {
  readonly $client: unknown
  transaction<T>(
    body: (tx: PgExecutor) => Promise<T>,
    config?: {
      isolationLevel?: 'read committed' | 'repeatable read' | 'serializable'
      accessMode?: 'read only' | 'read write'
    },
  ): Promise<T>
}

/** The driver under a Drizzle database; `unsupported` for one that cannot hold a transaction open, or that was never tried. */
export function driverOf(db: PgDatabase, options: DriverOptions): Driver {
  if (!has(db, 'execute', 'transaction'))
    throw new StoreError('invalid_argument', 'db must be a Drizzle database', { field: 'db' })
  const client = db.$client
  if (isPostgres(client)) {
    const { prepare, acquireTimeout } = options
    const turns = turnsOf(client)
    return {
      isSingle: false,
      hidesItsQueue: true,
      prepared: ({ text, values }, call, does) => {
        const send = async () => {
          sending(call, does)
          const query = client.unsafe(text, wire(values()), { prepare })
          return does === 'commits' ? query : readAsTheyCome(query)
        }
        return does === 'commits' ? turns.run(call, send, acquireTimeout) : send() // what only reads may share a connection with others
      },
      inTurn: (call, work) => turns.run(call, work, acquireTimeout),
      coded: asItIs,
      pool: () => ({ size: turns.size, waiting: turns.waiting }),
    }
  }
  if (isPglite(client)) {
    return {
      isSingle: true,
      async prepared({ text, values }, call, does) {
        if (does === undefined) return (await client.query(text, wire(values()))).rows
        // It waits for a transaction of the application, and only inside one of its own can it tell when that is over.
        return client.transaction(async (tx) => {
          sending(call, does)
          return (await tx.query(text, wire(values()))).rows
        })
      },
      inTurn: (_call, work) => work(),
      coded: asItIs,
    }
  }
  if (isNodePostgresPool(client)) return nodePostgres(client, options)
  // What a store sends on it would land in the application's open transaction, and a commit of ours would be theirs.
  if (isNodePostgresClient(client)) {
    throw new StoreError(
      'unsupported',
      'one Client of node-postgres cannot keep your transactions and those of the store apart; hand over a Pool',
      { capability: 'driver' },
    )
  }
  throw new StoreError(
    'unsupported',
    `${db.constructor.name} is not over postgres.js, node-postgres or PGlite, the drivers that this store knows`,
    {
      capability: 'driver',
    },
  )
}

async function readAsTheyCome(query: PostgresQuery): Promise<readonly Row[]> {
  const rows: Row[] = []
  let documents: readonly string[] | undefined
  await query.forEach((row, { columns }) => {
    documents ??= (columns ?? []).filter(({ type }) => type === documentType).map(({ name }) => name)
    for (const name of documents) {
      const text = row[name]
      if (typeof text === 'string') Reflect.set(row, name, readEarly(text)) // a `transform` may have frozen it
    }
    rows.push(row)
  })
  return rows
}

/**
 * One for each client, whatever the number of its stores. Of postgres.js's own queue nobody hears when a statement leaves it,
 * and `reserve()` is no way around it: it starves behind statements that are pipelined, keeps `end()` from ending, and puts a
 * connection that has died back among the living.
 */
const turnsOf = remembered((client: PostgresClient) => createTurns(client.options.max))

const asItIs = (error: unknown): unknown => error

const has = (client: unknown, ...names: string[]) =>
  (typeof client === 'object' || typeof client === 'function') &&
  client !== null &&
  names.every((name) => name in client)
const isPostgres = (client: unknown): client is PostgresClient =>
  typeof client === 'function' && has(client, 'unsafe', 'begin', 'options')
const isPglite = (client: unknown): client is PgliteClient => has(client, 'query', 'transaction', 'waitReady')
const isNodePostgresClient = (client: unknown) => has(client, 'query', 'connect', 'end', 'on')
const isNodePostgresPool = (client: unknown): client is NodePostgresPool =>
  isNodePostgresClient(client) && has(client, 'totalCount')

/** postgres.js answers an array with a count; the others an object with `rows`. */
export function resultOf(result: unknown): { readonly rows: readonly Row[]; readonly count: number } {
  const { rows, count, rowCount, affectedRows } = result as {
    rows?: readonly Row[]
    count?: number | null
    rowCount?: number | null
    affectedRows?: number
  } // one of those shapes
  const list = rows ?? (Array.isArray(result) ? (result as readonly Row[]) : [])
  return { rows: list, count: count ?? rowCount ?? affectedRows ?? list.length }
}
