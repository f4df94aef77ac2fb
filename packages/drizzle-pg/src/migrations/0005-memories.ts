import type { Migration } from '@daybook/drizzle'

const id = 'varchar(191) COLLATE "C"'

/** Exact: a double holds the seconds of every time, but not all of its microseconds. */
const time = (column: string) =>
  `timestamptz 'epoch' + ${column} / 1000000 * interval '1 second' + ${column} % 1000000 * interval '1 microsecond'`

/** Frozen: a released migration never changes. */
export const memories: Migration = {
  id: '0005',
  name: 'memories',
  makes: ['{memories}', '{memoryWords}', '{memories}_v1'],
  statements: [
    `CREATE TABLE {in}"{memories}" (
  "mid" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "app_name" ${id} NOT NULL,
  "user_id" ${id} NOT NULL,
  "memory_id" ${id} NOT NULL,
  "session_id" ${id},
  "event_id" ${id},
  "author" text COLLATE "C",
  "timestamp" bigint NOT NULL,
  "payload" json NOT NULL,
  "digest" text NOT NULL,
  "embedding" text,
  "created_at" bigint NOT NULL,
  "updated_at" bigint NOT NULL
)`,
    `CREATE INDEX "{memories}_recent" ON {in}"{memories}" ("app_name", "user_id", "timestamp" DESC, "memory_id")`,
    `CREATE INDEX "{memories}_source" ON {in}"{memories}" ("app_name", "user_id", "session_id")`,
    `CREATE INDEX "{memories}_age" ON {in}"{memories}" ("app_name", "timestamp")`,
    `ALTER TABLE {in}"{memories}" ADD CONSTRAINT "{memories}_key" UNIQUE ("app_name", "user_id", "memory_id")`,
    `CREATE TABLE {in}"{memoryWords}" (
  "word" bigint NOT NULL,
  "mid" bigint NOT NULL
)`,
    `CREATE INDEX "{memoryWords}_memory" ON {in}"{memoryWords}" ("mid")`,
    `ALTER TABLE {in}"{memoryWords}" ADD CONSTRAINT "{memoryWords}_pk" PRIMARY KEY ("word", "mid")`,
    `CREATE VIEW {in}"{memories}_v1" AS SELECT
  "app_name", nullif("user_id", '') AS "user_id", "memory_id", "session_id", "event_id", "author",
  ${time('"timestamp"')} AS "timestamp", "payload",
  ${time('"created_at"')} AS "created_at",
  ${time('"updated_at"')} AS "updated_at"
FROM {in}"{memories}"`,
  ],
}
