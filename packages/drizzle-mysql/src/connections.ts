import { StoreError, type Call } from '@daybook/core'
import { createTurns, remembered, type PoolState } from '@daybook/drizzle'
import { borrowing } from './borrowed.ts'
import { endOnServer } from './cancel.ts'
import { hasEnded, idleIn, sizeOf, type Connection, type Pool } from './driver.ts'
import { failureOf, refusedByPool } from './errors.ts'

/** Milliseconds that a statement gets to end by itself once its call is over. */
const grace = 250

/** Lends connections of a pool to calls. */
export interface Connections {
  /**
   * Lends a connection to the work, once there is one. The end of the call ends the wait for it. A work that hangs beyond
   * the end of its call loses its connection: the server is told to end what runs there, and the pool makes another.
   */
  readonly lend: <T>(call: Call, work: (connection: Connection) => Promise<T>) => Promise<T>
  /** The same for a work of Drizzle's, which takes its connection from the pool by itself, as the first thing it does. */
  readonly inTurn: <T>(call: Call, work: () => Promise<T>) => Promise<T>
  /** Of the store's own calls: what others do with the pool it does not see, but for what they leave `idle`. */
  readonly state: () => PoolState
}

interface Bounds {
  /** Milliseconds to wait for a connection, besides the call's own timeout. */
  readonly acquireTimeout?: number | undefined
}

/** One for each pool, whatever the number of its stores. */
const turnsOf = remembered((pool: Pool) => createTurns(sizeOf(pool)))

export function connectionsOf(pool: Pool, { acquireTimeout }: Bounds = {}): Connections {
  const turns = turnsOf(pool)

  /** Others may use the pool too, so that it may be empty although it is our turn. */
  async function acquired(call: Call): Promise<Connection> {
    call.check()
    const getting = pool.getConnection()
    return unlessOver(call, getting, 0).catch((error: unknown) => {
      getting.then(
        (late) => late.release(),
        () => {}, // it did not come at all
      )
      throw refusedByPool(error, hasEnded(pool))
    })
  }

  async function lent<T>(call: Call, work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await acquired(call)
    try {
      const answer = await unlessOver(call, work(connection), grace)
      connection.release()
      return answer
    } catch (error) {
      if (error instanceof CallOver) await endOnServer(connection.connection)
      else if (failureOf(error).kind === 'connection') connection.destroy()
      else connection.release()
      throw error
    }
  }

  async function borrowed<T>(call: Call, work: () => Promise<T>): Promise<T> {
    const { loan, done } = borrowing(pool, call, work)
    try {
      return await unlessOver(call, done, grace)
    } catch (error) {
      if (error instanceof CallOver) await loan.cut()
      throw refusedByPool(error, hasEnded(pool))
    } finally {
      loan.end()
    }
  }

  return {
    lend: (call, work) => turns.run(call, () => lent(call, work), acquireTimeout),
    inTurn: (call, work) => turns.run(call, () => borrowed(call, work), acquireTimeout),
    state: () => {
      const idle = idleIn(pool)
      return { size: turns.size, inUse: turns.inUse, ...(idle !== undefined && { idle }), waiting: turns.waiting }
    },
  }
}

/** The call has its own answer already; nobody sees this one. */
class CallOver extends StoreError {
  constructor() {
    super('aborted', 'the call was over before the database answered')
  }
}

/** Settles as the work does, or rejects when the call has been over for so many milliseconds. */
function unlessOver<T>(call: Call, work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    const leave = () => {
      timer = setTimeout(() => reject(new CallOver()), ms)
    }
    const settled = () => {
      clearTimeout(timer)
      stay()
    }
    const stay = call.onOver(leave)
    work.finally(settled).then(resolve, reject)
  })
}
