import type { Call } from '@daybook/core'
import {
  runSync,
  step,
  type Append,
  type Appended,
  type Dialect,
  type Loaded,
  type Params,
  type Row,
  type Statement,
  type Tx,
  ensuringByInsert,
} from '@daybook/drizzle'
import { createAppendStatements, NotCommon } from './append.ts'
import type { Connection } from './connection.ts'
import { compiled, insertAllStatement, insertNewStatement, serverOf, type Common } from './dialect.ts'
import { ConnectionClosed, ConnectionInUse, failureOf } from './errors.ts'
import { listedRows } from './listed-rows.ts'
import { createSessionPages } from './load.ts'
import { manyRowsOn } from './many-rows.ts'
import { createNewSession } from './new-session.ts'
import { probeOf, probeStatements, type Probe } from './probe.ts'
import type { DaybookTables } from './schema.ts'

interface Parts {
  readonly common: Common
  readonly tables: DaybookTables
  readonly connection: Connection
  readonly probe: Probe
  readonly close: () => void
}

/** The verbs on a connection of a synchronous driver: a script runs from BEGIN to COMMIT without letting go of the thread. */
export function connectionDialect({ common, tables, connection, probe, close }: Parts): Dialect {
  const { isSynchronous, isMemory } = probe
  const tx = connectionTx(connection)
  const appending = createAppendStatements(tables)
  const creating = createNewSession(tables)
  const pages = createSessionPages(tables)

  /** Retries are the engine's: BEGIN fails at once when somebody else writes. */
  async function inTransaction<T>(mode: 'IMMEDIATE' | 'DEFERRED', body: () => T, call: Call): Promise<T> {
    call.check()
    return transact(connection, mode, body, call)
  }

  /** One of several appends: what it wrote before it turned out to go the long way is undone, and nothing else. */
  function oneOf(append: Append): Appended | undefined {
    connection.change('savepoint "one"', [])
    let appended: Appended | undefined
    try {
      appended = appending.run(connection, append)
    } catch (error) {
      if (!goesTheLongWay(error)) throw error
      connection.change('rollback to "one"', [])
    }
    connection.change('release "one"', [])
    return appended
  }

  return {
    ...common,
    read: (script, call) => inTransaction('DEFERRED', () => runSync(script(tx)), call),
    write: (script, call) => inTransaction('IMMEDIATE', () => runSync(script(tx)), call),
    async appendEvents(append, call) {
      try {
        call.check()
        return transact(connection, 'IMMEDIATE', () => appending.run(connection, append), call)
      } catch (error) {
        if (goesTheLongWay(error)) return undefined
        throw error
      }
    },
    // In memory a commit costs nothing that could be shared.
    ...(!isMemory && {
      appendTogether: (appends, call) => inTransaction('IMMEDIATE', () => appends.map(oneOf), call),
      holdsThread: true,
    }),
    async createSession(session, call) {
      const sent = creating(session)
      if (sent === undefined) return undefined
      const [row] = await inTransaction('IMMEDIATE', () => connection.rows(sent.text, sent.values), call)
      return row
    },
    loadSession: (shape, params, call) =>
      inTransaction(
        'DEFERRED',
        (): Loaded | undefined => {
          const whole = pages.statement(shape, params)
          const [session] = rows(connection, whole ?? shape.session, params)
          if (session === undefined) return undefined
          const listed = whole && pages.events(session, session, params, shape)
          return {
            session,
            events: listed ?? (shape.events === undefined ? [] : rows(connection, shape.events, params)),
          }
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

/** A key that exists, or a document over its limit: the script finds out which, and says so. */
const goesTheLongWay = (error: unknown): boolean => error instanceof NotCommon || failureOf(error).kind === 'duplicate'

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

function rows(connection: Connection, statement: Statement, params: Params): readonly Row[] {
  const asOne = connection.hasSlowRows ? listedRows(statement, params, false) : undefined
  const listed = asOne?.rowsIn(rows(connection, asOne.statement, params)[0])
  if (listed !== undefined) return listed
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
    *insertAll(insert, params = {}) {
      yield* step(() => change(connection, insertAllStatement(insert), params))
      return undefined
    },
    many: manyRowsOn(connection),
  })
