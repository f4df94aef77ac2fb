import { isJsonObject, StoreError, type ArtifactVersion, type SaveArtifactOptions } from '@daybook/core'
import type { SaveArtifactRequest } from '@google/adk'

export type Part = SaveArtifactRequest['artifact']

/** A part without its bytes, as it is kept beside them. */
interface Kept {
  readonly part: Part
  /** How the bytes become its text, where they are that. */
  readonly text?: 'utf8' | 'utf16le'
  readonly custom?: Readonly<Record<string, unknown>>
}

interface StoredPart {
  readonly bytes: Uint8Array
  readonly options: Pick<SaveArtifactOptions, 'mimeType' | 'metadata'>
}

const longestType = 191

/** Bytes, type and metadata of a part: of `inlineData` before `text` before `fileData`. What a part has besides stays with it. */
export function storedPart(artifact: Part, custom: Readonly<Record<string, unknown>> | undefined): StoredPart {
  const { inlineData, text, fileData, ...rest } = artifact
  if (inlineData) {
    const { data = '', ...about } = inlineData
    return stored(bytesOf(data), { part: { ...rest, inlineData: about }, custom }, about.mimeType)
  }
  if (text) {
    const encoding = /[\ud800-\udfff]/.test(text) && Buffer.from(text).toString() !== text ? 'utf16le' : 'utf8'
    return stored(Buffer.from(text, encoding), { part: rest, text: encoding, custom }, 'text/plain')
  }
  if (!fileData) throw new Error('Artifact must have either inlineData or text content.')
  if (!fileData.fileUri) throw new Error('Artifact fileData must have a fileUri.')
  return stored(new Uint8Array(), { part: { ...rest, fileData }, custom }, fileData.mimeType)
}

function stored(
  bytes: Uint8Array,
  { custom, ...kept }: Omit<Kept, 'custom'> & { readonly custom: Kept['custom'] | undefined },
  mimeType: string | undefined,
): StoredPart {
  // The part has its type in any case; the store's own is for lists, and by its rules.
  const isPlain =
    mimeType !== undefined && mimeType !== '' && mimeType.length <= longestType && !/[^ -~]/.test(mimeType)
  const metadata = { ...kept, ...(custom !== undefined && { custom }) }
  return { bytes, options: { metadata, ...(isPlain && { mimeType }) } }
}

const plain = (base64: string) => base64.replaceAll(/[\s=]/g, '').replaceAll('-', '+').replaceAll('_', '/')

/** What `Buffer.from` forgives would be another file. */
function bytesOf(base64: string): Uint8Array {
  const bytes = Buffer.from(base64, 'base64')
  if (plain(bytes.toString('base64')) === plain(base64)) return bytes
  throw new StoreError('invalid_argument', 'artifact.inlineData.data is not Base64', {
    field: 'artifact.inlineData.data',
  })
}

/** What a version says of itself. */
type Version = Pick<ArtifactVersion, 'mimeType' | 'metadata'>

/** The part that was stored. What somebody saved without ADK is a file: its bytes, and its type where it has one. */
export function partOf(bytes: Uint8Array, { mimeType, metadata }: Version): Part {
  const { part, text } = metadata
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isJsonObject(part)) {
    if (text === 'utf8' || text === 'utf16le') return { ...part, text: content.toString(text) }
    if (isJsonObject(part['inlineData']))
      return { ...part, inlineData: { ...part['inlineData'], data: content.toString('base64') } }
    if (isJsonObject(part['fileData'])) return part
  }
  return { inlineData: { ...(mimeType !== undefined && { mimeType }), data: content.toString('base64') } }
}

/** What a caller of ADK's said about a version. */
export const customOf = ({ part, custom }: Version['metadata']): Record<string, unknown> | undefined =>
  isJsonObject(part) && isJsonObject(custom) ? custom : undefined
