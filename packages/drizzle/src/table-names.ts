import { StoreError } from '@daybook/core'
import { tableNames, type TableName } from './rows.ts'

export interface TableNameOptions {
  /** Begins the name of every table. Default `daybook_`. */
  readonly prefix?: string
  /** Whole names for single tables, instead of prefix and default name. */
  readonly tables?: Partial<Record<TableName, string>>
}

const defaults: Record<TableName, string> = {
  sessions: 'sessions',
  events: 'events',
  appStates: 'app_states',
  userStates: 'user_states',
  memories: 'memories',
  memoryWords: 'memory_words',
  artifacts: 'artifacts',
  artifactVersions: 'artifact_versions',
  artifactChunks: 'artifact_chunks',
  metrics: 'metrics',
  migrations: 'migrations',
}

/**
 * PostgreSQL cuts names at 63 bytes. The longest suffix of an index or constraint is 13; of the tables whose default names
 * are the longest it is 7, so that there is room for as long a prefix as with the others.
 */
const longestName = (table: string) => (longNamed.has(table) ? 56 : 50)
const longNamed: ReadonlySet<string> = new Set<TableName>(['memoryWords', 'artifactVersions', 'artifactChunks'])
const allowed = /^[A-Za-z_][A-Za-z0-9_$]*$/

/** The names of the store's tables, checked: they are put into SQL as quoted identifiers. */
export function tableNamesOf({ prefix = 'daybook_', tables = {} }: TableNameOptions): Record<TableName, string> {
  if (typeof prefix !== 'string') throw invalid('prefix', 'must be a string')
  if (typeof tables !== 'object' || tables === null) throw invalid('tables', 'must be an object')
  const stray = Object.keys(tables).find((name) => !Object.hasOwn(defaults, name))
  if (stray !== undefined)
    throw invalid(`tables.${stray}`, `is not a table of the store; there are ${tableNames.join(', ')}`)
  const names = Object.fromEntries(
    tableNames.map((name) => [name, tables[name] ?? `${prefix}${defaults[name]}`]),
  ) as Record<TableName, string> // one for each
  for (const [name, value] of Object.entries(names)) {
    const field = Object.hasOwn(tables, name) ? `tables.${name}` : 'prefix'
    if (typeof value !== 'string' || !allowed.test(value) || value.length > longestName(name)) {
      throw invalid(
        field,
        `gives a table name that is not 1 to ${longestName(name)} of A-Z a-z 0-9 _ $, beginning with a letter or _`,
      )
    }
  }
  const views = [names.sessions, names.events, names.memories, names.artifacts].map((name) => `${name}_v1`)
  const lower = [...Object.values(names), ...views].map((name) => name.toLowerCase())
  if (new Set(lower).size < lower.length) throw invalid('tables', 'gives two tables or views one name')
  return names
}

/** A statement of a migration, its `{table}` marks replaced. Names are checked, so they can stand inside quotes. */
export const withNames = (statement: string, names: Readonly<Record<string, string>>): string =>
  statement.replace(/\{(\w+)\}/g, (mark, name: string) => names[name] ?? mark)

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })
