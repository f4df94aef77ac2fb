import {
  absentAreas, checkedOptions, checkedTimestamp, createCalls, defaultLimits, StoreError, toMicros,
  type Call, type Calls, type ErasureReceipt, type EventStore, type Health, type MigrationReport, type SessionKey, type SessionStore, type StateStore,
  type Store, type StoreOptions,
} from '@daybook/core'
import { createAppendSignals, type AppendSignals } from './append-signals.ts'
import type { Dialect, Tx } from './dialect.ts'
import { attempt } from './errors.ts'
import { createEventOperations, type EventOperations } from './event-operations.ts'
import { createEventRows } from './event-rows.ts'
import { healthOf } from './health.ts'
import { createSchema } from './migrate.ts'
import type { Operation, Parts, Prepared } from './operation.ts'
import { createScopeStates } from './scope-states.ts'
import type { Script } from './script.ts'
import { createSessionOperations, type SessionOperations } from './session-operations.ts'
import { createSessionRows } from './session-rows.ts'
import { createStateOperations, type StateOperations } from './state-operations.ts'
import { tail } from './tail.ts'

/** The parts of a store that a dialect package puts together: the contract, and what joins transactions. */
export interface Engine {
  readonly store: Store
  readonly calls: Calls
  readonly operations: Operations
  readonly signals: AppendSignals
  /** Runs a unit with retries, as every method does. */
  readonly attempt: <T>(call: Call, unit: () => Promise<T>, mayRepeat?: () => boolean) => Promise<T>
  /** Looks once whether the schema is the one that this version needs. */
  readonly ready: (tx: Tx) => Script<void>
  readonly failureOf: Dialect['failureOf']
}

export interface Operations {
  readonly sessions: SessionOperations
  readonly events: EventOperations
  readonly state: StateOperations
}

/** A store over a dialect: everything that is the same on all databases. */
export function createEngine(dialect: Dialect, { logger, now = Date.now, timeout, limits: given }: StoreOptions): Engine {
  const calls = createCalls({ timeout, logger })
  const limits = { ...defaultLimits, ...dialect.limits, ...given }
  const clock = () => checkedTimestamp(now(), 'now()')
  const sessionRows = createSessionRows(dialect)
  const eventRows = createEventRows(dialect, sessionRows)
  const parts: Parts = {
    dialect,
    sessionRows,
    eventRows,
    scopeStates: createScopeStates(dialect),
    limits,
    now: clock,
    micros: () => toMicros(clock()),
  }
  const operations = { sessions: createSessionOperations(parts), events: createEventOperations(parts), state: createStateOperations(parts) }
  const schema = createSchema(dialect)
  const signals = createAppendSignals()
  let isReady = false

  const run = <T>(call: Call, unit: () => Promise<T>, mayRepeat?: () => boolean): Promise<T> =>
    attempt({ dialect, missingTables: () => missingTables(call), ...(mayRepeat !== undefined && { mayRepeat }) }, call, unit)
  const missingTables = (call: Call) => dialect.read((tx) => schema.missingTables(tx), call)
  function* readyIn(tx: Tx): Script<void> {
    if (isReady) return
    yield* schema.check(tx)
    isReady = true
  }
  async function ready(call: Call): Promise<void> {
    if (!isReady) await run(call, () => dialect.read(readyIn, call))
  }
  const inTransaction = <T>(mode: 'read' | 'write', script: (tx: Tx) => Script<T>, call: Call) => run(call, () => dialect[mode](script, call))

  async function inChunks<T>({ script, chunks }: Prepared<T>, call: Call): Promise<T> {
    const sum: T = await inTransaction<T>('write', script, call)
    if (chunks === undefined) return sum
    return moreChunks(chunks, sum, () => inTransaction<T>('write', script, call))
  }

  const perform = <T>({ name, options, mode, prepare }: Operation<T>): Promise<T> =>
    calls.run(name, options, async (call) => {
      const prepared = prepare()
      const { script, direct, afterwards, generated, appendsTo } = prepared
      if (generated !== undefined) call.generated(generated)
      await ready(call)
      let answer = direct === undefined ? undefined : await run(call, () => direct(call))
      if (answer === undefined && (direct === undefined || mode === 'write')) {
        answer = prepared.chunks === undefined ? await inTransaction(mode, script, call) : await inChunks(prepared, call)
      }
      if (appendsTo !== undefined) signals.notify(appendsTo)
      // What is missing from a read is an answer too.
      return afterwards === undefined || answer === undefined ? (answer as T) : followed(answer, afterwards, call)
    })

  /** The commit is done: an error from here on must not say that nothing was written. */
  async function followed<T>(answer: T, afterwards: (tx: Tx, answer: T) => Script<T>, call: Call): Promise<T> {
    try {
      call.committing()
      return await dialect.read((tx) => afterwards(tx, answer), call)
    } catch (error) {
      throw call.outcomeUnknown(error)
    }
  }

  const { sessions, events, state } = methodsOf(operations, perform)
  const store: Store = {
    capabilities: dialect.capabilities,
    limits,
    sessions,
    events: {
      ...events,
      tail: tailOf({ calls, limits, signals, look: (key, seq, call) => inReadyRead(call, (tx) => operations.events.look(tx, key, seq)) }),
    },
    state,
    ...absentAreas(calls),
    erase: (user, options): Promise<ErasureReceipt> => perform(operations.sessions.erase(user, options)),
    migrate: (options): Promise<MigrationReport> =>
      calls.run('migrate', options, async (call) => {
        const { dryRun = false } = checkedOptions(options, ['dryRun'])
        if (dryRun === true) return inTransaction('read', (tx) => schema.preview(tx), call)
        const report = await inTransaction('write', (tx) => schema.migrate(tx, clock()), call)
        isReady = true
        return report
      }),
    health: (options): Promise<Health> => calls.run('health', options, (call) => healthOf({ dialect, schema, run }, options, call)),
    async close() {
      await calls.close()
      await closeOnce()
    },
    async [Symbol.asyncDispose]() {
      await store.close()
    },
  }
  const inReadyRead = async <T>(call: Call, script: (tx: Tx) => Script<T>) => {
    await ready(call)
    return inTransaction('read', script, call)
  }
  let closed: Promise<void> | undefined
  const closeOnce = () => (closed ??= dialect.close())
  return { store, calls, operations, signals, attempt: run, ready: readyIn, failureOf: (error) => dialect.failureOf(error) }
}

