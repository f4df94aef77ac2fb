import { fusedScores, placesSearched, type FoundMemory, type MemorySearchRequest } from '@daybook/core'
import { sql } from 'drizzle-orm'
import type { Params, Row, Tx } from './dialect.ts'
import { bestFirst, createLikenessLookup, keyOf, type Alike } from './memory-likeness.ts'
import type { MemoryRows } from './memory-rows.ts'
import type { Parts } from './operation.ts'
import type { Script } from './script.ts'
import { param, selected, variants } from './statements.ts'

/** `memories.search` as a script: in one statement by words, and by likeness where the database tells how alike; by both in three. */
export type MemoryLookup = (tx: Tx, request: MemorySearchRequest) => Script<readonly FoundMemory[]>

export function createMemoryLookup(
  { dialect, limits }: Pick<Parts, 'dialect' | 'limits'>,
  rows: MemoryRows,
): MemoryLookup {
  const { expressions, tables } = dialect
  const { memories, memoryWords } = tables
  const { isScope, columns } = rows
  const mid = expressions.wholeText(memories.mid)
  const isMid = expressions.isOneOf(memories.mid, param('mids'))
  const bodies = { sql: sql`select ${selected({ ...columns, mid })} from ${memories} where ${isMid}` }

  const inScopes = (shared: boolean) =>
    shared
      ? sql`${memories.appName} = ${param('appName')} and ${memories.userId} in (${param('userId')}, ${param('sharedId')})`
      : isScope
  const best = sql`order by found.hits desc, found.timestamp desc, found.memory_id, found.user_id`
  /** The best by words: their keys and how many words they have; with `bodies` what they say, too. */
  const byWords = variants((variant) => {
    // Not by the column itself: SQLite, told by old statistics that there are few words, would walk all of them in its order.
    const own = sql`${memoryWords.mid} + 0`
    const hits = sql`select ${own} as mid, count(*) as hits from ${memoryWords}
      where ${expressions.isOneOf(memoryWords.word, param('words'))} group by ${own}`
    // The rows are found by their keys, and only then are they read: a server may lack the room to sort rows with a document.
    const key = {
      mid: memories.mid,
      hits: sql`hit.hits`,
      timestamp: memories.timestamp,
      memory_id: memories.memoryId,
      user_id: memories.userId,
      app_name: memories.appName,
    }
    const each = expressions.selectEach(key, sql`(${hits}) as hit`, memories, sql`${memories.mid} = hit.mid`)
    const users = variant.includes('shared')
      ? sql`(${param('userId')}, ${param('sharedId')})`
      : sql`(${param('userId')})`
    // Whose they are is asked of what is found: the app's own index must not look like a way to find it.
    const found = sql`select one.* from (${each}) as one where one.app_name = ${param('appName')} and one.user_id in ${users}
      order by one.hits desc, one.timestamp desc, one.memory_id, one.user_id limit ${param('limit')}`
    const body = { ...columns, mid, hits: sql`found.hits` }
    return {
      sql: sql`${expressions.selectEach(body, sql`(${found}) as found`, memories, sql`${memories.mid} = found.mid`)} ${best}`,
    }
  })
  const alikeTo = createLikenessLookup({
    dialect,
    limits,
    bodies: columns,
    scopesOf,
    inScopes: (variant) => inScopes(variant.includes('shared')),
  })

  function* foundByWords(tx: Tx, request: MemorySearchRequest, limit: number): Script<readonly Row[]> {
    const { appName, userIds, words = [] } = request
    if (words.length === 0) return []
    const { variant, params } = scopesOf(request)
    return yield* tx.rows(byWords(variant), { ...params, words: rows.numbersOf(words, appName, userIds), limit })
  }

  function* byLikeness(
    tx: Tx,
    request: MemorySearchRequest,
    embedding: readonly number[],
  ): Script<readonly FoundMemory[]> {
    const { limit } = request
    const alike = yield* alikeTo(tx, request, embedding, { atLeast: limit, isAll: true })
    return yield* told(tx, alike.slice(0, limit))
  }

  function* fused(tx: Tx, request: MemorySearchRequest, embedding: readonly number[]): Script<readonly FoundMemory[]> {
    const { limit } = request
    const most = placesSearched(limit)
    const alike = (yield* alikeTo(tx, request, embedding, { atLeast: most, isAll: false })).slice(0, most)
    const worded = (yield* foundByWords(tx, request, most)).map((row) => ({ ...keyOf(row), score: 0 }))
    const keys = new Map([...alike, ...worded].map((one) => [one.mid, one]))
    const scores = fusedScores([worded, alike].map((list) => list.map(({ mid: own }) => own)))
    const chosen = [...keys.values()].map((one) => ({ ...one, score: scores.get(one.mid) ?? 0 })).toSorted(bestFirst)
    return yield* told(tx, chosen.slice(0, limit))
  }

  /** With what they say, which is read where it has not come along. */
  function* told(tx: Tx, chosen: readonly Alike[]): Script<readonly FoundMemory[]> {
    const silent = chosen.filter(({ row }) => row === undefined)
    const mids = { mids: `[${silent.map(({ mid: own }) => own).join(',')}]` }
    const read = silent.length === 0 ? [] : yield* tx.rows(bodies, mids)
    const byMid = new Map(read.map((row) => [String(row['mid']), row]))
    return chosen.flatMap(({ mid: own, row = byMid.get(own), score }) =>
      row === undefined ? [] : [{ ...rows.memoryOf(row), score }],
    )
  }

  return function* lookup(tx, request) {
    const { embedding, words = [], limit } = request
    if (limit === 0) return []
    if (embedding !== undefined)
      return yield* (request.words === undefined ? byLikeness : fused)(tx, request, embedding)
    const found = yield* foundByWords(tx, request, limit)
    return found.map((row) => ({ ...rows.memoryOf(row), score: Number(row['hits']) / words.length }))
  }
}

const scopesOf = ({ appName, userIds }: MemorySearchRequest): { readonly variant: string; readonly params: Params } => {
  const [first = '', second] = userIds
  return second === undefined
    ? { variant: '', params: { appName, userId: first } }
    : { variant: 'shared', params: { appName, userId: second, sharedId: first } }
}
