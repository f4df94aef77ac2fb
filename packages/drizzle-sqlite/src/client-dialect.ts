import type { Call } from '@daybook/core'
import {
  ensuringByInsert,
  readLazily,
  runAsync,
  step,
  type Append,
  type Appended,
  type Dialect,
  type ErrorKind,
  type Loaded,
  type Row,
  type Script,
  type Statement,
  type Params,
  type Tx,
} from '@daybook/drizzle'
import type { Client, InStatement, ResultSet } from '@libsql/client'
import { appendedBy, createAppendStatements, NotCommon, type Sent } from './append.ts'
import { createClientLock, type ClientLock } from './client-lock.ts'
import { boundValue } from './connection.ts'
import { compiled, insertAllStatement, insertNewStatement, serverOf, type Common } from './dialect.ts'
import { failureOf } from './errors.ts'
import { listedRows, packedColumns } from './listed-rows.ts'
import { createSessionPages } from './load.ts'
import { manyRowsBy, manyRowsThrough } from './many-rows.ts'
import { createNewSession } from './new-session.ts'
import { probeOf, probeStatements, type Probe } from './probe.ts'
import type { DaybookTables } from './schema.ts'

interface Parts {
  readonly common: Common
  readonly tables: DaybookTables
  readonly client: Client
  readonly probe: Probe
  readonly isOwned: boolean
}

export interface ClientDialect extends Dialect {
  readonly lock: ClientLock
}

/** The verbs over `@libsql/client`: batches where one will do, one interactive transaction at a time where not. */
export function clientDialect({ common, tables, client, probe, isOwned }: Parts): ClientDialect {
  const lock = createClientLock(client, probe)
  const appending = createAppendStatements(tables)
  const creating = createNewSession(tables)
  const pages = createSessionPages(tables, packedColumns)

  /** One batch, and nobody beside it. */
  const write = (batch: readonly Sent[], call: Call): Promise<readonly ResultSet[]> =>
    lock.write(() => {
      call.committing()
      const statements = batch.map(({ text, values }) => ({ sql: text, args: [...values] }))
      return settledUnlessSent(call, client.batch(statements, 'write'))
    }, call)

  async function transact<T>(mode: 'write' | 'read', script: (tx: Tx) => Script<T>, call: Call): Promise<T> {
    call.check()
    const transaction = await client.transaction(mode)
    try {
      const tx = clientTx((statement) => transaction.execute(statement), client.protocol === 'file')
      const answer = await runAsync(script(tx), () => call.check())
      if (mode === 'write') call.committing()
      await settledUnlessSent(call, lock.commit(transaction))
      return answer
    } catch (error) {
      if (client.protocol === 'file' && !transaction.closed)
        await transaction.executeMultiple('ROLLBACK').catch(() => {}) // what led here is thrown
      throw error
    } finally {
      transaction.close() // rolls back what was not committed
    }
  }

  /** Appends in one batch; `undefined` when one of them has to go the long way, and nothing was written. */
  async function appendAll(
    appends: readonly Append[],
    call: Call,
  ): Promise<readonly (Appended | undefined)[] | undefined> {
    if (!lock.canBatch) return undefined
    // What one of several does must be undone alone, and a server's error does not tell which key is there.
    const looksForIds = appends.length > 1 || client.protocol !== 'file'
    const batches = appends.map((append) => appending.batch(append, looksForIds) ?? [])
    if (batches.every(({ length }) => length === 0)) return undefined
    try {
      const answers = await write(batches.flat(), call)
      let at = 0
      return batches.map(({ length }, i) => {
        const own = answers.slice(at, at + length).map(({ rows }) => rows)
        at += length
        const append = appends[i]
        return append && appendedBy(own, append)
      })
    } catch (error) {
      // A key that exists, or a document over its limit: the script finds out which, and says so.
      if (failureOf(error).kind === 'duplicate' || isCheckViolation(error)) return undefined
      throw error
    }
  }

  return {
    ...common,
    lock,
    read: (script, call) =>
      lock.read(() =>
        readLazily(
          script,
          call,
          rowsBy((statement) => client.execute(statement)),
          (whole) => transact('read', whole, call),
        ),
      ),
    write: (script, call) => lock.write(() => transact('write', script, call), call),
    appendEvents: async (append, call) => (await appendAll([append], call))?.[0],
    ...(client.protocol === 'file' && !probe.isMemory && { holdsThread: true as const }),
    ...(lock.canBatch && {
      async appendTogether(appends, call) {
        const appended = await appendAll(appends, call)
        if (appended === undefined) throw new NotCommon()
        return appended
      },
    }),
    async createSession(session, call) {
      const sent = lock.canBatch ? creating(session) : undefined
      if (sent === undefined) return undefined
      // One statement is a transaction by itself.
      const { text, values } = sent
      const { rows } = await lock.write(() => {
        call.committing()
        return settledUnlessSent(call, client.execute({ sql: text, args: [...values] }))
      }, call)
      return rows[0]
    },
    loadSession: (shape, params, call): Promise<Loaded | undefined> =>
      lock.read(async () => {
        call.check()
        const whole = pages.statement(shape, params)
        const only = whole ?? (shape.events === undefined ? pages.alone(shape) : undefined)
        if (only !== undefined) {
          const { rows } = await client.execute(inStatement(only, params))
          const [row] = rows
          if (row === undefined) return undefined
          const session = pages.session(row, shape)
          const listed = whole === undefined ? [] : pages.events(row, session, params, shape)
          if (listed !== undefined) return { session, events: listed }
          call.check()
        }
        const both = [shape.session, ...(shape.events === undefined ? [] : [shape.events])]
        const [session, events] = await client.batch(
          both.map((statement) => inStatement(statement, params)),
          'read',
        )
        const [row] = session?.rows ?? []
        return row === undefined ? undefined : { session: row, events: events?.rows ?? [] }
      }),
    async server(call) {
      call.check()
      return serverOf(await probeClient(client, probe.isMemory))
    },
    async close() {
      if (isOwned) client.close()
    },
  }
}

