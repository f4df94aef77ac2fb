import type { Row } from '@daybook/drizzle'

// A server that waits for a lock, or works, does not notice that nobody is at the other end any more: it goes on, and keeps
// the locks that it has. So it is told, by another connection. Every account may end what is its own.

/** The parts of mysql2's own connection, the one under its promises, that are used. */
interface Core {
  readonly threadId?: unknown
  readonly config?: { readonly stream?: unknown }
  readonly stream?: { readonly localPort?: number }
  query(text: string, done: (error: unknown, answer: unknown) => void): unknown
  destroy(): void
  on(event: 'error', listener: () => void): unknown
}

/** Milliseconds for each of two statements. The call has its answer already, but it keeps its place among those that use the pool meanwhile. */
const longest = 1_000

/**
 * Closes a connection on which something still goes on, and has the server end that, with its transaction. Never rejects:
 * what led here is what is told. Behind a proxy the numbers may be those of others, so nothing is ended that does not come
 * from the port that the connection had; there the server's own bound of a wait for a lock remains.
 *
 * @param closing mysql2's own connection
 */
export async function endOnServer(closing: object): Promise<void> {
  const core = closing as Core // as mysql2 makes it
  const { threadId, stream } = core
  core.destroy()
  if (typeof threadId !== 'number' || typeof core.config?.stream === 'object') return // that one stream is gone
  let other: Core | undefined
  try {
    other = anotherLike(core)
    other.on('error', () => {}) // its statement has the error
    if (isThere(await answered(other, 'show processlist'), threadId, stream?.localPort))
      await answered(other, `kill ${threadId}`)
  } catch {
    // It has ended by itself meanwhile, or the server cannot be reached.
  } finally {
    other?.destroy()
  }
}

/** Not from the pool: one that a pool is making cannot be given up, and what is silent may be the whole network. */
function anotherLike({ constructor, config }: Core): Core {
  const Connection = constructor as new (pool: undefined, options: { config: unknown }) => Core // those of a pool can be outside of it
  return new Connection(undefined, { config })
}

/** Of a connection that cannot be made mysql2 says so to its first statement, but it may wait for that for long. */
const answered = (connection: Core, text: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), longest).unref()
    connection.query(text, (error, answer) => {
      clearTimeout(timer)
      if (error === null || error === undefined) resolve(answer)
      else reject(error instanceof Error ? error : new Error('mysql2 said no more', { cause: error }))
    })
  })

/** @param port absent over a socket of the file system */
function isThere(shown: unknown, threadId: number, port: number | undefined): boolean {
  return (shown as readonly Row[]).some(({ Id, Host }) => {
    const host = String(Host)
    return Number(Id) === threadId && (port === undefined ? host === 'localhost' : host.endsWith(`:${port}`))
  })
}
