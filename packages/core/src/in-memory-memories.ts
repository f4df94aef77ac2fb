import { setImmediate } from 'node:timers/promises'
import { checkedId, checkedOptions } from './arguments.ts'
import type { Call } from './calls.ts'
import { checkCompared, fusedScores, likeness } from './embeddings.ts'
import { findSession, insertMemory, keyText, type InMemoryData, type MemoryRow } from './in-memory-database.ts'
import { compareText } from './in-memory-list.ts'
import { laterOf, type InMemoryContext } from './in-memory-state.ts'
import type { JsonObject } from './json.ts'
import type { Limits } from './limits.ts'
import { pageOf } from './list-request.ts'
import {
  memoryDeleteRequest,
  memoryListRequest,
  memorySearchRequest,
  placesSearched,
  type MemoryDeleteRequest,
  type MemoryListRequest,
  type MemorySearchRequest,
} from './memory-query.ts'
import {
  checkedScope,
  entryOfEvent,
  memoryAddRequest,
  outcomesOf,
  type CheckedScope,
  type MemoryAddRequest,
  type MemoryEntry,
} from './memory-request.ts'
import type { AddedMemories, FoundMemory, Memory, MemoryDeletionReport, MemoryStore } from './memories.ts'
import { noSession } from './refusals.ts'
import type { UserKey } from './sessions.ts'
import { fromMicros, toMicros } from './time.ts'

export function createInMemoryMemories(context: InMemoryContext): MemoryStore {
  const { calls, data, limits } = context
  return {
    add: (scope, source, options) =>
      calls.run('memories.add', options, () => add(memoryAddRequest(scope, source, options, context), context)),
    get: (scope, id, options) =>
      calls.run('memories.get', options, () => {
        checkedOptions(options, [])
        const [checked, key] = [checkedScope(scope, limits), checkedId(id, 'id', limits)]
        const row = data.memories.get(checked.appName)?.get(keyText(checked.userId, key))
        return row && memoryOf(row)
      }),
    list: (query) =>
      calls.run('memories.list', query, () => {
        const request = memoryListRequest(query, limits)
        return pageOf(
          pageRows(data, request),
          request,
          ({ timestamp, id }) => [String(toMicros(timestamp)), id],
          memoryOf,
        )
      }),
    search: (query) =>
      calls.run('memories.search', query, () => ({ items: found(memorySearchRequest(query, context), context) })),
    delete: (query) =>
      calls.run('memories.delete', query, (call) => remove(memoryDeleteRequest(query, context), call, data)),
  }
}

/** What `erase` takes of a user. */
export function deleteMemories({ memories }: InMemoryData, { appName, userId }: UserKey): number {
  const rows = [...(memories.get(appName)?.values() ?? [])].filter((row) => row.userId === userId)
  for (const row of rows) memories.get(appName)?.delete(keyText(userId, row.id))
  return rows.length
}

const rowsOf = ({ memories }: InMemoryData, { appName }: { readonly appName: string }): MemoryRow[] => [
  ...(memories.get(appName)?.values() ?? []),
]

function add(request: MemoryAddRequest, context: InMemoryContext): AddedMemories {
  const { scope, session, metadata } = request
  const { data } = context
  if (session === undefined) return { items: put(scope, request.entries, context), removed: 0 }
  const row = findSession(data, session)
  if (row === undefined) throw noSession(session)
  const entries = row.events.flatMap(({ text }) => {
    const event = JSON.parse(text) as JsonObject & { id: string; timestamp: number } // stored as the text of one
    return entryOfEvent(event, session.sessionId, metadata, context.limits) ?? []
  })
  const kept = new Set(entries.map(({ id }) => id))
  const gone = rowsOf(data, scope).filter(
    ({ userId, sessionId, id }) => userId === scope.userId && sessionId === session.sessionId && !kept.has(id),
  )
  for (const { id } of gone) data.memories.get(scope.appName)?.delete(keyText(scope.userId, id))
  return { items: put(scope, entries, context), removed: gone.length }
}

function put(scope: CheckedScope, entries: readonly MemoryEntry[], context: InMemoryContext): AddedMemories['items'] {
  const { memories } = context.data
  const rowOf = (id: string) => memories.get(scope.appName)?.get(keyText(scope.userId, id))
  const stored = new Map<string, string>()
  for (const { id } of entries) {
    const digest = rowOf(id)?.digest
    if (digest !== undefined) stored.set(id, digest)
  }
  const { items, changed } = outcomesOf(entries, stored)
  for (const entry of changed) {
    const before = rowOf(entry.id)
    const updatedAt = laterOf(before?.updatedAt ?? 0, context)
    const createdAt = before?.createdAt ?? updatedAt
    insertMemory(context.data, { ...scope, ...entry, createdAt, updatedAt })
  }
  return items
}

