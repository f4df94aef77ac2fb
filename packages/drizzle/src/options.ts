import type { ArtifactStorage, StoreOptions } from '@daybook/core'
import type { PayloadCodec } from './payload-codec.ts'
import type { TableNameOptions } from './table-names.ts'

/** Options of every store over Drizzle. */
export interface DrizzleStoreOptions extends StoreOptions, TableNameOptions {
  /**
   * Encodes events, state, memories, artifacts and the `content` of metrics on their way into the database: encryption, compression. Of several the first one writes, and
   * each reads what was written with its `id`; what was written without a codec is read as it is. So it can be switched on
   * over a store that has data, and a key can be changed. Ids, times and the columns that filters use stay in clear.
   */
  readonly codec?: PayloadCodec | readonly PayloadCodec[]
  /**
   * Appends to one session that find another one under way go to the database together when it is done, and each gets the
   * answer that it would have got alone. SQLite takes one writer at a time, so there appends to whatever sessions share a
   * commit: over a local file the first one of a turn of the event loop is written at once, the others that come in that
   * turn right after it. On a server appends to other sessions that find two of the store's statements under way wait for
   * one of them to end, five milliseconds at most, and go together. What finds nothing under way waits for nothing. On
   * servers those with `expectedRevision`, a `lease` or `onDuplicate: 'replace'` go by themselves, and everywhere all of a
   * group in which one fails. `false` sends each by itself; an object bounds how many, and how many bytes, go together.
   * Default: 100 appends, 1 MiB. Not in transactions of yours, nor in databases in memory.
   */
  readonly groupCommit?: boolean | { readonly appends?: number; readonly bytes?: number }
  /**
   * Where the bytes of artifacts go, instead of into the database: a folder (`createDirectoryStorage`), or a bucket behind the three
   * methods of {@link ArtifactStorage}. Versions, types and metadata stay in the database, and so does what is saved inside a
   * transaction of yours, to commit with it. What is written or deleted there is noted in the database first, so `sweep` finds what a
   * killed process left. Versions saved without it are read as before; without it those saved with it are `unsupported`.
   */
  readonly artifacts?: { readonly storage?: ArtifactStorage }
}

/** Names of the options that every store over Drizzle takes besides those of every store. */
export const drizzleOptionNames: readonly string[] = ['prefix', 'tables', 'codec', 'groupCommit', 'artifacts']
