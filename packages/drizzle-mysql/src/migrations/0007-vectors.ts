import type { Migration } from '@daybook/drizzle'

/** Does a statement where the columns are such; of an embedding with either name, or with none, it asks nothing else. */
const where = (condition: string, statement: string): readonly string[] => [
  `SET @daybook_vectors = (SELECT if(${condition}, '${statement}', 'DO 0') FROM information_schema.columns
  WHERE table_schema = database() AND lower(table_name) = lower('{memories}'))`,
  'PREPARE daybook_vectors FROM @daybook_vectors',
  'EXECUTE daybook_vectors',
]

const isText = `sum(column_name = 'embedding' AND data_type = 'longtext') = 1`
const isBeside = `sum(column_name = 'embedding_bytes') = 1`

/**
 * Embeddings as bytes, and no longer as Base64. Frozen: a released migration never changes. Each statement commits by itself here:
 * the last one takes the old column away and gives its name to the new one, so that what comes before can be repeated.
 */
export const vectors: Migration = {
  id: '0007',
  name: 'vectors',
  makes: [],
  statements: [
    ...where(
      `${isText} AND NOT ${isBeside}`,
      'ALTER TABLE `{memories}` ADD COLUMN `embedding_bytes` longblob',
    ),
    ...where(
      `${isText} AND ${isBeside}`,
      'UPDATE `{memories}` SET `embedding_bytes` = from_base64(`embedding`) WHERE `mid` > 0 AND `embedding` IS NOT NULL', // a key, for sql_safe_updates
    ),
    ...where(
      `${isText} AND ${isBeside}`,
      'ALTER TABLE `{memories}` DROP COLUMN `embedding`, RENAME COLUMN `embedding_bytes` TO `embedding`',
    ),
    'DEALLOCATE PREPARE daybook_vectors',
  ],
}
