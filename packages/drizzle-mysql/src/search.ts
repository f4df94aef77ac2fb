import type { MemorySearch } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { collations, type Flavour } from './schema.ts'

const whole = (name: string) => `${name} bigint path '$.${name}'`

/** Lists of memories and words, by JSON_TABLE. Texts get the collation of our columns: two of them would not be compared at all. */
export function searchFor(flavour: Flavour): MemorySearch {
  const exact = `character set utf8mb4 collate ${collations[flavour]}`
  const text = (name: string, type = 'varchar(191)') => `${name} ${type} ${exact} path '$.${name}'`
  const columns = [
    text('memoryId'),
    text('sessionId'),
    text('eventId'),
    text('author', 'longtext'),
    whole('timestamp'),
    text('payload', 'longtext'),
    text('digest'),
    text('embedding', 'longtext'),
    whole('createdAt'),
    whole('updatedAt'),
  ].join(', ')
  return {
    entries: (list) => sql`json_table(${list}, '$[*]' columns (${sql.raw(columns)})) as entry`,
    payload: (given) => sql`${given}`,
    words: (list) =>
      sql`json_table(${list}, '$[*]' columns (${sql.raw(text('id'))}, nested path '$.words[*]' columns (word bigint path '$'))) as entry`,
    isOneOf: (column, list) =>
      sql`${column} in (select one.v from json_table(${list}, '$[*]' columns (v bigint path '$')) as one)`,
  }
}
