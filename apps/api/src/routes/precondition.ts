import { StoreError } from '@daybook/core'

/** The revision that a write expects, from `If-Match` or from its body; `*` asks for none in particular. */
export function expectation(
  headers: { 'if-match'?: string },
  inBody: number | undefined,
): { expectedRevision?: number } {
  const header = headers['if-match']
  if (header === undefined) return inBody === undefined ? {} : { expectedRevision: inBody }
  if (inBody !== undefined) throw refused('If-Match and expectedRevision say the same; give one')
  if (header.trim() === '*') return {}
  const revision = /^\s*"(\d{1,15})"\s*$/.exec(header)?.[1]
  if (revision === undefined) throw refused('If-Match must be one revision in quotes, as in "3"')
  return { expectedRevision: Number(revision) }
}

const refused = (message: string) => new StoreError('invalid_argument', message, { field: 'If-Match' })
