import type { Migration } from '@daybook/drizzle'

const time = (column: string) =>
  `strftime('%Y-%m-%dT%H:%M:%S', ${column} / 1000000, 'unixepoch') || printf('.%06dZ', ${column} % 1000000)`

/** Frozen: a released migration never changes. */
export const artifacts: Migration = {
  id: '0004',
  name: 'artifacts',
  makes: ['{artifacts}', '{artifactVersions}', '{artifactChunks}', '{artifacts}_v1'],
  statements: [
    `CREATE TABLE "{artifacts}" (
  "aid" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
  "app_name" text NOT NULL,
  "user_id" text NOT NULL,
  "session_id" text NOT NULL,
  "name" text NOT NULL,
  "next_version" integer NOT NULL
)`,
    `CREATE UNIQUE INDEX "{artifacts}_key" ON "{artifacts}" ("app_name", "user_id", "session_id", "name")`,
    `CREATE TABLE "{artifactVersions}" (
  "aid" integer NOT NULL,
  "version" integer NOT NULL,
  "save_id" text NOT NULL,
  "upload_id" text NOT NULL,
  "chunks" integer,
  "size" integer NOT NULL,
  "sha256" text,
  "mime_type" text,
  "metadata" text NOT NULL,
  "codec" text,
  "created_at" integer NOT NULL,
  PRIMARY KEY ("aid", "version"),
  FOREIGN KEY ("aid") REFERENCES "{artifacts}" ("aid") ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID`,
    `CREATE UNIQUE INDEX "{artifactVersions}_save" ON "{artifactVersions}" ("aid", "save_id")`,
    `CREATE UNIQUE INDEX "{artifactVersions}_upload" ON "{artifactVersions}" ("upload_id")`,
    // With a rowid: rows this long do not belong into the tree of a key.
    `CREATE TABLE "{artifactChunks}" (
  "app_name" text NOT NULL,
  "user_id" text NOT NULL,
  "upload_id" text NOT NULL,
  "n" integer NOT NULL,
  "bytes" blob NOT NULL,
  PRIMARY KEY ("app_name", "user_id", "upload_id", "n")
)`,
    `CREATE VIEW "{artifacts}_v1" AS SELECT
  a."app_name", a."user_id", nullif(a."session_id", '') AS "session_id", a."name", v."version", v."mime_type", v."size",
  v."sha256", v."metadata", v."save_id", ${time('v."created_at"')} AS "created_at"
FROM "{artifactVersions}" v JOIN "{artifacts}" a ON a."aid" = v."aid"`,
  ],
}
