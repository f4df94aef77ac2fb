import { createHash } from 'node:crypto'
import type { Call } from '@daybook/core'
import { compiler, remembered, type Compiled, type Params, type Row, type Statement } from '@daybook/drizzle'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Driver } from './driver.ts'

const pg = new PgDialect()
const compiled = compiler((statement) => pg.sqlToQuery(statement))

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
