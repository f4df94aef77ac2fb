import type { Migration } from '@daybook/drizzle'

const time = (column: string) => `cast('1970-01-01' as datetime(6)) + interval ${column} microsecond`

/**
 * Frozen: a released migration never changes. INVOKER, because a view with a definer ends with that account, and would lend
 * its rights to whoever may read the view.
 */
export const views: Migration = {
  id: '0002',
  name: 'views',
  makes: ['{sessions}_v1', '{events}_v1'],
  statements: [
    `CREATE OR REPLACE SQL SECURITY INVOKER VIEW \`{sessions}_v1\` AS SELECT
  \`app_name\`, \`user_id\`, \`session_id\`, \`state\`, \`revision\`, \`last_seq\`,
  ${time('`created_at`')} AS \`created_at\`,
  ${time('`updated_at`')} AS \`updated_at\`,
  ${time('`last_event_at`')} AS \`last_event_at\`
FROM \`{sessions}\``,
    `CREATE OR REPLACE SQL SECURITY INVOKER VIEW \`{events}_v1\` AS SELECT
  s.\`app_name\`, s.\`user_id\`, s.\`session_id\`, e.\`seq\`, e.\`event_id\`, e.\`invocation_id\`, e.\`author\`, e.\`branch\`,
  e.\`error_code\`, ${time('e.`timestamp`')} AS \`timestamp\`, e.\`payload\`
FROM \`{events}\` e JOIN \`{sessions}\` s ON s.\`sid\` = e.\`sid\``,
  ],
}
