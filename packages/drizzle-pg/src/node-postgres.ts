import { isStoreError } from '@daybook/core'
import type { Row, Value } from '@daybook/drizzle'
import type { Driver } from './driver.ts'
import { ConnectionLost, failureOf, hasNoCode, PoolEnded } from './errors.ts'
import { sending, wire } from './wire.ts'

// The parts of node-postgres that a store uses.

interface Connection {
  query(query: { name?: string; text: string; values: Value[] }): Promise<{ readonly rows: readonly Row[] }>
  /** `true` ends the connection. */
  release(end: boolean): void
  on(event: 'error', listener: () => void): unknown
}

export interface NodePostgresPool {
  connect(): Promise<Connection>
  on(event: 'acquire', listener: (connection: Connection) => void): unknown
  readonly totalCount: number
  readonly ending?: boolean
}

export function nodePostgres(pool: NodePostgresPool, prepare: boolean): Driver {
  survive(pool)
  const coded = (error: unknown): unknown => {
    if (error instanceof TypeError || !hasNoCode(error)) return error // a mistake of ours is not a lost connection
    return pool.ending === true ? new PoolEnded('', { cause: error }) : new ConnectionLost('', { cause: error })
  }
  const recoded = (error: unknown): never => {
    throw coded(error)
  }
  return {
    isSingle: false,
    async prepared({ name, text, values }, call, does) {
      const connection = await pool.connect().catch(recoded)
      let isLost = false
      try {
        sending(call, does)
        return (await connection.query({ ...(prepare && { name }), text, values: wire(values) })).rows
      } catch (error) {
        const known = isStoreError(error) ? error : coded(error)
        isLost = failureOf(known).kind === 'connection'
        throw known
      } finally {
        connection.release(isLost)
      }
    },
    inTurn: (_call, work) => work(),
    coded,
  }
}

const surviving = new WeakSet<NodePostgresPool>()
const listened = new WeakSet<Connection>()

/**
 * A connection that is lost inside a transaction says so twice: to its statement, and as an event that ends the process
 * when nobody listens. Drizzle does not listen, and nobody else has the connection.
 */
function survive(pool: NodePostgresPool): void {
  if (surviving.has(pool)) return
  surviving.add(pool)
  pool.on('acquire', (connection) => {
    if (listened.has(connection)) return
    listened.add(connection)
    connection.on('error', () => {}) // its statement has the error
  })
}
