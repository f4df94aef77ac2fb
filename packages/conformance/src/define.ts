import {
  abilities,
  facts,
  type Capabilities,
  type Limits,
  type Logger,
  type SessionKey,
  type Store,
  type YesNo,
} from '@daybook/core'

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

/** A second reader, beside the store. */
export interface Oracle {
  /** Rows of one app. */
  count(area: 'sessions' | 'events' | 'appStates' | 'userStates', appName: string): Promise<number>
  /**
   * Tries to insert an event row of no session, by SQL of its own; the app has a session with an event. True: the database refused it. What it accepted is
   * taken back.
   */
  orphan?(appName: string): Promise<boolean>
  /** What the database does when it is tried by SQL, for the facts that no method of the contract shows. */
  readonly tries?: { readonly [F in TriedFact]?: () => Promise<YesNo> }
}

export type TriedFact = 'skipLocked' | 'windowFunctions' | 'transactionalDdl'

/** A lock that somebody holds who is no store. */
export interface HeldLock {
  release(): Promise<void>
}

/** Options of an opening that not every database has. */
export type Honoured = 'role' | 'poolMax'

/**
 * What a place does not have, so that some rules say nothing about it. The certificate lists it, with the checks that
 * did not apply.
 *
 * - `roles`: the database knows no rights.
 * - `pool`: every open is one connection.
 * - `schema`: there is nothing to migrate.
 * - `locks`: nobody but a store can hold a lock.
 */
export type Lack = 'roles' | 'pool' | 'schema' | 'locks'

/** The caller's own transaction, for stores whose ability `callerTransaction` is `yes`. */
export interface CallerTransaction {
  /**
   * Begins a transaction the way an application does, joins the store to it (`using(tx)`), runs the body, commits, or rolls
   * back and rethrows. `own.insert` writes a row of a table of the application, in the same transaction.
   */
  run<T>(store: Store, body: (joined: Store, own: { insert(id: string): Promise<void> }) => Promise<T>): Promise<T>
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
  /** For the fault checks, which are still to come: the suite will go between, by `OpenOptions.via`. */
  readonly endpoint?: Endpoint
  destroy(): Promise<void>
}

export interface PlaceRequest {
  /** Safe in any identifier: letters, digits and `_`, starts with a letter, at most 40 characters. */
  readonly id: string
}

/** A known defect: its checks fail today, are listed by name and link, and cap the level. */
export interface Deviation {
  readonly capability?: keyof Capabilities
  readonly issue: string
  readonly checks: readonly string[]
}

export interface StoreUnderTest {
  readonly subject: { readonly name: string; readonly version: string; readonly driver?: string }
  /** An exact minor of the contract. */
  readonly contract: string
  /** Pins every key, so that a probe that breaks on a server cannot quietly switch checks off. */
  readonly expects: Capabilities
  readonly broken?: readonly Deviation[]
  provision(place: PlaceRequest): Promise<Place>
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
