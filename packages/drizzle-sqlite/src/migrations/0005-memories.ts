import type { Migration } from '@daybook/drizzle'

const time = (column: string) =>
  `strftime('%Y-%m-%dT%H:%M:%S', ${column} / 1000000, 'unixepoch') || printf('.%06dZ', ${column} % 1000000)`

/** Frozen: a released migration never changes. */
export const memories: Migration = {
  id: '0005',
  name: 'memories',
  makes: ['{memories}', '{memoryWords}', '{memories}_v1'],
  statements: [
    `CREATE TABLE "{memories}" (
  "mid" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
  "app_name" text NOT NULL,
  "user_id" text NOT NULL,
  "memory_id" text NOT NULL,
  "session_id" text,
  "event_id" text,
  "author" text,
  "timestamp" integer NOT NULL,
  "payload" text NOT NULL,
  "digest" text NOT NULL,
  "embedding" text,
  "created_at" integer NOT NULL,
  "updated_at" integer NOT NULL
)`,
    `CREATE UNIQUE INDEX "{memories}_key" ON "{memories}" ("app_name", "user_id", "memory_id")`,
    `CREATE INDEX "{memories}_recent" ON "{memories}" ("app_name", "user_id", "timestamp" DESC, "memory_id")`,
    `CREATE INDEX "{memories}_source" ON "{memories}" ("app_name", "user_id", "session_id")`,
    `CREATE INDEX "{memories}_age" ON "{memories}" ("app_name", "timestamp")`,
    // WITHOUT ROWID: the memories of a word lie side by side.
    `CREATE TABLE "{memoryWords}" (
  "word" integer NOT NULL,
  "mid" integer NOT NULL,
  PRIMARY KEY ("word", "mid")
) WITHOUT ROWID`,
    `CREATE INDEX "{memoryWords}_memory" ON "{memoryWords}" ("mid")`,
    `CREATE VIEW "{memories}_v1" AS SELECT
  "app_name", nullif("user_id", '') AS "user_id", "memory_id", "session_id", "event_id", "author",
  ${time('"timestamp"')} AS "timestamp", "payload",
  ${time('"created_at"')} AS "created_at",
  ${time('"updated_at"')} AS "updated_at"
FROM "{memories}"`,
  ],
}
