import type { JsonObject } from '@daybook/core'
import { tableNamesOf, type TableNameOptions, type Tables } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { bigint, check, foreignKey, index, json, mysqlTable, primaryKey, unique, varchar } from 'drizzle-orm/mysql-core'
import { binary, collations, exactText, jsonText, time, vector, type Flavour } from './column-types.ts'
import { metricsTable } from './metric-table.ts'

export { collations, type Flavour }

export interface MysqlTableOptions extends TableNameOptions {
  /** Which server the tables are for; a store finds out by itself. Default `mysql`. */
  readonly flavour?: Flavour
  /**
   * `false` makes the tables without foreign keys, for Vitess and PlanetScale, which may have none. The store deletes what
   * belongs to a session either way. Default `true`.
   */
  readonly foreignKeys?: boolean
}

const whole = (column: string) => bigint(column, { mode: 'number' }).notNull()

/** Tables of a store, for joins and for drizzle-kit. The migrations that ship with the package make the same ones. */
export function daybookTables(options: MysqlTableOptions = {}) {
  const { flavour = 'mysql', foreignKeys = true, ...nameOptions } = options
  const names = tableNamesOf(nameOptions)
  const id = exactText('varchar(191)', flavour)
  const digest = exactText('varchar(64)', flavour)
  const name = exactText('text', flavour)

  const sessions = mysqlTable(
    names.sessions,
    {
      sid: bigint({ mode: 'number' }).autoincrement().primaryKey(),
      appName: id('app_name').notNull(),
      userId: id('user_id').notNull(),
      sessionId: id('session_id').notNull(),
      state: json().$type<JsonObject>().notNull(),
      initialState: jsonText('initial_state').notNull(),
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
      unique(`${names.sessions}_key`).on(t.appName, t.userId, t.sessionId),
      index(`${names.sessions}_recent`).on(t.appName, t.userId, sql`${t.lastEventAt} desc`, t.sessionId),
      index(`${names.sessions}_created`).on(t.appName, sql`${t.createdAt} desc`, t.sessionId, t.userId),
      check(`${names.sessions}_state`, sql`json_type(${t.state}) = 'OBJECT'`),
    ],
  )

  const events = mysqlTable(
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
      payload: jsonText().notNull(),
    },
    (t) => [
      primaryKey({ name: `${names.events}_pk`, columns: [t.sid, t.seq] }),
      unique(`${names.events}_id`).on(t.sid, t.eventId),
      ...(foreignKeys
        ? [
            foreignKey({
              name: `${names.events}_session`,
              columns: [t.sid],
              foreignColumns: [sessions.sid],
            }).onDelete('cascade'),
          ]
        : []),
    ],
  )

  const appStates = mysqlTable(
    names.appStates,
    {
      appName: id('app_name').notNull(),
      state: json().$type<JsonObject>().notNull(),
      revision: whole('revision'),
      updatedAt: time('updated_at').notNull(),
    },
    (t) => [
      primaryKey({ name: `${names.appStates}_pk`, columns: [t.appName] }),
      check(`${names.appStates}_state`, sql`json_type(${t.state}) = 'OBJECT'`),
    ],
  )

  const userStates = mysqlTable(
    names.userStates,
    {
      appName: id('app_name').notNull(),
      userId: id('user_id').notNull(),
      state: json().$type<JsonObject>().notNull(),
      revision: whole('revision'),
      updatedAt: time('updated_at').notNull(),
    },
    (t) => [
      primaryKey({ name: `${names.userStates}_pk`, columns: [t.appName, t.userId] }),
      check(`${names.userStates}_state`, sql`json_type(${t.state}) = 'OBJECT'`),
    ],
  )

  const artifacts = mysqlTable(
    names.artifacts,
    {
      aid: bigint({ mode: 'number' }).autoincrement().primaryKey(),
      appName: id('app_name').notNull(),
      userId: id('user_id').notNull(),
      sessionId: id('session_id').notNull(),
      name: id().notNull(),
      nextVersion: whole('next_version'),
    },
    (t) => [unique(`${names.artifacts}_key`).on(t.appName, t.userId, t.sessionId, t.name)],
  )

  const artifactVersions = mysqlTable(
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
      metadata: jsonText().notNull(),
      codec: id(),
      createdAt: time('created_at').notNull(),
    },
    (t) => [
      primaryKey({ name: `${names.artifactVersions}_pk`, columns: [t.aid, t.version] }),
      unique(`${names.artifactVersions}_save`).on(t.aid, t.saveId),
      unique(`${names.artifactVersions}_upload`).on(t.uploadId),
      index(`${names.artifactVersions}_age`).on(t.createdAt, t.aid, t.version),
      ...(foreignKeys
        ? [
            foreignKey({
              name: `${names.artifactVersions}_name`,
              columns: [t.aid],
              foreignColumns: [artifacts.aid],
            }).onDelete('cascade'),
          ]
        : []),
    ],
  )

  const artifactChunks = mysqlTable(
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

  const memories = mysqlTable(
    names.memories,
    {
      mid: bigint({ mode: 'number' }).autoincrement().primaryKey(),
      appName: id('app_name').notNull(),
      userId: id('user_id').notNull(),
      memoryId: id('memory_id').notNull(),
      sessionId: id('session_id'),
      eventId: id('event_id'),
      author: name(),
      timestamp: time().notNull(),
      payload: jsonText().notNull(),
      digest: digest().notNull(),
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

  const memoryWords = mysqlTable(names.memoryWords, { word: whole('word'), mid: whole('mid') }, (t) => [
    primaryKey({ name: `${names.memoryWords}_pk`, columns: [t.word, t.mid] }),
    index(`${names.memoryWords}_memory`).on(t.mid),
  ])

  const metrics = metricsTable(names.metrics, flavour)

  const migrations = mysqlTable(
    names.migrations,
    {
      id: varchar({ length: 64 }).notNull(),
      name: varchar({ length: 191 }).notNull(),
      checksum: varchar({ length: 64 }).notNull(),
      appliedAt: time('applied_at').notNull(),
      version: varchar({ length: 64 }).notNull(),
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

/** The tables under their default names, for MySQL; `daybookTables({ flavour: 'mariadb' })` has those for MariaDB. */
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
