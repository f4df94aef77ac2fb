import { checkCompared, distanceSlack, likeness, type Limits, type MemorySearchRequest } from '@daybook/core'
import { sql, type SQL } from 'drizzle-orm'
import type { Dialect, Params, Row, Tx } from './dialect.ts'
import type { VectorDistance } from './search.ts'
import type { Script } from './script.ts'
import { param, selected, variants } from './statements.ts'

/** A memory by what it is known by, and the cosine of its embedding and the one that was given. */
export interface Alike {
  readonly mid: string
  readonly id: string
  readonly userId: string
  readonly time: bigint
  readonly score: number
  /** What the memory says, where it came along. */
  readonly row?: Row
}

/** The memories that are most alike, the best first: as many as were asked for, or more. `isAll`: nothing but them is asked for. */
export type LikenessLookup = (
  tx: Tx,
  request: MemorySearchRequest,
  embedding: readonly number[],
  wanted: { readonly atLeast: number; readonly isAll: boolean },
) => Script<readonly Alike[]>

interface Parts {
  readonly dialect: Dialect
  readonly limits: Limits
  /** What a memory says. */
  readonly bodies: Readonly<Record<string, SQL>>
  /** The condition of a variant that names whose memories are searched, and its values. */
  readonly inScopes: (variant: string) => SQL
  readonly scopesOf: (request: MemorySearchRequest) => { readonly variant: string; readonly params: Params }
}

/** Nearer than anything: what a database cannot tell of comes along, and is compared here. */
const untold = -1

/** What is asked for besides, so that one look will do even where several are about as alike as the last. */
const spare = 32

/**
 * By a distance that the database computes, or by all embeddings of the scopes, as many as one search may compare. Either way
 * the score is computed here, exactly: a database rounds each of its sums, by which it decides what to send, but not the order.
 */
export function createLikenessLookup({ dialect, limits, bodies, inScopes, scopesOf }: Parts): LikenessLookup {
  const { expressions, search, tables } = dialect
  const { embeddings } = search
  const { memories } = tables
  const columns = {
    mid: expressions.wholeText(memories.mid),
    embedding: embeddings.selected(memories.embedding),
    timestamp: expressions.wholeText(memories.timestamp),
    memoryId: memories.memoryId,
    userId: memories.userId,
  }
  const embedded = (variant: string) => sql`${inScopes(variant)} and ${memories.embedding} is not null`

  const all = variants((variant) => ({
    sql: sql`select ${selected(columns)} from ${memories} where ${embedded(variant)} limit ${param('limit')}`,
    isFollowed: true as const,
  }))

  /**
   * Rows of one distance are in the order of the answer, since embeddings that are the same have one. How many numbers they have is
   * asked twice: others would be sent as if they were near or far, and a database may compute what it selects before it filters.
   */
  const nearest = (distance: VectorDistance, dimensions: number) =>
    variants((variant) => {
      const hasBodies = variant.includes('bodies')
      const isComparable = embeddings.hasDimensions(memories.embedding, dimensions)
      const apart = sql`case when ${isComparable} then coalesce(${distance.sql(memories.embedding, param('embedding'))}, ${sql.raw(String(untold))}) end`
      const found = sql`select ${memories.mid} as mid, ${apart} as distance from ${memories} where ${embedded(variant)} and ${isComparable}
        order by distance, ${memories.timestamp} desc, ${memories.memoryId}, ${memories.userId} limit ${param('limit')}`
      return {
        sql: expressions.selectEach(
          { ...columns, ...(hasBodies && bodies), distance: sql`found.distance` },
          sql`(${found}) as found`,
          memories,
          sql`${memories.mid} = found.mid`,
        ),
        ...(!hasBodies && { isFollowed: true as const }),
      }
    })
  const nearestOf = new Map<number, ReturnType<typeof nearest>>()

  function* compared(tx: Tx, request: MemorySearchRequest): Script<readonly Row[]> {
    const { variant, params } = scopesOf(request)
    const rows = yield* tx.rows(all(variant), { ...params, limit: limits.embeddingsCompared + 1 })
    checkCompared(limits, rows.length)
    return rows
  }

  /** So many that nothing which was left out can be among the first `atLeast`. */
  function* chosen(
    tx: Tx,
    request: MemorySearchRequest,
    embedding: readonly number[],
    { atLeast, isAll }: Parameters<LikenessLookup>[3],
    distance: VectorDistance,
  ): Script<readonly Row[]> {
    const { variant, params } = scopesOf(request)
    const statement = nearestOf.get(embedding.length) ?? nearest(distance, embedding.length)
    nearestOf.set(embedding.length, statement)
    const values = { ...params, embedding: distance.value(embedding) }
    const first = atLeast + spare
    for (let limit = first; ; limit = Math.min(limit * 8, limits.embeddingsCompared + 1)) {
      const hasBodies = isAll && limit === first // of ever more, only a few of which are the answer, they are read afterwards
      const rows = yield* tx.rows(statement(`${variant}${hasBodies ? '|bodies' : ''}`), { ...values, limit })
      if (rows.length < limit) return rows
      const distances = rows.map((row) => Number(row['distance'])).toSorted((a, b) => a - b)
      const told = distances.filter((one) => one > untold)
      const beyond = (told[atLeast - 1] ?? Infinity) + distanceSlack(embedding.length)
      const close = distances.filter((one) => one <= beyond).length
      if (close < limit) return rows
      checkCompared(limits, close, 'are about as alike as the last one')
    }
  }

  return function* lookup(tx, request, embedding, wanted) {
    const { distance } = embeddings
    const rows =
      distance === undefined ? yield* compared(tx, request) : yield* chosen(tx, request, embedding, wanted, distance)
    return rows
      .flatMap((row): Alike[] => {
        const stored = embeddings.numbers(row['embedding'])
        if (stored.length !== embedding.length) return []
        const alike = { ...keyOf(row), score: likeness(stored, embedding) }
        return ['payload' in row ? { ...alike, row } : alike]
      })
      .toSorted(bestFirst)
  }
}

export const keyOf = (row: Row): Omit<Alike, 'score'> => ({
  mid: String(row['mid']),
  id: String(row['memoryId']),
  userId: String(row['userId']),
  time: BigInt(String(row['timestamp'])),
})

export function bestFirst(a: Alike, b: Alike): number {
  if (a.score !== b.score) return b.score - a.score
  if (a.time !== b.time) return a.time > b.time ? -1 : 1
  return (
    Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)) || Buffer.compare(Buffer.from(a.userId), Buffer.from(b.userId))
  )
}
