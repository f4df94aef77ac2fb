import type { MemorySearch } from '@daybook/drizzle'
import { sql, type SQLWrapper } from 'drizzle-orm'
import { collations, type Flavour } from './schema.ts'

const whole = (name: string) => `${name} bigint path '$.${name}'`

const numbers = (list: SQLWrapper) => sql`json_table(${list}, '$[*]' columns (v bigint path '$')) as one`

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
    words: (list, midOf) =>
      sql`(select ${midOf(sql`one.id`)} as mid, one.word
        from json_table(${list}, '$[*]' columns (${sql.raw(text('id'))}, nested path '$.words[*]' columns (word bigint path '$'))) as one) as entry`,
    isOneOf: (column, list) => sql`${column} in (select one.v from ${numbers(list)})`,
    // A join: with IN, a DELETE asks the subquery about every row of the table, whosever it is, and locks them all.
    deleteListed: (table, column, list) =>
      sql`delete ${table} from ${numbers(list)} straight_join ${table} on ${column} = one.v`,
  }
}
