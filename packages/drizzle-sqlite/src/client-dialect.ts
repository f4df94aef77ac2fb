import type { Call } from '@daybook/core'
import { createWriterQueue, readLazily, runAsync, step, type Dialect, type Loaded, type Row, type Script, type Statement, type Params, type Tx, type WriterQueue } from '@daybook/drizzle'
import type { Client, InStatement, ResultSet } from '@libsql/client'
import { appendBatch, appendedBy } from './append.ts'
import { boundValue } from './connection.ts'
import { compiled, insertNewStatement, serverOf, type Common } from './dialect.ts'
import { failureOf } from './errors.ts'
import { probeOf, probeStatements, type Probe } from './probe.ts'
import type { DaybookTables } from './schema.ts'

interface Parts {
  readonly common: Common
  readonly tables: DaybookTables
  readonly client: Client
  readonly isMemory: boolean
  readonly isOwned: boolean
}

export interface ClientDialect extends Dialect {
  /** Writers of this process take turns here, those of the application inside `store.transaction` too. */
  readonly writers: WriterQueue
}

/** The verbs over `@libsql/client`: batches where one will do, one interactive transaction at a time where not. */
export function clientDialect({ common, tables, client, isMemory, isOwned }: Parts): ClientDialect {
  const writers = createWriterQueue()

  /**
   * After SQLITE_BUSY the client's connection stays poisoned: what it then acknowledges is lost. Only a new connection cures
   * it, as the very next thing; a database in memory cannot be busy, and would be lost with its connection.
   */
  async function cured<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (!isMemory && client.protocol === 'file' && failureOf(error).kind === 'locked') await client.reconnect()
      throw error
    }
  }

  async function transact<T>(mode: 'write' | 'read', script: (tx: Tx) => Script<T>, call: Call): Promise<T> {
    call.check()
    const transaction = await cured(client.transaction(mode))
    try {
      const answer = await runAsync(script(clientTx((statement) => transaction.execute(statement))), () => call.check())
      if (mode === 'write') call.committing()
      await cured(transaction.commit())
      return answer
    } finally {
      transaction.close() // rolls back what was not committed
    }
  }

  return {
    ...common,
    writers,
    read(script, call) {
      const read = () =>
        readLazily(
          script,
          call,
          async (statement, params) => (await client.execute(inStatement(statement, params))).rows,
          (whole) => transact('read', whole, call),
        )
      return isMemory ? writers.run(read) : read()
    },
    write: (script, call) => writers.run(() => transact('write', script, call)),
    appendEvents: (append, call) =>
      writers.run(async () => {
        const batch = appendBatch(tables, append)
        if (batch === undefined) return undefined
        call.committing()
        try {
          return appendedBy(await cured(client.batch(batch, 'write')))
        } catch (error) {
          // A key that exists, or a document over its limit: the script finds out which, and says so.
          if (failureOf(error).kind === 'duplicate' || isCheckViolation(error)) return undefined
          throw error
        }
      }),
    async loadSession(shape, params, call): Promise<Loaded | undefined> {
      call.check()
      const load = async () => {
        const statements = [shape.session, ...(shape.events === undefined ? [] : [shape.events])]
        const [session, events] = await cured(client.batch(statements.map((statement) => inStatement(statement, params)), 'read'))
        const [row] = session?.rows ?? []
        return row === undefined ? undefined : { session: row, events: events?.rows ?? [] }
      }
      return isMemory ? writers.run(load) : load()
    },
    async server(call) {
      call.check()
      return serverOf(await probeClient(client, isMemory))
    },
    async close() {
      if (isOwned) client.close()
    },
  }
}

export async function probeClient(client: Client, isMemory: boolean): Promise<Probe> {
  const answers = await client.batch([...probeStatements], 'read')
  return probeOf(
    answers.map(({ rows }) => rows),
    { isSynchronous: false, isMemory },
  )
}

export const inStatement = (statement: Statement, params: Params): InStatement => {
  const { text, values } = compiled(statement)
  return { sql: text, args: values(params).map(boundValue) }
}

/** Verbs over whatever executes a statement of the client. */
export const clientTx = (execute: (statement: InStatement) => Promise<ResultSet>): Tx => ({
  rows: (statement, params = {}) => step(async (): Promise<readonly Row[]> => (await execute(inStatement(statement, params))).rows),
  change: (statement, params = {}) => step(async () => (await execute(inStatement(statement, params))).rowsAffected),
  insertNew: (insert, params = {}) => step(async () => (await execute(inStatement(insertNewStatement(insert), params))).rowsAffected > 0),
})

/** The bound of a scope's document is kept by a CHECK; see append.ts. */
function isCheckViolation(error: unknown): boolean {
  return failureOf(error).driverCode === 'SQLITE_CONSTRAINT_CHECK'
}
