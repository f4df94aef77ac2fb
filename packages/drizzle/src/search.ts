import type { SQL, SQLWrapper } from 'drizzle-orm'
import type { Value } from './dialect.ts'

/** How embeddings are kept, and compared by a database that can. As a text they are in lists and parameters. */
export interface Embeddings {
  text(numbers: readonly number[]): string
  /** Such a text as what the column holds. */
  stored(text: SQLWrapper): SQL
  /** The column, to be selected for {@link Embeddings.numbers}. */
  selected(column: SQLWrapper): SQL
  numbers(selected: unknown): Float32Array
  /** The column has so many numbers. */
  hasDimensions(column: SQLWrapper, dimensions: number): SQL
  /** Absent where the database cannot tell, which may turn out after the dialect was made, as it is opened. */
  readonly distance?: VectorDistance | undefined
}

/** How a database tells how far apart two embeddings of one length are: one less their cosine, computed with floats of 32 bits at least. */
export interface VectorDistance {
  /** An embedding, to be bound. */
  value(numbers: readonly number[]): Value
  /** NULL where it cannot tell: products of an embedding that was stored unscaled may all be 0. */
  sql(column: SQLWrapper, value: SQLWrapper): SQL
}

/** How lists that are bound as JSON text become rows, for memories and their words. */
export interface MemorySearch {
  readonly embeddings: Embeddings
  /** `… as entry` for a FROM: a row with a column for each member of the objects in a list. A text that is absent is NULL. */
  entries(list: SQLWrapper): SQL
  /** The payload of such an entry, as the type of its column. */
  payload(text: SQLWrapper): SQL
  /**
   * `… as entry` for a FROM: a row of `mid` and `word` for each number in `words` of the objects in a list; `midOf` says what the
   * `mid` of such an object is by its `id`.
   */
  words(list: SQLWrapper, midOf: (id: SQL) => SQL): SQL
}
