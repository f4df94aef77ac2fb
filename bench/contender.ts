import type { NewMetric } from '@daybook/core'
import type { BenchEvent, JsonObject } from './data.ts'

export interface Key {
  readonly appName: string
  readonly userId: string
  readonly sessionId: string
}

/** What an append answers: the position of the event and the session's revision, where the contender has them. */
interface Appended {
  readonly seq?: number
  readonly revision?: number
}

interface Loaded {
  /** Session keys as they are, user keys as `user:…`. */
  readonly state: JsonObject
  /** Oldest first. */
  readonly events: readonly { readonly id: string }[]
}

/** One who appends to one session: a process that holds what its framework wants it to hold of a session. */
export type Append = (event: BenchEvent) => Promise<Appended>

/** A row as its driver gives it. */
export type StoredRow = Readonly<Record<string, unknown>>

/** Whose tables they are. */
export type Tables = 'daybook' | 'adk'

/** A store in its own fresh database. What it lacks it leaves out, and the workloads that need it say so. */
export interface Contender {
  /** Answers the merged state. */
  create(key: Key, state: JsonObject): Promise<JsonObject>
  /** Untimed: reads what the framework wants to hold. */
  writer(key: Key): Promise<Append>
  /** The newest `last` events. */
  load(key: Key, last: number): Promise<Loaded>
  /** The newest sessions of a user; how many there were. */
  list?(user: Omit<Key, 'sessionId'>, limit: number, withState: boolean): Promise<number>
  /** Writes rows of metrics. */
  readonly record?: (rows: readonly NewMetric[]) => Promise<void>
  readonly artifacts?: {
    /** The next version of a name. */
    save(key: Key, name: string, bytes: Uint8Array): Promise<void>
    /** How many bytes the newest version has. */
    load(key: Key, name: string): Promise<number>
  }
  readonly memories?: {
    add(user: Omit<Key, 'sessionId'>, texts: readonly string[]): Promise<void>
    /** How many of the best were found that have any of the words. */
    search(user: Omit<Key, 'sessionId'>, query: string, limit: number): Promise<number>
  }
  /** Sessions without events and one second apart, faster than one by one. */
  seedSessions?(sessions: readonly SeedSession[]): Promise<void>
  /** To seed by statements what one by one would take hours. */
  readonly sql?: {
    readonly tables: Tables
    run(text: string): Promise<void>
    /** Rows of a SELECT, to look at what it has recorded. */
    rows?(text: string): Promise<readonly StoredRow[]>
  }
  close(): Promise<void>
}

export interface SeedSession extends Key {
  readonly state: JsonObject
  readonly updatedAt: number
}

/** What the numbers do not show. */
interface About {
  /** Unique in its backend. */
  readonly name: string
  /** Its driver and version. */
  readonly driver: string
  /** What it does less than the others, in a few words. */
  readonly lacks?: string
  /** `false` for one that keeps events only. */
  readonly hasState?: boolean
}

export interface Entry extends About {
  open(place: Place): Promise<Contender>
}

/** Where a contender may make its database. */
export interface Place {
  /** The address of a database of its own, or the path of a file of its own. */
  readonly url: string
  /** Connections at most. */
  readonly pool: number
}
