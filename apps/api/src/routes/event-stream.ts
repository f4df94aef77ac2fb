import { StoreError, type SessionKey, type Store } from '@daybook/core'
import type { SSEMessage } from '@fastify/sse'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { stream } from '../plugins/streams.ts'
import { StoredEvent } from '../schemas/event.ts'
import { SessionParams } from '../schemas/key.ts'
import { noEvent, noSession } from './missing.ts'

const Query = Type.Object(
  {
    afterSeq: Type.Optional(
      Type.Integer({
        minimum: 0,
        // Said here, since a stream that has begun can say it no more.
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'The last position already seen; `Last-Event-ID` comes first',
      }),
    ),
  },
  { additionalProperties: false },
)
const Headers = Type.Object({
  'last-event-id': Type.Optional(Type.String({ description: 'As EventSource sends it when it reconnects' })),
})

const schema = {
  tags: ['events'],
  summary: 'The events of a session and then each new one, from any process, as server-sent events',
  description:
    '`id` is the position, `event` is `event`, `data` is `{ seq, event }`. When the session is deleted a last `end` comes. ' +
    'With `Accept: application/json` this is the event whose id is "stream".',
  params: SessionParams,
  querystring: Query,
  headers: Headers,
  response: { 200: StoredEvent },
}

/** A stream that is cut is asked for again at once, and must not be refused for that. */
const options = { schema, sse: 'manual', exposeHeadRoute: false, config: { rateLimit: false } } as const

export const eventStreamRoute: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/apps/:appName/users/:userId/sessions/:sessionId/events/stream',
    options,
    async ({ params, query, headers }, reply) => {
      if (!acceptsStream(headers.accept)) {
        return (await app.store.events.get(params, 'stream')) ?? missing()
      }
      const afterSeq = seqIn(headers['last-event-id']) ?? query.afterSeq ?? 0
      if ((await app.store.sessions.get(params)) === undefined) throw noSession(params)
      return stream(reply, (signal) => tail(app.store, params, afterSeq, signal))
    },
  )
}

async function* tail(store: Store, key: SessionKey, afterSeq: number, signal: AbortSignal): AsyncGenerator<SSEMessage> {
  for await (const stored of store.events.tail(key, { afterSeq, signal })) {
    yield { id: String(stored.seq), event: 'event', data: stored }
  }
  if (!signal.aborted) yield { event: 'end', data: { reason: 'The session was deleted' } }
}

const acceptsStream = (accept = '*/*'): boolean => /text\/event-stream|text\/\*|\*\/\*/i.test(accept)

function seqIn(lastEventId: string | undefined): number | undefined {
  if (lastEventId === undefined || lastEventId === '') return undefined
  if (/^\d{1,15}$/.test(lastEventId)) return Number(lastEventId)
  throw new StoreError('invalid_argument', 'Last-Event-ID must be a position, as the stream gave it', {
    field: 'Last-Event-ID',
  })
}

function missing(): never {
  throw noEvent('stream')
}
