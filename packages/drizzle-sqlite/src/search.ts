import { bytesOfEmbedding, embeddingOfBytes, type Embeddings, type MemorySearch } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import type { Probe } from './probe.ts'

const member = (name: string) => sql.raw(`json_extract(one.value, '$.${name}') as "${name}"`)

/** Bytes, since libSQL takes them for a vector. In a text they are in hexadecimal. */
const embeddings: Embeddings = {
  text: (numbers) => bytesOfEmbedding(numbers).toString('hex'),
  stored: (text) => sql`unhex(${text})`,
  selected: (column) => sql`${column}`,
  numbers: embeddingOfBytes,
  hasDimensions: (column, dimensions) => sql`length(${column}) = ${sql.raw(String(4 * dimensions))}`,
}

/** Lists of memories and words, by SQLite's table-valued functions of JSON. */
export const searchFor = ({ hasVectors }: Pick<Probe, 'hasVectors'>): MemorySearch => ({
  embeddings: {
    ...embeddings,
    ...(hasVectors && {
      distance: { value: bytesOfEmbedding, sql: (column, value) => sql`vector_distance_cos(${column}, ${value})` },
    }),
  },
  entries: (list) =>
    sql`(select ${sql.join(
      [
        'memoryId',
        'sessionId',
        'eventId',
        'author',
        'timestamp',
        'payload',
        'digest',
        'embedding',
        'createdAt',
        'updatedAt',
      ].map(member),
      sql`, `,
    )} from json_each(${list}) as one) as entry`,
  payload: (text) => sql`${text}`,
  words: (list, midOf) =>
    sql`(select ${midOf(sql`json_extract(one.value, '$.id')`)} as mid, word.value as word
      from json_each(${list}) as one, json_each(one.value, '$.words') as word) as entry`,
})
