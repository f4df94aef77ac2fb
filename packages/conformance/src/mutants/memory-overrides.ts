import type { FoundMemory, MemoryQuery, MemoryScope, NewMemory, Store } from '@daybook/core'
import { wrapStore, type Overrides } from '../wrap.ts'

type Memories = NonNullable<Overrides['memories']>

export const broken = (store: Store, memories: Memories): Store => wrapStore(store, { memories })

export const searching = (
  store: Store,
  spoil: (query: MemoryQuery) => MemoryQuery,
  then: (
    items: readonly FoundMemory[],
    query: MemoryQuery,
  ) => readonly FoundMemory[] | Promise<readonly FoundMemory[]> = (items) => items,
): Store =>
  broken(store, {
    search: async (query) => ({ items: await then((await store.memories.search(spoil(query))).items, query) }),
  })

export const scopeOf = ({ appName, userId }: MemoryQuery): MemoryScope => ({
  appName,
  ...(userId !== undefined && { userId }),
})

export const isList = (source: unknown): source is readonly NewMemory[] => Array.isArray(source)

export const isEntry = (source: unknown): source is NewMemory =>
  typeof source === 'object' && source !== null && !('session' in source) && !('events' in source)

/** The store with every entry spoilt that is given by hand. */
export const adding = (store: Store, spoil: (entry: NewMemory) => NewMemory): Store =>
  broken(store, {
    add: (scope, source, options) =>
      store.memories.add(
        scope,
        isList(source) ? source.map((one) => spoil(one)) : isEntry(source) ? spoil(source) : source,
        options,
      ),
  })

/** The parts of a content; none where it has no such thing. */
export const partsOf = (content: unknown): readonly unknown[] => {
  const parts: unknown = typeof content === 'object' && content !== null ? Reflect.get(content, 'parts') : undefined
  return Array.isArray(parts) ? parts : []
}
