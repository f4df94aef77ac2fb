import {
  areasOf,
  createCalls,
  isStoreError,
  StoreError,
  unsupported,
  type Call,
  type SessionKey,
  type SessionStore,
  type EventStore,
  type StateStore,
  type JoinedStore,
} from '@daybook/core'
import { sql } from 'drizzle-orm'
import type { Engine } from './create-store.ts'
import type { Tx } from './dialect.ts'
import { storeErrorOf } from './errors.ts'
import { methodsOf } from './methods.ts'
import type { Operation, Prepared } from './operation.ts'
import { allChunks } from './perform.ts'
import { runAsync, type Script } from './script.ts'
import { createWriterQueue } from './writer-queue.ts'

export type { JoinedStore }

interface Joined {
  readonly store: JoinedStore
  /** The sessions that got events: to be told once the transaction has committed. */
  readonly appendedTo: readonly SessionKey[]
}

const savepoint = { sql: sql.raw('savepoint daybook_call') }
const release = { sql: sql.raw('release savepoint daybook_call') }
const rollback = { sql: sql.raw('rollback to savepoint daybook_call') }

/**
 * What runs of an operation inside a transaction: no retry, for the transaction is not ours to repeat. A write is a
 * savepoint: the application may catch its error and commit the rest, and must not commit half of it then.
 */
export function* whole<T>(ready: Engine['ready'], tx: Tx, { mode }: Operation<T>, prepared: Prepared<T>): Script<T> {
  const { script, chunks, afterwards } = prepared
  const all = function* all(): Script<T> {
    yield* ready(tx)
    const answer = chunks === undefined ? yield* script(tx) : yield* allChunks(chunks, () => script(tx))
    return afterwards === undefined ? answer : yield* afterwards(tx, answer)
  }
  if (mode === 'read') return yield* all()
  yield* tx.change(savepoint)
  try {
    const answer = yield* all()
    yield* tx.change(release)
    return answer
  } catch (error) {
    yield* undone(tx)
    throw error
  }
}

/** Where the whole transaction is gone the savepoint is too, and the error that led here is the one to tell. */
function* undone(tx: Tx): Script<void> {
  try {
    yield* tx.change(rollback)
    yield* tx.change(release)
  } catch {
    // The caller's transaction cannot go on, and its next statement says so.
  }
}

/**
 * A store inside a transaction of an asynchronous driver. Calls made at once take turns, since they share the connection.
 * After `close()`, or once the driver says that the transaction is over, every method rejects with `closed`.
 *
 * @param stillOpen throws `closed` when the transaction is over, for drivers that would go on outside of it
 */
export function joinedStore(engine: Engine, tx: Tx, stillOpen?: () => Script<void>): Joined {
  const { store, areas, operations, failureOf, ready, callDefaults } = engine
  const calls = createCalls(callDefaults)
  const turns = createWriterQueue()
  const appendedTo: SessionKey[] = []
  const perform = <T>(operation: Operation<T>): Promise<T> =>
    calls.run(operation.name, operation.options, async (call: Call) => {
      const prepared = operation.prepare(operation.request())
      const answer = await turns.run(() =>
        runAsync(guarded(whole(ready, tx, operation, prepared)), () => call.check()).catch(rethrown),
      )
      if (prepared.appendsTo !== undefined) appendedTo.push(prepared.appendsTo)
      return answer
    })
  function* guarded<T>(script: Script<T>): Script<T> {
    if (stillOpen !== undefined) yield* stillOpen()
    return yield* script
  }
  const rethrown = (error: unknown): never => {
    if (isStoreError(error)) throw error
    const failure = failureOf(error)
    throw storeErrorOf(failure.kind === 'maybe_missing_schema' ? { ...failure, kind: 'internal' } : failure, error)
  }
  const {
    sessions,
    events,
    state,
  }: { sessions: Omit<SessionStore, 'lease'>; events: Omit<EventStore, 'tail'>; state: StateStore } = methodsOf(
    operations,
    perform,
  )
  const joined: JoinedStore = {
    capabilities: store.capabilities,
    limits: store.limits,
    sessions: {
      ...sessions,
      // Nobody else would see it before the commit, and a renewal would wait for the row that the transaction holds.
      lease: (_key, options) =>
        calls.run('sessions.lease', options, () => {
          throw unsupported('lease', 'a lease taken inside a transaction')
        }),
    },
    events: {
      ...events,
      // What others append is not to be seen in here, and waiting for it would hold the transaction open.
      tail: () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.reject(unsupported('events.tail', 'a tail inside a transaction')),
        }),
      }),
    },
    state,
    ...areasOf({ calls, areas }),
    erase: (user, options) => perform(operations.sessions.erase(user, options)),
    close: () => calls.close(),
    [Symbol.asyncDispose]: () => calls.close(),
  }
  return { store: joined, appendedTo }
}

/**
 * A store inside a transaction that the application began. It is `closed` with the store that it came from, which knows
 * nothing of the transaction.
 */
export function joiningStore(engine: Engine, tx: Tx, stillOpen?: () => Script<void>): JoinedStore {
  return joinedStore(engine, tx, function* open() {
    if (engine.calls.closing.aborted) throw new StoreError('closed', 'the store that this one came from is closed')
    if (stillOpen !== undefined) yield* stillOpen()
  }).store
}
