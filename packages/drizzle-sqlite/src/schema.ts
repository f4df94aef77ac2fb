import type { JsonObject } from '@daybook/core'
import { tableNamesOf, type TableNameOptions, type Tables } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { blob, check, foreignKey, index, integer, primaryKey, sqliteTable, text, unique } from 'drizzle-orm/sqlite-core'
import { time, vector } from './column-types.ts'
import { metricsTable } from './metric-table.ts'

/** Tables of a store, for joins and for drizzle-kit. The migrations that ship with the package make the same ones. */
export function daybookTables(options: TableNameOptions = {}) {
  const names = tableNamesOf(options)

  const sessions = sqliteTable(
    names.sessions,
    {
      sid: integer().primaryKey({ autoIncrement: true }),
      appName: text('app_name').notNull(),
      userId: text('user_id').notNull(),
      sessionId: text('session_id').notNull(),
      state: text({ mode: 'json' }).$type<JsonObject>().notNull(),
      initialState: text('initial_state', { mode: 'json' }).$type<JsonObject>().notNull(),
      revision: integer().notNull(),
      lastSeq: integer('last_seq').notNull(),
      createdAt: time('created_at').notNull(),
      updatedAt: time('updated_at').notNull(),
      lastEventAt: time('last_event_at').notNull(),
      leaseOwner: text('lease_owner'),
      leaseFence: integer('lease_fence'),
      leaseUntil: time('lease_until'),
    },
    (t) => [
      unique(`${names.sessions}_key`).on(t.appName, t.userId, t.sessionId),
      index(`${names.sessions}_recent`).on(t.appName, t.userId, sql`${t.lastEventAt} desc`, t.sessionId),
      index(`${names.sessions}_created`).on(t.appName, sql`${t.createdAt} desc`, t.sessionId),
      check(`${names.sessions}_state`, sql`json_type(${t.state}) = 'object'`),
    ],
  )

  const events = sqliteTable(
    names.events,
    {
      sid: integer().notNull(),
      seq: integer().notNull(),
      eventId: text('event_id').notNull(),
      invocationId: text('invocation_id'),
      author: text(),
      branch: text(),
      errorCode: text('error_code'),
      timestamp: time().notNull(),
      payload: text({ mode: 'json' }).$type<JsonObject>().notNull(),
    },
    (t) => [
      primaryKey({ name: `${names.events}_pk`, columns: [t.sid, t.seq] }),
      unique(`${names.events}_id`).on(t.sid, t.eventId),
      foreignKey({ name: `${names.events}_session`, columns: [t.sid], foreignColumns: [sessions.sid] }).onDelete(
        'cascade',
      ),
    ],
  )

  const appStates = sqliteTable(
    names.appStates,
    {
      appName: text('app_name').primaryKey(),
      state: text({ mode: 'json' }).$type<JsonObject>().notNull(),
      revision: integer().notNull(),
      updatedAt: time('updated_at').notNull(),
    },
    (t) => [check(`${names.appStates}_state`, sql`json_type(${t.state}) = 'object'`)],
  )

  const userStates = sqliteTable(
    names.userStates,
    {
      appName: text('app_name').notNull(),
      userId: text('user_id').notNull(),
      state: text({ mode: 'json' }).$type<JsonObject>().notNull(),
      revision: integer().notNull(),
      updatedAt: time('updated_at').notNull(),
    },
    (t) => [
      primaryKey({ name: `${names.userStates}_pk`, columns: [t.appName, t.userId] }),
      check(`${names.userStates}_state`, sql`json_type(${t.state}) = 'object'`),
    ],
  )

  const artifacts = sqliteTable(
    names.artifacts,
    {
      aid: integer().primaryKey({ autoIncrement: true }),
      appName: text('app_name').notNull(),
      userId: text('user_id').notNull(),
      sessionId: text('session_id').notNull(),
      name: text().notNull(),
      nextVersion: integer('next_version').notNull(),
    },
    (t) => [unique(`${names.artifacts}_key`).on(t.appName, t.userId, t.sessionId, t.name)],
  )

  const artifactVersions = sqliteTable(
    names.artifactVersions,
    {
      aid: integer().notNull(),
      version: integer().notNull(),
      saveId: text('save_id').notNull(),
      uploadId: text('upload_id').notNull(),
      chunks: integer(),
      size: integer().notNull(),
      sha256: text(),
      mimeType: text('mime_type'),
      metadata: text({ mode: 'json' }).$type<JsonObject>().notNull(),
      codec: text(),
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

  const artifactChunks = sqliteTable(
    names.artifactChunks,
    {
      appName: text('app_name').notNull(),
      userId: text('user_id').notNull(),
      uploadId: text('upload_id').notNull(),
      n: integer().notNull(),
      bytes: blob({ mode: 'buffer' }).notNull(),
    },
    (t) => [primaryKey({ name: `${names.artifactChunks}_pk`, columns: [t.appName, t.userId, t.uploadId, t.n] })],
  )

  const memories = sqliteTable(
    names.memories,
    {
      mid: integer().primaryKey({ autoIncrement: true }),
      appName: text('app_name').notNull(),
      userId: text('user_id').notNull(),
      memoryId: text('memory_id').notNull(),
      sessionId: text('session_id'),
      eventId: text('event_id'),
      author: text(),
      timestamp: time().notNull(),
      payload: text({ mode: 'json' }).$type<JsonObject>().notNull(),
      digest: text().notNull(),
      createdAt: time('created_at').notNull(),
      updatedAt: time('updated_at').notNull(),
      embedding: vector('embedding_vector'),
    },
    (t) => [
      unique(`${names.memories}_key`).on(t.appName, t.userId, t.memoryId),
      index(`${names.memories}_recent`).on(t.appName, t.userId, sql`${t.timestamp} desc`, t.memoryId),
      index(`${names.memories}_source`).on(t.sessionId, t.appName, t.userId),
      index(`${names.memories}_age`).on(t.appName, t.timestamp),
    ],
  )

  const memoryWords = sqliteTable(names.memoryWords, { word: integer().notNull(), mid: integer().notNull() }, (t) => [
    primaryKey({ name: `${names.memoryWords}_pk`, columns: [t.word, t.mid] }),
    index(`${names.memoryWords}_memory`).on(t.mid),
  ])

  const metrics = metricsTable(names.metrics)

  const migrations = sqliteTable(names.migrations, {
    id: text().primaryKey(),
    name: text().notNull(),
    checksum: text().notNull(),
    appliedAt: time('applied_at').notNull(),
    version: text().notNull(),
  })

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
