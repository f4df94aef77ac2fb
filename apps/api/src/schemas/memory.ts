import { Type } from 'typebox'
import { Id } from './key.ts'
import { PageQuery } from './page.ts'
import { Document } from './state.ts'

export const MemoryParams = Type.Object({ appName: Id, userId: Id, memoryId: Id })

export const Memory = Type.Object({
  id: Type.String(),
  text: Type.Optional(Type.String()),
  content: Type.Optional(Type.Unknown()),
  author: Type.Optional(Type.String()),
  timestamp: Type.Number(),
  metadata: Type.Optional(Document),
  sessionId: Type.Optional(Type.String({ description: 'Where it comes from; it may be deleted' })),
  eventId: Type.Optional(Type.String()),
  createdAt: Type.Number(),
  updatedAt: Type.Number(),
  score: Type.Optional(Type.Number({ description: 'Of a search: the share of the words that it has, up to 1' })),
})

export const MemoryQuery = Type.Object(
  {
    ...PageQuery,
    query: Type.Optional(
      Type.String({ description: 'Words to find, in any language: the best come first, in one page' }),
    ),
  },
  { additionalProperties: false },
)
