import { getTableColumns, getTableName } from 'drizzle-orm'
import type { Dialect, Statement, Tx } from './dialect.ts'
import { tableNames } from './rows.ts'
import type { Script } from './script.ts'

/** What a database says of our tables, to be held against what the migrations made. */
export interface Catalog {
  /**
   * A row for each column and each index of tables that have the names of ours: `table`, `kind` (`column` or `index`), `name`, and
   * `type`: a column's as the schema writes it, in lower case, with ` not null` after it where it is; `invalid` for an index
   * that is there and not used.
   */
  readonly found: Statement
  /** The names of the indexes that the migrations make, of each table. */
  readonly indexes: Readonly<Record<string, readonly string[]>>
}

/** In what the tables are not what the migrations made, as sentences. */
export interface Drift {
  /** What makes calls fail, or break promises. */
  readonly broken: readonly string[]
  /** What makes them slow. */
  readonly slow: readonly string[]
}

/** Columns of the application's own are allowed, as long as they may be empty. */
export function* driftOf({ catalog, tables }: Pick<Dialect, 'catalog' | 'tables'>, tx: Tx): Script<Drift> {
  const [broken, slow]: [string[], string[]] = [[], []]
  if (catalog === undefined) return { broken, slow }
  const found = new Map<string, string>()
  for (const row of yield* tx.rows(catalog.found))
    found.set([row['kind'], row['table'], row['name']].join(' '), String(row['type']))
  for (const name of tableNames) {
    const table = getTableName(tables[name])
    for (const column of Object.values(getTableColumns(tables[name]))) {
      const is = found.get(`column ${table} ${column.name}`)
      const made = `${column.getSQLType()}${column.notNull ? ' not null' : ''}`.toLowerCase()
      if (is === undefined) broken.push(`the column ${table}.${column.name} is missing`)
      else if (is !== made)
        broken.push(`the column ${table}.${column.name} is ${is}, and the migrations made it ${made}`)
    }
    for (const index of catalog.indexes[table] ?? []) {
      const is = found.get(`index ${table} ${index}`)
      if (is === undefined)
        slow.push(
          `the index ${index} of ${table} is missing; create it again, as migrate({ dryRun: true }) of an empty database shows it`,
        )
      else if (is === 'invalid')
        slow.push(`the index ${index} of ${table} is invalid, and no query uses it; rebuild it`)
    }
  }
  return { broken, slow }
}
