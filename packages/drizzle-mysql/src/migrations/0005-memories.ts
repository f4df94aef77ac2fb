import type { Migration } from '@daybook/drizzle'

const exact = 'CHARACTER SET utf8mb4 COLLATE {exact}'
const id = `varchar(191) ${exact}`
const storage = 'ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4'

const time = (column: string) => `cast('1970-01-01' as datetime(6)) + interval ${column} microsecond`

/** Frozen: a released migration never changes. Each statement commits by itself here, so each can be repeated. */
export const memories: Migration = {
  id: '0005',
  name: 'memories',
  makes: ['{memories}', '{memoryWords}', '{memories}_v1'],
  statements: [
    `CREATE TABLE IF NOT EXISTS \`{memories}\` (
  \`mid\` bigint NOT NULL AUTO_INCREMENT,
  \`app_name\` ${id} NOT NULL,
  \`user_id\` ${id} NOT NULL,
  \`memory_id\` ${id} NOT NULL,
  \`session_id\` ${id},
  \`event_id\` ${id},
  \`author\` text ${exact},
  \`timestamp\` bigint NOT NULL,
  \`payload\` longtext CHARACTER SET utf8mb4 NOT NULL,
  \`digest\` varchar(64) ${exact} NOT NULL,
  \`embedding\` longtext,
  \`created_at\` bigint NOT NULL,
  \`updated_at\` bigint NOT NULL,
  PRIMARY KEY (\`mid\`),
  UNIQUE KEY \`{memories}_key\` (\`app_name\`, \`user_id\`, \`memory_id\`),
  KEY \`{memories}_recent\` (\`app_name\`, \`user_id\`, \`timestamp\` DESC, \`memory_id\`),
  KEY \`{memories}_source\` (\`app_name\`, \`user_id\`, \`session_id\`),
  KEY \`{memories}_age\` (\`app_name\`, \`timestamp\`)
) ${storage}`,
    `CREATE TABLE IF NOT EXISTS \`{memoryWords}\` (
  \`word\` bigint NOT NULL,
  \`mid\` bigint NOT NULL,
  PRIMARY KEY (\`word\`, \`mid\`),
  KEY \`{memoryWords}_memory\` (\`mid\`)
) ${storage}`,
    `CREATE OR REPLACE SQL SECURITY INVOKER VIEW \`{memories}_v1\` AS SELECT
  \`app_name\`, nullif(\`user_id\`, '') AS \`user_id\`, \`memory_id\`, \`session_id\`, \`event_id\`, \`author\`,
  ${time('`timestamp`')} AS \`timestamp\`, \`payload\`,
  ${time('`created_at`')} AS \`created_at\`,
  ${time('`updated_at`')} AS \`updated_at\`
FROM \`{memories}\``,
  ],
}