function memoryOf({ appName, userId, id, timestamp, createdAt, updatedAt, ...row }: MemoryRow): Memory {
  return {
    appName,
    ...(userId !== '' && { userId }),
    id,
    ...(JSON.parse(row.payload) as Pick<Memory, 'content' | 'text' | 'metadata'>), // stored as the text of these
    ...(row.author !== null && { author: row.author }),
    timestamp,
    ...(row.sessionId !== null && { sessionId: row.sessionId }),
    ...(row.eventId !== null && { eventId: row.eventId }),
    createdAt,
    updatedAt,
  }
}

/** The rows of a page and one more, if there is one. */
function pageRows(data: InMemoryData, request: MemoryListRequest): MemoryRow[] {
  const { scope, sessionId, direction, position, offset, limit } = request
  const sign = direction === 'asc' ? 1 : -1
  const compare = (a: Pick<MemoryRow, 'timestamp' | 'id'>, b: Pick<MemoryRow, 'timestamp' | 'id'>) =>
    sign * (a.timestamp - b.timestamp) || compareText(a.id, b.id)
  const [time = 0, id = ''] = position ?? []
  const last = { timestamp: fromMicros(BigInt(time)), id: String(id) }
  return rowsOf(data, scope)
    .filter((row) => row.userId === scope.userId && (sessionId === undefined || row.sessionId === sessionId))
    .filter((row) => position === undefined || compare(row, last) > 0)
    .toSorted(compare)
    .slice(offset, offset + limit + 1)
}

interface Scored {
  readonly row: MemoryRow
  readonly score: number
}

const best = (a: Scored, b: Scored): number =>
  b.score - a.score ||
  b.row.timestamp - a.row.timestamp ||
  compareText(a.row.id, b.row.id) ||
  compareText(a.row.userId, b.row.userId)

function found(request: MemorySearchRequest, { data, limits }: InMemoryContext): FoundMemory[] {
  const { appName, userIds, words, embedding, limit } = request
  const rows = rowsOf(data, { appName }).filter(({ userId }) => userIds.includes(userId))
  const lists: Scored[][] = []
  if (words !== undefined) lists.push(byWords(rows, words))
  if (embedding !== undefined) lists.push(byLikeness(rows, embedding, limits))
  const [first = [], second] = lists
  const scored =
    second === undefined
      ? first
      : [...fusedScores([first, second].map((list) => places(list, limit)))].map(([row, score]) => ({ row, score }))
  return scored
    .toSorted(best)
    .slice(0, limit)
    .map(({ row, score }) => ({ ...memoryOf(row), score }))
}

const places = (list: readonly Scored[], limit: number): MemoryRow[] =>
  list
    .toSorted(best)
    .slice(0, placesSearched(limit))
    .map(({ row }) => row)

const byWords = (rows: readonly MemoryRow[], words: readonly string[]): Scored[] =>
  rows
    .map((row) => {
      const has = new Set(row.words)
      return { row, score: words.filter((word) => has.has(word)).length / words.length }
    })
    .filter(({ score }) => score > 0)

function byLikeness(rows: readonly MemoryRow[], embedding: readonly number[], limits: Limits): Scored[] {
  const embedded = rows.flatMap((row) => (row.embedding === null ? [] : [{ row, stored: row.embedding }]))
  checkCompared(limits, Math.min(embedded.length, limits.embeddingsCompared + 1)) // as a database answers, which reads no more than these
  return embedded
    .filter(({ stored }) => stored.length === embedding.length)
    .map(({ row, stored }) => ({ row, score: likeness(stored, embedding) }))
}

async function remove(request: MemoryDeleteRequest, call: Call, data: InMemoryData): Promise<MemoryDeletionReport> {
  const { appName, userId, id, sessionId, before, dryRun, chunk } = request
  const named = () =>
    rowsOf(data, request).filter(
      (row) =>
        (userId === undefined || row.userId === userId) &&
        (id === undefined || row.id === id) &&
        (sessionId === undefined || row.sessionId === sessionId) &&
        (before === undefined || row.timestamp < before),
    )
  if (dryRun) return { memories: named().length, dryRun }
  let memories = 0
  for (let rows = named().slice(0, chunk); rows.length > 0; rows = named().slice(0, chunk)) {
    for (const row of rows) data.memories.get(appName)?.delete(keyText(row.userId, row.id))
    memories += rows.length
    call.removed({ memories })
    if (rows.length < chunk) break
    call.removed({ memories })
    await setImmediate() // between chunks others have their turn
    call.check()
  }
  return { memories, dryRun }
}
