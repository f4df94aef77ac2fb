import { createInMemoryDatabase, createInMemoryStore, type StoreOptions } from '@daybook/core'
import type { OpenOptions, Place } from './define.ts'

/** What a store in memory knows of the options of an opening. */
const storeOptions = ({ now, timeout, logger, limits, embeddingDimensions }: OpenOptions = {}): StoreOptions => ({
  ...(now !== undefined && { now }),
  ...(timeout !== undefined && { timeout }),
  ...(logger !== undefined && { logger }),
  ...(limits !== undefined && { limits }),
  ...(embeddingDimensions !== undefined && { embeddingDimensions }),
})

/** A place of the reference store: the control, which the checks that kill mutants have to let pass. */
export async function referencePlace(): Promise<Place> {
  const database = createInMemoryDatabase()
  return {
    open: async (options) => createInMemoryStore({ database, ...storeOptions(options) }),
    lacks: ['roles', 'pool', 'schema', 'locks', 'network', 'storage', 'refusals', 'opening'],
    destroy: async () => {},
  }
}
