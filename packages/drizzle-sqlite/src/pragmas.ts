import { StoreError } from '@daybook/core'

/** Settings of the connection that the store opens. */
export interface Pragmas {
  /** Default `full`. With `normal` the last commits can vanish when the power fails; the file stays whole. */
  readonly synchronous?: 'off' | 'normal' | 'full' | 'extra'
  /** Pages if positive, KiB if negative. SQLite's default: -2000. */
  readonly cacheSize?: number
  /** Bytes of the file to map into memory. SQLite's default: 0. */
  readonly mmapSize?: number
}

const synchronousLevels = ['off', 'normal', 'full', 'extra']

/** The statements for a connection that writes. Values are checked, since a PRAGMA takes no parameters. */
export function pragmaStatements(pragmas: Pragmas = {}, isMemory: boolean): string[] {
  if (typeof pragmas !== 'object' || pragmas === null)
    throw new StoreError('invalid_argument', 'pragmas must be an object', { field: 'pragmas' })
  const { synchronous = 'full', cacheSize, mmapSize, ...others } = pragmas
  const [stray] = Object.keys(others)
  if (stray !== undefined)
    throw invalid(stray, 'is not a setting of the store; there are synchronous, cacheSize, mmapSize')
  if (!synchronousLevels.includes(synchronous))
    throw invalid('synchronous', `must be one of ${synchronousLevels.join(', ')}`)
  return [
    ...(isMemory ? [] : ['PRAGMA journal_mode = WAL']),
    `PRAGMA synchronous = ${synchronous}`,
    'PRAGMA foreign_keys = ON',
    ...(cacheSize === undefined ? [] : [`PRAGMA cache_size = ${whole('cacheSize', cacheSize, -(2 ** 31))}`]),
    ...(mmapSize === undefined ? [] : [`PRAGMA mmap_size = ${whole('mmapSize', mmapSize, 0)}`]),
  ]
}

function whole(name: string, value: unknown, min: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return value
  throw invalid(name, `must be a whole number from ${min}`)
}

const invalid = (name: string, what: string) =>
  new StoreError('invalid_argument', `pragmas.${name} ${what}`, { field: `pragmas.${name}` })
