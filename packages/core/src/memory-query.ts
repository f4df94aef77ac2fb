import {
  checkedChoice,
  checkedCount,
  checkedFlag,
  checkedId,
  checkedOptionalText,
  checkedOptions,
  checkedRecord,
} from './arguments.ts'
import { checkedEmbedding } from './embeddings.ts'
import type { Limits } from './limits.ts'
import { pageNames, pageRequest, type PageRequest } from './list-request.ts'
import { unsupported } from './refusals.ts'
import { queryWords } from './search-words.ts'
import { checkedTimestamp } from './time.ts'
import { checkedScope, invalid, type CheckedScope, type MemoryContext } from './memory-request.ts'

export interface MemorySearchRequest {
  readonly appName: string
  /** Whose memories are searched. */
  readonly userIds: readonly string[]
  /** `undefined` where no words were given. */
  readonly words: readonly string[] | undefined
  readonly embedding: readonly number[] | undefined
  readonly limit: number
}

const defaultFound = 20

/** How many of the best by words, and of the best by likeness, are put together as one list. */
export const placesSearched = (limit: number): number => Math.max(limit, 100)

export function memorySearchRequest(query: unknown, context: MemoryContext): MemorySearchRequest {
  const { limits, embeddingDimensions } = context
  const names = ['appName', 'userId', 'query', 'embedding', 'scope', 'limit'] as const
  const given = checkedOptions(checkedRecord(query, 'query'), names, 'query')
  const { appName, userId } = checkedScope(given, limits, 'query')
  if (given.query === undefined && given.embedding === undefined)
    throw invalid('query', 'has neither query nor embedding')
  if (given.embedding !== undefined && embeddingDimensions === undefined)
    throw unsupported('vectorSearch', 'searches by likeness')
  const scope = given.scope === undefined ? 'all' : checkedChoice(given.scope, 'scope', ['all', 'user'])
  if (scope === 'user' && userId === '') throw invalid('scope', 'is user, and there is no userId')
  const text = checkedOptionalText(given.query, 'query')
  return {
    appName,
    userIds: userId === '' ? [''] : scope === 'user' ? [userId] : ['', userId],
    words: text === undefined ? undefined : queryWords(text),
    embedding:
      given.embedding === undefined
        ? undefined
        : checkedEmbedding(given.embedding, 'embedding', embeddingDimensions ?? 0),
    limit: checkedCount(given.limit ?? Math.min(defaultFound, limits.pageMax), 'limit', { max: limits.pageMax }),
  }
}

export interface MemoryListRequest extends PageRequest {
  readonly scope: CheckedScope
  readonly sessionId: string | undefined
}

export function memoryListRequest(query: unknown, limits: Limits): MemoryListRequest {
  const names = ['appName', 'userId', 'sessionId', 'direction', ...pageNames] as const
  const given = checkedOptions(checkedRecord(query, 'query'), names, 'query')
  const scope = checkedScope(given, limits, 'query')
  const sessionId = given.sessionId === undefined ? undefined : checkedId(given.sessionId, 'sessionId', limits)
  const direction = checkedChoice(given.direction ?? 'desc', 'direction', ['asc', 'desc'])
  const binding = { list: 'memories', ...scope, sessionId: sessionId ?? null, direction }
  return { scope, sessionId, ...pageRequest(given, { direction, binding, limits, shape: ['number', 'text'] }) }
}

export interface MemoryDeleteRequest {
  readonly appName: string
  /** `undefined`: of every user, and of the app itself. */
  readonly userId: string | undefined
  readonly id: string | undefined
  readonly sessionId: string | undefined
  readonly before: number | undefined
  readonly dryRun: boolean
  readonly chunk: number
}

export function memoryDeleteRequest(query: unknown, { limits }: { readonly limits: Limits }): MemoryDeleteRequest {
  const names = ['appName', 'userId', 'id', 'sessionId', 'before', 'all', 'everyScope', 'dryRun', 'chunk'] as const
  const given = checkedOptions(checkedRecord(query, 'query'), names, 'query')
  const scope = checkedScope(given, limits, 'query')
  const [all, everyScope] = [checkedFlag(given.all, 'all'), checkedFlag(given.everyScope, 'everyScope')]
  const id = given.id === undefined ? undefined : checkedId(given.id, 'id', limits)
  const sessionId = given.sessionId === undefined ? undefined : checkedId(given.sessionId, 'sessionId', limits)
  const before = given.before === undefined ? undefined : checkedTimestamp(given.before, 'before')
  const isNarrow = id !== undefined || sessionId !== undefined || before !== undefined
  if (!isNarrow && !all) throw invalid('query', 'names nothing to delete: give id, sessionId or before, or all: true')
  if (isNarrow && all) throw invalid('all', 'goes with nothing that narrows it')
  if (everyScope && (before === undefined || id !== undefined || sessionId !== undefined || scope.userId !== ''))
    throw invalid('everyScope', 'goes with before alone')
  return {
    appName: scope.appName,
    userId: everyScope ? undefined : scope.userId,
    id,
    sessionId,
    before,
    dryRun: checkedFlag(given.dryRun, 'dryRun'),
    chunk: checkedCount(given.chunk ?? 500, 'chunk', { min: 1, max: 10_000 }),
  }
}
