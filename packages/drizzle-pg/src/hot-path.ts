import { createHash } from 'node:crypto'
import type { Call } from '@daybook/core'
import {
  compiler,
  remembered,
  variants,
  type Compiled,
  type Dialect,
  type LoadShape,
  type Params,
  type Row,
  type Statement,
} from '@daybook/drizzle'
import { PgDialect } from 'drizzle-orm/pg-core'
import { appendedBy, appendStatement, buildAppend } from './append.ts'
import type { Driver } from './driver.ts'
import { checkViolation, failureOf, neverSent } from './errors.ts'
import { buildLoad, loadedBy } from './load.ts'
import type { DaybookTables } from './schema.ts'
import type { Waits } from './waits.ts'

const pg = new PgDialect()
const compiled = compiler((statement) => pg.sqlToQuery(statement))
/** A name for each text: over one pool, stores with other schemas, prefixes or versions must not meet under one name. */
const nameOf = remembered(
  ({ text }: Compiled) => `daybook_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`,
)

/** The verbs that have a prepared statement each, sent by the driver itself. */
export function hotPath(
  tables: DaybookTables,
  driver: Driver,
  waits: Waits,
  announces: boolean,
): Required<Pick<Dialect, 'appendEvents' | 'loadSession' | 'loadWithin'>> {
  const appendFor = variants((variant) => buildAppend(tables, variant))
  const loadFor = remembered((shape: LoadShape) => buildLoad(tables, shape))
  const prepared = (
    statement: Statement,
    params: () => Params,
    call: Call,
    does?: 'commits',
  ): Promise<readonly Row[]> => {
    const query = compiled(statement)
    return driver.prepared({ name: nameOf(query), text: query.text, values: () => query.values(params()) }, call, does)
  }

  return {
    async appendEvents(append, call) {
      const { statement, params } = appendStatement(append, appendFor, announces)
      try {
        return appendedBy(await prepared(statement, () => ({ ...params, ...waits.params(call) }), call, 'commits'))
      } catch (error) {
        const { kind, driverCode = '' } = failureOf(error)
        if (kind === 'duplicate' || driverCode === checkViolation) return undefined
        if (neverSent.has(driverCode)) call.settled()
        throw waits.told(error, call)
      }
    },
    *loadWithin(tx, shape, params) {
      return loadedBy(yield* tx.rows(loadFor(shape), params))
    },
    loadSession: async (shape, params, call) => loadedBy(await prepared(loadFor(shape), () => params, call)),
  }
}
