import { isStoreError, type Call } from '@daybook/core'
import { createTurns, readEarly, remembered, type Row, type Value } from '@daybook/drizzle'
import { borrowing, lending, watchLending, type Connection, type Lender } from './borrowed.ts'
import { cancelOn, type Canceller } from './cancel.ts'
import type { Driver } from './driver.ts'
import { documentType } from './expressions.ts'
import { ConnectionLost, failureOf, hasNoCode, PoolEnded } from './errors.ts'
import { Deaf, type ListenConnection } from './listener.ts'
import { sending, wire } from './wire.ts'

// The parts of node-postgres that a store uses.

/** What is asked, once for each column of an answer, for what makes a value out of a text that comes. */
interface Types {
  getTypeParser(type: number, format?: string): (came: string | Buffer) => unknown
}

interface Client extends Connection, Keyed, Types {
  query(query: {
    name?: string
    text: string
    values: Value[]
    types?: Types
  }): Promise<{ readonly rows: readonly Row[] }>
}

export interface NodePostgresPool extends Lender {
  readonly options: { readonly max: number }
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
  readonly ending?: boolean
  /** What makes its connections. */
  readonly Client: new (
    options: NodePostgresPool['options'],
  ) => ListenConnection & Canceller & Keyed & { connect(): Promise<unknown> }
}

/** A connection with the number that the other end gave it. */
interface Keyed {
  readonly processID: number | null
}

/** Documents are read as they come, and the rest as the application says. */
const typesOf = (client: Types): Types => ({
  getTypeParser: (type, format) => (type === documentType ? readDocument : client.getTypeParser(type, format)),
})

/** @param came bytes, where the pool's `binary` asks for them, which of a text are the same */
const readDocument = (came: string | Buffer) => readEarly(String(came))

/** A pooler gives numbers of its own. */
const backend = 'select pg_backend_pid()::int as "pid"'
const isServers = ({ processID }: Keyed, [row]: readonly Row[]) => Number(row?.['pid']) === processID

export interface DriverOptions {
  /** Whether the server is to keep the hot statements prepared. */
  readonly prepare: boolean
  /** Milliseconds. */
  readonly acquireTimeout: number | undefined
}

export function nodePostgres(pool: NodePostgresPool, { prepare, acquireTimeout }: DriverOptions): Driver {
  survive(pool)
  const turns = turnsOf(pool)
  const coded = (error: unknown): unknown => {
    if (error instanceof TypeError || !hasNoCode(error)) return error // a mistake of ours is not a lost connection
    return pool.ending === true ? new PoolEnded('', { cause: error }) : new ConnectionLost('', { cause: error })
  }
  const recoded = (error: unknown): never => {
    throw coded(error)
  }
  const known = (error: unknown): never => {
    throw isStoreError(error) ? error : coded(error)
  }
  const cancel = (connection: Connection) => cancelOn(() => new pool.Client(pool.options), connection)
  const inTurn = <T>(call: Call, work: () => Promise<T>) =>
    turns.run(call, () => borrowing(pool, call, work, cancel), acquireTimeout)
  return {
    isSingle: false,
    prepared: ({ name, text, values }, call, does) =>
      turns.run(
        call,
        () =>
          lending(
            (pool.connect() as Promise<Client>).catch(recoded), // without a callback it answers one
            call,
            async (connection) => {
              sending(call, does)
              const query = { ...(prepare && { name }), text, values: wire(values()), types: typesOf(connection) }
              return (await connection.query(query).catch(known)).rows
            },
            { isLost: (error) => failureOf(error).kind === 'connection', cancel },
          ),
        acquireTimeout,
      ),
    inTurn,
    isDirect: (call) =>
      inTurn(call, async () => {
        const connection = await (pool.connect() as Promise<Client>).catch(recoded) // without a callback it answers one
        try {
          return isServers(connection, (await connection.query({ text: backend, values: [] }).catch(recoded)).rows)
        } finally {
          connection.release(false)
        }
      }),
    async connectToListen(signal) {
      const connection = new pool.Client(pool.options)
      connection.on('error', () => {}) // whoever waits for it hears of its end
      const giveUp = () => void connection.connection.stream.destroy()
      signal.addEventListener('abort', giveUp, { once: true })
      try {
        await connection.connect()
        if (!isServers(connection, (await connection.query(backend)).rows)) throw new Deaf()
        return connection
      } catch (error) {
        void connection.end().catch(() => {})
        throw error
      } finally {
        signal.removeEventListener('abort', giveUp)
      }
    },
    coded,
    pool: () => ({
      size: pool.options.max,
      inUse: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount + turns.waiting,
    }),
  }
}

/** One for each pool, whatever the number of its stores: who waits in the pool's own queue cannot leave it. */
const turnsOf = remembered((pool: NodePostgresPool) => createTurns(pool.options.max))

const surviving = new WeakSet<NodePostgresPool>()
const listened = new WeakSet<Connection>()

/**
 * A connection that is lost inside a transaction says so twice: to its statement, and as an event that ends the process
 * when nobody listens. Drizzle does not listen, and nobody else has the connection.
 */
function survive(pool: NodePostgresPool): void {
  if (surviving.has(pool)) return
  surviving.add(pool)
  watchLending(pool)
  pool.on('acquire', (connection: Connection) => {
    if (listened.has(connection)) return
    listened.add(connection)
    connection.on('error', () => {}) // its statement has the error
  })
}
