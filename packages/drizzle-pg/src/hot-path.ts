import type { Call } from '@daybook/core'
import {
  remembered,
  variants,
  type Dialect,
  type ErrorKind,
  type LoadShape,
  type Params,
  type Row,
  type Statement,
} from '@daybook/drizzle'
import { acrossAnswers, acrossBounds, acrossParams, buildAcross, takes } from './append-across.ts'
import { appendedBy, appendStatement, buildAppend } from './append.ts'
import type { Driver } from './driver.ts'
import { checkViolation, failureOf, neverSent } from './errors.ts'
import { buildLoad, loadedBy } from './load.ts'
import { buildNewSession, newSessionStatement } from './new-session.ts'
import { freshRows } from './many-rows.ts'
import { preparedOn } from './prepared.ts'
import type { DaybookTables } from './schema.ts'
import type { Waits } from './waits.ts'

/** Somebody else has the row, or wants others of the same. */
const isInTheWay: ReadonlySet<ErrorKind> = new Set<ErrorKind>(['duplicate', 'locked', 'contention'])

/** The verbs that have a prepared statement each, sent by the driver itself. */
export function hotPath(
  tables: DaybookTables,
  driver: Driver,
  waits: Waits,
  announces: boolean,
): Pick<Dialect, 'appendEvents' | 'across' | 'createSession' | 'insertFresh' | 'loadSession' | 'loadWithin'> {
  const appendFor = variants((variant) => buildAppend(tables, variant))
  const newSessionFor = variants((variant) => buildNewSession(tables, variant))
  const loadFor = remembered((shape: LoadShape) => buildLoad(shape))
  const across = buildAcross(tables, announces)
  const prepared = preparedOn(driver)

  /**
   * One statement that is a transaction. No rows: what it takes for granted is not so, and it changed nothing.
   *
   * @param params of this call alone
   */
  async function committed(
    statement: Statement,
    params: Params,
    call: Call,
    wait: 'params' | 'hasty' = 'params',
  ): Promise<readonly Row[]> {
    try {
      return await prepared(statement, () => Object.assign(params, waits[wait](call)), call, 'commits')
    } catch (error) {
      const { kind, driverCode = '' } = failureOf(error)
      if (kind === 'duplicate' || driverCode === checkViolation) return []
      if (neverSent.has(driverCode)) call.settled()
      throw waits.told(error, call)
    }
  }

  return {
    async appendEvents(append, call) {
      const { statement, params } = appendStatement(append, appendFor, announces)
      return appendedBy(await committed(statement, params, call))
    },
    // On one connection the others wait for it anyway, and nobody of them for another's lock.
    ...(!driver.isSingle && {
      across: {
        ...acrossBounds,
        takes,
        async send(appends, call) {
          const rows = await committed(across, acrossParams(appends, announces), call, 'hasty')
          return rows.length === 0 ? undefined : acrossAnswers(rows, appends.length)
        },
      },
    }),
    // A session, unlike an event, is not safe to have made after the caller was told that there was no time for it.
    ...(driver.hidesItsQueue !== true && {
      async createSession(session, call) {
        const { variant, params } = newSessionStatement(session)
        const [states] = await committed(newSessionFor(variant), params, call)
        return states
      },
    }),
    async insertFresh(insert, rows, call) {
      const { statement, params } = freshRows(insert, rows)
      try {
        await prepared(statement, () => ({ ...params, ...waits.hasty(call) }), call, 'commits')
        return true
      } catch (error) {
        const { kind, driverCode = '' } = failureOf(error)
        if (neverSent.has(driverCode)) call.settled()
        if (!isInTheWay.has(kind)) throw error
        call.settled()
        return false
      }
    },
    *loadWithin(tx, shape, params) {
      return loadedBy(shape, yield* tx.rows(loadFor(shape), params))
    },
    loadSession: async (shape, params, call) => loadedBy(shape, await prepared(loadFor(shape), () => params, call)),
  }
}
