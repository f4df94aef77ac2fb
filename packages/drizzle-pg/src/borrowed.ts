import { StoreError, type Call } from '@daybook/core'
import type { Cancellable } from './cancel.ts'

/** A connection of node-postgres, as the pool lends it. */
export interface Connection extends Cancellable {
  release(end: boolean): void
  /** Destroys the socket while a statement is on it, and says goodbye otherwise. */
  end(): Promise<void>
  on(event: 'error', listener: () => void): unknown
}

type Lent = (error: Error | undefined, connection: Connection | undefined, done: unknown) => void

/** What lends connections: to a promise, or to a callback. */
export interface Lender {
  connect: (lent?: Lent) => Promise<Connection> | undefined
  on(event: 'acquire' | 'release', listener: (...values: never[]) => void): unknown
}

/** How long the work of a call that is over may take to give its connection back by itself. */
const grace = 500

/** How often each connection was lent, while it is out. */
const out = new WeakMap<Connection, number>()
let times = 0

/** To be asked once for each pool, before it lends. */
export function watchLending(pool: Lender): void {
  pool.on('acquire', (connection: Connection) => out.set(connection, ++times))
  pool.on('release', (_error: unknown, connection: Connection) => out.delete(connection))
}

/** Runs work on a connection that the pool lends, and gives it back; one that has gone silent is closed when the call is over. */
export async function lending<C extends Connection, T>(
  connecting: Promise<C>,
  call: Call,
  work: (connection: C) => Promise<T>,
  {
    isLost: isLostBy,
    cancel,
  }: { readonly isLost: (error: unknown) => boolean; readonly cancel: (connection: C) => void },
): Promise<T> {
  const connection = await connecting
  let [isOut, isLost] = [true, false]
  let timer: NodeJS.Timeout | undefined
  const giveUp = () => {
    timer = setTimeout(() => {
      if (!isOut) return
      void connection.end().catch(() => {}) // what runs on it fails, and gives it back
      cancel(connection) // only now: before, the server might be at work for whoever has it next
    }, grace).unref()
  }
  const stay = call.onOver(giveUp)
  try {
    return await work(connection)
  } catch (error) {
    isLost = isLostBy(error)
    throw error
  } finally {
    isOut = false
    clearTimeout(timer)
    stay()
    connection.release(isLost)
  }
}

/**
 * Runs work of Drizzle's that takes a connection of the pool as the first thing it does, and sees to it that the pool gets
 * it back. Drizzle forgets a connection whose BEGIN fails, one that has gone silent would be kept for ever, and so would one whose
 * transaction has a body of the application's that never ends. What Drizzle gives back later the pool refuses, and nobody hears that.
 *
 * @param cancel tells the server of a connection that was closed here while something ran on it
 */
export async function borrowing<T>(
  pool: Lender,
  call: Call,
  work: () => Promise<T>,
  cancel: (connection: Connection) => void,
): Promise<T> {
  let connection: Connection | undefined
  let loan: number | undefined
  let leave: ((reason: StoreError) => void) | undefined
  const left = new Promise<never>((_, reject) => (leave = reject))
  left.catch(() => {}) // most works end by themselves
  const note = (lent: Connection | undefined) => {
    connection = lent
    loan = lent && out.get(lent)
    if (call.signal.aborted) giveUp()
  }
  const isOut = () => connection !== undefined && loan !== undefined && out.get(connection) === loan
  let timer: NodeJS.Timeout | undefined
  const giveUp = () => {
    timer ??= setTimeout(() => {
      if (connection === undefined || !isOut()) return
      void connection.end().catch(() => {}) // what runs on it fails
      cancel(connection) // only now: before, the server might be at work for whoever has it next
      leave?.(new StoreError('aborted', 'the call was over before its work')) // the call has its own answer already
    }, grace).unref()
  }
  call.signal.addEventListener('abort', giveUp, { once: true })
  try {
    const done = seen(pool, note, work)
    done.catch(() => {}) // it may fail after it was left
    return await Promise.race([done, left])
  } finally {
    clearTimeout(timer)
    call.signal.removeEventListener('abort', giveUp)
    if (isOut()) connection?.release(true)
  }
}

/** Looks at what the pool lends while `work` begins, which is before anybody else can ask it for a connection. */
function seen<T>(pool: Lender, note: (connection: Connection | undefined) => void, work: () => Promise<T>): Promise<T> {
  const own = Object.getOwnPropertyDescriptor(pool, 'connect')
  const { connect } = pool
  pool.connect = (lent) => {
    if (lent === undefined) {
      const connecting = Reflect.apply(connect, pool, []) as Promise<Connection> // without a callback it answers one
      return connecting.then((connection) => {
        note(connection)
        return connection
      })
    }
    const noted: Lent = (error, connection, done) => {
      note(connection)
      lent(error, connection, done)
    }
    return Reflect.apply(connect, pool, [noted]) as undefined // with a callback it answers nothing
  }
  try {
    return work()
  } finally {
    if (own === undefined) Reflect.deleteProperty(pool, 'connect')
    else Object.defineProperty(pool, 'connect', own)
  }
}
