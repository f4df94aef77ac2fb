import type { Socket } from 'node:net'
import fp from 'fastify-plugin'

/** Milliseconds that requests have to end when the server closes. */
const grace = 1000

/**
 * A closing server waits for requests, not for connections: Node counts one that never carried a request as busy, and
 * browsers open such ones ahead.
 */
export const shutdown = fp(
  async (app) => {
    const unused = new Set<Socket>()
    app.server.on('connection', (socket: Socket) => {
      unused.add(socket)
      socket.once('close', () => unused.delete(socket))
    })
    app.server.on('request', ({ socket }) => unused.delete(socket))
    app.addHook('preClose', async () => {
      for (const socket of unused) socket.destroy()
      setTimeout(() => app.server.closeAllConnections(), grace).unref()
    })
  },
  { name: 'shutdown', fastify: '5.x' },
)
