import { Type } from 'typebox'

const Id = Type.String({
  minLength: 1,
  description: '1 to 191 code points, at most 512 bytes in UTF-8; percent-encoded in a path',
})

export const AppParams = Type.Object({ appName: Id })
export const UserParams = Type.Object({ appName: Id, userId: Id })
export const SessionParams = Type.Object({ appName: Id, userId: Id, sessionId: Id })
export const EventParams = Type.Object({ appName: Id, userId: Id, sessionId: Id, eventId: Id })
export { Id }

/** Headers that make a write conditional. */
export const Precondition = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'Write only at this revision, in quotes; otherwise 412', examples: ['"3"'] }),
  ),
})
