import { createHash } from 'node:crypto'
import type { Call } from '@daybook/core'
import { compiler, remembered, type Compiled, type Params, type Row, type Statement } from '@daybook/drizzle'
import { is, Placeholder } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Driver } from './driver.ts'

/** What a statement names more than once it is sent once. */
const compiled = compiler((statement) => {
  const names: string[] = []
  const params: Placeholder[] = []
  const escapeParam = (_: number, slot?: unknown): string => {
    if (!is(slot, Placeholder)) throw new TypeError('a statement carries a value of its own; make it a placeholder')
    if (!names.includes(slot.name)) {
      names.push(slot.name)
      params.push(slot)
    }
    return `$${names.indexOf(slot.name) + 1}`
  }
  const { sql } = Object.assign(new PgDialect(), { escapeParam }).sqlToQuery(statement)
  return { sql, params }
})

/** A name for each text: over one pool, stores with other schemas, prefixes or versions must not meet under one name. */
const nameOf = remembered(
  ({ text }: Compiled) => `daybook_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`,
)

/**
 * Runs a statement that the server keeps prepared, outside of transactions.
 *
 * @param params asked for when there is a connection
 * @param does `commits`: it writes
 */
export type RunPrepared = (
  statement: Statement,
  params: () => Params,
  call: Call,
  does?: 'commits',
) => Promise<readonly Row[]>

export const preparedOn =
  (driver: Driver): RunPrepared =>
  (statement, params, call, does) => {
    const query = compiled(statement)
    return driver.prepared({ name: nameOf(query), text: query.text, values: () => query.values(params()) }, call, does)
  }
