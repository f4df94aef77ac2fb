import { bytesOfEmbedding, embeddingOfBytes, type Embeddings, type MemorySearch } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import type { Probe } from './probe.ts'
import { collations } from './schema.ts'

const whole = (name: string) => `${name} bigint path '$.${name}'`

/** Bytes, since MariaDB takes them for a vector. In a text they are in Base64. */
const embeddings: Embeddings = {
  text: (embedding) => bytesOfEmbedding(embedding).toString('base64'),
  stored: (text) => sql`from_base64(${text})`,
  selected: (column) => sql`${column}`,
  numbers: embeddingOfBytes,
  hasDimensions: (column, dimensions) => sql`octet_length(${column}) = ${sql.raw(String(4 * dimensions))}`,
}

/** Lists of memories and words, by JSON_TABLE. Texts get the collation of our columns: two of them would not be compared at all. */
export function searchFor({ flavour, hasVectors }: Pick<Probe, 'flavour' | 'hasVectors'>): MemorySearch {
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
    embeddings: {
      ...embeddings,
      ...(hasVectors && {
        distance: { value: bytesOfEmbedding, sql: (column, value) => sql`vec_distance_cosine(${column}, ${value})` },
      }),
    },
    entries: (list) => sql`json_table(${list}, '$[*]' columns (${sql.raw(columns)})) as entry`,
    payload: (given) => sql`${given}`,
    words: (list, midOf) =>
      sql`(select ${midOf(sql`one.id`)} as mid, one.word
        from json_table(${list}, '$[*]' columns (${sql.raw(text('id'))}, nested path '$.words[*]' columns (word bigint path '$'))) as one) as entry`,
  }
}
