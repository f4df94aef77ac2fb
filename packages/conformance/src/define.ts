import {
  abilities,
  facts,
  type Capabilities,
  type JoinedStore,
  type Limits,
  type Logger,
  type SessionKey,
  type Store,
  type YesNo,
} from '@daybook/core'
import type { Wire } from './wire.ts'

/** The contract that this suite proves. A subject that names another is refused. */
export const contracts = ['1.0'] as const

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Options of one opening. A subject passes on what its store knows; `now`, `timeout`, `logger`, `limits` are options of every store. */
export interface OpenOptions {
  /** Where to connect instead of the real endpoint. */
  readonly via?: Endpoint
  /** Most connections of the store's pool. */
  readonly poolMax?: number
  readonly now?: () => number
  /** `app`: a role without rights to change the schema. Default: the role that may migrate. */
  readonly role?: 'app' | 'migrator'
  readonly timeout?: number
  readonly logger?: Logger
  readonly limits?: Partial<Limits>
  /** Hears each statement before it is sent to the database, those that begin and end a transaction too. */
  readonly onStatement?: (statement: SentStatement) => void
  /** How many numbers an embedding has. Given with every opening; a store that takes no heed of it says `no` to `vectorSearch`. */
  readonly embeddingDimensions?: number
  /** Begins the names of the tables. */
  readonly prefix?: string
  /** The store as an older version of itself: one that knows only so many of its migrations. */
  readonly migrations?: number
}

/** A statement as the database gets it. */
export interface SentStatement {
  readonly text: string
  readonly values: readonly unknown[]
  /** It goes out together with the one before it. */
  readonly sameTrip?: true
}

/**
 * How another process opens the same place. The process imports `module` (a file URL, TypeScript or JavaScript) and calls
 * its export `openWorkerStore(args)`. Obligatory for synchronous drivers, which cannot race within one process.
 */
export interface Worker {
  readonly module: string
  /** Goes through structured clone. */
  readonly args: unknown
}

/** What a worker's module exports. */
export interface WorkerModule {
  openWorkerStore(args: unknown): Promise<Store>
}

/** How the database goes about a statement. */
export interface StatementPlan {
  /** Tables of the store that are read from end to end, and how many rows that is, where the database tells. */
  readonly scans: readonly { readonly table: string; readonly rows?: number }[]
  readonly indexes: readonly string[]
  /** Rows that it reads; absent where the database does not tell. */
  readonly rows?: number
  /** It sorts all that it finds before it answers the first row: told where `rows` is not. */
  readonly sorts?: boolean
}

/** What the oracle fills an app with: by SQL, since a store would take minutes. */
export interface Seed {
  readonly appName: string
  /** Sessions `s1`, `s2`, … of the user `ann`, the event of each a second after that of the one before. */
  readonly sessions: number
  /** Users `u1`, `u2`, … with a session `s1` each. */
  readonly users: number
  /** Events `e1`, `e2`, … of the session `s1` of `ann`, a millisecond apart. */
  readonly events: number
  /** Artifacts `a1`, `a2`, … of that session, with a version each that has no bytes; and as many versions of `many`. */
  readonly artifacts?: number
}

/** What an oracle counts. The last three are all that artifacts are made of: names, versions, and pieces of their bytes. */
type CountedArea =
  | 'sessions'
  | 'events'
  | 'appStates'
  | 'userStates'
  | 'memories'
  | 'metrics'
  | 'artifacts'
  | 'artifactVersions'
  | 'artifactChunks'

/** A second reader, beside the store. What is optional unlocks checks of its own. */
export interface Oracle {
  /** Rows of one app. */
  count(area: CountedArea, appName: string): Promise<number>
  /**
   * Tries to insert an event row of no session, by SQL of its own; the app has a session with an event. True: the database refused it. What it accepted is
   * taken back.
   */
  orphan?(appName: string): Promise<boolean>
  /** Counts what a search finds memories by and that belongs to none which is there, of any app. */
  strayWords?(): Promise<number>
  /** Asks the database how it goes about a statement of the store. Changes nothing. */
  plan?(statement: SentStatement): Promise<StatementPlan>
  seed?(seed: Seed): Promise<void>
  /** Has the database count the rows of an area, as it does by itself some time after they came; absent where it never does. */
  recount?(area: CountedArea): Promise<void>
  /** What the database knows the sessions of an app by, where a statement may name them so instead of by their key. */
  internalKeys?(appName: string): Promise<readonly string[]>
  /** How the columns that hold the bodies of events, and states, are written in a statement. */
  readonly columns?: { readonly body: RegExp; readonly state: RegExp }
  /** Everything that is in the place but for its rows, a line each: tables, columns, indexes, constraints, views, whosever they are. */
  schema?(): Promise<readonly string[]>
  /** Makes objects of somebody else in the place, with names that are close to those of the store, and a row in them. */
  foreign?(): Promise<ForeignObjects>
  /** Takes a column or an index away from the store, and says its name. */
  damage?(what: 'column' | 'index'): Promise<string>
  /** Has the database itself keep the role `app` to the rows of one app, by row-level security. After the migration. */
  confine?(appName: string): Promise<void>
  /** Overwrites the stored bytes of every artifact of an app. */
  damageArtifacts?(appName: string): Promise<void>
  /** Records a migration that no version of the store knows. */
  newerMigration?(): Promise<void>
  /** Leaves what a migration leaves that dies half-way; absent where that is nothing, because it is one transaction. */
  halfMigrated?(): Promise<void>
  /** What the database does when it is tried by SQL, for the facts that no method of the contract shows. */
  readonly tries?: { readonly [F in TriedFact]?: () => Promise<YesNo> }
}

