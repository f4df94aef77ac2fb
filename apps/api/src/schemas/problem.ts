import { Type, type Static } from 'typebox'

/** RFC 9457, with members of ours. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A stable URN that names the kind of problem' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'For people; may change' }),
    code: Type.String({ description: 'For programs' }),
    retryable: Type.Boolean({ description: 'Whether the same request, repeated as it is, may succeed' }),
    instance: Type.String({ description: 'The id of the request, as in `x-request-id`' }),
    field: Type.Optional(Type.String({ description: 'The part of the request that was refused' })),
    limit: Type.Optional(Type.Number()),
    actual: Type.Optional(Type.Number()),
    revision: Type.Optional(Type.Integer({ description: 'The revision that is stored now' })),
    capability: Type.Optional(Type.String()),
    sessionId: Type.Optional(Type.String({ description: 'The id that was generated, to repeat the request with' })),
    eventIds: Type.Optional(Type.Array(Type.String())),
    saveId: Type.Optional(Type.String({ description: 'The key that was generated, to repeat the upload with' })),
  },
  { $id: 'Problem' },
)

export type Problem = Static<typeof Problem>