/** Adds up the chunks after the first one, until the last. */
async function moreChunks<T>({ isLast, add }: NonNullable<Prepared<T>['chunks']>, first: T, next: () => Promise<T>): Promise<T> {
  let [sum, last] = [first, first]
  while (!isLast(last)) {
    last = await next()
    sum = add(sum, last)
  }
  return sum
}

type Perform = <T>(operation: Operation<T>) => Promise<T>

/** The methods of the three areas, performed one way or another. What the caller says about types is the caller's claim. */
export function methodsOf({ sessions, events, state }: Operations, perform: Perform): { sessions: SessionStore; events: Omit<EventStore, 'tail'>; state: StateStore } {
  const typed = {
    sessions: {
      create: (session: unknown, options?: object) => perform(sessions.create(session, options)),
      get: (key: unknown, options?: object) => perform(sessions.get(key, options)),
      list: (query: object) => perform(sessions.list(query)),
      count: (filter: object) => perform(sessions.count(filter)),
      update: (key: unknown, change: unknown, options?: object) => perform(sessions.update(key, change, options)),
      delete: (key: unknown, options?: object) => perform(sessions.delete(key, options)),
      fork: (key: unknown, options?: object) => perform(sessions.fork(key, options)),
      stateAt: (key: unknown, seq: number, options?: object) => perform(sessions.stateAt(key, seq, options)),
      prune: (query: object) => perform(sessions.prune(query)),
      lease: (key: unknown, options: object) => perform(sessions.lease(key, options)),
    },
    events: {
      append: (key: unknown, given: unknown, options?: object) => perform(events.append(key, given, options)),
      get: (key: unknown, eventId: string, options?: object) => perform(events.get(key, eventId, options)),
      list: (key: unknown, query?: object) => perform(events.list(key, query)),
    },
    state: {
      get: (key: unknown, options?: object) => perform(state.get(key, options)),
      update: (key: unknown, change: unknown, options?: object) => perform(state.update(key, change, options)),
    },
  }
  return typed as ReturnType<typeof methodsOf> // the same methods without their type parameters
}

const tailOf =
  ({ signals, ...parts }: Omit<Parameters<typeof tail>[0], 'appended'> & { signals: AppendSignals }): EventStore['tail'] =>
  (key, options) =>
    tail({ ...parts, appended: (session: SessionKey, signal) => signals.wait(session, signal) }, key, options) as never // the caller's claim about events

export const notJoined = (what: string): StoreError =>
  new StoreError('unsupported', `${what} is not for use inside a transaction; call it on the store itself`, { capability: what })
