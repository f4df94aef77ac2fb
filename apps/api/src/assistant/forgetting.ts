import type { ToolContext, ToolResult } from './tool-context.ts'

/**
 * Deletes all that is kept of the user besides the facts: their notes, their files, and their other conversations with what is in
 * them. The one that asks stays, for the answer is stored in it; its own files go.
 */
export async function forgetEverything({ store, key }: ToolContext): Promise<ToolResult> {
  const { appName, userId, sessionId } = key
  const user = { appName, userId }
  let [conversations, files] = [0, 0]
  let cursor: string | undefined
  do {
    const page = await store.sessions.list({ ...user, orderBy: 'createdAt', ...(cursor !== undefined && { cursor }) })
    for (const one of page.items)
      if (one.sessionId !== sessionId && (await store.sessions.delete(one))) conversations += 1
    cursor = page.nextCursor
  } while (cursor !== undefined)
  if (store.capabilities.artifacts === 'yes')
    for (let items = await filesOf(); items.length > 0; items = await filesOf())
      for (const one of items) if (await store.artifacts.delete(one)) files += 1
  const { memories: notes } =
    store.capabilities.memories === 'yes' ? await store.memories.delete({ ...user, all: true }) : { memories: 0 }
  return { conversations, notes, files }

  async function filesOf() {
    const { items } = await store.artifacts.list(key)
    return items.map(({ name }) => ({ ...key, name }))
  }
}
