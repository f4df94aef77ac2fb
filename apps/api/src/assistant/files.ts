import type { StreamedArtifact } from '@daybook/core'
import { beginning, idOfCall, type ToolContext, type ToolResult } from './tool-context.ts'

/** How much of a file an assistant is shown, in bytes, and how many names. */
const shown = 4096
const listed = 20

/** The name says whose the file is: `user:plan.txt` is the user's, `plan.txt` the session's. */
export async function saveFile(context: ToolContext, name: string, text: string): Promise<ToolResult> {
  const { store, key } = context
  const { version, size } = await store.artifacts.save({ ...key, name }, Buffer.from(text), {
    mimeType: 'text/plain; charset=utf-8',
    saveId: idOfCall(context, { name, text }),
  })
  return { name, version, size }
}

export async function readFile({ store, key }: ToolContext, name: string): Promise<ToolResult> {
  const loaded = await store.artifacts.load({ ...key, name }, { stream: true })
  if (loaded === undefined) return { error: `There is no file called ${beginning(name, 100)}` }
  const text = await textIn(loaded)
  if (text === undefined) return { error: `${name} is not a text in UTF-8` }
  return { name, text, size: loaded.size, ...(loaded.size > shown && { truncated: true }) }
}

export async function listFiles({ store, key }: ToolContext): Promise<ToolResult> {
  const { items, nextCursor } = await store.artifacts.list({ ...key, limit: listed })
  const files = items.map(({ name, size }) => ({ name, size }))
  return { files, ...(nextCursor !== undefined && { more: true }) }
}

/** The beginning of a file as text; `undefined` where it is none. No more pieces of it are read than that takes. */
async function textIn({ stream }: StreamedArtifact): Promise<string | undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let left = shown
  try {
    for await (const piece of stream) {
      text += decoder.decode(piece.subarray(0, left), { stream: true })
      left -= piece.byteLength
      // A character that the end cuts in two is left out.
      if (left < 0) return text
    }
    return text + decoder.decode()
  } catch (error) {
    if (error instanceof TypeError) return undefined // the decoder's own, for what is not UTF-8
    throw error
  }
}