/** Objects that are none of the store's. */
export interface ForeignObjects {
  /** What became of them: their definitions and rows. */
  readonly look: () => Promise<unknown>
}

export type TriedFact = 'skipLocked' | 'windowFunctions' | 'transactionalDdl'

/** A lock that somebody holds who is no store. */
export interface HeldLock {
  release(): Promise<void>
}

/** Options of an opening that not every database has. */
export type Honoured = 'role' | 'poolMax' | 'onStatement' | 'prefix' | 'migrations'

/**
 * What a place does not have, so that some rules say nothing about it. The certificate lists it, with the checks that
 * did not apply.
 *
 * - `roles`: the database knows no rights.
 * - `pool`: every open is one connection.
 * - `schema`: there is nothing to migrate.
 * - `locks`: nobody but a store can hold a lock.
 * - `network`: nothing is between the store and its database that could be cut.
 * - `storage`: no disk that the suite could fill or damage: there is none, or it is a server's own.
 * - `refusals`: the database has no errors of its own.
 * - `opening`: the application connects, and hands over what it connected.
 * - `chunks`: what `prune` removes it removes all at once, or not at all.
 */
export type Lack = 'roles' | 'pool' | 'schema' | 'locks' | 'network' | 'storage' | 'refusals' | 'opening' | 'chunks'

/** The caller's own transaction, for stores whose ability `callerTransaction` is `yes`. */
export interface CallerTransaction {
  /**
   * Begins a transaction the way an application does, joins the store to it (`using(tx)`), runs the body, commits, or rolls
   * back and rethrows. `own.insert` writes a row of a table of the application, in the same transaction.
   */
  run<T>(
    store: Store,
    body: (joined: JoinedStore, own: { insert(id: string): Promise<void> }) => Promise<T>,
  ): Promise<T>
  /** Ids in the application's table, read outside of any transaction. */
  rows(): Promise<readonly string[]>
}

/** One empty, private place: a schema, a file, a map. */
export interface Place {
  /** An independent store each time, with a pool of its own; the suite opens two or more and closes them. */
  open(options?: OpenOptions): Promise<Store>
  /** Unlocks the process checks. */
  readonly worker?: Worker
  /** Lets "nothing written" be looked at from outside. */
  readonly oracle?: Oracle
  /** Unlocks the checks of the caller's transaction. */
  readonly transaction?: CallerTransaction
  /** The options that `open` passes on. A check that needs another one proves nothing here. */
  readonly honours?: readonly Honoured[]
  readonly lacks?: readonly Lack[]
  /**
   * Has another process or connection hold what a writer of this session takes: its row, or the one lock of a database
   * whose writers take turns.
   */
  lock?(key: SessionKey): Promise<HeldLock>
  /** Where the database listens, by TCP and without TLS: unlocks the fault checks, which go between by `OpenOptions.via`. */
  readonly endpoint?: Endpoint
  /**
   * Milliseconds for which the database keeps what the transaction of a lost connection had locked. Default 0: it notices at
   * once. Where it is long the fault checks wait longer, and hit fewer statements.
   */
  readonly keepsLost?: number
  /** How the protocol on that connection shows a commit. Without it faults cannot hit one phase of a call. */
  readonly wire?: Wire
  /** The settings that were asked for, by name. See {@link PlaceRequest.settings}. */
  readonly settings?: Readonly<Record<string, string>>
  /** The server of this place alone, for the checks that kill it. See {@link PlaceRequest.ownServer}. */
  readonly server?: ServerProcess
  /** What can happen to a disk, each as a store that has met it. */
  readonly storage?: { readonly [F in StorageFault]?: () => Promise<StoreInTrouble> }
  /** Opens a database whose beginning is overwritten. */
  openDamaged?(): Promise<Store>
  /** A store over a database that the application opened, and closes. */
  handle?(): Promise<Handle>
  /** Opens a server that says to be older than the floor: for real, or with its answer changed on the way. */
  openBelowFloor?(): Promise<Store>
  /** Opens a database that is not there: a name that the server does not know, a path that does not exist. */
  openAbsent?(options?: OpenOptions): Promise<Store>
  /** Has the database refuse every new event with an error that no store knows, as a trigger of the application would. */
  refuse?(): Promise<HeldLock>
  destroy(): Promise<void>
}

