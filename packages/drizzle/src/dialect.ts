import type { Call, Capabilities, LeaseToken, Limits, Scope, SessionKey } from '@daybook/core'
import type { Column, SQL, SQLWrapper, Table } from 'drizzle-orm'
import type { AcrossSessions } from './across-sessions.ts'
import type { Expressions } from './expressions.ts'
import type { JsonPaths, PathIndexing } from './json-path.ts'
import type { Listening } from './listening.ts'
import type { FreshRows, ManyRows, ManyRowsFacts } from './many-rows.ts'
import type { MetricFeed } from './metric-feed.ts'
import type { Tables } from './rows.ts'
import type { Catalog } from './schema-drift.ts'
import type { Script } from './script.ts'
import type { MemorySearch } from './search.ts'
import type { PoolState, Server } from './server.ts'

export type { PoolState, Server }

/** Everything that differs between databases. The engine never asks where it runs: it speaks these verbs and reads these facts. */
export interface Dialect extends FreshRows {
  readonly tables: Tables
  readonly capabilities: Capabilities
  readonly limits: Limits
  /** What the option `limits` can move them to, where the database takes less than others. */
  readonly mostLimits?: Partial<Limits>
  readonly expressions: Expressions
  readonly search: MemorySearch
  readonly manyRows: ManyRowsFacts
  /** Absent where rows of metrics are seen in the order of their positions. */
  readonly feed?: MetricFeed
  /** Absent where the ability `jsonPathFilter` is. */
  readonly jsonPaths?: JsonPaths
  /** Absent where the ability `jsonPathIndex` is. */
  readonly pathIndexing?: PathIndexing
  readonly migrations: readonly Migration[]
  /** Runs a script in a transaction that only reads: one consistent view. */
  read<T>(script: (tx: Tx) => Script<T>, call: Call): Promise<T>
  /** Runs a script in a transaction that holds what it locks until it commits. One attempt: the engine repeats it. */
  write<T>(script: (tx: Tx) => Script<T>, call: Call): Promise<T>
  /**
   * Appends in the fewest round trips the database allows, taking for granted that the session exists, the revision fits,
   * the ids are new and the state stays small: `undefined` when one of that is not so, and nothing was written then.
   * Absent where a script is already the shortest way.
   */
  appendEvents?(append: Append, call: Call): Promise<Appended | undefined>
  /**
   * Several appends in one commit, each as if it came after those before it: `undefined` for one that is not the common case,
   * of which nothing was written. Where the database takes one writer at a time, and a commit costs more than what is in it.
   */
  readonly appendTogether?: (appends: readonly Append[], call: Call) => Promise<readonly (Appended | undefined)[]>
  /** Appends to different sessions in one statement. Absent where that is no shorter than each by itself. */
  readonly across?: AcrossSessions
  /** Work is done at once, and holds the thread: nothing of this process comes while it is under way, but right after it. */
  readonly holdsThread?: true
  /**
   * Creates a session in the fewest round trips, taking for granted that there is none of its key and that states stay small:
   * `undefined` when one of that is not so, and nothing was written then. The row has what the session sees, `userState` and
   * `appState`. Absent where a script is already the shortest way.
   */
  createSession?(session: NewSession, call: Call): Promise<Row | undefined>
  /** The session and its events in one consistent view, in the fewest round trips; `undefined` without the session. */
  loadSession(shape: LoadShape, params: Params, call: Call): Promise<Loaded | undefined>
  /**
   * The same inside a transaction that somebody else began: in one statement where the transaction itself is no consistent
   * view. Absent where it is.
   */
  readonly loadWithin?: (tx: Tx, shape: LoadShape, params: Params) => Script<Loaded | undefined>
  /**
   * What follows SELECT where a user's newest sessions are read with their states along the index that has their order: it keeps a
   * planner from sorting them, for which the server may lack the room.
   */
  readonly alongRecent?: SQL
  /** Milliseconds to wait, by trying again, for a lock that somebody else holds. */
  readonly lockWait: number
  /** What a migration does first: take a lock that it holds until it commits, where the transaction's own is not enough. */
  readonly migrationStart: readonly Statement[]
  /** Makes the table of migrations, unless it is there: where a migration is recorded before its statements. */
  readonly historyTable?: Statement
  /** What a migration does last, also after an error: gives back what does not end with its transaction. */
  readonly migrationEnd: readonly Statement[]
  /** One row for each table and view that is there, its name as `name`. */
  readonly existingTables: Statement
  /**
   * Rows of `difference`: each says in words in what the tables differ from those that the migrations made, so that the store
   * would not keep its promises. Absent where a schema cannot be changed like that.
   */
  readonly schemaDifferences?: Statement
  /** What a deep look at the health reads of the tables. Absent where it reads nothing. */
  readonly catalog?: Catalog
  /** The statements of a migration with the store's own names in place of the default ones. */
  named(migration: Migration): readonly string[]
  readonly failureOf: (error: unknown) => Failure
  server(call: Call): Promise<Server>
  /** Wakes tails when another process appends to their session. Absent where tails look again and again. */
  readonly listen?: (key: SessionKey) => Listening
  /** Tells those that listen, once the transaction has committed, that the session has new events or is gone. Goes with every append. */
  readonly announce?: (tx: Tx, key: SessionKey) => Script<void>
  /** Absent where there is no pool, or the driver tells nothing of it. */
  readonly pool?: () => PoolState
  /** Closes what the store opened itself, and only that. */
  close(): Promise<void>
}

