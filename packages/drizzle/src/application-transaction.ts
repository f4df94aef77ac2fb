import type { Call, CallOptions } from '@daybook/core'
import type { Engine } from './create-store.ts'
import type { Tx } from './dialect.ts'
import { joinedStore, type JoinedStore } from './joined-store.ts'
import { runTransaction, type Entered } from './run-transaction.ts'
import type { Script } from './script.ts'

/** What Drizzle hands to the body of a transaction of this database. */
export type TransactionOf<Db extends { transaction: (body: never) => unknown }> = Db extends {
  transaction: (body: (tx: infer Tx) => infer _Answer, ...rest: infer _Rest) => unknown
}
  ? Tx
  : never

/** `store.transaction` over a driver that answers later. */
export type ApplicationTransaction<Db extends { transaction: (body: never) => unknown }> = <T>(
  body: (tx: TransactionOf<Db>, store: JoinedStore) => Promise<T>,
  options?: CallOptions,
) => Promise<T>

interface Way<Native> {
  /** Begins a transaction, runs the body in it, and commits; rolls back what the body throws. */
  readonly begin: <T>(body: (tx: Native) => Promise<T>, call: Call) => Promise<T>
  /** The verbs inside it. */
  readonly verbs: (tx: Native) => Tx
  /** Throws `closed` when the transaction is over, where a driver would go on outside of it. Asked before each call of the store inside. */
  readonly stillOpen?: (tx: Native) => () => Script<void>
  /** The last thing before the commit: throws where the database would roll back without an error. */
  readonly beforeCommit?: (tx: Native) => Promise<void>
}

/**
 * The application's rows and the agent's in one transaction that the store begins. The body gets Drizzle's own transaction,
 * and a store that lives inside it: closed before the commit, and with it the calls that nobody waited for.
 */
export const applicationTransaction =
  <Db extends { transaction: (body: never) => unknown }, Native>(
    engine: Engine,
    { begin, verbs, stillOpen, beforeCommit }: Way<Native>,
  ): ApplicationTransaction<Db> =>
  (body, options) =>
    runTransaction(engine, options, (call, enter) => {
      call.check()
      return begin(async (tx): Promise<Entered<Awaited<ReturnType<typeof body>>>> => {
        call.check()
        const { store, appendedTo, undone } = joinedStore(engine, verbs(tx), stillOpen?.(tx))
        try {
          // An `async` function, because what the body answers may be a builder of Drizzle, which is no promise yet.
          const answer = await enter(async () => body(tx as unknown as TransactionOf<Db>, store)) // Drizzle hands out the transaction of this database
          await store.close()
          await beforeCommit?.(tx)
          await undone()
          call.committing()
          return { answer, appendedTo }
        } finally {
          await store.close()
        }
      }, call)
    })
