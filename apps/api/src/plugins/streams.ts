import { StoreError } from '@daybook/core'
import { fastifySSE, type SSEMessage } from '@fastify/sse'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Fires when the server begins to close, before it waits for open connections. */
    closing: AbortSignal
  }
}

/** Server-sent events whose end does not keep the server waiting. */
export const streams = fp<{ heartbeat: number }>(
  async (app, { heartbeat }) => {
    const closing = new AbortController()
    app.decorate('closing', closing.signal)
    app.addHook('preClose', async () => closing.abort())
    app.addHook('onRequest', async () => {
      if (closing.signal.aborted) throw new StoreError('closed', 'the server is stopping')
    })
    await app.register(fastifySSE, { heartbeatInterval: heartbeat })
  },
  { name: 'streams', fastify: '5.x' },
)

/** Milliseconds after which a client that does not read is let go. */
const patience = 30_000

/**
 * Sends what `open` yields, each message when the client has taken the one before, so a slow client costs one message.
 * Ends with the source, the client or the server; `open` gets a signal of the last two.
 */
export async function stream(
  reply: FastifyReply,
  open: (signal: AbortSignal) => AsyncIterable<SSEMessage>,
): Promise<FastifyReply> {
  const over = new AbortController()
  const end = () => over.abort()
  let isGone = false
  reply.sse.onClose(() => {
    isGone = true
    end()
  })
  reply.server.closing.addEventListener('abort', end, { once: true })
  if (reply.server.closing.aborted) end()
  // The client learns at once that it is connected, however quiet the session is.
  reply.sse.sendHeaders()
  reply.raw.flushHeaders()
  try {
    for await (const message of open(over.signal)) {
      if (over.signal.aborted) {
        if (!isGone) await lastWord(reply, message)
        break
      }
      await sent(reply, message, over.signal)
    }
  } finally {
    reply.server.closing.removeEventListener('abort', end)
    reply.sse.close()
  }
  return reply
}

/** What a stream still has to say when the server stops; a client that does not take it at once goes without. */
async function lastWord(reply: FastifyReply, message: SSEMessage): Promise<void> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, 100).unref())
  await Promise.race([reply.sse.send(message).catch(() => {}), late]) // a client that has gone meanwhile needs no word
}

/** The plugin waits for the client to drain, also when it went away without an error; this ends then, too. */
function sent(reply: FastifyReply, message: SSEMessage, over: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const letGo = setTimeout(() => reply.raw.destroy(), patience)
    const settle = (settled: () => void) => () => {
      clearTimeout(letGo)
      over.removeEventListener('abort', onOver)
      settled()
    }
    const onOver = settle(resolve)
    over.addEventListener('abort', onOver, { once: true })
    reply.sse
      .send(message)
      .then(settle(resolve), (error: unknown) => settle(over.aborted ? resolve : () => reject(error))())
  })
}
