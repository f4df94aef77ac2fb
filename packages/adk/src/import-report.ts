import type { SessionKey } from '@daybook/core'
import type { TableName } from './sources/layout.ts'
import type { SourceFlavour } from './sources/source.ts'

/** What became of a table. Rows of state that are empty count as taken: without a row it is empty, too. */
export interface ImportCounts {
  /** Rows in the database to import from. */
  readonly found: number
  /** Of these, in the store now; with `dryRun`: would be. */
  readonly taken: number
  /** Of these, written by this run; with `dryRun`: would be. */
  readonly written: number
}

/**
 * - `imported`: it is in the store, as in the database to import from. With `dryRun`: it would be.
 * - `present`: it was there already, the same.
 * - `different`: the store has it with other content, which was left alone.
 * - `left`: it cannot be taken; see `notTaken`.
 */
export type SessionOutcome = 'imported' | 'present' | 'different' | 'left'

export interface ImportedSession extends SessionKey {
  readonly outcome: SessionOutcome
  /** Events that can be taken. */
  readonly events: number
  /** Whether events have the same time, so that their order is a guess. */
  readonly tied: boolean
  /** SHA-256 over state and events in their order: of what can be taken, and of what the store has now. */
  readonly checksum: { readonly source: string; readonly store: string | undefined }
}

export type NotTakenReason =
  | 'unreadable' // no JSON, or none of the form that it must have
  | 'invalid' // the store refuses it
  | 'over_limit' // the store refuses it for its size, depth or length
  | 'folded' // a key that only the collation of the database takes for that of its session
  | 'no_session' // events whose session is not there
  | 'different' // the store has other content there
  | 'prefixed_key' // a key of another scope in the state of a session
  | 'pickled_actions' // actions of events in a form that is never loaded

/** Something that could not be taken, or not whole. */
export interface NotTaken {
  readonly what: 'session' | 'event' | 'user state' | 'app state'
  readonly appName: string
  readonly userId?: string
  readonly sessionId?: string
  readonly eventId?: string
  readonly reason: NotTakenReason
  /** A sentence, without content. */
  readonly detail: string
  /** How many there are of it, where it is not one. */
  readonly count?: number
}

/** What an import did, or with `dryRun` would do. */
export interface AdkImportReport {
  readonly dryRun: boolean
  readonly source: {
    readonly layout: 'adk' | 'sqlspec'
    readonly flavour: SourceFlavour
    /** ADK's version of its schema, or the generation of SQLSpec's tables. */
    readonly schema: string
    /** The zone that times without one were taken to be in; absent where they have one. */
    readonly zone?: string
  }
  readonly tables: Readonly<Record<TableName, ImportCounts>>
  readonly sessions: readonly ImportedSession[]
  /** Sessions with events of the same time. */
  readonly tied: number
  readonly notTaken: readonly NotTaken[]
}

export interface ImportProgress {
  readonly sessions: { readonly done: number; readonly of: number }
  /** Read so far. */
  readonly events: { readonly done: number; readonly of: number }
}
