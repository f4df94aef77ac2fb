import type { Migration } from '@daybook/drizzle'

const index = '(`session_id`, `app_name`, `user_id`)'
const change = `ALTER TABLE \`{memories}\` DROP KEY \`{memories}_source\`, ADD KEY \`{memories}_source\` ${index}`

/**
 * The memories of a session are found by the session first, for the reason that PostgreSQL has. Frozen: a released migration never
 * changes. One statement that is done as a whole, and asked for only where the index begins with the app.
 */
export const memorySource: Migration = {
  id: '0008',
  name: 'memory source',
  makes: [],
  statements: [
    `SET @daybook_source = (SELECT if(count(*) = 1, '${change}', 'DO 0') FROM information_schema.statistics
  WHERE table_schema = database() AND lower(table_name) = lower('{memories}') AND index_name = '{memories}_source'
    AND seq_in_index = 1 AND column_name = 'app_name')`,
    'PREPARE daybook_source FROM @daybook_source',
    'EXECUTE daybook_source',
    'DEALLOCATE PREPARE daybook_source',
  ],
}
