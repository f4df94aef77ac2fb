import type { Migration } from '@daybook/drizzle'

/** Frozen: a released migration never changes. */
export const sessions: Migration = {
  id: '0001',
  name: 'sessions',
  makes: ['{sessions}', '{events}', '{appStates}', '{userStates}'],
  statements: [
    // AUTOINCREMENT: the sid of a deleted session never comes back, so a tail cannot take a new session for the old one.
    `CREATE TABLE "{sessions}" (
  "sid" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
  "app_name" text NOT NULL,
  "user_id" text NOT NULL,
  "session_id" text NOT NULL,
  "state" text NOT NULL,
  "initial_state" text NOT NULL,
  "revision" integer NOT NULL,
  "last_seq" integer NOT NULL,
  "created_at" integer NOT NULL,
  "updated_at" integer NOT NULL,
  "last_event_at" integer NOT NULL,
  CONSTRAINT "{sessions}_state" CHECK (json_type("state") = 'object')
)`,
    `CREATE UNIQUE INDEX "{sessions}_key" ON "{sessions}" ("app_name", "user_id", "session_id")`,
    `CREATE INDEX "{sessions}_recent" ON "{sessions}" ("app_name", "user_id", "last_event_at" DESC, "session_id")`,
    `CREATE INDEX "{sessions}_created" ON "{sessions}" ("app_name", "created_at" DESC, "session_id")`,
    // WITHOUT ROWID: the events of a session lie side by side, so the last ones cost the same however many there are.
    `CREATE TABLE "{events}" (
  "sid" integer NOT NULL,
  "seq" integer NOT NULL,
  "event_id" text NOT NULL,
  "invocation_id" text,
  "author" text,
  "branch" text,
  "error_code" text,
  "timestamp" integer NOT NULL,
  "payload" text NOT NULL,
  PRIMARY KEY ("sid", "seq"),
  FOREIGN KEY ("sid") REFERENCES "{sessions}" ("sid") ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID`,
    `CREATE UNIQUE INDEX "{events}_id" ON "{events}" ("sid", "event_id")`,
    `CREATE TABLE "{appStates}" (
  "app_name" text PRIMARY KEY NOT NULL,
  "state" text NOT NULL,
  "revision" integer NOT NULL,
  "updated_at" integer NOT NULL,
  CONSTRAINT "{appStates}_state" CHECK (json_type("state") = 'object')
)`,
    `CREATE TABLE "{userStates}" (
  "app_name" text NOT NULL,
  "user_id" text NOT NULL,
  "state" text NOT NULL,
  "revision" integer NOT NULL,
  "updated_at" integer NOT NULL,
  PRIMARY KEY ("app_name", "user_id"),
  CONSTRAINT "{userStates}_state" CHECK (json_type("state") = 'object')
)`,
    `CREATE TABLE "{migrations}" (
  "id" text PRIMARY KEY NOT NULL,
  "name" text NOT NULL,
  "checksum" text NOT NULL,
  "applied_at" integer NOT NULL,
  "version" text NOT NULL
)`,
  ],
}
