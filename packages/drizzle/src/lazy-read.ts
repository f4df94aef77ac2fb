import type { Call } from '@daybook/core'
import type { Row, Statement, Params, Tx } from './dialect.ts'
import { runAsync, step, type Script } from './script.ts'

/**
 * Runs a script that reads. Most make one statement, which is a consistent view by itself and needs no transaction; one that
 * makes a second begins anew inside one, and so does one whose first says that others follow. It may: until it ends it has changed nothing.
 */
export async function readLazily<T>(
  script: (tx: Tx) => Script<T>,
  call: Call,
  rows: (statement: Statement, params: Params) => Promise<readonly Row[]>,
  inTransaction: (script: (tx: Tx) => Script<T>, call: Call) => Promise<T>,
): Promise<T> {
  let statements = 0
  const once: Tx = {
    rows: (statement, params = {}) =>
      step(() => {
        statements++
        if (statements > 1 || statement.isFollowed === true) throw new NeedsTransaction()
        return rows(statement, params)
      }),
    ...writesNothing,
  }
  try {
    return await runAsync(script(once), () => call.check())
  } catch (error) {
    if (!(error instanceof NeedsTransaction)) throw error
    return inTransaction(script, call)
  }
}

const none = (): never => {
  throw new TypeError('a script that reads must not write')
}

const writesNothing = {
  change: none,
  insertNew: none,
  insertAll: none,
  ensure: none,
  many: { insertNew: none, replace: none },
}

class NeedsTransaction extends Error {}
