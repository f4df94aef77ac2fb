import type { Embeddings, MemorySearch } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { arrayText, type Vectors } from './vectors.ts'

/**
 * Numbers, since pgvector takes an array of them, and no bytes. They are read as the server would send them: as a text they would take
 * as much, and be rounded where `extra_float_digits` says so.
 */
const embeddings: Embeddings = {
  text: arrayText,
  stored: (text) => sql`${text}::real[]`,
  selected: (column) => sql`encode(array_send(${column}), 'base64')`,
  numbers(text) {
    const bytes = Buffer.from(String(text), 'base64')
    const count = (bytes.length - arrayHeader) / arrayElement
    return Float32Array.from({ length: count }, (_, i) =>
      bytes.readFloatBE(arrayHeader + i * arrayElement + elementHeader),
    )
  },
  hasDimensions: (column, dimensions) => sql`cardinality(${column}) = ${sql.raw(String(dimensions))}`,
}

/** Bytes of an array of one dimension on the wire, before its elements, and of an element with the length before it. */
const [arrayHeader, arrayElement, elementHeader] = [20, 8, 4]

/** Lists of memories and words, by PostgreSQL's functions of JSON. */
export const searchWith = (vectors: Vectors): MemorySearch => ({
  embeddings: {
    ...embeddings,
    get distance() {
      return vectors.distance
    },
  },
  entries: (list) =>
    sql`json_to_recordset(${list}::text::json) as entry("memoryId" text, "sessionId" text, "eventId" text, "author" text, "timestamp" bigint,
      "payload" text, "digest" text, "embedding" text, "createdAt" bigint, "updatedAt" bigint)`,
  payload: (text) => sql`${text}::json`,
  // OFFSET keeps it a subquery of its own. Merged into the outer one it would be asked for each word, and not for each memory.
  words: (list, midOf) =>
    sql`(select one.mid, word.value::bigint as word
      from (select ${midOf(sql`given.id`)} as mid, given.words from json_to_recordset(${list}::text::json) as given(id text, words json) offset 0) as one,
      json_array_elements_text(one.words) as word) as entry`,
})
