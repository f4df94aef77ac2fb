import { beginning, idOfCall, type ToolContext, type ToolResult } from './tool-context.ts'

/** How many notes a search answers, and how much of each. */
const most = 5
const longest = 500

/** Notes are memories of the user: what was noted in one session is found in all of them. */
export async function saveNote(context: ToolContext, text: string): Promise<ToolResult> {
  const { store, key } = context
  const { appName, userId, sessionId } = key
  const id = idOfCall(context, { text })
  await store.memories.add({ appName, userId }, { id, text, author: 'user', sessionId })
  return { id, noted: text }
}

export async function searchNotes({ store, key }: ToolContext, query: string): Promise<ToolResult> {
  const { appName, userId } = key
  const { items } = await store.memories.search({ appName, userId, scope: 'user', query, limit: most })
  return { notes: items.map(({ text = '' }) => beginning(text, longest)) }
}
