// A server that waits for a lock, or works, does not notice that nobody is at the other end any more: it goes on, and keeps
// the locks that it has. So it is told, over a connection of its own, as the protocol has it.

/** The number that a server gave to a connection, and the key that only that connection knows. */
export interface Cancellable {
  readonly processID: number | null
  readonly secretKey: number | null
}

/** The part of a client of node-postgres that asks a server to cancel what another one runs. */
export interface Canceller {
  /** Absent over libpq. */
  readonly connection?: {
    on(event: 'error' | 'end', listener: () => void): unknown
    readonly stream: { destroy(): unknown }
  }
  cancel(of: Cancellable & { readonly activeQuery: object }, query: object): void
}

/** Milliseconds to reach the server in. */
const longest = 2_000

/**
 * Best effort, and nobody waits for it: the call has its answer already. The request carries the connection's own key, so
 * that it ends nothing of others, through a pooler either.
 *
 * @param of a connection that was closed on this side, so that nobody else has it when the request arrives
 */
export function cancelOn(connect: () => Canceller, { processID, secretKey }: Cancellable): void {
  const canceller = connect()
  const { connection } = canceller
  if (connection === undefined || processID === null || secretKey === null) return
  const timer = setTimeout(() => connection.stream.destroy(), longest).unref()
  const done = () => clearTimeout(timer)
  connection.on('end', done)
  connection.on('error', done) // what bounds the server itself remains: lock_timeout, statement_timeout
  const query = {} // cancelled where it is the active one
  canceller.cancel({ processID, secretKey, activeQuery: query }, query)
}
