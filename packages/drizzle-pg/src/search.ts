import type { MemorySearch } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'

// Not a subquery, of which the planner would not know how few rows it has.
const isOneOf: MemorySearch['isOneOf'] = (column, list) =>
  sql`${column} = any(translate(${list}::text, '[]', '{}')::bigint[])`

/** Lists of memories and words, by PostgreSQL's functions of JSON. */
export const search: MemorySearch = {
  entries: (list) =>
    sql`json_to_recordset(${list}::text::json) as entry("memoryId" text, "sessionId" text, "eventId" text, "author" text, "timestamp" bigint,
      "payload" text, "digest" text, "embedding" text, "createdAt" bigint, "updatedAt" bigint)`,
  payload: (text) => sql`${text}::json`,
  // OFFSET keeps it a subquery of its own. Merged into the outer one it would be asked for each word, and not for each memory.
  words: (list, midOf) =>
    sql`(select one.mid, word.value::bigint as word
      from (select ${midOf(sql`given.id`)} as mid, given.words from json_to_recordset(${list}::text::json) as given(id text, words json) offset 0) as one,
      json_array_elements_text(one.words) as word) as entry`,
  isOneOf,
  deleteListed: (table, column, list) => sql`delete from ${table} where ${isOneOf(column, list)}`,
}
