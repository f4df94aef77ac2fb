import type { Column, SQL, SQLWrapper, Table } from 'drizzle-orm'

/** What a database writes differently inside an expression. */
export interface Expressions {
  /** JSON text, bound as a parameter, as the type that state columns have. */
  json(text: SQLWrapper): SQL
  /** JSON text, bound as a parameter, as the type that keeps it verbatim. */
  payload(text: SQLWrapper): SQL
  /** A column of a document as text. */
  readonly jsonText: (column: SQLWrapper) => SQL
  /** The same in rows that nothing sorts, where that costs less. */
  readonly unsortedJsonText?: (column: SQLWrapper) => SQL
  /** A column of a payload as text. */
  payloadText(column: SQLWrapper): SQL
  /** A whole number that may be beyond 2^53, as text. */
  wholeText(column: SQLWrapper): SQL
  /** A column as the text that the database makes of it: of JSON too where a driver would parse it. */
  castText(column: SQLWrapper): SQL
  /** Whole 10⁻¹², bound as text, as the type of money. */
  money(units: SQLWrapper): SQL
  /** Money as a number of 10⁻¹². */
  moneyUnits(column: SQLWrapper): SQL
  /**
   * The exact sum of whole numbers, as text. Where it could overflow, two numbers with `|` between: how many 10¹² it is, and what is
   * left.
   */
  sumText(value: SQLWrapper): SQL
  /** Money as whole 10⁻¹², as text. */
  moneyText(column: SQLWrapper): SQL
  /**
   * The first rows of a SELECT with its order, along an index that has the same. Absent where LIMIT says enough: a planner that takes a
   * bound LIMIT for a share of all rows plans such a statement anew at each call, since a plan that it could keep seems to read more.
   */
  readonly firstRows?: (ordered: SQL, limit: SQLWrapper) => SQL
  /** Where a long text is sorted by its beginning alone: a short one that is the same for the same text alone. */
  readonly shortKey?: (text: SQLWrapper) => SQL
  /** A time in whole microseconds: as text at least where it is beyond 2^53. */
  time(column: SQLWrapper): SQL
  /** A whole number, bound as a parameter where its type cannot be told from its place. */
  wholeParam(value: SQLWrapper): SQL
  /** A text, bound as a parameter where its type cannot be told from its place. */
  textParam(value: SQLWrapper): SQL
  /** `… as one` for a FROM: a row with a `value` for each string in a JSON array that is bound as text, each there once. */
  strings(list: SQLWrapper): SQL
  /** The same for whole numbers. */
  wholes(list: SQLWrapper): SQL
  /** `… as one` for a FROM: a row with a text for each name, for each object in a JSON array. */
  texts(list: SQLWrapper, names: readonly string[]): SQL
  /** `column` is one of the whole numbers in a JSON array. */
  isOneOf(column: SQLWrapper, list: SQLWrapper): SQL
  /**
   * SELECT of a table's row for each row of `from`, one at most, by a condition that a unique index answers. `from` is read first
   * whatever the planner believes: with statistics that are not there yet, or wrong, it would rather walk all rows of a user for
   * each of ours. What follows it names `columns` by their aliases.
   */
  selectEach(columns: Readonly<Record<string, SQLWrapper>>, from: SQLWrapper, table: Table, condition: SQLWrapper): SQL
  /** The same where each row of `from` may have many. */
  selectMany(columns: Readonly<Record<string, SQLWrapper>>, from: SQLWrapper, table: Table, condition: SQLWrapper): SQL
  /** DELETE of the rows of a table whose `column` is one of the whole numbers in a JSON array. It walks an index of the column. */
  deleteListed(table: Table, column: Column, list: SQLWrapper): SQL
  /**
   * DELETE of the rows of a table in which `columns` are what they are in a row of `from`. It walks an index that begins with them. Of rows that are
   * locked, or that nobody changes: one that was changed meanwhile may stay.
   *
   * @param further what else is asked of each of the rows
   */
  deleteEach(
    table: Table,
    columns: readonly (readonly [Column, SQLWrapper])[],
    from: SQLWrapper,
    further?: SQLWrapper,
  ): SQL
  /** Ends a SELECT whose rows the transaction is about to change. */
  readonly forUpdate: SQL
}
