import { Type } from 'typebox'
import { EventFilter, StoredEvent } from './event.ts'
import { Id } from './key.ts'
import { ListOf, PageQuery } from './page.ts'
import { Document, Revision } from './state.ts'

const summary = {
  appName: Type.String(),
  userId: Type.String(),
  sessionId: Type.String(),
  revision: Revision,
  lastSeq: Type.Integer({ description: 'Position of the last event; 0 without one' }),
  createdAt: Type.Number({ description: 'Milliseconds since 1970, the fraction carries microseconds' }),
  updatedAt: Type.Number(),
  lastEventAt: Type.Number(),
}

export const SessionSummary = Type.Object({ ...summary, state: Type.Optional(Document) })
export const Session = Type.Object({ ...summary, state: Document })
export const LoadedSession = Type.Object({
  ...summary,
  state: Document,
  events: ListOf(StoredEvent, 'Empty when none were asked for'),
})

export const NewSession = Type.Object(
  { sessionId: Type.Optional(Id), state: Type.Optional(Document) },
  { additionalProperties: false },
)
export const NamedSession = Type.Object({ state: Type.Optional(Document) }, { additionalProperties: false })
export const Fork = Type.Object(
  { sessionId: Type.Optional(Id), throughSeq: Type.Optional(Type.Integer({ minimum: 0 })) },
  { additionalProperties: false },
)

export const SessionQuery = Type.Object(
  {
    ...PageQuery,
    orderBy: Type.Optional(Type.Enum(['lastEventAt', 'createdAt', 'updatedAt'])),
    direction: Type.Optional(Type.Enum(['asc', 'desc'])),
    state: Type.Optional(Type.Boolean({ description: 'Bring the merged state of each session' })),
    where: Type.Optional(
      Type.String({
        description: 'JSON list of conditions on state',
        examples: ['[{"path":["topic"],"op":"eq","value":"tea"}]'],
      }),
    ),
  },
  { additionalProperties: false },
)

export const LoadQuery = Type.Object(
  {
    ...EventFilter,
    events: Type.Optional(
      Type.Enum(['all'], { description: 'Bring the whole history; `last=50` brings the newest 50' }),
    ),
  },
  { additionalProperties: false },
)
