import { StoreError, type JsonObject } from '@daybook/core'
import { tableNamesOf, type TableNameOptions, type Tables } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  foreignKey,
  index,
  json,
  jsonb,
  PgSchema,
  pgTable,
  primaryKey,
  text,
  unique,
} from 'drizzle-orm/pg-core'
import { binary, id, name, time, vector } from './column-types.ts'
import { metricsTable } from './metric-table.ts'

const whole = (column: string) => bigint(column, { mode: 'number' }).notNull()

export interface PgTableOptions extends TableNameOptions {
  /** The PostgreSQL schema of the tables. Default: the first one of the connection's `search_path`. */
  readonly schema?: string
}

const allowedSchema = /^(?!pg_)[A-Za-z_][A-Za-z0-9_$]{0,62}$/

/** The schema's name, checked; it is put into SQL as a quoted identifier. */
export function schemaNameOf({ schema }: PgTableOptions): string | undefined {
  if (schema === undefined || (typeof schema === 'string' && allowedSchema.test(schema))) return schema
  throw new StoreError(
    'invalid_argument',
    'schema is not 1 to 63 of A-Z a-z 0-9 _ $, beginning with a letter or _ and not with pg_',
    { field: 'schema' },
  )
}

/** Tables of a store, for joins and for drizzle-kit. The migrations that ship with the package make the same ones. */
export function daybookTables(options: PgTableOptions = {}) {
  const names = tableNamesOf(options)
  const schema = schemaNameOf(options)
  const table: typeof pgTable =
    schema === undefined ? pgTable : (new PgSchema(schema).table as unknown as typeof pgTable) // the same builder, bound to a schema; pgSchema() refuses `public`

  const sessions = table(
    names.sessions,
    {
      sid: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
      appName: id('app_name').notNull(),
      userId: id('user_id').notNull(),
      sessionId: id('session_id').notNull(),
      state: jsonb().$type<JsonObject>().notNull(),
      initialState: json('initial_state').$type<JsonObject>().notNull(),
      revision: whole('revision'),
      lastSeq: whole('last_seq'),
      createdAt: time('created_at').notNull(),
      updatedAt: time('updated_at').notNull(),
      lastEventAt: time('last_event_at').notNull(),
      leaseOwner: id('lease_owner'),
      leaseFence: bigint('lease_fence', { mode: 'number' }),
      leaseUntil: time('lease_until'),
    },
    (t) => [
      // Made before the key: for a user with one session the planner's tie goes to the newest index, and that must be the key.
      // NULLS FIRST is what ORDER BY … DESC means; drizzle-kit would write NULLS LAST, and no list could walk the index.
      index(`${names.sessions}_recent`).on(t.appName, t.userId, t.lastEventAt.desc().nullsFirst(), t.sessionId),
      index(`${names.sessions}_created`).on(t.appName, t.createdAt.desc().nullsFirst(), t.sessionId),
      unique(`${names.sessions}_key`).on(t.appName, t.userId, t.sessionId),
      check(`${names.sessions}_state`, sql`jsonb_typeof(${t.state}) = 'object'`),
    ],
  )

  const events = table(
    names.events,
    {
      sid: whole('sid'),
      seq: whole('seq'),
      eventId: id('event_id').notNull(),
      invocationId: name('invocation_id'),
      author: name(),
      branch: name(),
      errorCode: name('error_code'),
      timestamp: time().notNull(),
      payload: json().$type<JsonObject>().notNull(),
    },
    (t) => [
      primaryKey({ name: `${names.events}_pk`, columns: [t.sid, t.seq] }),
      unique(`${names.events}_id`).on(t.sid, t.eventId),
      foreignKey({ name: `${names.events}_session`, columns: [t.sid], foreignColumns: [sessions.sid] }).onDelete(
        'cascade',
      ),
    ],
  )

  const appStates = table(
    names.appStates,
    {
      appName: id('app_name').notNull(),
      state: jsonb().$type<JsonObject>().notNull(),
      revision: whole('revision'),
      updatedAt: time('updated_at').notNull(),
    },
    (t) => [
      primaryKey({ name: `${names.appStates}_pk`, columns: [t.appName] }),
      check(`${names.appStates}_state`, sql`jsonb_typeof(${t.state}) = 'object'`),
    ],
  )

  const userStates = table(
    names.userStates,
    {
      appName: id('app_name').notNull(),
      userId: id('user_id').notNull(),
      state: jsonb().$type<JsonObject>().notNull(),
      revision: whole('revision'),
      updatedAt: time('updated_at').notNull(),
    },
    (t) => [
      primaryKey({ name: `${names.userStates}_pk`, columns: [t.appName, t.userId] }),
      check(`${names.userStates}_state`, sql`jsonb_typeof(${t.state}) = 'object'`),
    ],
  )

  const artifacts = table(
    names.artifacts,
    {
      aid: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
      appName: id('app_name').notNull(),
      userId: id('user_id').notNull(),
      sessionId: id('session_id').notNull(),
      name: id().notNull(),
      nextVersion: whole('next_version'),
    },
    (t) => [unique(`${names.artifacts}_key`).on(t.appName, t.userId, t.sessionId, t.name)],
  )

  const artifactVersions = table(
    names.artifactVersions,
    {
      aid: whole('aid'),
      version: whole('version'),
      saveId: id('save_id').notNull(),
      uploadId: id('upload_id').notNull(),
      chunks: bigint({ mode: 'number' }),
      size: whole('size'),
      sha256: id(),
      mimeType: id('mime_type'),
      metadata: json().$type<JsonObject>().notNull(),
      codec: id(),
      createdAt: time('created_at').notNull(),
    },
    (t) => [
      primaryKey({ name: `${names.artifactVersions}_pk`, columns: [t.aid, t.version] }),
      unique(`${names.artifactVersions}_save`).on(t.aid, t.saveId),
      unique(`${names.artifactVersions}_upload`).on(t.uploadId),
      index(`${names.artifactVersions}_age`).on(t.createdAt, t.aid, t.version),
      foreignKey({
        name: `${names.artifactVersions}_name`,
        columns: [t.aid],
        foreignColumns: [artifacts.aid],
      }).onDelete('cascade'),
    ],
  )

  const artifactChunks = table(
    names.artifactChunks,
    {
      appName: id('app_name').notNull(),
      userId: id('user_id').notNull(),
      uploadId: id('upload_id').notNull(),
      n: whole('n'),
      bytes: binary().notNull(),
    },
    (t) => [primaryKey({ name: `${names.artifactChunks}_pk`, columns: [t.appName, t.userId, t.uploadId, t.n] })],
  )

  const memories = table(
    names.memories,
    {
      mid: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
      appName: id('app_name').notNull(),
      userId: id('user_id').notNull(),
      memoryId: id('memory_id').notNull(),
      sessionId: id('session_id'),
      eventId: id('event_id'),
      author: name(),
      timestamp: time().notNull(),
      payload: json().$type<JsonObject>().notNull(),
      digest: text().notNull(),
      createdAt: time('created_at').notNull(),
      updatedAt: time('updated_at').notNull(),
      embedding: vector('embedding_vector'),
    },
    (t) => [
      index(`${names.memories}_recent`).on(t.appName, t.userId, t.timestamp.desc().nullsFirst(), t.memoryId),
      index(`${names.memories}_source`).on(t.sessionId, t.appName, t.userId),
      index(`${names.memories}_age`).on(t.appName, t.timestamp),
      unique(`${names.memories}_key`).on(t.appName, t.userId, t.memoryId),
    ],
  )

  const memoryWords = table(names.memoryWords, { word: whole('word'), mid: whole('mid') }, (t) => [
    index(`${names.memoryWords}_memory`).on(t.mid),
    primaryKey({ name: `${names.memoryWords}_pk`, columns: [t.word, t.mid] }),
  ])

  const metrics = metricsTable(table, names.metrics)

  const migrations = table(
    names.migrations,
    {
      id: text().notNull(),
      name: text().notNull(),
      checksum: text().notNull(),
      appliedAt: time('applied_at').notNull(),
      version: text().notNull(),
    },
    (t) => [primaryKey({ name: `${names.migrations}_pk`, columns: [t.id] })],
  )

  return {
    sessions,
    events,
    appStates,
    userStates,
    memories,
    memoryWords,
    artifacts,
    artifactVersions,
    artifactChunks,
    metrics,
    migrations,
  } satisfies Tables
}

export type DaybookTables = ReturnType<typeof daybookTables>

/** The tables under their default names. */
export const {
  sessions,
  events,
  appStates,
  userStates,
  memories,
  memoryWords,
  artifacts,
  artifactVersions,
  artifactChunks,
  metrics,
  migrations,
} = daybookTables()
