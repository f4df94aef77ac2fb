import {
  absentAreas,
  createCalls,
  isStoreError,
  StoreError,
  type Call,
  type CallOptions,
  type Calls,
  type EventStore,
  type SessionKey,
  type SessionStore,
  type StateStore,
  type Store,
  unsupported,
} from '@daybook/core'
import type { Engine } from './create-store.ts'
import { methodsOf } from './methods.ts'
import type { Tx } from './dialect.ts'
import { storeErrorOf } from './errors.ts'
import type { Operation, Prepared } from './operation.ts'
import { runAsync, type Script } from './script.ts'
import { createWriterQueue } from './writer-queue.ts'

/** A store inside somebody's transaction: the same methods, which commit or roll back with it. */
export type JoinedStore = Omit<Store, 'migrate' | 'health'>

/** The same for scripts: each method is a part of one. */
export interface ScriptStore {
  readonly sessions: Scripted<Omit<SessionStore, 'lease'>>
  readonly events: Scripted<Omit<EventStore, 'tail'>>
  readonly state: Scripted<StateStore>
}

type Scripted<Methods> = {
  readonly [M in keyof Methods]: Methods[M] extends (...args: infer Args) => Promise<infer Answer>
    ? (...args: Args) => Script<Answer>
    : never
}

interface Joined {
  readonly store: JoinedStore
  /** The sessions that got events: to be told once the transaction has committed. */
  readonly appendedTo: readonly SessionKey[]
}

/** What runs of an operation inside a transaction: no retry, for the transaction is not ours to repeat. */
function* whole<T>({ ready }: Engine, tx: Tx, prepared: Prepared<T>): Script<T> {
  const { script, chunks, afterwards } = prepared
  yield* ready(tx)
  const answer = chunks === undefined ? yield* script(tx) : yield* allChunks(tx, script, chunks)
  return afterwards === undefined ? answer : yield* afterwards(tx, answer)
}

function* allChunks<T>(
  tx: Tx,
  script: Prepared<T>['script'],
  { isLast, add }: NonNullable<Prepared<T>['chunks']>,
): Script<T> {
  const first = yield* script(tx)
  let [sum, last] = [first, first]
  while (!isLast(last)) {
    last = yield* script(tx)
    sum = add(sum, last)
  }
  return sum
}

/**
 * A store inside a transaction of an asynchronous driver. Calls made at once take turns, since they share the connection.
 * After `close()`, or once the driver says that the transaction is over, every method rejects with `closed`.
 *
 * @param stillOpen throws `closed` when the transaction is over, for drivers that would go on outside of it
 */
export function joinedStore(engine: Engine, tx: Tx, stillOpen?: () => Script<void>): Joined {
  const { store, operations, failureOf } = engine
  const calls: Calls = createCalls()
  const turns = createWriterQueue()
  const appendedTo: SessionKey[] = []
  const perform = <T>({ name, options, prepare }: Operation<T>): Promise<T> =>
    calls.run(name, options, async (call) => {
      const prepared = prepare()
      const answer = await turns.run(() =>
        runAsync(guarded(whole(engine, tx, prepared)), () => call.check()).catch(rethrown),
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
  const { sessions, events, state } = methodsOf(operations, perform)
  const joined: JoinedStore = {
    capabilities: store.capabilities,
    limits: store.limits,
    sessions,
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
    ...absentAreas(calls),
    erase: (user, options) => perform(operations.sessions.erase(user, options)),
    close: () => calls.close(),
    [Symbol.asyncDispose]: () => calls.close(),
  }
  return { store: joined, appendedTo }
}

/** A store inside a script. `end()` closes it: a generator that escaped the script must not write outside of it. */
export function scriptStore(
  engine: Engine,
  tx: Tx,
): { readonly store: ScriptStore; readonly appendedTo: readonly SessionKey[]; readonly end: () => void } {
  let isOpen = true
  const appendedTo: SessionKey[] = []
  function* perform<T>(operation: Operation<T>): Script<T> {
    if (!isOpen) throw new StoreError('closed', `${operation.name}: the transaction of this store is over`)
    const prepared = operation.prepare()
    const answer = yield* whole(engine, tx, prepared)
    if (prepared.appendsTo !== undefined) appendedTo.push(prepared.appendsTo)
    return answer
  }
  const asScripts = perform as unknown as <T>(operation: Operation<T>) => Promise<T> // only the container of the answer differs
  const { sessions, events, state } = methodsOf(engine.operations, asScripts)
  return {
    store: { sessions, events, state } as unknown as ScriptStore, // as above: every Promise is a Script
    appendedTo,
    end() {
      isOpen = false
    },
  }
}

/**
 * Runs a transaction that the store begins for the application. Until `body` was entered it is repeated like any unit of
 * the store's own; after that it is not, for what the application does in it is not ours to repeat. Its error comes back as
 * it was thrown.
 */
export async function runTransaction<T>(
  { calls, attempt, signals }: Engine,
  options: CallOptions | undefined,
  begin: (call: Call, enter: <A>(body: () => A) => A) => Promise<{ answer: T; appendedTo: readonly SessionKey[] }>,
): Promise<T> {
  let thrown: { readonly error: unknown } | undefined
  let isEntered = false
  const note = (error: unknown): never => {
    thrown ??= { error }
    throw new StoreError('internal', 'the application ended the transaction with an error', {
      cause: error,
      retryable: false,
    })
  }
  const enter = <A>(body: () => A): A => {
    isEntered = true
    try {
      const answer = body()
      // An asynchronous body fails later; a synchronous one answers something else than a promise.
      return answer instanceof Promise ? (answer.catch(note) as A) : answer
    } catch (error) {
      return note(error)
    }
  }
  try {
    const { answer, appendedTo } = await calls.run('transaction', options, (call) =>
      attempt(
        call,
        () => begin(call, enter),
        () => !isEntered,
      ),
    )
    for (const key of appendedTo) signals.notify(key)
    return answer
  } catch (error) {
    throw thrown === undefined ? error : thrown.error
  }
}
