import type { Call } from '@daybook/core'
import { endOnServer } from './cancel.ts'
import type { Pool } from './driver.ts'

/** The parts of mysql2's inner pool, and of its connections, that are looked at. */
interface Core {
  getConnection: (done: Lent) => unknown
}

interface CoreConnection {
  release(): void
  /** Takes it out of the pool, and closes the socket. */
  destroy(): void
}

type Lent = (error: unknown, connection?: CoreConnection) => void

/** What Drizzle has of the pool for one transaction. */
export interface Loan {
  /** Closes a connection that was not given back: the server ends what is open on it, and the pool makes another. */
  end(): void
  /** The same for one on which something still goes on, which the server is told to end. */
  cut(): Promise<void>
}

/**
 * Begins work of Drizzle's that takes a connection of the pool as the first thing it does. Drizzle forgets a connection whose
 * BEGIN fails, and one that has gone silent would be kept for ever, so who waits for the work can end the loan.
 */
export function borrowing<T>(
  pool: Pool,
  call: Call,
  work: () => Promise<T>,
): { readonly loan: Loan; readonly done: Promise<T> } {
  const core = (pool as unknown as { readonly pool: Core }).pool // the one under its promises
  let out: CoreConnection | undefined
  let isEnded = false
  const end = () => {
    isEnded = true
    out?.destroy()
    out = undefined
  }
  const cut = async () => {
    const hanging = out
    out = undefined
    if (hanging !== undefined) await endOnServer(hanging)
  }
  const note: Lent = (_error, connection) => {
    if (connection === undefined) return
    out = connection
    // An own method until it is given back: the pool may lend the connection to somebody else at once.
    connection.release = () => {
      Reflect.deleteProperty(connection, 'release')
      out = undefined
      connection.release()
    }
    if (isEnded || call.signal.aborted) end()
  }
  const own = Object.getOwnPropertyDescriptor(core, 'getConnection')
  const { getConnection } = core
  core.getConnection = (lent) =>
    Reflect.apply(getConnection, core, [
      (error: unknown, connection?: CoreConnection) => {
        note(error, connection)
        lent(error, connection)
      },
    ])
  try {
    return { loan: { end, cut }, done: work() } // before anybody else can ask the pool for a connection
  } finally {
    if (own === undefined) Reflect.deleteProperty(core, 'getConnection')
    else Object.defineProperty(core, 'getConnection', own)
  }
}