export interface PlaceRequest {
  /** Safe in any identifier: letters, digits and `_`, starts with a letter, at most 40 characters. */
  readonly id: string
  /** The place is to bring {@link Place.server}: the suite will kill it, so nobody else may be on it. */
  readonly ownServer?: true
  /**
   * The place is to bring {@link Place.settings}: settings of the server, the role or the session that change how texts,
   * times and numbers are read or written, as far as a store takes them.
   */
  readonly settings?: 'hostile'
}

/** A database of the application's with a store over it. */
export interface Handle {
  readonly store: Store
  /** Whether the application can still use it. */
  readonly works: () => Promise<boolean>
  close(): Promise<void>
}

/** A database server as a process. */
export interface ServerProcess {
  /** Ends it at once, as a crash would (SIGKILL). */
  kill(): Promise<void>
  /** Starts it again over the same data, at the same address; resolves when it answers. */
  start(): Promise<void>
}

/**
 * What can happen to the file of a database.
 *
 * - `full`: there is no room for one page more.
 * - `readOnly`: it may be read and not written.
 */
export type StorageFault = 'full' | 'readOnly'

/** A store whose disk fails. The suite closes the store. */
export interface StoreInTrouble {
  readonly store: Store
  /** Undoes the fault; the same store has to work afterwards. */
  mend(): Promise<void>
}

/** A known defect: its checks fail today, are listed by name and link, and cap the level. */
export interface Deviation {
  readonly capability?: keyof Capabilities
  readonly issue: string
  readonly checks: readonly string[]
}

/** A bug that the subject builds into its own store, below the contract: in a statement, the schema, a migration. */
export interface OwnMutant {
  readonly id: OwnMutantId
  readonly bug: string
  /** Key of the check that has to fail, as a failed assertion of that check. */
  readonly check: string
  /** Why the bug cannot be in this store. */
  readonly inapplicable?: string
  /** A place all of whose stores have the bug, those of its workers too. */
  readonly provision: (place: PlaceRequest) => Promise<Place>
}

export type OwnMutantId = `S${number}` | `S${number}@${string}`

export interface StoreUnderTest {
  readonly subject: { readonly name: string; readonly version: string; readonly driver?: string }
  /** An exact minor of the contract. */
  readonly contract: string
  /** Pins every key, so that a probe that breaks on a server cannot quietly switch checks off. */
  readonly expects: Capabilities
  readonly broken?: readonly Deviation[]
  /** Run with `prove`, each in a place of its own and against its named check alone. */
  readonly mutants?: readonly OwnMutant[]
  provision(place: PlaceRequest): Promise<Place>
  /**
   * How many checks run at once, where the run does not say. 1 for a database whose work stops the event loop of this process: each
   * check would wait for the others' work, and run out of its own time. Default 4.
   */
  readonly lanes?: number
  /**
   * What killed runs left: ids of places that are there, whoever made them, and how to drop one. For `clean`, which drops only
   * those whose name says that a run of this suite made them, and not lately.
   */
  readonly leftovers?: Leftovers
}

export interface Leftovers {
  list(): Promise<readonly string[]>
  drop(id: string): Promise<void>
}

/** A subject that cannot be run: the harness stops before any check. */
export class SubjectError extends Error {
  override readonly name = 'SubjectError'
}

/** Declares a store to the suite, and refuses at once what the suite could not judge. */
export function defineStoreUnderTest(subject: StoreUnderTest): StoreUnderTest {
  if (!contracts.some((known) => known === subject.contract)) {
    throw new SubjectError(`contract ${subject.contract} is unknown to this suite, which knows ${contracts.join(', ')}`)
  }
  const missing = [...abilities, ...facts, 'isolation' as const].filter((key) => subject.expects[key] === undefined)
  if (missing.length > 0) throw new SubjectError(`expects pins every capability; missing: ${missing.join(', ')}`)
  return subject
}