/** Kinds of a connection that was never made: a commit on its way there has not been sent. */
const neverSent: ReadonlySet<ErrorKind> = new Set(['nobody_listens', 'no_host', 'untrusted'])
const neverSentCodes: ReadonlySet<unknown> = new Set(['EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

/** Takes back that a commit is under way where none can be. */
export async function settledUnlessSent<T>(call: Call, commit: Promise<T>): Promise<T> {
  try {
    return await commit
  } catch (error) {
    const { kind, driverCode } = failureOf(error)
    if (neverSent.has(kind) || neverSentCodes.has(driverCode)) call.settled()
    throw error
  }
}

export async function probeClient(client: Client, isMemory: boolean): Promise<Probe> {
  const answers = await client.batch([...probeStatements], 'read')
  return probeOf(
    answers.map(({ rows }) => rows),
    { isSynchronous: false, isMemory },
  )
}

const inStatement = (statement: Statement, params: Params): InStatement => {
  const { text, values } = compiled(statement)
  return { sql: text, args: values(params).map(boundValue) }
}

type Execute = (statement: InStatement) => Promise<ResultSet>

/** To the client each value costs more than to read it out of a text. */
const rowsBy =
  (execute: Execute) =>
  async (statement: Statement, params: Params): Promise<readonly Row[]> => {
    const asOne = listedRows(statement, params, true)
    const listed = asOne?.rowsIn((await execute(inStatement(asOne.statement, params))).rows[0])
    return listed ?? (await execute(inStatement(statement, params))).rows
  }

/** Verbs over whatever executes a statement of the client. */
const clientTx = (execute: Execute, isLocal: boolean): Tx =>
  ensuringByInsert({
    rows: (statement, params = {}) => step(() => rowsBy(execute)(statement, params)),
    change: (statement, params = {}) => step(async () => (await execute(inStatement(statement, params))).rowsAffected),
    insertNew: (insert, params = {}) =>
      step(async () => (await execute(inStatement(insertNewStatement(insert), params))).rowsAffected > 0),
    *insertAll(insert, params = {}) {
      yield* step(() => execute(inStatement(insertAllStatement(insert), params)))
      return undefined
    },
    many: isLocal
      ? manyRowsBy(async (text, args) => (await execute({ sql: text, args })).rowsAffected)
      : manyRowsThrough(async (statement, params) => (await execute(inStatement(statement, params))).rowsAffected),
  })

/** The bound of a scope's document is kept by a CHECK; see append.ts. */
function isCheckViolation(error: unknown): boolean {
  return failureOf(error).driverCode === 'SQLITE_CONSTRAINT_CHECK'
}
