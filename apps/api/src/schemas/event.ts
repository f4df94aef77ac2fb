import type { AgentEvent, StoredEvent as Stored } from '@daybook/core'
import { Type } from 'typebox'
import { Id } from './key.ts'
import { ListOf, PageQuery } from './page.ts'
import { Document, Revision } from './state.ts'

const members = {
  id: Type.Optional(Id),
  timestamp: Type.Optional(Type.Number({ description: 'Milliseconds since 1970; default now' })),
  author: Type.Optional(Type.String({ description: '`user`, or the name of the agent' })),
  invocationId: Type.Optional(Type.String()),
  branch: Type.Optional(Type.String()),
  content: Type.Optional(Type.Unknown()),
  actions: Type.Optional(Type.Object({}, { additionalProperties: true, description: '`stateDelta`, `stateUnset`, …' })),
}

/** An open record: members not named here are kept. */
const NewEvent = Type.Unsafe<AgentEvent>(Type.Object(members, { additionalProperties: true }))

export const StoredEvent = Type.Object({
  seq: Type.Integer({ description: 'Position in the session: 1, 2, 3 …' }),
  event: Type.Unsafe<Stored['event']>({ type: 'object', additionalProperties: true }),
})

export const Append = Type.Object(
  {
    events: Type.Array(NewEvent, {
      minItems: 1,
      description: 'All of them or none; with your ids the request can be repeated',
    }),
    expectedRevision: Type.Optional(Revision),
    eventsAfterSeq: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Answer also what others appended after it' }),
    ),
    state: Type.Optional(Type.Boolean({ description: 'Answer the merged state' })),
    onDuplicate: Type.Optional(Type.Enum(['reject', 'replace'])),
  },
  { additionalProperties: false },
)

export const Appended = Type.Object({
  events: ListOf(Type.Object({ id: Type.String(), seq: Type.Integer(), duplicate: Type.Boolean() })),
  revision: Revision,
  state: Type.Optional(Document),
  newEvents: Type.Optional(ListOf(StoredEvent)),
})

export const EventFilter = {
  since: Type.Optional(Type.Number({ description: 'Timestamp at or after' })),
  after: Type.Optional(Type.Number({ description: 'Timestamp after' })),
  afterSeq: Type.Optional(Type.Integer({ minimum: 0, description: 'Position after' })),
  author: Type.Optional(Type.String()),
  invocationId: Type.Optional(Type.String()),
  branch: Type.Optional(Type.String()),
  last: Type.Optional(Type.Integer({ minimum: 0, description: 'The newest so many, oldest first' })),
}

export const EventQuery = Type.Object(
  { ...EventFilter, ...PageQuery, direction: Type.Optional(Type.Enum(['asc', 'desc'])) },
  { additionalProperties: false },
)
