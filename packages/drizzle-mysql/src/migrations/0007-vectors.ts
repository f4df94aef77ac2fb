import type { Migration } from '@daybook/drizzle'

/** Does a statement where the columns are such; of an embedding with any name, or with none, it asks nothing else. */
const where = (condition: string, statement: string): readonly string[] => [
  `SET @daybook_vectors = (SELECT if(${condition}, '${statement}', 'DO 0') FROM information_schema.columns
  WHERE table_schema = database() AND lower(table_name) = lower('{memories}'))`,
  'PREPARE daybook_vectors FROM @daybook_vectors',
  'EXECUTE daybook_vectors',
]

const isOld = `sum(column_name = 'embedding' AND data_type = 'longtext') = 1`
const isBeside = `sum(column_name = 'embedding_text') = 1`

/**
 * Embeddings as bytes, and no longer as Base64, in a column of another name: an older process that still writes finds none of its
 * own, and fails. Frozen: a released migration never changes. Each statement commits by itself here, so the old name goes first, and
 * each of them can be repeated.
 */
export const vectors: Migration = {
  id: '0007',
  name: 'vectors',
  makes: [],
  statements: [
    ...where(
      isOld,
      'ALTER TABLE `{memories}` RENAME COLUMN `embedding` TO `embedding_text`, ADD COLUMN `embedding_vector` longblob',
    ),
    ...where(
      isBeside,
      'UPDATE `{memories}` SET `embedding_vector` = from_base64(`embedding_text`) WHERE `mid` > 0 AND `embedding_text` IS NOT NULL', // a key, for sql_safe_updates
    ),
    ...where(isBeside, 'ALTER TABLE `{memories}` DROP COLUMN `embedding_text`'),
    'DEALLOCATE PREPARE daybook_vectors',
  ],
}
