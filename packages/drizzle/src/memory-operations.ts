import {
  checkedId,
  checkedOptions,
  checkedScope,
  memoryAddRequest,
  memoryDeleteRequest,
  memoryListRequest,
  memorySearchRequest,
  type AddedMemories,
  type CallOptions,
  type FoundMemory,
  type Memory,
  type MemoryDeleteRequest,
  type MemoryDeletionReport,
  type Page,
} from '@daybook/core'
import type { MemoryScripts } from './memories.ts'
import { reading, writing, type Operation, type Parts, type Prepared } from './operation.ts'

/** The methods of `store.memories`. */
export interface MemoryOperations {
  readonly add: (scope: unknown, source: unknown, options?: CallOptions) => Operation<AddedMemories>
  readonly get: (scope: unknown, id: unknown, options?: CallOptions) => Operation<Memory | undefined>
  readonly list: (query: CallOptions) => Operation<Page<Memory>>
  readonly search: (query: CallOptions) => Operation<{ readonly items: readonly FoundMemory[] }>
  readonly delete: (query: CallOptions) => Operation<MemoryDeletionReport>
}

export function createMemoryOperations(parts: Parts, scripts: MemoryScripts): MemoryOperations {
  const { limits, micros } = parts

  function prepareDelete(request: MemoryDeleteRequest): Prepared<MemoryDeletionReport> {
    if (request.dryRun) return { script: (tx) => scripts.deleteCount(tx, request), onlyReads: true }
    return {
      script: (tx) => scripts.deleteChunk(tx, request),
      chunks: {
        isLast: ({ memories }) => memories < request.chunk,
        add: (sum, { memories }) => ({ memories: sum.memories + memories, dryRun: false }),
      },
    }
  }

  return {
    add: (scope, source, options) =>
      writing(
        'memories.add',
        options,
        () => memoryAddRequest(scope, source, options, parts),
        (request) => ({
          script: (tx) => scripts.add(tx, request, micros()),
          generated: { memoryIds: request.generated },
        }),
      ),
    get: (scope, id, options) =>
      reading(
        'memories.get',
        options,
        () => {
          checkedOptions(options, [])
          return { scope: checkedScope(scope, limits), id: checkedId(id, 'id', limits) }
        },
        (request) => ({ script: (tx) => scripts.get(tx, request.scope, request.id) }),
      ),
    list: (query) =>
      reading(
        'memories.list',
        query,
        () => memoryListRequest(query, limits),
        (request) => ({ script: (tx) => scripts.list(tx, request) }),
      ),
    search: (query) =>
      reading(
        'memories.search',
        query,
        () => memorySearchRequest(query, parts),
        (request) => ({
          *script(tx) {
            return { items: yield* scripts.search(tx, request) }
          },
        }),
      ),
    delete: (query) => writing('memories.delete', query, () => memoryDeleteRequest(query, parts), prepareDelete),
  }
}
