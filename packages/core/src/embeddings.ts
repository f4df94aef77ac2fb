import { StoreError } from './errors.ts'
import { reading } from './json.ts'
import type { Limits } from './limits.ts'

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })

/** The most numbers that an embedding may have: what pgvector takes. */
const mostDimensions = 16_000

/** `limit_exceeded` for a search that would have to compare more embeddings than its store may. */
export function checkCompared(limits: Limits, count: number, which = 'have an embedding'): void {
  const limit = limits.embeddingsCompared
  if (count <= limit) return
  const what = `more than ${limit} memories ${which}, and so many can be compared`
  throw new StoreError('limit_exceeded', what, { field: 'embedding', limit, actual: count })
}

/**
 * An embedding as it is stored: so many numbers, each a float of 32 bits, and not all of them 0. Only its direction counts, so
 * it is scaled by a power of two: squares of numbers near 1 stay within 32 bits, too, in which databases multiply. No number loses a
 * bit by that, but those less than the greatest by more than 2^126, which are too small to be told from 0 in any sum.
 */
export function checkedEmbedding(value: unknown, field: string, dimensions: number): number[] {
  const checked = <List extends { readonly length: number }>(list: List): List => {
    if (list.length === dimensions) return list
    throw invalid(field, `has ${list.length} numbers, and must have ${dimensions}`)
  }
  // The length first, which may be any; and of the copy, since a proxy may say another one.
  const numbers = reading(field, () =>
    Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array
      ? checked(Array.from<unknown>(checked(value)))
      : undefined,
  )
  if (numbers === undefined) throw invalid(field, 'must be a list of numbers')
  const floats = numbers.map((number, i) => {
    const float = typeof number === 'number' ? Math.fround(number) : Number.NaN
    if (!Number.isFinite(float)) throw invalid(`${field}[${i}]`, 'must be a finite number that fits into 32 bits')
    return float === 0 ? 0 : float
  })
  const greatest = floats.reduce((most, float) => Math.max(most, Math.abs(float)), 0)
  if (greatest === 0) throw invalid(field, 'is 0 everywhere, and has no direction')
  const scale = 2 ** -Math.floor(Math.log2(greatest))
  return floats.map((float) => Math.fround(float * scale))
}

/**
 * How far apart two distances that a database computed may be, and still be those of embeddings in either order: it adds up
 * floats of 32 bits, each product and each sum of which is rounded. Of a distance that is off by at most half of this.
 */
export const distanceSlack = (dimensions: number): number => (dimensions + 8) * 2 ** -22

/** The option `embeddingDimensions`. */
export function checkedDimensions(value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= mostDimensions) return value
  throw invalid('embeddingDimensions', `must be a whole number from 1 to ${mostDimensions}`)
}

/**
 * How alike two embeddings are: the cosine of the angle between them, from -1 to 1.
 *
 * @example
 * ```ts
 * import { likeness } from '@daybook/core'
 *
 * console.log(likeness([1, 0], [2, 0]), likeness([1, 0], [0, 3])) // 1 0
 * ```
 */
export function likeness(a: readonly number[] | Float32Array, b: readonly number[] | Float32Array): number {
  let [dot, ofA, ofB] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0]
    dot += x * y
    ofA += x * x
    ofB += y * y
  }
  return dot / Math.sqrt(ofA * ofB)
}

/** By how much the first places of a list count more than the later ones, as others that fuse ranks have it. */
const calm = 60

/** Two lists as one: what is far in front in either is in front. Both lists are the best first. */
export function fusedScores<Key>(lists: readonly (readonly Key[])[]): Map<Key, number> {
  const scores = new Map<Key, number>()
  for (const list of lists)
    for (const [i, key] of list.entries()) scores.set(key, (scores.get(key) ?? 0) + 1 / (calm + i + 1))
  return scores
}
