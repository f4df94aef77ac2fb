import type { MemoryQuery, MemoryScope, NewMemory, Store } from '@daybook/core'
import type { Ctx } from '../context.ts'

export const ann = (ctx: Ctx): Required<MemoryScope> => ({ appName: ctx.app, userId: 'ann' })

/** The ids that a search finds, in its order. */
export const foundBy = async (store: Store, query: MemoryQuery): Promise<string[]> =>
  (await store.memories.search(query)).items.map(({ id }) => id)

export const text = (id: string, words: string, more: NewMemory = {}): NewMemory => ({
  id,
  text: words,
  timestamp: 1,
  ...more,
})
