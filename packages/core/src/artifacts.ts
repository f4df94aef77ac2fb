import type { CallOptions } from './call.ts'
import type { Page, PageOptions } from './page.ts'
import type { UserKey } from './sessions.ts'

/**
 * A name of one session, or of a user. Every part is an id. A name is a value and never a path: `/`, `..` and `%00` in it mean
 * nothing. One that begins with `user:` belongs to the user, is seen from every session of that user in the app, and keeps
 * its prefix; `sessionId` says nothing about it then. Every other name belongs to a session, and needs its id.
 */
export interface ArtifactKey extends UserKey {
  readonly sessionId?: string
  readonly name: string
}

/**
 * The bytes, whole or as they come: a `ReadableStream` is such an iterable. Pieces may have any length. Of a stream no more than
 * a few pieces are in memory at a time.
 */
export type ArtifactContent = Uint8Array | AsyncIterable<Uint8Array>

export interface SaveArtifactOptions extends CallOptions {
  /** What the bytes are, `image/png` for example: kept as it is, by the rules of an id. */
  readonly mimeType?: string
  /** Anything about this version, as a JSON object. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /**
   * Names this save among those of its name, by the rules of an id, so that it can be repeated: with the same bytes, type and
   * metadata it answers the version that it made, with others it is `conflict`. Default: a UUIDv7.
   */
  readonly saveId?: string
}

export interface SavedArtifact {
  /** 0, 1, 2 … of its name, without gaps, in commit order. */
  readonly version: number
  /** Bytes. */
  readonly size: number
  /** Of the bytes, in lower-case hexadecimal. */
  readonly sha256: string
  readonly createdAt: number
  readonly saveId: string
  /** The version had been made by this `saveId` before. */
  readonly duplicate: boolean
}

/** What is known of a version besides its bytes. */
export interface ArtifactVersion {
  readonly version: number
  readonly mimeType?: string
  /** Empty when none was given. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly size: number
  readonly sha256: string
  readonly createdAt: number
}

export interface LoadedArtifact extends ArtifactVersion {
  readonly bytes: Uint8Array
}

export interface StreamedArtifact extends ArtifactVersion {
  /**
   * The bytes in pieces, read as they are asked for: no connection is held between two of them, and none at all before the
   * first. May be iterated more than once. Ends with an error where the bytes are not those that were saved (`corrupt`, at the
   * latest after the last piece), and where the version was deleted meanwhile (`not_found`). The call's `signal` ends it too,
   * and its `timeout` bounds each piece.
   */
  readonly stream: AsyncIterable<Uint8Array>
}

export interface LoadArtifactOptions extends CallOptions {
  /** Default: the newest that is there. */
  readonly version?: number
  /** Answer `stream` instead of `bytes`. */
  readonly stream?: boolean
}

/** A name with its newest version, as lists answer it. */
export interface Artifact extends ArtifactKey, ArtifactVersion {}

export interface ArtifactQuery extends UserKey, PageOptions, CallOptions {
  /** The names of this session as well. Default: only those of the user. */
  readonly sessionId?: string
}

export interface ArtifactVersionQuery extends PageOptions, CallOptions {
  /** Default `asc`: the oldest first. */
  readonly direction?: 'asc' | 'desc'
}

export interface DeleteArtifactOptions extends CallOptions {
  /** Only this one. Default: all versions. */
  readonly version?: number
}

export interface ArtifactPruneQuery extends CallOptions {
  readonly appName: string
  readonly userId?: string
  /** Versions saved before this time. */
  readonly before: number
  /** Count, but delete nothing. */
  readonly dryRun?: boolean
  /** Versions deleted in one transaction. Default 100. */
  readonly chunk?: number
}

export interface ArtifactPruneReport {
  readonly versions: number
  /** Of those versions. */
  readonly bytes: number
  readonly dryRun: boolean
}

export interface ArtifactSweepQuery extends CallOptions {
  readonly appName: string
  /** Milliseconds since a save began, after which nobody works on it any more. Default: a day. At least an hour. */
  readonly olderThan?: number
  /** Count, but delete nothing. */
  readonly dryRun?: boolean
}

export interface ArtifactSweepReport {
  /** Saves that never came to their end. */
  readonly uploads: number
  readonly dryRun: boolean
}

/**
 * Versioned files of sessions and of users, in the database with everything else.
 *
 * @example
 * ```ts
 * import { createInMemoryStore } from '@daybook/core'
 *
 * await using store = createInMemoryStore()
 * const session = await store.sessions.create({ appName: 'shop', userId: 'ann' })
 * const key = { ...session, name: 'report.txt' }
 * await store.artifacts.save(key, Buffer.from('draft'), { mimeType: 'text/plain' })
 * const { version } = await store.artifacts.save(key, Buffer.from('final'), { mimeType: 'text/plain' })
 * const loaded = await store.artifacts.load(key)
 * console.log(version, Buffer.from(loaded?.bytes ?? []).toString()) // 1 final
 * ```
 */
export interface ArtifactStore {
  /**
   * Saves the next version of a name: bytes and record in one commit, or neither. Of several savers at once each gets a version
   * of its own. What is longer than a few pieces is written piece by piece before that commit, invisible to everybody, so that
   * no lock is held meanwhile; a save that fails or is abandoned takes back what it wrote, and {@link ArtifactStore.sweep} what
   * a killed process left. Inside a transaction a stream is read to its end first.
   *
   * @throws `not_found` without the session · `conflict` for a `saveId` with other content · `limit_exceeded`, of a stream as soon
   * as it is too long · `outcome_unknown`: repeat it with the `saveId` that the error carries · what the stream throws is the
   * `cause` of `aborted`
   */
  save(key: ArtifactKey, content: ArtifactContent, options?: SaveArtifactOptions): Promise<SavedArtifact>
  /** One version; `undefined` where there is none. `corrupt` where the bytes are not those that were saved. */
  load(
    key: ArtifactKey,
    options: LoadArtifactOptions & { readonly stream: true },
  ): Promise<StreamedArtifact | undefined>
  load(
    key: ArtifactKey,
    options?: LoadArtifactOptions & { readonly stream?: false },
  ): Promise<LoadedArtifact | undefined>
  /** The names of the user, and of a session, by name in the order of code points, each with its newest version. Reads no bytes. */
  list(query: ArtifactQuery): Promise<Page<Artifact>>
  /** The versions of a name. A missing one has none. Reads no bytes. */
  versions(key: ArtifactKey, query?: ArtifactVersionQuery): Promise<Page<ArtifactVersion>>
  /**
   * Deletes a name with all its versions, after which it begins at 0 again; or one version, whose number does not come back as
   * long as the name is not deleted. False if there was none.
   */
  delete(key: ArtifactKey, options?: DeleteArtifactOptions): Promise<boolean>
  /**
   * Deletes old versions of one app (or one user of it) in bounded chunks, each a transaction: one that was interrupted keeps the
   * chunks before it, and the next one counts the rest. A name that has no version left is deleted.
   */
  prune(query: ArtifactPruneQuery): Promise<ArtifactPruneReport>
  /**
   * Removes what saves of an app left whose process was killed, and all that a storage was to delete and could not. Nobody ever
   * saw the one, or sees the other; it only takes room.
   */
  sweep(query: ArtifactSweepQuery): Promise<ArtifactSweepReport>
}
