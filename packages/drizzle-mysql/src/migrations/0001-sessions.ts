import type { Migration } from '@daybook/drizzle'

const exact = 'CHARACTER SET utf8mb4 COLLATE {exact}'
const id = `varchar(191) ${exact}`
const text = `text ${exact}`
const storage = 'ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4'

/** Also made before the first migration, which has to be recorded as begun. */
export const createMigrations = `CREATE TABLE IF NOT EXISTS \`{migrations}\` (
  \`id\` varchar(64) NOT NULL,
  \`name\` varchar(191) NOT NULL,
  \`checksum\` varchar(64) NOT NULL,
  \`applied_at\` bigint NOT NULL,
  \`version\` varchar(64) NOT NULL,
  PRIMARY KEY (\`id\`)
) ${storage}`

/** Frozen: a released migration never changes. Each statement commits by itself here, so each can be repeated. */
export const sessions: Migration = {
  id: '0001',
  name: 'sessions',
  makes: ['{sessions}', '{events}', '{appStates}', '{userStates}'],
  statements: [
    createMigrations,
    `CREATE TABLE IF NOT EXISTS \`{sessions}\` (
  \`sid\` bigint NOT NULL AUTO_INCREMENT,
  \`app_name\` ${id} NOT NULL,
  \`user_id\` ${id} NOT NULL,
  \`session_id\` ${id} NOT NULL,
  \`state\` json NOT NULL,
  \`initial_state\` longtext CHARACTER SET utf8mb4 NOT NULL,
  \`revision\` bigint NOT NULL,
  \`last_seq\` bigint NOT NULL,
  \`created_at\` bigint NOT NULL,
  \`updated_at\` bigint NOT NULL,
  \`last_event_at\` bigint NOT NULL,
  PRIMARY KEY (\`sid\`),
  UNIQUE KEY \`{sessions}_key\` (\`app_name\`, \`user_id\`, \`session_id\`),
  KEY \`{sessions}_recent\` (\`app_name\`, \`user_id\`, \`last_event_at\` DESC, \`session_id\`),
  KEY \`{sessions}_created\` (\`app_name\`, \`created_at\` DESC, \`session_id\`, \`user_id\`),
  CONSTRAINT \`{sessions}_state\` CHECK (json_type(\`state\`) = 'OBJECT')
) ${storage}`,
    `CREATE TABLE IF NOT EXISTS \`{events}\` (
  \`sid\` bigint NOT NULL,
  \`seq\` bigint NOT NULL,
  \`event_id\` ${id} NOT NULL,
  \`invocation_id\` ${text},
  \`author\` ${text},
  \`branch\` ${text},
  \`error_code\` ${text},
  \`timestamp\` bigint NOT NULL,
  \`payload\` longtext CHARACTER SET utf8mb4 NOT NULL,
  PRIMARY KEY (\`sid\`, \`seq\`),
  UNIQUE KEY \`{events}_id\` (\`sid\`, \`event_id\`){eventsSession}
) ${storage}`,
    `CREATE TABLE IF NOT EXISTS \`{appStates}\` (
  \`app_name\` ${id} NOT NULL,
  \`state\` json NOT NULL,
  \`revision\` bigint NOT NULL,
  \`updated_at\` bigint NOT NULL,
  PRIMARY KEY (\`app_name\`),
  CONSTRAINT \`{appStates}_state\` CHECK (json_type(\`state\`) = 'OBJECT')
) ${storage}`,
    `CREATE TABLE IF NOT EXISTS \`{userStates}\` (
  \`app_name\` ${id} NOT NULL,
  \`user_id\` ${id} NOT NULL,
  \`state\` json NOT NULL,
  \`revision\` bigint NOT NULL,
  \`updated_at\` bigint NOT NULL,
  PRIMARY KEY (\`app_name\`, \`user_id\`),
  CONSTRAINT \`{userStates}_state\` CHECK (json_type(\`state\`) = 'OBJECT')
) ${storage}`,
  ],
}

/** What `{eventsSession}` stands for where there are foreign keys. */
export const eventsSession = `,
  CONSTRAINT \`{events}_session\` FOREIGN KEY (\`sid\`) REFERENCES \`{sessions}\` (\`sid\`) ON DELETE CASCADE`
