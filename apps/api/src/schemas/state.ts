import { Type } from 'typebox'

/** An open JSON document, written and read as it is. */
export const Document = Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', additionalProperties: true })

export const Revision = Type.Integer({ minimum: 0, description: 'Grows by one with every change' })

/** `null` is a value: to remove a key, unset it. */
export const Change = Type.Object(
  {
    set: Type.Optional(Document),
    unset: Type.Optional(Type.Array(Type.String())),
    replace: Type.Optional(Document),
    expectedRevision: Type.Optional(Revision),
  },
  { additionalProperties: false, description: 'Keys to set and to unset, or a whole new document in `replace`' },
)

export const ScopedState = Type.Object({
  state: Document,
  revision: Revision,
  updatedAt: Type.Union([Type.Number(), Type.Null()], { description: 'null before the first write' }),
})

export const SessionState = Type.Object({ state: Document, revision: Revision })
