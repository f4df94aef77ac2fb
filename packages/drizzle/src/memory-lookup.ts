import {
  checkCompared,
  fusedScores,
  likeness,
  mostCompared,
  placesSearched,
  type FoundMemory,
  type MemorySearchRequest,
} from '@daybook/core'
import { sql } from 'drizzle-orm'
import type { Params, Row, Tx } from './dialect.ts'
import { embeddingOf, type MemoryRows } from './memory-rows.ts'
import type { Parts } from './operation.ts'
import type { Script } from './script.ts'
import { param, selected, variants } from './statements.ts'

/** `memories.search` as a script: by words in one statement; by likeness the embeddings are compared here, and not by the database. */
export type MemoryLookup = (tx: Tx, request: MemorySearchRequest) => Script<readonly FoundMemory[]>

export function createMemoryLookup({ dialect }: Pick<Parts, 'dialect'>, rows: MemoryRows): MemoryLookup {
  const { expressions, search, tables } = dialect
  const { memories, memoryWords } = tables
  const { isScope, columns } = rows
  const mid = expressions.wholeText(memories.mid)
  const isMid = search.isOneOf(memories.mid, param('mids'))
  const bodies = { sql: sql`select ${selected({ ...columns, mid })} from ${memories} where ${isMid}` }

  const inScopes = (shared: boolean) =>
    shared
      ? sql`${memories.appName} = ${param('appName')} and ${memories.userId} in (${param('userId')}, ${param('sharedId')})`
      : isScope
  const best = sql`order by found.hits desc, found.timestamp desc, found.memory_id, found.user_id`
  /** The best by words: their keys and how many words they have; with `bodies` what they say, too. */
  const byWords = variants((variant) => {
    const hits = sql`select ${memoryWords.mid} as mid, count(*) as hits from ${memoryWords}
      where ${search.isOneOf(memoryWords.word, param('words'))} group by ${memoryWords.mid}`
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
  const embedded = variants((variant) => ({
    sql: sql`select ${selected({ mid, embedding: memories.embedding, timestamp: expressions.wholeText(memories.timestamp), memoryId: memories.memoryId, userId: memories.userId })}
      from ${memories} where ${inScopes(variant.includes('shared'))} and ${memories.embedding} is not null limit ${param('limit')}`,
  }))

  function* foundByWords(tx: Tx, request: MemorySearchRequest, limit: number): Script<readonly Row[]> {
    const { appName, userIds, words = [] } = request
    if (words.length === 0 || limit === 0) return []
    const { variant, params } = scopesOf(request)
    return yield* tx.rows(byWords(variant), { ...params, words: rows.numbersOf(words, appName, userIds), limit })
  }

  function* foundByLikeness(
    tx: Tx,
    request: MemorySearchRequest,
    embedding: readonly number[],
  ): Script<readonly Alike[]> {
    const { variant, params } = scopesOf(request)
    const found = yield* tx.rows(embedded(variant), { ...params, limit: mostCompared + 1 })
    checkCompared(found.length)
    return found
      .flatMap((row): Alike[] => {
        const stored = embeddingOf(row['embedding'])
        return stored.length === embedding.length ? [{ ...keyOf(row), score: likeness(stored, embedding) }] : []
      })
      .toSorted(bestFirst)
  }

  function* fused(tx: Tx, request: MemorySearchRequest, embedding: readonly number[]): Script<readonly FoundMemory[]> {
    const alike = yield* foundByLikeness(tx, request, embedding)
    const most = placesSearched(request.limit)
    const worded = (yield* foundByWords(tx, request, most)).map((row) => ({ ...keyOf(row), score: 0 }))
    const keys = new Map([...alike, ...worded].map((one) => [one.mid, one]))
    const scores =
      request.words === undefined
        ? new Map(alike.map(({ mid: own, score }) => [own, score]))
        : fusedScores([worded, alike.slice(0, most)].map((list) => list.map(({ mid: own }) => own)))
    const chosen = [...scores]
      .flatMap(([own, score]) => ({ ...(keys.get(own) ?? nobody), score }))
      .toSorted(bestFirst)
      .slice(0, request.limit)
    if (chosen.length === 0) return []
    const read = yield* tx.rows(bodies, { mids: `[${chosen.map(({ mid: own }) => own).join(',')}]` })
    const byMid = new Map(read.map((row) => [String(row['mid']), row]))
    return chosen.flatMap(({ mid: own, score }) => {
      const row = byMid.get(own)
      return row === undefined ? [] : [{ ...rows.memoryOf(row), score }]
    })
  }

  return function* lookup(tx, request) {
    const { embedding, words = [], limit } = request
    if (embedding !== undefined) return yield* fused(tx, request, embedding)
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

interface Alike {
  readonly mid: string
  readonly id: string
  readonly userId: string
  readonly time: bigint
  readonly score: number
}

const nobody = { mid: '', id: '', userId: '', time: 0n }

const keyOf = (row: Row): Omit<Alike, 'score'> => ({
  mid: String(row['mid']),
  id: String(row['memoryId']),
  userId: String(row['userId']),
  time: BigInt(String(row['timestamp'])),
})

function bestFirst(a: Alike, b: Alike): number {
  if (a.score !== b.score) return b.score - a.score
  if (a.time !== b.time) return a.time > b.time ? -1 : 1
  return (
    Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)) || Buffer.compare(Buffer.from(a.userId), Buffer.from(b.userId))
  )
}
