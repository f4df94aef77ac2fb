import type { Migration } from '@daybook/drizzle'

const index = 'CREATE INDEX `{artifactVersions}_age` ON `{artifactVersions}` (`created_at`, `aid`, `version`)'

/**
 * Frozen: a released migration never changes. It can be repeated once it is asked for only where the index is not there: of the two
 * servers one alone has CREATE INDEX IF NOT EXISTS.
 */
export const artifactAge: Migration = {
  id: '0006',
  name: 'artifact age',
  makes: [],
  statements: [
    `SET @daybook_age = (SELECT if(count(*) = 0, '${index}', 'DO 0') FROM information_schema.statistics
  WHERE table_schema = database() AND lower(table_name) = lower('{artifactVersions}') AND index_name = '{artifactVersions}_age')`,
    'PREPARE daybook_age FROM @daybook_age',
    'EXECUTE daybook_age',
    'DEALLOCATE PREPARE daybook_age',
  ],
}
