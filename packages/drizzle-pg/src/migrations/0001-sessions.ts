import type { Migration } from '@daybook/drizzle'

const id = 'varchar(191) COLLATE "C"'

/** Frozen: a released migration never changes. */
export const sessions: Migration = {
  id: '0001',
  name: 'sessions',
  makes: ['{sessions}', '{events}', '{appStates}', '{userStates}'],
  statements: [
    `CREATE TABLE {in}"{sessions}" (
  "sid" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "app_name" ${id} NOT NULL,
  "user_id" ${id} NOT NULL,
  "session_id" ${id} NOT NULL,
  "state" jsonb NOT NULL,
  "initial_state" json NOT NULL,
  "revision" bigint NOT NULL,
  "last_seq" bigint NOT NULL,
  "created_at" bigint NOT NULL,
  "updated_at" bigint NOT NULL,
  "last_event_at" bigint NOT NULL,
  CONSTRAINT "{sessions}_state" CHECK (jsonb_typeof("state") = 'object')
)`,
    // Before the key: for a user with one session the planner's tie goes to the newest index, and that must be the key.
    `CREATE INDEX "{sessions}_recent" ON {in}"{sessions}" ("app_name", "user_id", "last_event_at" DESC, "session_id")`,
    `CREATE INDEX "{sessions}_created" ON {in}"{sessions}" ("app_name", "created_at" DESC, "session_id")`,
    `ALTER TABLE {in}"{sessions}" ADD CONSTRAINT "{sessions}_key" UNIQUE ("app_name", "user_id", "session_id")`,
    `CREATE TABLE {in}"{events}" (
  "sid" bigint NOT NULL,
  "seq" bigint NOT NULL,
  "event_id" ${id} NOT NULL,
  "invocation_id" text COLLATE "C",
  "author" text COLLATE "C",
  "branch" text COLLATE "C",
  "error_code" text COLLATE "C",
  "timestamp" bigint NOT NULL,
  "payload" json NOT NULL,
  CONSTRAINT "{events}_id" UNIQUE ("sid", "event_id"),
  CONSTRAINT "{events}_session" FOREIGN KEY ("sid") REFERENCES {in}"{sessions}" ("sid") ON DELETE CASCADE
)`,
    // Likewise: the newest index of events is the one that has them in their order.
    `ALTER TABLE {in}"{events}" ADD CONSTRAINT "{events}_pk" PRIMARY KEY ("sid", "seq")`,
    `CREATE TABLE {in}"{appStates}" (
  "app_name" ${id} NOT NULL,
  "state" jsonb NOT NULL,
  "revision" bigint NOT NULL,
  "updated_at" bigint NOT NULL,
  CONSTRAINT "{appStates}_pk" PRIMARY KEY ("app_name"),
  CONSTRAINT "{appStates}_state" CHECK (jsonb_typeof("state") = 'object')
)`,
    `CREATE TABLE {in}"{userStates}" (
  "app_name" ${id} NOT NULL,
  "user_id" ${id} NOT NULL,
  "state" jsonb NOT NULL,
  "revision" bigint NOT NULL,
  "updated_at" bigint NOT NULL,
  CONSTRAINT "{userStates}_pk" PRIMARY KEY ("app_name", "user_id"),
  CONSTRAINT "{userStates}_state" CHECK (jsonb_typeof("state") = 'object')
)`,
    `CREATE TABLE {in}"{migrations}" (
  "id" text NOT NULL,
  "name" text NOT NULL,
  "checksum" text NOT NULL,
  "applied_at" bigint NOT NULL,
  "version" text NOT NULL,
  CONSTRAINT "{migrations}_pk" PRIMARY KEY ("id")
)`,
  ],
}
