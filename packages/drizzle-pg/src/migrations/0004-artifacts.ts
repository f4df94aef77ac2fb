import type { Migration } from '@daybook/drizzle'

const id = 'varchar(191) COLLATE "C"'

const time = (column: string) =>
  `timestamptz 'epoch' + ${column} / 1000000 * interval '1 second' + ${column} % 1000000 * interval '1 microsecond'`

/** Frozen: a released migration never changes. */
export const artifacts: Migration = {
  id: '0004',
  name: 'artifacts',
  makes: ['{artifacts}', '{artifactVersions}', '{artifactChunks}', '{artifacts}_v1'],
  statements: [
    `CREATE TABLE {in}"{artifacts}" (
  "aid" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "app_name" ${id} NOT NULL,
  "user_id" ${id} NOT NULL,
  "session_id" ${id} NOT NULL,
  "name" ${id} NOT NULL,
  "next_version" bigint NOT NULL,
  CONSTRAINT "{artifacts}_key" UNIQUE ("app_name", "user_id", "session_id", "name")
)`,
    `CREATE TABLE {in}"{artifactVersions}" (
  "aid" bigint NOT NULL,
  "version" bigint NOT NULL,
  "save_id" ${id} NOT NULL,
  "upload_id" ${id} NOT NULL,
  "chunks" bigint,
  "size" bigint NOT NULL,
  "sha256" ${id},
  "mime_type" ${id},
  "metadata" json NOT NULL,
  "codec" ${id},
  "created_at" bigint NOT NULL,
  CONSTRAINT "{artifactVersions}_save" UNIQUE ("aid", "save_id"),
  CONSTRAINT "{artifactVersions}_upload" UNIQUE ("upload_id"),
  CONSTRAINT "{artifactVersions}_pk" PRIMARY KEY ("aid", "version"),
  CONSTRAINT "{artifactVersions}_name" FOREIGN KEY ("aid") REFERENCES {in}"{artifacts}" ("aid") ON DELETE CASCADE
)`,
    `CREATE TABLE {in}"{artifactChunks}" (
  "app_name" ${id} NOT NULL,
  "user_id" ${id} NOT NULL,
  "upload_id" ${id} NOT NULL,
  "n" bigint NOT NULL,
  "bytes" bytea NOT NULL,
  CONSTRAINT "{artifactChunks}_pk" PRIMARY KEY ("app_name", "user_id", "upload_id", "n")
)`,
    `CREATE VIEW {in}"{artifacts}_v1" AS SELECT
  a."app_name", a."user_id", nullif(a."session_id", '') AS "session_id", a."name", v."version", v."mime_type", v."size",
  v."sha256", v."metadata", v."save_id", ${time('v."created_at"')} AS "created_at"
FROM {in}"{artifactVersions}" v JOIN {in}"{artifacts}" a ON a."aid" = v."aid"`,
  ],
}
