import type { IndexedType, StatePath } from '@daybook/core'
import type { SQL, SQLWrapper } from 'drizzle-orm'
import type { Value, Statement } from './dialect.ts'

/** What is at a path of a JSON document, as each type: NULL where the path is missing or the value has another type. */
export interface JsonAt {
  readonly exists: SQL
  readonly isNull: SQL
  /** Compared byte for byte in UTF-8. */
  readonly string: SQL
  /** Compared as the double that it is. */
  readonly number: SQL
  readonly boolean: SQL
  /** The value is an array, and one of its elements passes the test. */
  someElement(test: (element: JsonAt) => SQL): SQL
}

/** How a database looks into JSON. Paths and values are bound, never spliced. */
export interface JsonPaths {
  /**
   * Follows a path exactly: a string finds only a key of an object, a number only a position in an array. `bind` makes a
   * placeholder of a value.
   */
  at(column: SQLWrapper, path: StatePath, bind: (value: Value) => SQLWrapper): JsonAt
  /** Text, bound, to compare with {@link JsonAt.string}. */
  string(text: SQLWrapper): SQL
  /** The JSON text of a number, bound, to compare with {@link JsonAt.number}. */
  number(text: SQLWrapper): SQL
  boolean(value: boolean): SQL
  /** So much of a string as an index has room for. It keeps the order: of two strings the one before has no key after the other's. */
  indexKey(text: SQLWrapper): SQL
  /** What an index holds, to compare with. Absent where the planner finds an index by {@link at} and {@link indexKey}. */
  readonly indexed?: (index: StatePathIndex) => SQL
}

/** An index on a path of session state, for values of one type. */
export interface StatePathIndex {
  /** Of the index, and of a column where there has to be one. */
  readonly name: string
  /** In the form that the documents have. */
  readonly path: StatePath
  readonly type: IndexedType
}

/** How indexes on paths of state are made. What `create` does is one step: it is there afterwards, or it is not. */
export interface PathIndexing {
  /** `undefined`: this database cannot index such a path. */
  create(index: StatePathIndex): string | undefined
  drop(index: StatePathIndex): string
  /** A row if it is there. */
  exists(index: StatePathIndex): Statement
  /** The column that `create` makes, as {@link Catalog.found} writes it. Absent where an index needs none. */
  readonly column?: (index: StatePathIndex) => string
}