/** The verbs, as steps of a script that runs inside one transaction. */
export interface Tx {
  rows(statement: Statement, params?: Params): Script<readonly Row[]>
  /** How many rows matched. */
  change(statement: Statement, params?: Params): Script<number>
  /** Whether the row was new. */
  insertNew(insert: InsertNew, params?: Params): Script<boolean>
  /**
   * The keys of the rows that were new; `undefined`: all were. Where some are there already, others may be left out with them,
   * which a look then tells.
   */
  insertAll(insert: InsertAll, params?: Params): Script<readonly string[] | undefined>
  /** Makes sure that the row is there, and takes its lock. */
  ensure(insert: InsertNew, params?: Params): Script<void>
  readonly many: ManyRows
}

/** A value that can be bound. Whole numbers may be bigint; JSON is text. */
export type Value = string | number | bigint | Uint8Array | null
export type Params = Readonly<Record<string, Value>>

/** A row as it comes back, by alias. Numbers may come as text: read them with `Number`. */
export type Row = Readonly<Record<string, unknown>>

/** A statement as a value: written once with placeholders, run many times, so that a dialect can keep it prepared. */
export interface Statement {
  readonly sql: SQL
  /** Made for one call: nothing to keep prepared. */
  readonly isOneOff?: true
  /** Which index is the best depends on what is bound, as where a page may begin anywhere or an order is the whole app's. */
  readonly isPlannedByValues?: true
  /** It costs much, and another one of its script has to see the same as it did. */
  readonly isFollowed?: true
  /** Of a SELECT of one row, or of rows up to the parameter `limit`: its columns of texts and whole numbers, and those of JSON documents. */
  readonly listed?: { readonly plain: readonly string[]; readonly documents: readonly string[] }
}

/** An INSERT that leaves an existing row alone. The target is the unique key that may exist; any other one still fails. */
export interface InsertNew {
  readonly into: Table
  readonly target: readonly Column[]
  /** Column by name of the row; each value is a placeholder or an expression. */
  readonly values: Readonly<Record<string, SQLWrapper>>
}

/** An INSERT of many rows that leaves existing ones alone. */
export interface InsertAll {
  readonly into: Table
  /** The unique key that may exist; any other one still fails. */
  readonly target: readonly Column[]
  /** The column of it by which rows are told. */
  readonly key: Column
  readonly columns: readonly Column[]
  /** A SELECT of as many values. */
  readonly rows: SQL
}

/** Events and what they do to state, for the shortest way into the database. */
export interface Append {
  readonly key: SessionKey
  readonly events: readonly EventValues[]
  readonly deltas: Readonly<Record<Scope, StoredDelta>>
  readonly expectedRevision: number | undefined
  /** Only while this lease lasts; without it only while none does. */
  readonly lease: LeaseToken | undefined
  /** Microseconds. */
  readonly now: bigint
  readonly limits: Limits
  /**
   * Where this is in the text of a stored document, its size says too little about its limit: an append that changes such a
   * document writes nothing, and answers `undefined`.
   */
  readonly compactMark: string | undefined
  /** The documents that the session sees are asked for too, where they cost no further round trip. */
  readonly wantsStates?: true | undefined
  /** For several appends that go together, and count as if they had come one after the other. */
  readonly joint?: JointAppend
}

