import type { Area } from './areas.ts'
import type { ArtifactStore } from './artifacts.ts'
import type { CallOptions } from './call.ts'
import type { Capabilities } from './capabilities.ts'
import type { EventStore } from './events.ts'
import type { Limits } from './limits.ts'
import type { MemoryStore } from './memories.ts'
import type { MetricStore } from './metrics.ts'
import type { SessionStore, StatePath, UserKey } from './sessions.ts'
import type { StateStore } from './state.ts'

/**
 * What an AI agent must not lose, in one database. Every method is asynchronous, rejects with a `StoreError`, refuses bad
 * input before any I/O, changes no argument and keeps none, and answers fresh objects. Methods may be called at the same
 * time from anywhere: what is acknowledged is committed, and nothing acknowledged is lost.
 *
 * @example
 * ```ts
 * import { createInMemoryStore } from '@daybook/core'
 *
 * await using store = createInMemoryStore()
 * const session = await store.sessions.create({ appName: 'shop', userId: 'ann' })
 * await store.events.append(session, { author: 'user', content: { parts: [{ text: 'Hello' }] } })
 * const { items } = await store.events.list(session)
 * console.log(items.length) // 1
 * ```
 */
export interface Store extends AsyncDisposable {
  /** Probed when the store opened. */
  readonly capabilities: Capabilities
  readonly limits: Limits
  readonly sessions: SessionStore
  readonly events: EventStore
  readonly state: StateStore
  readonly memories: MemoryStore
  readonly artifacts: ArtifactStore
  readonly metrics: MetricStore
  /** Creates or upgrades the schema. Idempotent, and safe when many processes start at once. */
  migrate(options?: MigrateOptions): Promise<MigrationReport>
  /**
   * Makes filters with `where` on one path of session state use an index, for values of one type. Answers stay the same,
   * also for values that no index has room for. Idempotent, and safe when many processes start at once; recorded with the
   * migrations. The table is locked for writers while the index is built, so give it the time that takes. Needs the ability
   * `jsonPathIndex`, a migrated schema, and the rights that `migrate` needs. A path of more than 150 bytes as JSON is
   * `limit_exceeded`.
   *
   * @example
   * ```ts
   * import { createInMemoryStore } from '@daybook/core'
   *
   * await using store = createInMemoryStore()
   * if (store.capabilities.jsonPathIndex === 'yes') await store.indexStatePath(['filters', 'region'], 'string')
   * ```
   */
  indexStatePath(path: StatePath, type: IndexedType, options?: MigrateOptions): Promise<MigrationReport>
  /** Drops what {@link indexStatePath} made. False if there was none. */
  dropStatePathIndex(path: StatePath, type: IndexedType, options?: CallOptions): Promise<boolean>
  /** How the store is, within the timeout also when the database is gone. */
  health(options?: HealthOptions): Promise<Health>
  /**
   * Removes everything of one user of one app, in every area. Idempotent. Works in chunks, each a transaction: one that was
   * interrupted has removed some, as `facts.removed` of its error says, and is completed by the next, whose receipt counts the rest.
   */
  erase(user: UserKey, options?: CallOptions): Promise<ErasureReceipt>
  /**
   * Waits for running calls, then closes what the store opened itself, and only that. Idempotent. Calls made after it
   * reject with `closed`.
   */
  close(): Promise<void>
}

/** A store inside somebody's transaction: the same methods, which commit or roll back with it. It is `closed` afterwards. */
export type JoinedStore = Omit<Store, 'migrate' | 'indexStatePath' | 'dropStatePathIndex' | 'health'>

/** Values of which type an index on a path of state is for. */
export type IndexedType = 'string' | 'number' | 'boolean'

export interface MigrateOptions extends CallOptions {
  /** Change nothing; answer the SQL that would run. */
  readonly dryRun?: boolean
}

export interface MigrationReport {
  /** Ids of the migrations that this call applied (with `dryRun`: would apply); empty when there was nothing to do. */
  readonly applied: readonly string[]
  /** Id of the newest migration in the database afterwards; `undefined` where a store needs none. */
  readonly current: string | undefined
  /** With `dryRun`: the statements, in order. */
  readonly sql?: readonly string[]
}

export interface HealthOptions extends CallOptions {
  /** Also settings, drift and advice. */
  readonly deep?: boolean
}

export interface Health {
  /** The database answered, and its schema is the one this version needs. */
  readonly ok: boolean
  /** `memory`, `sqlite`, `postgresql` … as the database calls itself. */
  readonly flavour: string
  readonly version: string
  /** Milliseconds of one round trip; `undefined` when there was no answer. */
  readonly latency: number | undefined
  /** Newest migration in the database; `undefined` before `migrate()`, or where a store needs none. */
  readonly schemaVersion: string | undefined
  /** The connections of the store's own pool, where it has one and the driver tells. */
  readonly pool?: { readonly size: number; readonly inUse?: number; readonly idle?: number; readonly waiting?: number }
  /** What should be looked at, as sentences. */
  readonly warnings: readonly string[]
  /** With `deep`: settings that matter, by name; `floor` is the oldest version of the server that this store takes. */
  readonly settings?: Readonly<Record<string, string>>
}

/** How many rows of each area were removed. */
export interface ErasureReceipt {
  readonly sessions: number
  readonly events: number
  /** 1 if the user had state, else 0. */
  readonly userStates: number
  /** Of the user, not of the app. */
  readonly memories: number
  /** Versions, of the user and of the user's sessions. */
  readonly artifacts: number
  /** Those that name the user. */
  readonly metrics: number
}

/**
 * The moments a store logs: operation, duration, code; never a payload. A pino logger fits. A change that leaves a state above 100 kB
 * is a warning, with `field` and `bytes`: the whole document is written anew at each change.
 */
export interface Logger {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

/** Options of every store. */
export interface StoreOptions {
  readonly logger?: Logger
  /** Milliseconds since 1970, the fraction may carry microseconds. Default: the system's clock. */
  readonly now?: () => number
  /** Milliseconds that a call may take when it does not say otherwise. Default 30,000. */
  readonly timeout?: number
  /** Other limits than the default ones, up to what the server takes. */
  readonly limits?: Partial<Limits>
  /**
   * How many numbers an embedding has, of memories that are to be found by likeness: it makes the ability `vectorSearch` `yes`, where
   * the store has memories. Data do not change with it; memories whose embedding has another length are not found by likeness.
   */
  readonly embeddingDimensions?: number
  /**
   * Which of the optional areas this store may use, of those that it has. Default: all. An area left out is `no` in the
   * capabilities, and its methods reject with `unsupported`; its data are left alone, but `erase` removes a user's all the
   * same, and `migrate()` makes the tables of every area: so stores with other areas share a database, and an area can be
   * switched on later.
   */
  readonly areas?: readonly Area[]
}
