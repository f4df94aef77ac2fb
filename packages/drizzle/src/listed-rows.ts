import { sql, type Column, type Table } from 'drizzle-orm'
import type { Dialect, Tx } from './dialect.ts'
import type { Script } from './script.ts'
import { param } from './statements.ts'

/** Deletes rows by whole numbers in a column that an index begins with, and counts them. */
export type DeleteListed = (tx: Tx, numbers: readonly string[]) => Script<number>

/**
 * One of them is deleted by an equality, which every planner looks up. A list may be compared with each row of the table instead, by
 * a planner whose statistics are of the time when the table was nearly empty.
 */
export function createDeleteListed(
  { expressions }: Pick<Dialect, 'expressions'>,
  table: Table,
  column: Column,
): DeleteListed {
  const one = { sql: sql`delete from ${table} where ${column} = ${param('number')}` }
  const many = { sql: expressions.deleteListed(table, column, param('numbers')) }
  return function* deleteListed(tx, numbers) {
    const [number] = numbers
    if (number === undefined) return 0
    return numbers.length === 1
      ? yield* tx.change(one, { number: BigInt(number) })
      : yield* tx.change(many, { numbers: listed(numbers) })
  }
}

/** Whole numbers as a JSON array. */
export const listed = (numbers: readonly string[]): string => `[${numbers.join(',')}]`