/** Appends of many callers as one. */
interface JointAppend {
  /** By how much the revision of each scope grows. */
  readonly changes: Readonly<Record<Scope, number>>
  /**
   * Bytes by which the document of each scope grows at most on the way to its last form. One that would be over its limit
   * anywhere on the way is not the common case.
   */
  readonly growth: Readonly<Record<Scope, number>>
}

/** A session that is to be, and what it brings to the states of its user and its app, for the shortest way into the database. */
export interface NewSession {
  readonly key: SessionKey
  /** The text of its document. */
  readonly state: string
  /** The same as it is kept for later. */
  readonly initialState: string
  readonly deltas: Readonly<Record<'user' | 'app', StoredDelta>>
  /** Microseconds. */
  readonly createdAt: bigint
  readonly now: bigint
  readonly limits: Limits
  /** See {@link Append.compactMark}. */
  readonly compactMark: string | undefined
}

/** A delta in storable form: top-level keys, and the JSON text of each value. */
export interface StoredDelta {
  readonly set: readonly (readonly [key: string, json: string])[]
  readonly unset: readonly string[]
}

/** The columns of one event, in storable form. */
export interface EventValues {
  readonly eventId: string
  readonly invocationId: string | null
  readonly author: string | null
  readonly branch: string | null
  readonly errorCode: string | null
  /** Microseconds. */
  readonly timestamp: bigint
  readonly payload: string
}

export interface Appended {
  readonly revision: number
  readonly lastSeq: number
  /** Bytes of the documents that it changed, as the database counts them; without those that it knows to be small. */
  readonly stateBytes?: Partial<Readonly<Record<Scope, number>>>
  /**
   * A row of `state`, `userState` and `appState` as they are with this append, all of one moment. Absent where nobody asked, and where
   * it takes another look to tell.
   */
  readonly states?: Row
}

/** One consistent view of a session, described once for each shape of its event filter. */
export interface LoadShape {
  /** The session with its states: one row, or none. */
  readonly session: Part
  /** Its events as rows of `seq`, `eventId` and `payload` text; absent when none are asked for. */
  readonly events: Part | undefined
  /** Whether a codec writes events, which then do not say their own id. */
  readonly isEncoded: boolean
  /** Whether the events are the `limit` newest, whatever they say. */
  readonly isNewest: boolean
}

/** A SELECT, in parts for a dialect that puts two of them into one statement. */
export interface Part extends Statement {
  readonly columns: Readonly<Record<string, SQLWrapper>>
  /** From FROM to LIMIT. */
  readonly from: SQL
}

export interface Loaded {
  readonly session: Row
  readonly events: readonly Row[]
}

/** What went wrong, before the engine gives it a code. Each dialect has a table from driver codes to these. */
export type ErrorKind =
  | 'duplicate' // a unique key exists
  | 'contention' // the transaction was sacrificed: deadlock, serialization failure
  | 'locked' // somebody holds the lock
  | 'connection' // the connection was lost, or could not be had now
  | 'unreachable' // no way in, for a reason that has no name here
  | 'nobody_listens' // nothing answers at that host and port
  | 'no_host' // the name of the host is not known
  | 'untrusted' // no encrypted connection came about that can be trusted
  | 'login_refused' // wrong password, or this role may not connect
  | 'no_database' // the server has no database of that name
  | 'forbidden' // the role lacks a right
  | 'statement_lost' // a pooler between us and the database does not keep prepared statements
  | 'read_only'
  | 'storage' // the disk is full or broken
  | 'corrupt'
  | 'too_large'
  | 'cancelled'
  | 'missing_schema'
  | 'maybe_missing_schema' // the driver's code does not tell: look
  | 'closed'
  | 'internal'

export interface Failure {
  readonly kind: ErrorKind
  /** The driver's own code. */
  readonly driverCode?: string | number
  /** Whether the dialect's table has no such code, or there was none: of a commit it does not tell what became of it. */
  readonly isUnknown?: true
}

/** One step of the schema's history. Frozen once released. */
export interface Migration {
  readonly id: string
  readonly name: string
  /** The tables and views that it makes, named like those in its statements. One that is there before is somebody else's. */
  readonly makes: readonly string[]
  /** With `{sessions}` and so on where names go. The checksum is taken over this text. */
  readonly statements: readonly string[]
}
