import { Type } from 'typebox'
import { StoredEvent } from './event.ts'
import { Id } from './key.ts'
import { ListOf } from './page.ts'

export const Message = Type.Object(
  {
    text: Type.String({ minLength: 1, maxLength: 8000 }),
    eventId: Type.Optional(Id),
  },
  {
    additionalProperties: false,
    description: 'With an `eventId` of yours the request can be repeated: it continues or returns that turn',
  },
)

export const TurnAnswer = Type.Object({
  eventId: Type.String({ description: 'Id of the event that holds the message' }),
  invocationId: Type.String({ description: 'Shared by all events of the turn' }),
  text: Type.String({ description: 'What the assistant answers' }),
  events: ListOf(StoredEvent, 'The whole turn: message, tool calls, tool results, answer'),
})
