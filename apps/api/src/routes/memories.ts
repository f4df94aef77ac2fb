import { StoreError } from '@daybook/core'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { UserParams } from '../schemas/key.ts'
import { Memory, MemoryParams, MemoryQuery } from '../schemas/memory.ts'
import { PageOf } from '../schemas/page.ts'

const memories = '/apps/:appName/users/:userId/memories'
const tags = ['memories']

export const memoryRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const listed = {
    tags,
    summary: 'The memories of a user, newest first, or those that fit a query best',
    params: UserParams,
    querystring: MemoryQuery,
    response: { 200: PageOf(Memory) },
  }
  app.get(memories, { schema: listed }, async ({ params, query: { query, ...page } }) => {
    if (query === undefined) {
      const { items, nextCursor = null } = await app.store.memories.list({ ...params, ...page })
      return { items, nextCursor }
    }
    const { limit, cursor, offset } = page
    if (cursor !== undefined || offset !== undefined)
      throw new StoreError('invalid_argument', 'A query answers one page, and takes no cursor and no offset', {
        field: cursor === undefined ? 'offset' : 'cursor',
      })
    const bounded = limit === undefined ? {} : { limit }
    const { items } = await app.store.memories.search({ ...params, scope: 'user', query, ...bounded })
    return { items, nextCursor: null }
  })

  const removed = {
    tags,
    summary: 'Delete a memory; safe to repeat',
    params: MemoryParams,
    response: { 204: Type.Null() },
  }
  app.delete(`${memories}/:memoryId`, { schema: removed }, async ({ params: { memoryId, ...scope } }, reply) => {
    await app.store.memories.delete({ ...scope, id: memoryId })
    reply.code(204)
    return null
  })
}
