import type { Row, Value } from '@daybook/drizzle'
import type { SQL } from 'drizzle-orm'

/** The part of a Drizzle database or transaction over mysql2 that runs statements. */
export interface MysqlExecutor {
  execute(query: SQL): PromiseLike<unknown>
}

/** The part of a Drizzle database that a store uses. */
export interface MysqlDatabase extends MysqlExecutor {
  readonly $client: unknown
  transaction<T>(
    body: (tx: MysqlExecutor) => Promise<T>,
    config?: { isolationLevel: 'read committed' | 'repeatable read'; accessMode?: 'read only' | 'read write' },
  ): Promise<T>
}

/** mysql2 answers rows or a header, and the columns. */
export function resultOf(result: unknown): { readonly rows: readonly Row[]; readonly count: number } {
  const [answer] = result as readonly [readonly Row[] | { readonly affectedRows: number }, unknown] // as mysql2 documents it
  if ('affectedRows' in answer) return { rows: [], count: answer.affectedRows }
  return { rows: answer, count: answer.length }
}

/** LIMIT takes no text, and a number has no room for the largest times. */
export const wire = (value: Value): Value => {
  if (typeof value !== 'bigint') return value
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
}
