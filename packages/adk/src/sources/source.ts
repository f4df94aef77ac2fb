/** A row of a database to import from. Text, numbers and NULL; what is none of them is never looked into. */
export type SourceRow = Readonly<Record<string, unknown>>

/** Runs one statement that reads. Placeholders are `$1`, `$2` … on PostgreSQL, else `?`. */
export type SourceQuery = (sql: string, params: readonly string[]) => Promise<readonly SourceRow[]>

export type SourceFlavour = 'sqlite' | 'postgresql' | 'mysql'

/**
 * A connection of yours to import from. All statements should go to one connection, inside a transaction that reads one
 * snapshot, if others write meanwhile.
 */
export interface SourceHandle {
  /** MariaDB is `mysql`. */
  readonly flavour: SourceFlavour
  readonly query: SourceQuery
}

/** How a column of times is read. */
export interface TimeColumn {
  readonly sql: (column: string) => string
  /** Milliseconds since 1970, the fraction carries microseconds; NaN where it is none. */
  readonly read: (value: unknown) => number
}

/** What databases that are read from write differently. */
export interface SourceDialect {
  readonly flavour: SourceFlavour
  /** The name of a table or column, quoted. */
  readonly name: (identifier: string) => string
  /** The placeholder of the nth value, from 1. */
  readonly param: (n: number) => string
  /** A column of JSON, as its text. */
  readonly jsonText: (column: string) => string
  /** One row for each column of the tables that a name without schema finds: `name`, `of`. */
  readonly columns: string
  /** A column of times as ADK's service writes it, by the zone of its process where the database keeps none. */
  readonly adkTime: (zone: string) => TimeColumn
  /** A column of times as SQLSpec writes it. */
  readonly sqlspecTime: TimeColumn
  /** Whether times of ADK's service have a zone only by being told. */
  readonly isZoneless: boolean
  /** That two texts which the database takes for equal are not the same. Absent where it compares byte for byte. */
  readonly differs?: (a: string, b: string) => string
}

/** A database to import from, open: one connection, that sees one snapshot if we opened it. */
export interface Source {
  readonly dialect: SourceDialect
  readonly query: SourceQuery
  close(): Promise<void>
}
