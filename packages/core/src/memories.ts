import type { CallOptions } from './call.ts'
import type { AgentEvent } from './events.ts'
import type { Page, PageOptions } from './page.ts'
import type { SessionKey } from './sessions.ts'

/** Whose memories: those of a user of an app, or without `userId` those of the app, which all its users share. */
export interface MemoryScope {
  readonly appName: string
  readonly userId?: string
}

/** Something to be remembered. It has `content`, `text`, or both. */
export interface NewMemory {
  /**
   * Unique within its scope. Default: a UUIDv7; with `eventId` the id that belongs to that event of that session, so that the
   * same event added again is the same memory.
   */
  readonly id?: string
  /** What was said, in any JSON form. */
  readonly content?: unknown
  /** What a search looks at. Default: the text of `content`, by {@link textOf}. */
  readonly text?: string
  /** Who said it. */
  readonly author?: string
  /** When it was, in milliseconds since 1970. Default: now. */
  readonly timestamp?: number
  readonly metadata?: Readonly<Record<string, unknown>>
  /** Where it comes from. Nothing says that it still exists. */
  readonly sessionId?: string
  readonly eventId?: string
  /** For searches by likeness, where only its direction counts. Needs the ability `vectorSearch`. */
  readonly embedding?: readonly number[]
}

/** What to remember: entries, the events of a session, or some events. */
export type MemorySource =
  | NewMemory
  | readonly NewMemory[]
  | { readonly session: SessionKey; readonly metadata?: Readonly<Record<string, unknown>> }
  | {
      readonly events: readonly AgentEvent[]
      readonly sessionId?: string
      readonly metadata?: Readonly<Record<string, unknown>>
    }

export interface AddedMemory {
  readonly id: string
  /**
   * `added`: the id was new. `duplicate`: the same was there, and nothing changed. `replaced`: something else was there under
   * that id, and this took its place.
   */
  readonly outcome: 'added' | 'duplicate' | 'replaced'
}

export interface AddedMemories {
  /** One for each entry given, in the same order; of events only for those that have something to remember. */
  readonly items: readonly AddedMemory[]
  /** Memories of a session that were taken away, because its events no longer say that. Always 0 but for a session. */
  readonly removed: number
}

export interface Memory extends MemoryScope {
  readonly id: string
  readonly content?: unknown
  /** As it was given; see {@link NewMemory.text}. */
  readonly text?: string
  readonly author?: string
  readonly timestamp: number
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly sessionId?: string
  readonly eventId?: string
  /** The store's clock when the id was first added. */
  readonly createdAt: number
  /** The store's clock when it was last replaced. */
  readonly updatedAt: number
}

export interface FoundMemory extends Memory {
  /**
   * How well it fits, the best first: by words the share of the query's words that it has, from above 0 to 1; by likeness the
   * cosine, from -1 to 1; by both the sum of 1 / (60 + rank) over the two lists.
   */
  readonly score: number
}

export interface MemoryQuery extends MemoryScope, CallOptions {
  /** Words to find, in any language; see {@link MemoryStore.search}. */
  readonly query?: string
  /** Find what is like this. Needs the ability `vectorSearch`. */
  readonly embedding?: readonly number[]
  /** With `userId`, whose memories are searched: the user's and the app's (`all`, the default), or the user's alone. */
  readonly scope?: 'all' | 'user'
  /** How many at most. Default 20, or the highest that `limits.pageMax` allows. */
  readonly limit?: number
}

export interface MemoryListQuery extends MemoryScope, PageOptions, CallOptions {
  /** Only those of this session. */
  readonly sessionId?: string
  /** By `timestamp`. Default `desc`: the newest first. Ties are in ascending order of id in either direction. */
  readonly direction?: 'asc' | 'desc'
}

export interface MemoryDeletion extends MemoryScope, CallOptions {
  /** The memory of this id. */
  readonly id?: string
  /** Those of this session. */
  readonly sessionId?: string
  /** Those whose `timestamp` is before this time. */
  readonly before?: number
  /** All of the scope: what has to be said when nothing else narrows it. */
  readonly all?: true
  /** Of every user and of the app itself: for an application that forgets by age. Goes with `before`, and without `userId`. */
  readonly everyScope?: true
  /** Count, but delete nothing. */
  readonly dryRun?: boolean
  /** Memories deleted in one transaction. Default 500. */
  readonly chunk?: number
}

export interface MemoryDeletionReport {
  readonly memories: number
  readonly dryRun: boolean
}

/**
 * What agents remember across sessions, of a user or of a whole app, found by words in any language and by likeness.
 *
 * @example
 * ```ts
 * import { createInMemoryStore } from '@daybook/core'
 *
 * await using store = createInMemoryStore()
 * const ann = { appName: 'shop', userId: 'ann' }
 * await store.memories.add(ann, [{ text: 'Ann lives in Oslo' }, { text: 'Ann likes green tea' }])
 * const { items } = await store.memories.search({ ...ann, query: 'Which TEA does she like?' })
 * console.log(items.map(({ text }) => text)) // [ 'Ann likes green tea' ]
 * ```
 */
export interface MemoryStore {
  /**
   * Remembers entries, all or none, in one transaction. Safe to repeat with ids of yours: the same again is a `duplicate`, and
   * changes nothing; an entry that says something else replaces what its id had, `createdAt` aside.
   *
   * - `{ session }` remembers every event of the session that has at least one part, and takes away what else the scope had of that
   *   session: afterwards its memories are those of its events. Of several calls at once each sees all of the session or waits
   *   for the other. The scope is the user whose session it is; `not_found` without the session.
   * - `{ events, sessionId }` remembers those of the events that have at least one part, and takes nothing away. An event without
   *   an `id` is new each time.
   *
   * By what words an entry is found is settled when it is added, by the {@link searchWords} of that version: where a later one
   * knows better, delete it and add it again.
   *
   * An entry is bounded as an event is (`eventBytes`, `eventDepth`), with its metadata, its author, and four bytes for each number of
   * its embedding, and a batch as one of events (`batchEvents`, `batchBytes`). An author has 65,535 bytes at most.
   *
   * @throws `invalid_argument`, `limit_exceeded` before any I/O, naming the entry · `not_found` without the session · `unsupported`
   * for an embedding where the ability `vectorSearch` is no · `outcome_unknown`: repeat the call with the ids that the error carries
   */
  add(scope: MemoryScope, source: MemorySource, options?: CallOptions): Promise<AddedMemories>
  /** One memory by its id, or `undefined`. */
  get(scope: MemoryScope, id: string, options?: CallOptions): Promise<Memory | undefined>
  /** The memories of a scope, the newest first. Without `userId` those of the app itself. */
  list(query: MemoryListQuery): Promise<Page<Memory>>
  /**
   * The memories that fit best, the user's and the app's. The answer is the same on every database.
   *
   * By words: a memory fits when it has any word of the query, and the more of them the better. Words are runs of letters,
   * marks and digits of any script, without regard to case; accents count, and no word is too short or too common. Of scripts
   * without spaces pairs of neighbours are compared, and of identifiers such as `fooBar` also the parts. A query is text:
   * nothing in it is an operator, or an error. One without words finds nothing. What exactly a word is {@link searchWords} says.
   *
   * By likeness: the embedding is compared with each one in the searched scopes that has as many numbers, exactly. Where the fact
   * `nativeVectors` is `no` there may be as many as `limits.embeddingsCompared` says, of any length, and with more it is
   * `limit_exceeded`; where it is `yes`, so many may be about as alike as the last one found, by a millionth or so.
   *
   * In the order of `score`, then the newest, then by ascending id (an app's before a user's).
   */
  search(query: MemoryQuery): Promise<{ readonly items: readonly FoundMemory[] }>
  /**
   * Deletes what all of the given filters name, and at least one has to be given, in bounded chunks, each a transaction: one that
   * was interrupted keeps the chunks before it, and its error says how many (`facts.removed`). Deleting a session leaves its memories, which is what they are for.
   */
  delete(query: MemoryDeletion): Promise<MemoryDeletionReport>
}
