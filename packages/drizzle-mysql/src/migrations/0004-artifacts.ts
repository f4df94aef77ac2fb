import type { Migration } from '@daybook/drizzle'

const id = 'varchar(191) CHARACTER SET utf8mb4 COLLATE {exact}'
const storage = 'ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4'

const time = (column: string) => `cast('1970-01-01' as datetime(6)) + interval ${column} microsecond`

/** Frozen: a released migration never changes. Each statement commits by itself here, so each can be repeated. */
export const artifacts: Migration = {
  id: '0004',
  name: 'artifacts',
  makes: ['{artifacts}', '{artifactVersions}', '{artifactChunks}', '{artifacts}_v1'],
  statements: [
    `CREATE TABLE IF NOT EXISTS \`{artifacts}\` (
  \`aid\` bigint NOT NULL AUTO_INCREMENT,
  \`app_name\` ${id} NOT NULL,
  \`user_id\` ${id} NOT NULL,
  \`session_id\` ${id} NOT NULL,
  \`name\` ${id} NOT NULL,
  \`next_version\` bigint NOT NULL,
  PRIMARY KEY (\`aid\`),
  UNIQUE KEY \`{artifacts}_key\` (\`app_name\`, \`user_id\`, \`session_id\`, \`name\`)
) ${storage}`,
    `CREATE TABLE IF NOT EXISTS \`{artifactVersions}\` (
  \`aid\` bigint NOT NULL,
  \`version\` bigint NOT NULL,
  \`save_id\` ${id} NOT NULL,
  \`upload_id\` ${id} NOT NULL,
  \`chunks\` bigint,
  \`size\` bigint NOT NULL,
  \`sha256\` ${id},
  \`mime_type\` ${id},
  \`metadata\` longtext CHARACTER SET utf8mb4 NOT NULL,
  \`codec\` ${id},
  \`created_at\` bigint NOT NULL,
  PRIMARY KEY (\`aid\`, \`version\`),
  UNIQUE KEY \`{artifactVersions}_save\` (\`aid\`, \`save_id\`),
  UNIQUE KEY \`{artifactVersions}_upload\` (\`upload_id\`){versionsName}
) ${storage}`,
    `CREATE TABLE IF NOT EXISTS \`{artifactChunks}\` (
  \`app_name\` ${id} NOT NULL,
  \`user_id\` ${id} NOT NULL,
  \`upload_id\` ${id} NOT NULL,
  \`n\` bigint NOT NULL,
  \`bytes\` longblob NOT NULL,
  PRIMARY KEY (\`app_name\`, \`user_id\`, \`upload_id\`, \`n\`)
) ${storage}`,
    `CREATE OR REPLACE SQL SECURITY INVOKER VIEW \`{artifacts}_v1\` AS SELECT
  a.\`app_name\`, a.\`user_id\`, nullif(a.\`session_id\`, '') AS \`session_id\`, a.\`name\`, v.\`version\`, v.\`mime_type\`,
  v.\`size\`, v.\`sha256\`, v.\`metadata\`, v.\`save_id\`, ${time('v.`created_at`')} AS \`created_at\`
FROM \`{artifactVersions}\` v JOIN \`{artifacts}\` a ON a.\`aid\` = v.\`aid\``,
  ],
}

/** What `{versionsName}` stands for where there are foreign keys. */
export const versionsName = `,
  CONSTRAINT \`{artifactVersions}_name\` FOREIGN KEY (\`aid\`) REFERENCES \`{artifacts}\` (\`aid\`) ON DELETE CASCADE`
