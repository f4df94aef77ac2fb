import { createInMemoryStore, type Store } from '@daybook/core'

/** A store of its own: enough to see that the other process starts, answers and ends. */
export const openWorkerStore = async (args: unknown): Promise<Store> => {
  if (args !== 'memory') throw new Error(`unexpected ${String(args)}`)
  return createInMemoryStore()
}
