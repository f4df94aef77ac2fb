import type { ToolContext, ToolResult } from './tool-context.ts'

/**
 * Deletes all that is kept of the user besides the facts: their notes, their files, and their other conversations with what is in
 * them. The one that asks stays, for the answer is stored in it; its own files go. It says what is gone and not how much of it
 * went: repeated after a crash it would find nothing, and what it says is what is stored and answered.
 */
export async function forgetEverything({ store, key }: ToolContext): Promise<ToolResult> {
  const { appName, userId, sessionId } = key
  const user = { appName, userId }
  let cursor: string | undefined
  do {
    const page = await store.sessions.list({ ...user, orderBy: 'createdAt', ...(cursor !== undefined && { cursor }) })
    for (const one of page.items) if (one.sessionId !== sessionId) await store.sessions.delete(one)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  if (store.capabilities.artifacts === 'yes')
    for (let items = await filesOf(); items.length > 0; items = await filesOf())
      for (const one of items) await store.artifacts.delete(one)
  if (store.capabilities.memories === 'yes') await store.memories.delete({ ...user, all: true })
  return { deleted: ['conversations', 'notes', 'files'] }

  async function filesOf() {
    const { items } = await store.artifacts.list(key)
    return items.map(({ name }) => ({ ...key, name }))
  }
}
