import { StoreError } from '@daybook/core'
import type { Row } from '@daybook/drizzle'

/** What a database says about itself and the connection it was asked on. */
export interface Probe {
  readonly version: string
  readonly journalMode: string
  /** 0 off, 1 normal, 2 full, 3 extra. */
  readonly synchronous: number
  readonly foreignKeys: boolean
  /** Milliseconds. */
  readonly busyTimeout: number
  readonly isSynchronous: boolean
  readonly isMemory: boolean
  /** Whether it knows how far apart two vectors are: libSQL does, SQLite does not. */
  readonly hasVectors: boolean
}

/** Each is one statement with one row; the pragmas are asked as functions, since some servers refuse them as statements. */
export const probeStatements = [
  'select sqlite_version() as "version"',
  'select journal_mode as "journalMode" from pragma_journal_mode',
  'select synchronous as "synchronous" from pragma_synchronous',
  'select foreign_keys as "foreignKeys" from pragma_foreign_keys',
  'select timeout as "busyTimeout" from pragma_busy_timeout',
  `select count(*) as "hasVectors" from pragma_function_list where name = 'vector_distance_cos'`,
] as const

/** The oldest version that the store takes: the first one with `unhex`. */
export const floor = [3, 41] as const

/** Reads the answers to {@link probeStatements}; refuses a version below the floor. */
export function probeOf(
  answers: readonly (readonly Row[])[],
  driver: { readonly isSynchronous: boolean; readonly isMemory: boolean },
): Probe {
  const row: Row = Object.assign({}, ...answers.map(([first]) => first ?? {}))
  const version = String(row['version'])
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < floor[0] || (major === floor[0] && minor < floor[1])) {
    throw new StoreError('unsupported', `this is SQLite ${version}, and the store needs ${floor.join('.')} or newer`, {
      capability: 'version',
    })
  }
  return {
    version,
    journalMode: typeof row['journalMode'] === 'string' ? row['journalMode'] : 'unknown',
    synchronous: Number(row['synchronous'] ?? 2),
    foreignKeys: Number(row['foreignKeys'] ?? 0) === 1,
    busyTimeout: Number(row['busyTimeout'] ?? 0),
    hasVectors: Number(row['hasVectors'] ?? 0) > 0,
    ...driver,
  }
}
