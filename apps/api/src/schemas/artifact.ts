import { Type } from 'typebox'
import { Id } from './key.ts'
import { PageQuery } from './page.ts'
import { Document } from './state.ts'

const Name = { name: Id }
const user = { appName: Id, userId: Id }
const session = { ...user, sessionId: Id }
export const UserArtifactParams = Type.Object({ ...user, ...Name })
export const SessionArtifactParams = Type.Object({ ...session, ...Name })

const Version = Type.Integer({ minimum: 0, description: '0, 1, 2 … of its name' })
const facts = {
  version: Version,
  size: Type.Integer({ description: 'Bytes' }),
  sha256: Type.String({ description: 'Of the bytes, in hexadecimal; the `ETag` of a download' }),
  createdAt: Type.Number(),
}

export const ArtifactVersion = Type.Object({ ...facts, mimeType: Type.Optional(Type.String()), metadata: Document })
export const Artifact = Type.Object({
  name: Type.String(),
  sessionId: Type.Optional(Type.String({ description: 'Absent where the file is of the user' })),
  ...ArtifactVersion.properties,
})
export const SavedArtifact = Type.Object({
  ...facts,
  saveId: Type.String({ description: 'The `Idempotency-Key`, or one that was made' }),
  duplicate: Type.Boolean({ description: 'The version had been saved before with this key' }),
})

export const ArtifactList = Type.Object(PageQuery, { additionalProperties: false })
export const VersionList = Type.Object(
  { ...PageQuery, direction: Type.Optional(Type.Enum(['asc', 'desc'])) },
  { additionalProperties: false },
)
export const VersionQuery = Type.Object({ version: Type.Optional(Version) }, { additionalProperties: false })

export const Upload = Type.Object({
  'content-type': Type.Optional(Type.String({ description: 'Kept, and answered by a download' })),
  'idempotency-key': Type.Optional(
    Type.String({ minLength: 1, description: 'Makes the request repeatable; with another content it is 409' }),
  ),
})
export const Conditional = Type.Object({
  'if-none-match': Type.Optional(Type.String({ description: 'An `ETag`; 304 if it is still that' })),
})
