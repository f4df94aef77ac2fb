import type { Migration } from '@daybook/drizzle'

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The six bits that a letter of Base64 stands for. */
const bits = (place: number) => `max(instr('${letters}', substr(part, 4 * i + ${place}, 1)) - 1, 0)`

const bytes = `printf('%06x', (${bits(1)} << 18) | (${bits(2)} << 12) | (${bits(3)} << 6) | ${bits(4)})`

/** Letters that are decoded at a time: a text is walked from its start for each of them. */
const block = 256

/**
 * Embeddings as bytes, and no longer as Base64, in a column of another name: an older process that still writes finds none of its
 * own, and fails. Frozen: a released migration never changes.
 */
export const vectors: Migration = {
  id: '0007',
  name: 'vectors',
  makes: [],
  statements: [
    `ALTER TABLE "{memories}" ADD COLUMN "embedding_vector" blob`,
    `UPDATE "{memories}" SET "embedding_vector" = (
  WITH RECURSIVE place(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM place WHERE i + 1 < ${block / 4}),
    block(part, rest) AS (
      SELECT substr("embedding", 1, ${block}), substr("embedding", ${block + 1})
      UNION ALL SELECT substr(rest, 1, ${block}), substr(rest, ${block + 1}) FROM block WHERE rest <> '')
  SELECT unhex(substr(group_concat((SELECT group_concat(${bytes}, '') FROM place WHERE 4 * i < length(part)), ''),
    1, length(rtrim("embedding", '=')) * 3 / 4 * 2)) FROM block
) WHERE "embedding" IS NOT NULL`,
    `ALTER TABLE "{memories}" DROP COLUMN "embedding"`,
  ],
}
