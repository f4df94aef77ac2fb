import {
  areasOf,
  createCalls,
  isStoreError,
  StoreError,
  unsupported,
  type Call,
  type CallOptions,
  type SessionKey,
  type JoinedStore,
} from '@daybook/core'
import { sql } from 'drizzle-orm'
import { setTimeout as wait } from 'node:timers/promises'
import { artifactStreams } from './artifact-store.ts'
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
  /** To be awaited before a commit: rejects where half of a call that failed may be left in the transaction. */
  readonly undone: () => Promise<void>
}

/** Milliseconds that the end of a call waits at most until it is undone. */
const graceToUndo = 100

const savepoint = { sql: sql.raw('savepoint daybook_call') }
const release = { sql: sql.raw('release savepoint daybook_call') }
const rollback = { sql: sql.raw('rollback to savepoint daybook_call') }

/** What runs of an operation inside a transaction: no retry, for the transaction is not ours to repeat. */
function* inside<T>(ready: Engine['ready'], tx: Tx, { script, chunks, afterwards }: Prepared<T>): Script<T> {
  yield* ready(tx)
  const answer = chunks === undefined ? yield* script(tx) : yield* allChunks(chunks, () => script(tx))
  return afterwards === undefined ? answer : yield* afterwards(tx, answer)
}

/**
 * An operation in a transaction of a synchronous driver. A write is a savepoint: the application may catch its error and
 * commit the rest, and must not commit half of it then.
 */
export function* whole<T>(ready: Engine['ready'], tx: Tx, { mode }: Operation<T>, prepared: Prepared<T>): Script<T> {
  if (mode === 'read') return yield* inside(ready, tx, prepared)
  yield* tx.change(savepoint)
  try {
    const answer = yield* inside(ready, tx, prepared)
    yield* tx.change(release)
    return answer
  } catch (error) {
    yield* undoing(tx)
    throw error
  }
}

/** Where the whole transaction is gone the savepoint is too, and the error that led here is the one to tell. */
function* undoing(tx: Tx): Script<void> {
  try {
    yield* tx.change(rollback)
    yield* tx.change(release)
  } catch {
    // The caller's transaction cannot go on, and its next statement says so.
  }
}

/**
 * A write as a savepoint where the application can act between its steps: when the call is over it goes on, though a
 * statement is still out. So what undoes the call is sent in that moment, behind the statement and before anything that the
 * application sends; a connection keeps the order.
 *
 * @param undone is told what becomes of a call that has to be undone
 */
async function asSavepoint<T>(
  tx: Tx,
  script: Script<T>,
  call: Call,
  undone: (answer: Promise<unknown>) => void,
): Promise<T> {
  let undo: Promise<unknown> | undefined
  let isBegun = false
  const undoOnce = () => {
    if (undo !== undefined) return
    // Without a release, which would take savepoints of the application with it that came after.
    undo = runAsync(tx.change(rollback))
    undone(undo)
  }
  const check = () => {
    call.check()
    if (undo !== undefined) throw new StoreError('aborted', 'the call was over before its next step') // it has its own answer already
  }
  check()
  const stay = call.onOver(undoOnce)
  try {
    await runAsync(tx.change(savepoint))
    isBegun = true
    const answer = await runAsync(script, check)
    check()
    call.committing() // from here on it is in the transaction as a whole, or not at all
    stay()
    await runAsync(tx.change(release))
    return answer
  } catch (error) {
    if (isBegun) undoOnce()
    await undo?.catch(() => {}) // the error that led here is the one to tell
    throw error
  } finally {
    stay()
    call.settled()
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
  const undos: Promise<unknown>[] = []
  async function run<T>(name: string, options: CallOptions | undefined, body: (call: Call) => Promise<T>): Promise<T> {
    const before = undos.length
    try {
      return await calls.run(name, options, body)
    } catch (error) {
      if (undos.length > before) await sent(undos.at(-1))
      throw error
    }
  }
  async function within<T>(call: Call, operation: Operation<T>): Promise<T> {
    const prepared = operation.prepare(operation.request())
    const answer = await turns.run(() => performed(operation, prepared, call).catch(rethrown))
    if (prepared.appendsTo !== undefined) appendedTo.push(prepared.appendsTo)
    return answer
  }
  const perform = <T>(operation: Operation<T>): Promise<T> =>
    run(operation.name, operation.options, (call) => within(call, operation))
  async function performed<T>(operation: Operation<T>, prepared: Prepared<T>, call: Call): Promise<T> {
    const script = inside(ready, tx, prepared)
    if (stillOpen !== undefined) await runAsync(stillOpen(), () => call.check())
    if (operation.mode === 'read') return runAsync(script, () => call.check())
    return asSavepoint(tx, script, call, (undo) => {
      undo.catch(() => {}) // who commits asks
      undos.push(undo)
    })
  }
  const rethrown = (error: unknown): never => {
    if (isStoreError(error)) throw error
    const failure = failureOf(error)
    throw storeErrorOf(failure.kind === 'maybe_missing_schema' ? { ...failure, kind: 'internal' } : failure, error)
  }
  const { sessions, events, state, memories, metrics, artifacts } = methodsOf(operations, perform)
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
    ...areasOf(
      { calls, areas },
      {
        memories,
        ...(store.capabilities.metrics === 'yes' && { metrics }),
        artifacts: {
          ...artifacts,
          // What is deleted in here is deleted outside of the database by the next call after the commit.
          ...artifactStreams(operations.artifacts, {
            run,
            within,
            limits: store.limits,
            now: engine.now,
            ...callDefaults,
            objects: engine.objects,
            isJoined: true,
          }).methods,
        },
      },
    ),
    erase: (user, options) => perform(operations.sessions.erase(user, options)),
    close: () => calls.close(),
    [Symbol.asyncDispose]: () => calls.close(),
  }
  const undone = async () => {
    await Promise.all(undos).catch((cause: unknown) => {
      throw new StoreError(
        'unavailable',
        'a call inside the transaction failed and could not be undone; nothing was committed',
        { cause },
      )
    })
  }
  return { store: joined, appendedTo, undone }
}

/** Drivers send a few promises later than they are asked; where the statement before hangs, the answer is not waited for. */
const sent = (undo: Promise<unknown> | undefined): Promise<unknown> =>
  Promise.race([undo?.catch(() => {}), wait(graceToUndo, undefined, { ref: false })])

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
