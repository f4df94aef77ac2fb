import { Column, getTableColumns, getTableName, is, SQL, StringChunk } from 'drizzle-orm'
import type { Dialect, Statement, Tx } from './dialect.ts'
import type { StatePathIndex } from './json-path.ts'
import { recordedPathIndexes } from './path-indexes.ts'
import { tableNames } from './rows.ts'
import type { Script } from './script.ts'

/** What a database says of our tables, to be held against what the migrations made. */
export interface Catalog {
  /**
   * A row for each column and each index of tables that have the names of ours: `table`, `kind`, `name`, and `type`. The kinds:
   *
   * - `column`: its type as the schema writes it, in lower case, with ` generated` and ` not null` after it where it is that
   * - `required`: once more, a column for which every insert has to bring a value
   * - `index`: as {@link describedIndex} writes it; `invalid` for one that is there and not used
   */
  readonly found: Statement
  /** The indexes that the migrations make, of each table, by name, as {@link describedIndex} writes them. */
  readonly indexes: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** In what the tables are not what the migrations made, as sentences. */
export interface Drift {
  /** What makes calls fail, or break promises. */
  readonly broken: readonly string[]
  /** What makes them slow. */
  readonly slow: readonly string[]
}

const unique = 'unique '

/** `unique (a, b desc)`, of columns and expressions as Drizzle's tables have them. */
export const describedIndex = (isUnique: boolean, columns: readonly object[]): string =>
  `${isUnique ? unique : ''}(${columns.map(indexedColumn).join(', ')})`

function indexedColumn(column: object): string {
  if (!is(column, SQL)) {
    const { name, indexConfig } = column as { name?: string; indexConfig?: { order?: string } } // a column, on PostgreSQL with its order
    return `${name}${indexConfig?.order === 'desc' ? ' desc' : ''}`
  }
  return column.queryChunks.map(textOf).join('')
}

const textOf = (chunk: unknown): string => {
  if (is(chunk, Column)) return chunk.name
  return is(chunk, StringChunk) ? [chunk.value].flat().join('') : '' // Drizzle 1.0 keeps one text, 0.45 a list
}

/** Columns and indexes of the application's own are allowed, as long as the columns may be empty. */
export function* driftOf(dialect: Dialect, tx: Tx): Script<Drift> {
  const { catalog, tables } = dialect
  const drift = { broken: [] as string[], slow: [] as string[] }
  if (catalog === undefined) return drift
  const found: Found = { column: new Map(), required: new Map(), index: new Map() }
  for (const row of yield* tx.rows(catalog.found)) {
    const { kind, table, name, type } = row as Record<string, string> // as `found` promises
    if (isKind(kind)) found[kind].set(`${table}.${name}`, String(type))
  }
  for (const name of tableNames) {
    const table = getTableName(tables[name])
    drift.broken.push(...columnDrift(table, Object.values(getTableColumns(tables[name])), found))
    for (const [index, made] of Object.entries(catalog.indexes[table] ?? {})) {
      const sentence = indexDrift(table, index, made, found)
      if (sentence !== undefined) drift[made.startsWith(unique) ? 'broken' : 'slow'].push(sentence)
    }
  }
  for (const index of yield* recordedPathIndexes(dialect)(tx)) {
    const { broken, slow } = pathIndexDrift(dialect, index, found)
    drift.broken.push(...broken)
    drift.slow.push(...slow)
  }
  return drift
}

type Found = Readonly<Record<Kind, Map<string, string>>>
type Kind = (typeof kinds)[number]
const kinds = ['column', 'required', 'index'] as const
const isKind = (kind: string | undefined): kind is Kind => kinds.some((one) => one === kind)

function columnDrift(table: string, columns: readonly Column[], found: Found): readonly string[] {
  const ours = columns.flatMap((column) => {
    const there = found.column.get(`${table}.${column.name}`)
    const made = `${column.getSQLType()}${column.notNull ? ' not null' : ''}`.toLowerCase()
    if (there === undefined) return [`the column ${table}.${column.name} is missing`]
    return there === made ? [] : [`the column ${table}.${column.name} is ${there}, and the migrations made it ${made}`]
  })
  const known = new Set(columns.map((column) => `${table}.${column.name}`))
  const strange = [...found.required.keys()].filter((name) => name.startsWith(`${table}.`) && !known.has(name))
  return [
    ...ours,
    ...strange.map(
      (name) => `the column ${name} is not the store's and has to have a value, which the store cannot give it`,
    ),
  ]
}

function indexDrift(table: string, index: string, made: string, found: Found): string | undefined {
  const there = found.index.get(`${table}.${index}`)
  const again = 'create it again, as migrate({ dryRun: true }) of an empty database shows it'
  if (there === undefined) return `the index ${index} of ${table} is missing; ${again}`
  if (there === 'invalid') return `the index ${index} of ${table} is invalid, and no query uses it; rebuild it`
  if (there === made) return undefined
  return `the index ${index} of ${table} is ${there}, and the migrations made it ${made}; ${again}`
}

function pathIndexDrift({ tables, pathIndexing }: Dialect, index: StatePathIndex, found: Found): Drift {
  const { name, path, type } = index
  const place = `${getTableName(tables.sessions)}.${name}`
  const what = `the index of the path ${JSON.stringify(path)} for values of type ${type}`
  const again = 'drop it with dropStatePathIndex() and make it again with indexStatePath()'
  const [column, made] = [found.column.get(place), pathIndexing?.column?.(index)]
  const state = found.index.get(place)
  return {
    // A filter names the column.
    broken:
      made === undefined || column === made
        ? []
        : [`the column ${place} is ${column ?? 'missing'}, and ${what} made it ${made}; ${again}`],
    slow: state === undefined || state === 'invalid' ? [`${what}, ${name}, is ${state ?? 'missing'}; ${again}`] : [],
  }
}
