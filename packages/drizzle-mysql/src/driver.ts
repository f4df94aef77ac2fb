import { StoreError } from '@daybook/core'
import type { Row, Value } from '@daybook/drizzle'
import type { SQL } from 'drizzle-orm'

// The parts of Drizzle and of mysql2 that a store uses.

/** The part of a Drizzle database or transaction over mysql2 that runs statements. */
export interface MysqlExecutor {
  execute(query: SQL): PromiseLike<unknown>
}

/** The part of a Drizzle database that a store uses. */
export interface MysqlDatabase extends MysqlExecutor {
  readonly $client: unknown
  transaction<T>(
    body: (tx: MysqlExecutor) => Promise<T>,
    config?: { isolationLevel: 'read committed' | 'repeatable read'; accessMode?: 'read only' | 'read write' },
  ): Promise<T>
}

interface Sent {
  readonly sql: string
  readonly values?: readonly Value[]
  readonly rowsAsArray: false
  readonly namedPlaceholders: false
  readonly nestTables: false
  readonly supportBigNumbers?: true
}

/** A connection that mysql2's pool lends. */
export interface Connection {
  query(statement: Sent): Promise<unknown>
  execute(statement: Sent): Promise<unknown>
  release(): void
  destroy(): void
  /** What is one as long as the connection lives; the rest is made anew each time it is lent. */
  readonly connection: object
}

export interface Pool {
  getConnection(): Promise<Connection>
}

/** How many connections the pool makes at most. */
export const sizeOf = (pool: Pool): number => {
  const { pool: inner } = pool as { pool?: { config?: { connectionLimit?: unknown } } } // the one under its promises
  const limit = inner?.config?.connectionLimit
  return typeof limit === 'number' && limit > 0 ? limit : Number.POSITIVE_INFINITY // 0 is none
}

/** How many connections of the pool are open and lent to nobody, where the driver tells. */
export const idleIn = (pool: Pool): number | undefined => {
  const { pool: inner } = pool as { pool?: Readonly<Record<string, unknown>> } // the one under its promises
  const free = inner?.['_freeConnections']
  const count = typeof free === 'object' && free !== null && 'length' in free ? free.length : undefined
  return typeof count === 'number' ? count : undefined
}

/** The driver answers a pool that has ended with an error that carries no code. */
export const hasEnded = (pool: Pool): boolean => {
  const { pool: inner } = pool as { pool?: Readonly<Record<string, unknown>> } // the one under its promises
  return inner?.['_closed'] === true
}

/** The pool under a Drizzle database; `unsupported` for what cannot keep the store's transactions apart from others. */
export function poolOf(db: MysqlDatabase): Pool {
  if (!has(db, 'execute', 'transaction'))
    throw new StoreError('invalid_argument', 'db must be a Drizzle database', { field: 'db' })
  const client = db.$client
  if (isCallbackPool(client)) return client.promise()
  if (isPool(client)) return client
  // A transaction of ours on it would commit the one that the application has open there.
  if (has(client, 'query', 'execute', 'beginTransaction')) {
    throw new StoreError(
      'unsupported',
      'one connection of mysql2 cannot keep your transactions and those of the store apart; hand over a pool',
      { capability: 'driver' },
    )
  }
  throw new StoreError(
    'unsupported',
    `${db.constructor.name} is not over a pool of mysql2, the driver that this store knows`,
    { capability: 'driver' },
  )
}

const has = (client: unknown, ...names: string[]) =>
  typeof client === 'object' && client !== null && names.every((name) => name in client)
const isPool = (client: unknown): client is Pool => has(client, 'getConnection', 'query', 'execute')
const isCallbackPool = (client: unknown): client is { promise(): Pool } => isPool(client) && has(client, 'promise')

export interface Result {
  readonly rows: readonly Row[]
  readonly count: number
  /** What LAST_INSERT_ID was told to be. */
  readonly lastId: number
  /** Whether the connection is inside a transaction now, where the server says so: after what answers no rows. */
  readonly isInTransaction: boolean
}

interface Header {
  readonly affectedRows: number
  readonly insertId: number | string
  readonly serverStatus: number
}

const inTransaction = 1 // SERVER_STATUS_IN_TRANS of the protocol

/** mysql2 answers rows or a header, and the columns. */
export function resultOf(result: unknown): Result {
  const [answer] = result as readonly [readonly Row[] | Header, unknown] // as mysql2 documents it
  if (!('affectedRows' in answer)) return { rows: answer, count: answer.length, lastId: 0, isInTransaction: false }
  const { affectedRows: count, insertId, serverStatus } = answer
  return { rows: [], count, lastId: Number(insertId), isInTransaction: (serverStatus & inTransaction) !== 0 }
}

const byName = { rowsAsArray: false, namedPlaceholders: false, nestTables: false } as const

/** Whatever the pool was told about rows, these come as objects by name, and whole numbers as they are: as text beyond 2^53. */
const shape = { ...byName, supportBigNumbers: true } as const

/** What comes as it is also where the pool's own settings count, as in a transaction of Drizzle's. */
export interface Kept {
  /** Whole numbers beyond 2^53. */
  readonly keepsBigNumbers: boolean
  /** Documents of a JSON type as their text, which the driver parses otherwise: numbers of them would not be what they were. */
  readonly keepsJsonText: boolean
}

/** What a `typeCast` of the pool may read in another character set. */
export const jsonText = '["\u00e9\u8a9e\u{1f600}"]'

/** @param source a table of one row, whose column `document` is {@link jsonText} of the server's JSON type; on MariaDB it is a text */
export async function keptBy(connection: Connection, source: string): Promise<Kept> {
  const sql = `select 9007199254740993 as \`big\`, one.document as \`json\` from ${source} as one`
  const { rows } = resultOf(await connection.query({ sql, ...byName }))
  return {
    keepsBigNumbers: String(rows[0]?.['big']) === '9007199254740993',
    keepsJsonText: rows[0]?.['json'] === jsonText,
  }
}

/** Runs a text that carries no values. */
export const runText = async (connection: Connection, sql: string): Promise<Result> =>
  resultOf(await connection.query({ sql, ...shape }))

/** Runs a statement that the server prepares once for each connection: values never become part of its text. */
export const runPrepared = (connection: Connection, sql: string, values: readonly Value[]): Promise<Result> =>
  runWired(connection, sql, values.map(wire))

/** The same for values that are as the driver takes them. */
export const runWired = async (connection: Connection, sql: string, values: readonly Value[]): Promise<Result> =>
  resultOf(await connection.execute({ sql, values, ...shape }))

/** Runs a block that the server prepares, and answers the rows of the one SELECT in it; none where it was not reached. */
export async function runBlock(connection: Connection, sql: string, values: readonly Value[]): Promise<readonly Row[]> {
  const [answer] = (await connection.execute({ sql, values: values.map(wire), ...shape })) as readonly [
    readonly [readonly Row[], Header] | Header,
    unknown,
  ] // as mysql2 documents several results
  return 'affectedRows' in answer ? [] : answer[0]
}

/** LIMIT takes no text, and a number has no room for the largest times. */
export const wire = (value: Value): Value => {
  if (typeof value !== 'bigint') return value
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
}
