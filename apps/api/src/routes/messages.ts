import { uuidv7 } from '@daybook/core'
import type { SSEMessage } from '@fastify/sse'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { TurnSignal } from '../assistant/assistant.ts'
import { answerOf } from '../assistant/turn-events.ts'
import { problemOf } from '../plugins/problems.ts'
import { stream } from '../plugins/streams.ts'
import { SessionParams } from '../schemas/key.ts'
import { Message, TurnAnswer } from '../schemas/message.ts'

const schema = {
  tags: ['messages'],
  summary: 'Say something to the assistant',
  description:
    'Answers the turn, or with `Accept: text/event-stream` streams it: `event` for each stored event, `word` for each part of the answer ' +
    'as it comes, and last `done` with what the other form answers, or `error` with a problem. Repeated with the same `eventId` it continues or returns that turn; ' +
    'the same `eventId` with another text is 409.',
  params: SessionParams,
  body: Message,
  response: { 200: TurnAnswer },
}

export const messageRoute: FastifyPluginAsyncTypebox = async (app) => {
  const path = '/apps/:appName/users/:userId/sessions/:sessionId/messages'
  app.post(path, { schema, sse: 'manual' }, async (request, reply) => {
    const { text, eventId = uuidv7() } = request.body
    const { appName, userId, sessionId } = request.params
    const turn = app.turns.join({ appName, userId, sessionId }, { id: eventId, text })
    if (!request.headers.accept?.includes('text/event-stream')) return answerOf(eventId, await turn.finished())

    const signals = turn.watch()
    // Until the message is stored an error is an answer of its own, not a part of a stream.
    const first = await signals.next()
    return stream(reply, async function* messages(signal): AsyncGenerator<SSEMessage> {
      try {
        for (let next = first; next.done !== true && !signal.aborted; next = await signals.next())
          yield messageOf(next.value)
        yield { event: 'done', data: answerOf(eventId, await turn.finished()) }
      } catch (error) {
        request.log.error({ err: error }, 'turn failed')
        yield { event: 'error', data: problemOf(error, request) }
      }
    })
  })
}

const messageOf = (signal: TurnSignal): SSEMessage =>
  signal.kind === 'word'
    ? { event: 'word', data: { text: signal.text } }
    : { id: String(signal.stored.seq), event: 'event', data: signal.stored }
