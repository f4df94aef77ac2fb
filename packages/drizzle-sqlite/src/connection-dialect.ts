import type { Call } from '@daybook/core'
import {
  runSync,
  step,
  type Dialect,
  type Loaded,
  type Params,
  type Statement,
  type Tx,
  ensuringByInsert,
} from '@daybook/drizzle'
import type { Connection } from './connection.ts'
import { compiled, insertNewStatement, serverOf, type Common } from './dialect.ts'
import { ConnectionClosed, ConnectionInUse } from './errors.ts'
import { probeOf, probeStatements, type Probe } from './probe.ts'

/** The verbs on a connection of a synchronous driver: a script runs from BEGIN to COMMIT without letting go of the thread. */
export function connectionDialect(
  common: Common,
  connection: Connection,
  { isSynchronous, isMemory }: Probe,
  close: () => void,
): Dialect {
  const tx = connectionTx(connection)

  /** Retries are the engine's: BEGIN fails at once when somebody else writes. */
  async function inTransaction<T>(mode: 'IMMEDIATE' | 'DEFERRED', body: () => T, call: Call): Promise<T> {
    call.check()
    return transact(connection, mode, body, call)
  }

  return {
    ...common,
    read: (script, call) => inTransaction('DEFERRED', () => runSync(script(tx)), call),
    write: (script, call) => inTransaction('IMMEDIATE', () => runSync(script(tx)), call),
    loadSession: (shape, params, call) =>
      inTransaction(
        'DEFERRED',
        (): Loaded | undefined => {
          const [session] = rows(connection, shape.session, params)
          if (session === undefined) return undefined
          return { session, events: shape.events === undefined ? [] : rows(connection, shape.events, params) }
        },
        call,
      ),
    async server(call) {
      call.check()
      if (!connection.isOpen) throw new ConnectionClosed()
      return serverOf(probeConnection(connection, { isSynchronous, isMemory }))
    },
    async close() {
      close()
    },
  }
}

export const probeConnection = (
  connection: Connection,
  driver: { readonly isSynchronous: boolean; readonly isMemory: boolean },
): Probe =>
  probeOf(
    probeStatements.map((text) => connection.rows(text, [])),
    driver,
  )

/** Runs a body between BEGIN and COMMIT. An error of the rollback does not hide the one that led to it. */
function transact<T>(connection: Connection, mode: 'IMMEDIATE' | 'DEFERRED', body: () => T, call?: Call): T {
  if (!connection.isOpen) throw new ConnectionClosed()
  if (connection.inTransaction) throw new ConnectionInUse()
  connection.begin(mode)
  let answer: T
  try {
    answer = body()
    if (mode === 'IMMEDIATE') call?.committing()
    else call?.check()
    connection.commit()
  } catch (error) {
    try {
      if (connection.inTransaction) connection.rollback()
    } catch {
      // What led here is thrown below. A transaction that cannot even be rolled back makes the next BEGIN fail.
    }
    throw error
  }
  return answer
}

const rows = (connection: Connection, statement: Statement, params: Params) => {
  const { text, values } = compiled(statement)
  return connection.rows(text, values(params))
}

const change = (connection: Connection, statement: Statement, params: Params) => {
  const { text, values } = compiled(statement)
  return connection.change(text, values(params))
}

export const connectionTx = (connection: Connection): Tx =>
  ensuringByInsert({
    rows: (statement, params = {}) => step(() => rows(connection, statement, params)),
    change: (statement, params = {}) => step(() => change(connection, statement, params)),
    insertNew: (insert, params = {}) => step(() => change(connection, insertNewStatement(insert), params) > 0),
  })
