import type { Migration } from '@daybook/drizzle'

/** The four bytes of a float, the lower ones first, as a whole number. */
const bits = [0, 1, 2, 3].map((n) => `(get_byte(bytes, 4 * i + ${n})::bigint << ${8 * n})`).join(' | ')

/** Each step is exact: a double has room for every float, and for every power of two that one has. */
const float = `((CASE WHEN bits >> 31 = 1 THEN -1 ELSE 1 END) * (CASE WHEN bits >> 23 & 255 = 0
    THEN (bits & 8388607) * power(2::float8, -149)
    ELSE (bits & 8388607 | 8388608) * power(2::float8, (bits >> 23 & 255) - 150) END))::real`

/**
 * Embeddings as numbers, which pgvector takes, and no longer as Base64, in a column of another name: an older process that still
 * writes finds none of its own, and fails. Frozen: a released migration never changes.
 */
export const vectors: Migration = {
  id: '0007',
  name: 'vectors',
  makes: [],
  statements: [
    `ALTER TABLE {in}"{memories}" ADD COLUMN "embedding_vector" real[]`,
    `UPDATE {in}"{memories}" SET "embedding_vector" = (SELECT array_agg(${float} ORDER BY i)
  FROM (SELECT decode("embedding", 'base64') AS bytes) AS given,
    generate_series(0, octet_length(bytes) / 4 - 1) AS i, LATERAL (SELECT ${bits} AS bits) AS whole)
WHERE "embedding" IS NOT NULL`,
    `ALTER TABLE {in}"{memories}" DROP COLUMN "embedding"`,
  ],
}
